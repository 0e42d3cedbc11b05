//! Snapshots for the tests of rules: a healthy cluster, and what is changed of it.

use operator_core::{
    Entity, Gap, Invariant, Listing, Measured, Reading, Severity, Snapshot, Store, StoreId,
    StoreMetrics, StoreState, Timestamp, Verdict, Verdicts, Why,
};

use crate::facts::{PdLeadership, PdMember, StoreStrain};

pub(super) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000)
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000 - seconds)
}

/// A healthy store.
pub(super) fn up(id: u64) -> Store {
    Store {
        state: Some(StoreState::Up),
        version: Some("8.5.7".into()),
        capacity_bytes: Some(1000),
        available_bytes: Some(600),
        leader_count: Some(100),
        region_count: Some(300),
        last_heartbeat: Some(ago(3)),
        started_at: Some(ago(86_400)),
        slow_score: Some(1),
        busy: Some(false),
        ..Store::new(StoreId(id), format!("10.0.0.{id}:20160"))
    }
}

/// A store that is dead.
pub(super) fn dead(id: u64) -> Store {
    Store {
        state: Some(StoreState::Disconnected),
        last_heartbeat: Some(ago(100)),
        ..up(id)
    }
}

pub(super) fn of_stores(stores: impl IntoIterator<Item = Store>) -> Snapshot {
    let stores = stores.into_iter().collect();
    Snapshot::unseen(now())
        .with_stores(Ok(Listing::whole(stores)))
        .with_part("PD leader", Ok(leadership(None)))
}

/// What PD's leader is, having changed so many seconds ago.
pub(super) fn leadership(changed: Option<i64>) -> PdLeadership {
    PdLeadership {
        leader: Some(PdMember {
            name: "pd-0".into(),
            id: 1,
            client_urls: Vec::new(),
            peer_urls: Vec::new(),
            version: None,
            leader_priority: 0,
        }),
        told: None,
        changed_at: changed.map(ago),
    }
}

/// The same snapshot, PD's leader having changed half a minute ago.
pub(super) fn unsettled(snapshot: Snapshot) -> Snapshot {
    snapshot.with_part("PD leader", Ok(leadership(Some(30))))
}

pub(super) fn seen<T>(value: T) -> Reading<T> {
    Reading::Seen(Measured::new(value, now(), "a query"))
}

pub(super) fn unsaid() -> Gap {
    Gap::new("it", Why::Unsaid)
}

/// Metrics of a store that is up, and nothing more of it.
pub(super) fn metrics(id: u64, change: impl FnOnce(&mut StoreMetrics)) -> StoreMetrics {
    let mut metrics = StoreMetrics {
        up: seen(true),
        ..StoreMetrics::blind(StoreId(id), &unsaid())
    };
    change(&mut metrics);
    metrics
}

/// One store that is up, so measured.
pub(super) fn measured(change: impl FnOnce(&mut StoreMetrics)) -> Snapshot {
    of_stores([up(1)]).with_metrics(Ok(Listing::whole(vec![metrics(1, change)])))
}

/// Several stores that are up, and measured to be, so strained.
pub(super) fn strained_stores(strains: impl IntoIterator<Item = StoreStrain>) -> Snapshot {
    let strains: Vec<StoreStrain> = strains.into_iter().collect();
    let ids = || strains.iter().map(|strain| strain.store.0);
    let up_too = ids().map(|id| metrics(id, |_| {})).collect();
    of_stores(ids().map(up))
        .with_metrics(Ok(Listing::whole(up_too)))
        .with_part("strain", Ok(Listing::whole(strains)))
}

pub(super) fn strain(id: u64, change: impl FnOnce(&mut StoreStrain)) -> StoreStrain {
    let mut strain = StoreStrain::blind(StoreId(id), &unsaid());
    change(&mut strain);
    strain
}

/// One store that is up, so strained.
pub(super) fn strained(change: impl FnOnce(&mut StoreStrain)) -> Snapshot {
    strained_stores([strain(1, change)])
}

/// A verdict, as far as most tests ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Holds,
    Broken(Severity),
    Unseen,
    Gone,
    Nothing,
}

pub(super) const WARNING: Told = Told::Broken(Severity::Warning);
pub(super) const CRITICAL: Told = Told::Broken(Severity::Critical);
pub(super) const INFO: Told = Told::Broken(Severity::Info);

/// What a rule says of an entity. A rule that is blind as a whole sees nothing of it.
pub(super) fn verdict(
    rule: &impl Invariant,
    snapshot: &Snapshot,
    entity: &Entity,
) -> Option<Verdict> {
    let mut verdicts = Verdicts::default();
    match rule.check(snapshot, &mut verdicts) {
        Ok(()) => verdicts.of(entity),
        Err(gap) => Some(Verdict::Unseen(gap)),
    }
}

pub(super) fn told(rule: &impl Invariant, snapshot: &Snapshot, entity: &Entity) -> Told {
    match verdict(rule, snapshot, entity) {
        Some(Verdict::Holds) => Told::Holds,
        Some(Verdict::Broken(broken)) => Told::Broken(broken.severity),
        Some(Verdict::Unseen(_)) => Told::Unseen,
        Some(Verdict::Gone) => Told::Gone,
        None => Told::Nothing,
    }
}

pub(super) fn store(id: u64) -> Entity {
    Entity::Store(StoreId(id))
}

/// What is said of the first store.
#[track_caller]
pub(super) fn check(rule: &impl Invariant, snapshot: &Snapshot, expected: Told) {
    assert_eq!(told(rule, snapshot, &store(1)), expected);
}

/// The evidence against an entity, as one line.
#[track_caller]
pub(super) fn evidence(rule: &impl Invariant, snapshot: &Snapshot, entity: &Entity) -> String {
    match verdict(rule, snapshot, entity) {
        Some(Verdict::Broken(broken)) => broken.evidence.to_string(),
        other => panic!("{entity} is not broken: {other:?}"),
    }
}
