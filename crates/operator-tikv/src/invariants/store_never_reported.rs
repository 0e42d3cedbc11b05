//! `store_never_reported`: PD knows of a store, and has never heard from it.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Store, StoreState,
    Value, Verdicts,
};

use super::Settings;
use super::common::settled;
use super::death::never_reported;
use super::page::{Knob, Page};
use super::registry::Documented;

/// A store registered with PD and never sent a heartbeat. PD calls it Down at once, and counts it.
#[derive(Debug)]
pub(super) struct StoreNeverReported {
    rule: Rule,
    warns_after: Duration,
}

const WARNS_AFTER: Knob = Knob::span(
    "warns_after",
    300.0,
    "how long after its start it should have reported",
);

impl Documented for StoreNeverReported {
    const PAGE: &'static Page = &Page {
        code: "store_never_reported",
        kind: Kind::Cluster,
        summary: "PD knows of a store, and has never heard from it",
        broken_when: "info: a store has never sent a heartbeat; warning: and it started 5 min ago or earlier",
        entity: "the store",
        input: "PD /stores; how long PD's leader leads",
        meaning: "A store registers, starts, and reports within some ten seconds. One that never does holds \
                  nothing and serves nothing; but PD counts it as a store when it is asked whether another one \
                  may be removed, and calls it Down from the first moment",
        evidence: "how long ago it started, where it said so; its address; the state that PD gives it",
        origin: "Stores report every 10 s from their start on; five minutes leave room for a slow first start",
        false_alarms: "A store that joins, for its first seconds: that is the info. A cluster that is being set \
                       up. A new leader of PD does not know heartbeats of the last minutes, so for 100 s after \
                       a change nobody is newly named",
        what_to_do: &[
            "Does a process run at that address? A typo in advertise-addr registers a store that cannot be reached.",
            "It runs: the end of its log says why it does not get on; a store that was set up twice gives up there.",
            "It was a mistake: remove it with `pd-ctl store delete ID`. It holds no regions and goes within seconds.",
        ],
        grace: Duration::ZERO,
        settle: Duration::ZERO,
        knobs: &[WARNS_AFTER],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            warns_after: settings.span(page.code, &WARNS_AFTER),
        }
    }
}

impl Invariant for StoreNeverReported {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let stores = snapshot.stores()?;
        for store in &stores.items {
            match store.state {
                Some(StoreState::Tombstone) => verdicts.gone(store.entity()),
                _ => verdicts.judge(store.entity(), || match never_reported(store, stores) {
                    // A new leader knows heartbeats only as they were last written down, minutes ago.
                    true => settled(snapshot).map(|()| Some(self.silent(store, snapshot))),
                    false => {
                        stores.known(&store.entity(), "heartbeat", store.last_heartbeat)?;
                        Ok(None)
                    }
                }),
            }
        }
        verdicts.close_stores(stores)
    }
}

impl StoreNeverReported {
    fn silent(&self, store: &Store, snapshot: &Snapshot) -> Broken {
        let quantity = |name, value: Value, unit| {
            Quantity::new(name, value, unit, "PD /stores", snapshot.at())
        };
        let running = store.started_at.map(|start| snapshot.at().since(start));
        let started = running.map(|running| {
            quantity("started before", running.as_secs().into(), "s")
                .against(self.warns_after.as_secs())
        });
        let state = store.state.as_ref().map(ToString::to_string);
        let rest = [
            Some(quantity("address", store.address.clone().into(), "")),
            state.map(|state| quantity("state", state.into(), "")),
        ];
        let evidence = Evidence::of(started.into_iter().chain(rest.into_iter().flatten()));
        let severity = match running.is_some_and(|running| running >= self.warns_after) {
            true => Severity::Warning,
            false => Severity::Info,
        };
        let broken = Broken::new(severity, evidence);
        match store.started_at {
            Some(start) => broken.since(start.min(snapshot.at())),
            None => broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{ago, led, of_stores, up};
    use super::super::told::told;
    use super::*;
    use operator_core::{Listing, Timestamp, Why};

    fn never(started_at: Option<Timestamp>) -> Store {
        Store {
            state: Some(StoreState::Down),
            last_heartbeat: None,
            started_at,
            ..up(9)
        }
    }

    fn check(store: Store, expected: &str) {
        let snapshot = of_stores([store]);
        let told = told::<StoreNeverReported>(&snapshot, "store/9");
        assert_eq!(told, expected);
    }

    #[test]
    fn who_never_reported_is_noted_and_warned_of_after_five_minutes() {
        check(up(9), "holds");
        check(
            never(Some(ago(299))),
            "info for 299 s: started before 299 s (threshold 300 s), address 10.0.0.9:20160, state Down",
        );
        check(
            never(Some(ago(300))),
            "warning for 300 s: started before 300 s (threshold 300 s), address 10.0.0.9:20160, state Down",
        );
        // It may have been registered by hand.
        check(never(None), "info: address 10.0.0.9:20160, state Down");
        // Its clock may be ahead of ours.
        check(
            never(Some(ago(-30))),
            "info for 0 s: started before 0 s (threshold 300 s), address 10.0.0.9:20160, state Down",
        );
    }

    #[test]
    fn a_heartbeat_that_was_not_seen_may_be_there() {
        let unknown = never(Some(ago(900)));
        let gap = Gap::new("heartbeat", Why::Unsaid).about(unknown.entity());
        let stores = Listing {
            gaps: vec![gap].into(),
            ..Listing::whole(vec![unknown])
        };
        let snapshot = of_stores([]).with_stores(Ok(stores));
        assert_eq!(
            told::<StoreNeverReported>(&snapshot, "store/9"),
            "unseen: heartbeat of store/9 not seen: the answer does not say"
        );
    }

    #[test]
    fn a_young_leader_of_pd_may_not_have_heard_of_a_heartbeat_yet() {
        let of = |changed| {
            let snapshot = led(of_stores([never(Some(ago(400)))]), Some(changed));
            told::<StoreNeverReported>(&snapshot, "store/9")
        };
        assert!(of(99).starts_with("unseen: what PD counts"), "{}", of(99));
        assert!(of(100).starts_with("warning"), "{}", of(100));
    }

    #[test]
    fn who_was_removed_is_gone() {
        let removed = Store {
            state: Some(StoreState::Tombstone),
            ..never(None)
        };
        check(removed, "gone");
        let told = told::<StoreNeverReported>(&of_stores([up(1)]), "store/9");
        assert_eq!(told, "gone");
    }
}
