//! `store_disconnected`: a store lives, and PD does not hear from it.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Listing, Quantity, Rule, Scope, Severity, Snapshot,
    Store, StoreState, Value, Verdicts, Why,
};

use super::Settings;
use super::common::measured;
use super::death::{never_reported, seen_up, silence};
use super::page::{Knob, Page};
use super::registry::Documented;
use crate::facts::is_tiflash;

/// PD has no heartbeat of a store that answers those who measure it: it is cut off from PD, or it hangs.
#[derive(Debug)]
pub(super) struct StoreDisconnected {
    rule: Rule,
    silent_after: Duration,
}

const SILENT_AFTER: Knob = Knob::span(
    "silent_after",
    20.0,
    "how long no heartbeat while Prometheus finds it up",
);

impl Documented for StoreDisconnected {
    const PAGE: &'static Page = &Page {
        code: "store_disconnected",
        kind: Kind::Cluster,
        summary: "a store answers Prometheus, but PD does not hear from it",
        broken_when: "warning: no sign of life (heartbeat or start) for 20 s, while Prometheus finds the store up",
        entity: "the store",
        input: "PD /stores; `up` of Prometheus",
        meaning: "It serves what it leads, but PD cannot schedule it and does not learn of its regions' splits and \
                  leaders; after max-store-down-time (30 min) PD calls it Down and makes its replicas anew \
                  elsewhere. Or it hangs so that a metrics page still comes while nothing else moves",
        evidence: "how long no sign of life; the state that PD gives it; when Prometheus last found it up",
        origin: "PD itself calls a store Disconnected after 20 s; stores report every 10 s. 20 s of grace outlast \
                 a change of PD's leader and the scrape that had not yet failed when a store hung",
        false_alarms: "A store that has just hung or died is up for Prometheus until its next scrape fails. Not \
                       for a store that Prometheus does not reach either, or that PD calls Down: store_down says \
                       so. Without Prometheus this cannot be told from a death: the rule is listed as not \
                       configured",
        what_to_do: &[
            "From the store's machine, does PD answer? `curl http://PD:2379/pd/api/v1/leader`. It must reach the leader.",
            "Are several stores named? Then look at PD's leader and the network before any store.",
            "The store's log says what it fails at: `failed to connect to PD`, `PD client`, a region heartbeat stream.",
            "PD answers there and the log is silent: the process hangs. Look at its disk (`iostat -x 1`), then restart it.",
            "Mend it within 30 min, or PD begins to move all of its data.",
        ],
        grace: Duration::from_secs(20),
        settle: Duration::from_secs(20),
        knobs: &[SILENT_AFTER],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings).symptom_of("store_down", Scope::Same),
            silent_after: settings.span(page.code, &SILENT_AFTER),
        }
    }
}

impl Invariant for StoreDisconnected {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        measured(snapshot)?;
        let stores = snapshot.stores()?;
        for store in stores.items.iter().filter(|store| !is_tiflash(store)) {
            match store.state {
                Some(StoreState::Tombstone) => verdicts.gone(store.entity()),
                _ if never_reported(store, stores) => {}
                _ => verdicts.judge(store.entity(), || self.judged(store, stores, snapshot)),
            }
        }
        verdicts.close_stores(stores)
    }
}

/// How often a store reports to PD.
const HEARTBEAT: Duration = Duration::from_secs(10);

