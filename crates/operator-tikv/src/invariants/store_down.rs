//! `store_down`: a store is dead.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Listing, Quantity, Rule, Severity, Slo, Snapshot, Store,
    StoreState, Verdicts, Why,
};

/// A store shows no sign of life: PD has not heard from it, and whoever measures it agrees or is silent.
///
/// PD alone calls a store down after half an hour. Two witnesses are believed after 20 s, one after 60 s.
/// A store that never reported has never lived, and one that was removed may be silent.
#[derive(Debug)]
pub struct StoreDown {
    rule: Rule,
    with_witness: Duration,
    without_witness: Duration,
}

impl Default for StoreDown {
    fn default() -> Self {
        let month = Duration::from_secs(30 * 24 * 3600);
        Self {
            rule: Rule::new("store_down", "a store shows no sign of life")
                .grace(Duration::from_secs(10))
                .settle(Duration::from_secs(20))
                .slo(Slo {
                    name: "store_availability",
                    target_ratio: 1.0,
                    window: month,
                }),
            with_witness: Duration::from_secs(20),
            without_witness: Duration::from_secs(60),
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
                _ => verdicts.judge(store.entity(), || self.judge(store, stores, snapshot)),
            }
        }
        verdicts.close_stores(stores)
    }
}

impl StoreDown {
    fn judge(
        &self,
        store: &Store,
        stores: &Listing<Store>,
        snapshot: &Snapshot,
    ) -> Result<Option<Broken>, Gap> {
        let state = stores.known(&store.entity(), "state", store.state.as_ref())?;
        let heartbeat = stores.known(&store.entity(), "heartbeat", store.last_heartbeat)?;
        let alive = store
            .started_at
            .map_or(heartbeat, |start| start.max(heartbeat));
        let (silent, ahead) = (snapshot.at().since(alive), alive.since(snapshot.at()));
        let witness = seen_up(store, snapshot);
        let dead = match &witness {
            _ if *state == StoreState::Down => true,
            _ if ahead > TOLERATED_SKEW => return Err(clocks_apart(store, ahead)),
            _ if silent < self.with_witness => false,
            // One that is up answers someone: it hangs, or is cut off from PD. Another rule says so.
            Ok(up) => !up,
            Err(_) if silent >= self.without_witness => true,
            // Nobody was asked for a second opinion: PD's word is all there will be.
            Err(gap) if *gap.why() == Why::NotConfigured => false,
            // Too silent for one that lives, too briefly to go by PD alone.
            Err(gap) => return Err(gap.clone()),
        };
        if !dead {
            return Ok(None);
        }
        let condition = match witness {
            Ok(false) => self.with_witness,
            Ok(true) | Err(_) => self.without_witness,
        };
        let witness = match witness {
            Ok(true) => "up",
            Ok(false) => "not up",
            Err(_) => "none",
        };
        let quantity = |name, value: operator_core::Value, unit| {
            Quantity::new(name, value, unit, "PD stores", snapshot.at())
        };
        let evidence = Evidence::of([
            quantity("no sign of life for", seconds(silent), "s").against(seconds(condition)),
            quantity("state", state.to_string().into(), ""),
            quantity("second witness", witness.into(), ""),
        ]);
        Ok(Some(
            Broken::new(Severity::Critical, evidence).since(alive + condition),
        ))
    }
}

/// By how much PD's clock may be ahead of ours before its times are of no use.
const TOLERATED_SKEW: Duration = Duration::from_secs(5);

/// A sign of life from the future says nothing of how long the store has been silent.
fn clocks_apart(store: &Store, ahead: Duration) -> Gap {
    let why = Why::Unusable {
        expected: "a time that is not ahead of our clock".into(),
        found: format!("one that is {} s ahead", ahead.as_secs()),
    };
    Gap::new("heartbeat", why).about(store.entity())
}

/// PD has no heartbeat of it, and that is all that is to be had.
fn never_reported(store: &Store, stores: &Listing<Store>) -> bool {
    store.last_heartbeat.is_none() && stores.gap_about(&store.entity()).is_none()
}

/// Whether whoever measures the store finds it up.
fn seen_up(store: &Store, snapshot: &Snapshot) -> Result<bool, Gap> {
    let up = snapshot.metrics_of(store.id)?.up.measured()?;
    up.map(|up| up.value)
        .ok_or_else(|| Gap::new("a second witness", Why::Unsaid).about(store.entity()))
}

