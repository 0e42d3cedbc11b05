//! `/stores` and `/store/ID`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{Entity, Fault, Gap, Listing, Store, StoreId, StoreState, Timestamp, Why};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{json, listing, or_empty};
use crate::pd::units;

/// How long stores that seem silent are held for a PD leader that has just begun. Stores report every 10 s.
const SETTLES_WITHIN: Duration = Duration::from_secs(60);
/// How old a heartbeat can be that a new PD leader finds written down: five minutes and its election.
const WRITTEN_WITHIN: Duration = Duration::from_secs(6 * 60);

#[derive(Deserialize)]
struct WireList<'a> {
    #[serde(borrow, deserialize_with = "or_empty")]
    stores: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireStore {
    store: WireMeta,
    #[serde(default, deserialize_with = "or_empty")]
    status: WireStatus,
}

#[derive(Deserialize)]
struct WireMeta {
    /// Absent where it is zero, which no store's is.
    #[serde(default)]
    id: u64,
    #[serde(default)]
    address: String,
    status_address: Option<String>,
    version: Option<String>,
    #[serde(default, deserialize_with = "or_empty")]
    labels: Vec<WireLabel>,
    start_timestamp: Option<i64>,
    /// Nanoseconds.
    last_heartbeat: Option<i64>,
    state_name: Option<String>,
}

#[derive(Deserialize)]
struct WireLabel {
    key: String,
    #[serde(default)]
    value: String,
}

#[derive(Default, Deserialize)]
struct WireStatus {
    capacity: Option<String>,
    available: Option<String>,
    leader_count: Option<u64>,
    leader_weight: Option<f64>,
    region_count: Option<u64>,
    slow_score: Option<u64>,
    #[serde(default)]
    is_busy: bool,
}

/// The stores in an answer of `/stores`.
///
/// What a new PD leader says before stores have reported to it is left out, with a gap that says so.
pub(crate) fn stores(
    body: &[u8],
    unsettled: &mut Unsettled,
    now: Timestamp,
) -> Result<Listing<Store>, Fault> {
    let wire: WireList<'_> = json(body, "an object with `stores`")?;
    let mut listing = listing(&wire.stores, "store", name, convert)?;
    listing.items.sort_by_key(|store| store.id);
    for store in unsettled.look(&mut listing.items, now) {
        listing.gaps.extend(disbelieve(store));
    }
    Ok(listing)
}

/// The one store in an answer of `/store/ID`, with the gaps about it.
pub(crate) fn store(body: &[u8]) -> Result<Listing<Store>, Fault> {
    let wire: &RawValue = json(body, "a store")?;
    listing(&[wire], "store", name, convert)
}

fn name(item: &RawValue) -> Option<Entity> {
    #[derive(Deserialize)]
    struct Id {
        id: u64,
    }
    #[derive(Deserialize)]
    struct Named {
        store: Id,
    }
    let named: Named = serde_json::from_str(item.get()).ok()?;
    Some(Entity::Store(StoreId(named.store.id)))
}

fn convert(wire: WireStore, gaps: &mut Vec<Gap>) -> Option<Store> {
    let WireStore {
        store: meta,
        status,
    } = wire;
    if meta.id == 0 || meta.address.is_empty() {
        return None;
    }
    let entity = Entity::Store(StoreId(meta.id));
    let mut size = |what: &'static str, text: Option<String>| {
        let text = text?;
        let size = units::bytes(&text);
        if size.is_none() {
            let expected = "a size such as 1.5GiB".into();
            let why = Why::Unusable {
                expected,
                found: format!("`{text}`"),
            };
            gaps.push(Gap::new(what, why).about(entity.clone()));
        }
        size
    };
    let mut capacity_bytes = size("capacity", status.capacity);
    let mut available_bytes = size("available", status.available);
    if capacity_bytes == Some(0) {
        // No disk holds nothing: this PD leader has had no report of it. A full disk has a capacity.
        capacity_bytes = None;
        available_bytes = None;
        // Of a store that never reported this is all that there is to know, and nothing is missing.
        if meta.last_heartbeat.is_some() {
            for what in ["capacity", "available"] {
                gaps.push(Gap::new(what, unreported()).about(entity.clone()));
            }
        }
    }
    let leader_weight_permille = status.leader_weight.and_then(|weight| {
        let permille = units::permille(weight);
        if permille.is_none() {
            let expected = "a weight of leaders, 0 or more".into();
            let found = format!("`{weight}`");
            let why = Why::Unusable { expected, found };
            gaps.push(Gap::new("leader weight", why).about(entity.clone()));
        }
        permille
    });
    Some(Store {
        id: StoreId(meta.id),
        address: meta.address,
        status_address: meta.status_address.filter(|address| !address.is_empty()),
        state: meta.state_name.as_deref().map(StoreState::from_word),
        version: meta
            .version
            .map(|version| version.trim_start_matches('v').to_owned()),
        labels: labels(meta.labels),
        capacity_bytes,
        available_bytes,
        leader_count: status.leader_count,
        leader_weight_permille,
        region_count: status.region_count,
        last_heartbeat: meta.last_heartbeat.and_then(units::unix_nanos),
        started_at: meta.start_timestamp.and_then(units::unix_seconds),
        slow_score: status.slow_score,
        // `false` is left out; of a store that has not reported it means nothing.
        busy: capacity_bytes.map(|_| status.is_busy),
    })
}

