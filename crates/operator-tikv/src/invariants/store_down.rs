//! `store_down`: a store is dead.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Rule, Severity, Slo, Snapshot, StoreState, Verdicts,
};

use super::Settings;
use super::death::{Death, never_reported};
use super::page::{Knob, Page};
use super::registry::Documented;

/// A store shows no sign of life: PD has not heard from it, and whoever measures it agrees or is silent.
///
/// PD alone calls a store down after half an hour. Two witnesses are believed after 20 s, one after 60 s.
/// A store that never reported has never lived, and one that was removed may be silent.
#[derive(Debug)]
pub(super) struct StoreDown {
    rule: Rule,
    death: Death,
}

pub(super) const TWO_WITNESSES: Knob = Knob::span(
    "two_witnesses_after",
    20.0,
    "how long no sign of life, where Prometheus does not reach it either",
);
pub(super) const ONE_WITNESS: Knob = Knob::span(
    "one_witness_after",
    60.0,
    "how long no sign of life, where PD alone says so",
);

impl Documented for StoreDown {
    const PAGE: &'static Page = &Page {
        code: "store_down",
        kind: Kind::Cluster,
        summary: "a store shows no sign of life",
        broken_when: "critical: PD calls it Down; or it gave no sign of life (heartbeat or start) for 20 s and \
                      Prometheus cannot reach it either, or its target is gone; or for 60 s where there is no second witness",
        entity: "the store",
        input: "PD /stores; `up` of Prometheus, where there is one",
        meaning: "Its process is dead, its machine is, or nobody can reach it. Its regions elect leaders on other \
                  stores within about 18 s; every region with a peer on it has one replica less. PD makes new \
                  replicas elsewhere only after max-store-down-time, 30 min by default",
        evidence: "how long no sign of life; the state that PD gives it; what the second witness says",
        origin: "PD itself waits 20 s for Disconnected and 30 min for Down. Two witnesses that agree are believed \
                 after 20 s, and 10 s of grace let a quick restart pass",
        false_alarms: "A store cut off from PD and from Prometheus at once, but not from its clients. A process \
                       that hangs for longer than a minute is called dead where there is no Prometheus. Not for a \
                       store that never reported, nor for one that was removed",
        what_to_do: &[
            "Is it one store or several? With two or more dead, look at regions_without_quorum first.",
            "Look at the machine and at the end of the store's log: killed for memory, a full disk, a panic.",
            "Start it again. It catches up by itself, whatever it missed.",
            "If it will not come back within half an hour, let PD repair, and see that there is room: `operator stores`.",
        ],
        grace: Duration::from_secs(10),
        settle: Duration::from_secs(20),
        knobs: &[TWO_WITNESSES, ONE_WITNESS],
        ordered: &[("two_witnesses_after", "one_witness_after")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        let month = Duration::from_secs(30 * 24 * 3600);
        Self {
            rule: page.rule(settings).slo(Slo {
                name: "store_availability",
                target_ratio: 1.0,
                window: month,
            }),
            death: Death::by(settings),
        }
    }
}

impl Invariant for StoreDown {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let stores = snapshot.stores()?;
        for store in &stores.items {
            match store.state {
                Some(StoreState::Tombstone) => verdicts.gone(store.entity()),
                _ if never_reported(store, stores) => {}
                _ => verdicts.judge(store.entity(), || {
                    let dead = self.death.of(store, stores, snapshot)?;
                    Ok(dead.map(|dead| {
                        let evidence = Evidence::of(dead.evidence());
                        Broken::new(Severity::Critical, evidence).since(dead.since)
                    }))
                }),
            }
        }
        verdicts.close_stores(stores)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{self, ago, now, of_stores};
    use super::super::told::{self, told};
    use super::*;
    use operator_core::{Listing, Store, Verdict, Why};

    fn store(state: StoreState, heartbeat_age: i64) -> Store {
        Store {
            state: Some(state),
            last_heartbeat: Some(ago(heartbeat_age)),
            ..scene::up(4)
        }
    }

    fn snapshot(store: Store) -> Snapshot {
        of_stores([store])
    }

    fn with_up(snapshot: Snapshot, up: Result<bool, Why>) -> Snapshot {
        scene::with_ups(snapshot, [(4, up)])
    }

    fn verdict(snapshot: &Snapshot) -> Option<Verdict> {
        let rule = StoreDown::new(&Settings::default());
        told::verdict(&rule, snapshot, &scene::entity(4))
    }