fn seconds(duration: Duration) -> operator_core::Value {
    duration.as_secs().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use operator_core::{Entity, Measured, Reading, StoreId, StoreMetrics, Timestamp, Verdict};

    const NOW: i64 = 1_700_000_000;

    fn store(state: StoreState, heartbeat_age: i64) -> Store {
        Store {
            state: Some(state),
            last_heartbeat: Some(Timestamp::from_unix_seconds(NOW - heartbeat_age)),
            ..Store::new(StoreId(4), "10.0.0.4:20160")
        }
    }

    fn snapshot(store: Store) -> Snapshot {
        Snapshot::unseen(Timestamp::from_unix_seconds(NOW))
            .with_stores(Ok(Listing::whole(vec![store])))
    }

    fn with_up(snapshot: Snapshot, up: bool) -> Snapshot {
        let unsaid = Gap::new("metrics", Why::Unsaid);
        let up = Measured::new(up, snapshot.at(), "up");
        let metrics = StoreMetrics {
            up: Reading::Seen(up),
            ..StoreMetrics::blind(StoreId(4), &unsaid)
        };
        snapshot.with_metrics(Ok(Listing::whole(vec![metrics])))
    }

    /// How long it has been so, or `None` where the rule holds.
    #[track_caller]
    fn check(snapshot: &Snapshot, expected: Option<i64>) {
        let mut verdicts = Verdicts::default();
        StoreDown::default()
            .check(snapshot, &mut verdicts)
            .expect("stores are seen");
        let verdict = verdicts
            .of(&Entity::Store(StoreId(4)))
            .expect("the store is named");
        let since = match verdict {
            Verdict::Broken(broken) => broken.since,
            Verdict::Holds => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            since,
            expected.map(|ago| Timestamp::from_unix_seconds(NOW - ago))
        );
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
            let gap = Gap::new("metrics", why);
            let metrics = StoreMetrics::blind(StoreId(4), &gap);
            let snapshot = snapshot(store(StoreState::Disconnected, age))
                .with_metrics(Ok(Listing::whole(vec![metrics])));
            let mut verdicts = Verdicts::default();
            let rule = StoreDown::default();
            rule.check(&snapshot, &mut verdicts)
                .expect("stores are seen");
            verdicts.of(&Entity::Store(StoreId(4)))
        };
        for age in [20, 59] {
            let verdict = of(age, Why::Unsaid);
            assert!(
                matches!(verdict, Some(Verdict::Unseen(_))),
                "{age}: {verdict:?}"
            );
            assert_eq!(of(age, Why::NotConfigured), Some(Verdict::Holds));
        }
        assert!(matches!(
            of(60, Why::NotConfigured),
            Some(Verdict::Broken(_))
        ));
    }

    #[test]
    fn two_witnesses_are_believed_after_20_seconds() {
        let silent = |age, up| with_up(snapshot(store(StoreState::Disconnected, age)), up);
        check(&silent(19, false), None);
        check(&silent(20, false), Some(0));
        check(&silent(90, true), None);
    }

    /// Where clocks are apart a dead store's last heartbeat may lie ahead of ours for hours.
    #[test]
    fn a_sign_of_life_from_the_future_is_no_sign_of_life() {
        check(&snapshot(store(StoreState::Disconnected, -5)), None);
        let ahead = snapshot(store(StoreState::Disconnected, -6));
        let mut verdicts = Verdicts::default();
        StoreDown::default()
            .check(&ahead, &mut verdicts)
            .expect("stores are seen");
        let Some(Verdict::Unseen(gap)) = verdicts.of(&Entity::Store(StoreId(4))) else {
            panic!("clocks are apart");
        };
        assert_eq!(
            gap.to_string(),
            "heartbeat of store/4 not seen: expected a time that is not ahead of our clock, found one that is 6 s ahead"
        );
        let down = snapshot(store(StoreState::Down, -6));
        let mut verdicts = Verdicts::default();
        StoreDown::default()
            .check(&down, &mut verdicts)
            .expect("stores are seen");
        let verdict = verdicts.of(&Entity::Store(StoreId(4)));
        assert!(matches!(verdict, Some(Verdict::Broken(_))));
    }

    #[test]
    fn what_pd_calls_down_is_down() {
        check(&snapshot(store(StoreState::Down, 3600)), Some(3540));
        check(
            &with_up(snapshot(store(StoreState::Down, 3600)), true),
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
            started_at: Some(Timestamp::from_unix_seconds(NOW - 7)),
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
        let entity = unseen.entity();
        let listing = Listing {
            gaps: vec![Gap::new("heartbeat", Why::Unsaid).about(entity.clone())].into(),
            ..Listing::whole(vec![unseen])
        };
        let snapshot = Snapshot::unseen(Timestamp::from_unix_seconds(NOW)).with_stores(Ok(listing));
        let mut verdicts = Verdicts::default();
        StoreDown::default()
            .check(&snapshot, &mut verdicts)
            .expect("stores are seen");
        assert!(matches!(verdicts.of(&entity), Some(Verdict::Unseen(_))));
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
            let mut verdicts = Verdicts::default();
            StoreDown::default()
                .check(&snapshot(store), &mut verdicts)
                .expect("stores are seen");
            assert_eq!(verdicts.of(&Entity::Store(StoreId(4))), expected);
        }
    }
}
