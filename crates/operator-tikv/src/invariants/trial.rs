//! What the tests of rules share: a quiet cluster to spoil, and verdicts as text.

use operator_core::{
    Entity, Gap, Listing, Measured, Reading, Snapshot, Store, StoreId, StoreMetrics, StoreState,
    Timestamp, Verdict, Verdicts, Why,
};

use super::Settings;
use super::registry::Documented;
use crate::facts::{PdLeadership, PdMember};

const NOW: i64 = 1_700_000_000;

/// So many seconds before the look.
pub(super) fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(NOW - seconds)
}

/// A store that has been up for a day.
pub(super) fn store(id: u64) -> Store {
    Store {
        state: Some(StoreState::Up),
        version: Some("8.5.1".into()),
        last_heartbeat: Some(ago(5)),
        started_at: Some(ago(86_400)),
        capacity_bytes: Some(100 << 30),
        available_bytes: Some(60 << 30),
        region_count: Some(100),
        leader_count: Some(30),
        ..Store::new(StoreId(id), format!("10.0.0.{id}:20160"))
    }
}

/// A store like [`store`], which runs `TiFlash`.
pub(super) fn tiflash(id: u64) -> Store {
    let labels = [("engine".to_owned(), "tiflash".to_owned())].into();
    Store {
        labels,
        ..store(id)
    }
}

/// A look at these stores and nothing else.
pub(super) fn seen(stores: Vec<Store>) -> Snapshot {
    Snapshot::unseen(ago(0)).with_stores(Ok(Listing::whole(stores)))
}

/// The same look, with what Prometheus says of whether stores are up.
pub(super) fn with_ups<const N: usize>(
    snapshot: Snapshot,
    ups: [(u64, Result<bool, Why>); N],
) -> Snapshot {
    let metrics = ups.map(|(id, up)| {
        let id = StoreId(id);
        let gap = |why| Gap::new("metrics", why).about(Entity::Store(id));
        let (up, rest) = match up {
            Ok(up) => (Ok(Measured::new(up, ago(3), "up")), gap(Why::Unsaid)),
            Err(why) => (Err(gap(why.clone())), gap(why)),
        };
        StoreMetrics {
            up: Reading::from(up),
            ..StoreMetrics::blind(id, &rest)
        }
    });
    snapshot.with_metrics(Ok(Listing::whole(metrics.into())))
}

/// The same look, with a member that leads PD, since a change if one was seen.
pub(super) fn led(snapshot: Snapshot, changed_at: Option<Timestamp>) -> Snapshot {
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
        changed_at,
    };
    snapshot.with_part("PD leader", Ok(leadership))
}

/// What a rule says of an entity, by its usual settings.
pub(super) fn told<R: Documented>(snapshot: &Snapshot, entity: &str) -> String {
    told_with::<R>(&Settings::default(), snapshot, entity)
}

/// What a rule says of an entity, by these settings.
pub(super) fn told_with<R: Documented>(
    settings: &Settings,
    snapshot: &Snapshot,
    entity: &str,
) -> String {
    let mut verdicts = Verdicts::default();
    if let Err(gap) = R::new(settings).check(snapshot, &mut verdicts) {
        return format!("blind: {gap}");
    }
    match verdicts.of(&entity.parse().expect("an entity")) {
        None => "not named".into(),
        Some(Verdict::Holds) => "holds".into(),
        Some(Verdict::Gone) => "gone".into(),
        Some(Verdict::Unseen(gap)) => format!("unseen: {gap}"),
        Some(Verdict::Broken(broken)) => {
            let since = broken
                .since
                .map(|since| snapshot.at().since(since).as_secs());
            let since = since.map_or(String::new(), |since| format!(" for {since} s"));
            format!("{}{since}: {}", broken.severity, broken.evidence)
        }
    }
}