    /// How long it has been so, or `None` where the rule holds.
    #[track_caller]
    fn check(snapshot: &Snapshot, expected: Option<i64>) {
        let since = match verdict(snapshot).expect("the store is named") {
            Verdict::Broken(broken) => broken.since,
            Verdict::Holds => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(since, expected.map(ago));
    }

    #[test]
    fn one_witness_is_believed_after_60_seconds() {
        check(&snapshot(store(StoreState::Up, 5)), None);
        check(&snapshot(store(StoreState::Disconnected, 19)), None);
        check(&snapshot(store(StoreState::Disconnected, 60)), Some(0));
        check(&snapshot(store(StoreState::Disconnected, 100)), Some(40));
    }

    /// A store that two witnesses called dead must not come back to life because one of them went away.
    #[test]
    fn between_the_two_a_missing_witness_is_missed_if_there_should_be_one() {
        let of = |age, why: Why| {
            let silent = snapshot(store(StoreState::Disconnected, age));
            told::<StoreDown>(&with_up(silent, Err(why)), "store/4")
        };
        let unseen = "unseen: metrics of store/4 not seen: the answer does not say";
        for age in [20, 59] {
            assert_eq!(of(age, Why::Unsaid), unseen, "{age}");
            assert_eq!(of(age, Why::NotConfigured), "holds", "{age}");
        }
        let broken = of(60, Why::NotConfigured);
        assert!(broken.starts_with("critical for 0 s"), "{broken}");
    }

    /// As when a pod ends, and is no target any more.
    #[test]
    fn a_target_that_is_gone_is_a_second_witness() {
        let of = |age| {
            let silent = snapshot(store(StoreState::Disconnected, age));
            with_up(silent, Err(Why::Vanished))
        };
        check(&of(19), None);
        check(&of(20), Some(0));
    }

    #[test]
    fn two_witnesses_are_believed_after_20_seconds() {
        let silent = |age, up| with_up(snapshot(store(StoreState::Disconnected, age)), Ok(up));
        check(&silent(19, false), None);
        check(&silent(20, false), Some(0));
        check(&silent(90, true), None);
    }

    /// Where clocks are apart a dead store's last heartbeat may lie ahead of ours for hours.
    #[test]
    fn a_sign_of_life_from_the_future_is_no_sign_of_life() {
        check(&snapshot(store(StoreState::Disconnected, -5)), None);
        let ahead = snapshot(store(StoreState::Disconnected, -6));
        assert_eq!(
            told::<StoreDown>(&ahead, "store/4"),
            "unseen: heartbeat of store/4 not seen: expected a time that is not ahead of our clock, found one that is 6 s ahead"
        );
        let down = snapshot(store(StoreState::Down, -6));
        assert!(matches!(verdict(&down), Some(Verdict::Broken(_))));
    }

    #[test]
    fn what_pd_calls_down_is_down() {
        check(&snapshot(store(StoreState::Down, 3600)), Some(3540));
        check(
            &with_up(snapshot(store(StoreState::Down, 3600)), Ok(true)),
            Some(3540),
        );
    }

    #[test]
    fn a_store_that_is_being_removed_can_die_too() {
        check(&snapshot(store(StoreState::Offline, 5)), None);
        check(&snapshot(store(StoreState::Offline, 100)), Some(40));
    }

    #[test]
    fn a_start_is_a_sign_of_life() {
        let restarted = Store {
            started_at: Some(ago(7)),
            ..store(StoreState::Disconnected, 100)
        };
        check(&snapshot(restarted), None);
    }

    #[test]
    fn what_is_not_seen_is_neither_alive_nor_dead() {
        let unseen = Store {
            state: None,
            last_heartbeat: None,
            ..store(StoreState::Up, 0)
        };
        let listing = Listing {
            gaps: vec![Gap::new("heartbeat", Why::Unsaid).about(unseen.entity())].into(),
            ..Listing::whole(vec![unseen])
        };
        let snapshot = Snapshot::unseen(now()).with_stores(Ok(listing));
        assert_eq!(
            told::<StoreDown>(&snapshot, "store/4"),
            "unseen: heartbeat of store/4 not seen: the answer does not say"
        );
    }

    #[test]
    fn a_store_that_never_reported_is_not_named_and_a_removed_one_is_gone() {
        let never = Store {
            last_heartbeat: None,
            ..store(StoreState::Down, 0)
        };
        for (store, expected) in [
            (never, None),
            (store(StoreState::Tombstone, 100), Some(Verdict::Gone)),
        ] {
            assert_eq!(verdict(&snapshot(store)), expected);
        }
    }
}
