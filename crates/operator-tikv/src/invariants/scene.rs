//! What is seen, for the tests of rules: a healthy cluster, and what is changed of it.

use operator_core::{
    Entity, Gap, Listing, Measured, Reading, Snapshot, Store, StoreId, StoreMetrics, StoreState,
    Timestamp, Why,
};

use crate::facts::{PdLeadership, PdMember, StoreStrain};

/// When everything is seen.
pub(super) fn now() -> Timestamp {
    ago(0)
}

/// So many seconds before the look.
pub(super) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_700_000_000 - seconds)
}

/// A healthy store, which has been up for a day.
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

/// A healthy store that runs `TiFlash`.
pub(super) fn tiflash(id: u64) -> Store {
    let labels = [("engine".to_owned(), "tiflash".to_owned())].into();
    Store { labels, ..up(id) }
}

/// A store, as a rule names it.
pub(super) fn entity(id: u64) -> Entity {
    Entity::Store(StoreId(id))
}

/// These stores, a leader of PD that has long known them, and nothing else.
pub(super) fn of_stores(stores: impl IntoIterator<Item = Store>) -> Snapshot {
    let stores = stores.into_iter().collect();
    led(Snapshot::unseen(now()), None).with_stores(Ok(Listing::whole(stores)))
}

/// The same snapshot, with a member that leads PD, since so many seconds if a change was seen.
pub(super) fn led(snapshot: Snapshot, changed: Option<i64>) -> Snapshot {
    let leader = PdMember {
        name: "pd-0".into(),
        id: 1,
        client_urls: Vec::new(),
        peer_urls: Vec::new(),
        version: None,
        leader_priority: 0,
    };
    let leadership = PdLeadership {
        leader: Some(leader),
        told: None,
        changed_at: changed.map(ago),
    };
    snapshot.with_part("PD leader", Ok(leadership))
}

/// The same snapshot, PD's leader having changed half a minute ago.
pub(super) fn unsettled(snapshot: Snapshot) -> Snapshot {
    led(snapshot, Some(30))
}

/// A value that was read.
pub(super) fn seen<T>(value: T) -> Reading<T> {
    Reading::Seen(Measured::new(value, now(), "a query"))
}

/// Some gap.
pub(super) fn unsaid() -> Gap {
    Gap::new("it", Why::Unsaid)
}

/// Metrics of a store that is up, or not, or not known to be, and nothing more of it.
fn witnessed(id: u64, up: Result<bool, Why>) -> StoreMetrics {
    let gap = |why| Gap::new("metrics", why).about(entity(id));
    let (up, rest) = match up {
        Ok(up) => (seen(up), gap(Why::Unsaid)),
        Err(why) => (Reading::Blind(gap(why.clone())), gap(why)),
    };
    StoreMetrics {
        up,
        ..StoreMetrics::blind(StoreId(id), &rest)
    }
}

/// The same snapshot, with what Prometheus says of whether stores are up.
pub(super) fn with_ups<const N: usize>(
    snapshot: Snapshot,
    ups: [(u64, Result<bool, Why>); N],
) -> Snapshot {
    let metrics = ups.map(|(id, up)| witnessed(id, up));
    snapshot.with_metrics(Ok(Listing::whole(metrics.into())))
}

/// Metrics of a store that is up, so changed.
pub(super) fn metrics(id: u64, change: impl FnOnce(&mut StoreMetrics)) -> StoreMetrics {
    let mut metrics = witnessed(id, Ok(true));
    change(&mut metrics);
    metrics
}

/// One store that is up, so measured.
pub(super) fn measured(change: impl FnOnce(&mut StoreMetrics)) -> Snapshot {
    of_stores([up(1)]).with_metrics(Ok(Listing::whole(vec![metrics(1, change)])))
}

/// The strain of a store, of which nothing but this is seen.
pub(super) fn strain(id: u64, change: impl FnOnce(&mut StoreStrain)) -> StoreStrain {
    let gap = Gap::new("strain", Why::Unsaid).about(entity(id));
    let mut strain = StoreStrain::blind(StoreId(id), &gap);
    change(&mut strain);
    strain
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

/// One store that is up, so strained.
pub(super) fn strained(change: impl FnOnce(&mut StoreStrain)) -> Snapshot {
    strained_stores([strain(1, change)])
}