fn labels(wire: Vec<WireLabel>) -> BTreeMap<String, String> {
    wire.into_iter()
        .map(|label| (label.key, label.value))
        .collect()
}

fn unreported() -> Why {
    Why::Distrusted {
        because: Cow::Borrowed("PD says 0B, its leader has had no report of this store yet"),
    }
}

/// Remembers since when stores look as they do just after a PD leader change.
///
/// A new PD leader knows stores only as they were last written down. Until a store reports to it, within 10 s,
/// it reads Disconnected, with `0B` and a heartbeat of up to five minutes ago. One answer cannot tell this
/// from a store that died before the change, so it is disbelieved for a while and then believed; at once
/// where its heartbeat is older than what is written down can be. Where no store reports at all, PD itself may
/// have been away, and no heartbeat is too old to be disbelieved.
#[derive(Debug, Default)]
pub(crate) struct Unsettled {
    all_since: Option<Timestamp>,
    each_since: BTreeMap<StoreId, Timestamp>,
}

impl Unsettled {
    /// Those that are not to be believed now.
    fn look<'a>(&mut self, stores: &'a mut [Store], now: Timestamp) -> Vec<&'a mut Store> {
        let mut members = stores.iter().filter(|store| counts(store)).peekable();
        let all = members.peek().is_some() && members.all(seems_silent);
        let silent: Vec<_> = stores
            .iter_mut()
            .filter(|store| seems_silent(store))
            .collect();
        let since = |store: &Store| *self.each_since.get(&store.id).unwrap_or(&now);
        self.each_since = silent
            .iter()
            .map(|store| (store.id, since(store)))
            .collect();
        // Once all were so, those that still are get the same time.
        let all_since = self.all_since.or(all.then_some(now));
        self.all_since = all_since.filter(|_| !silent.is_empty());
        let settles = |since: &Timestamp| now.since(*since) < SETTLES_WITHIN;
        let all_settle = self.all_since.as_ref().is_some_and(settles);
        let settles = |store: &&mut Store| {
            let written = store
                .last_heartbeat
                .is_some_and(|at| now.since(at) < WRITTEN_WITHIN);
            all_settle || (written && self.each_since.get(&store.id).is_some_and(settles))
        };
        silent.into_iter().filter(settles).collect()
    }
}

/// Whether a store should be reporting: one that never did, or is being removed, says nothing about PD.
fn counts(store: &Store) -> bool {
    let removed = matches!(
        store.state,
        Some(StoreState::Offline | StoreState::Tombstone)
    );
    store.last_heartbeat.is_some() && !removed
}

fn seems_silent(store: &Store) -> bool {
    let silent = matches!(
        store.state,
        Some(StoreState::Disconnected | StoreState::Down)
    );
    silent && store.capacity_bytes.is_none() && counts(store)
}

fn disbelieve(store: &mut Store) -> [Gap; 2] {
    store.state = None;
    store.last_heartbeat = None;
    ["state", "heartbeat"].map(|what| {
        let because =
            "PD's leader has had no report of this store yet, as just after it changed".into();
        Gap::new(what, Why::Distrusted { because }).about(store.entity())
    })
}