impl StoreDisconnected {
    fn judged(
        &self,
        store: &Store,
        stores: &Listing<Store>,
        snapshot: &Snapshot,
    ) -> Result<Option<Broken>, Gap> {
        let state = stores.known(&store.entity(), "state", store.state.as_ref())?;
        // That one is dead, whatever else is said of it.
        if *state == StoreState::Down {
            return Ok(None);
        }
        let silent = silence(store, stores, snapshot)?;
        if silent < self.silent_after {
            return Ok(None);
        }
        if !seen_up(store, snapshot)? {
            return Ok(None);
        }
        let pd = |name, value: Value, unit| {
            Quantity::new(name, value, unit, "PD /stores", snapshot.at())
        };
        let up = snapshot.metrics_of(store.id)?.up.measured()?;
        // Reached when it had not yet missed a heartbeat: it may have died right after that.
        let fell_silent = snapshot.at() - silent;
        if up.is_some_and(|up| up.sampled_at < fell_silent + HEARTBEAT) {
            let because = "Prometheus last reached it before PD missed it".into();
            let gap = Gap::new("up", Why::Distrusted { because });
            return Err(gap.about(store.entity()));
        }
        let up = up.map(|up| Quantity::new("up", 1u64, "", up.source.clone(), up.sampled_at));
        let evidence = [
            pd("no sign of life for", silent.as_secs().into(), "s")
                .against(self.silent_after.as_secs()),
            pd("state", state.to_string().into(), ""),
        ];
        let evidence = Evidence::of(evidence.into_iter().chain(up));
        let beyond = silent.saturating_sub(self.silent_after);
        let since = snapshot.at() - beyond;
        Ok(Some(Broken::new(Severity::Warning, evidence).since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{ago, of_stores, tiflash, up, with_ups};
    use super::super::told::told;
    use super::*;

    fn silent(state: StoreState, seconds: i64) -> Store {
        Store {
            state: Some(state),
            last_heartbeat: Some(ago(seconds)),
            ..up(4)
        }
    }

    fn check(store: Store, up: Result<bool, Why>, expected: &str) {
        let snapshot = with_ups(of_stores([store]), [(4, up)]);
        assert_eq!(told::<StoreDisconnected>(&snapshot, "store/4"), expected);
    }

    #[test]
    fn a_store_that_is_up_and_silent_is_cut_off() {
        check(silent(StoreState::Up, 19), Ok(true), "holds");
        check(
            silent(StoreState::Disconnected, 45),
            Ok(true),
            "warning for 25 s: no sign of life for 45 s (threshold 20 s), state Disconnected, up 1",
        );
        // It is being removed, and cut off from whoever removes it.
        check(
            silent(StoreState::Offline, 20),
            Ok(true),
            "warning for 0 s: no sign of life for 20 s (threshold 20 s), state Offline, up 1",
        );
    }

    #[test]
    fn a_store_that_is_dead_is_another_rules_business() {
        check(silent(StoreState::Disconnected, 45), Ok(false), "holds");
        let vanished = Err(Why::Vanished);
        check(silent(StoreState::Disconnected, 45), vanished, "holds");
        check(silent(StoreState::Down, 3600), Ok(true), "holds");
    }

    #[test]
    fn a_start_is_a_sign_of_life() {
        let restarted = Store {
            started_at: Some(ago(8)),
            ..silent(StoreState::Disconnected, 45)
        };
        check(restarted, Ok(true), "holds");
    }

    #[test]
    fn without_a_second_witness_nobody_can_tell() {
        check(
            silent(StoreState::Disconnected, 45),
            Err(Why::Unsaid),
            "unseen: metrics of store/4 not seen: the answer does not say",
        );
        check(
            silent(StoreState::Up, 5),
            Err(Why::NotConfigured),
            "blind: store metrics not seen: not configured",
        );
        let ahead = "unseen: heartbeat of store/4 not seen: expected a time that is not ahead of our clock, \
                     found one that is 9 s ahead";
        check(silent(StoreState::Up, -9), Ok(true), ahead);
    }

    /// Just after a change of PD's leader.
    #[test]
    fn a_store_that_pds_leader_does_not_know_yet_is_unseen() {
        let unknown = Store {
            state: None,
            last_heartbeat: None,
            ..up(4)
        };
        let gap = Gap::new("state", Why::Unsaid).about(unknown.entity());
        let stores = Listing {
            gaps: vec![gap].into(),
            ..Listing::whole(vec![unknown])
        };
        let snapshot = with_ups(of_stores([]).with_stores(Ok(stores)), [(4, Ok(true))]);
        assert_eq!(
            told::<StoreDisconnected>(&snapshot, "store/4"),
            "unseen: state of store/4 not seen: the answer does not say"
        );
    }

    #[test]
    fn who_has_no_such_witness_is_not_named() {
        let never = Store {
            last_heartbeat: None,
            ..silent(StoreState::Down, 0)
        };
        check(never, Ok(true), "not named");
        let snapshot = of_stores([
            up(1),
            Store {
                last_heartbeat: Some(ago(90)),
                ..tiflash(4)
            },
        ]);
        let snapshot = with_ups(snapshot, [(1, Ok(true)), (4, Err(Why::NotConfigured))]);
        assert_eq!(told::<StoreDisconnected>(&snapshot, "store/4"), "not named");
    }
}
