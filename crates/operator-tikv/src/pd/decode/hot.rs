//! `/hotspot/regions/write`, `/hotspot/regions/read` and `/hotspot/stores`.

use std::collections::BTreeMap;

use operator_core::{Entity, Fault, Gap, RegionId, StoreId, Why};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{bound, ids, json, listing, or_empty};
use crate::facts::{HotPeer, HotPeers, HotSpots, HotStore, StoreFlow};
use crate::pd::units;

/// Keys are store ids as text; a store without statistics is `null`.
type ByStore<T> = BTreeMap<StoreId, T>;

#[derive(Deserialize)]
struct WireSpots<'a> {
    #[serde(borrow, default, deserialize_with = "ids")]
    as_leader: ByStore<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "ids")]
    as_peer: ByStore<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireStore<'a> {
    #[serde(default)]
    store_bytes: f64,
    #[serde(default)]
    store_keys: f64,
    #[serde(default)]
    store_query: f64,
    #[serde(default)]
    total_flow_bytes: f64,
    #[serde(default)]
    total_flow_keys: f64,
    #[serde(default)]
    total_flow_query: f64,
    #[serde(borrow, default, deserialize_with = "or_empty")]
    statistics: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct WirePeer {
    store_id: u64,
    #[serde(default, deserialize_with = "or_empty")]
    stores: Vec<u64>,
    #[serde(default)]
    is_leader: bool,
    region_id: u64,
    #[serde(default)]
    hot_degree: i64,
    #[serde(default)]
    flow_bytes: f64,
    #[serde(default)]
    flow_keys: f64,
    #[serde(default)]
    flow_query: f64,
    last_update_time: Option<String>,
}

/// What is hot, by store.
pub(crate) fn hot_spots(body: &[u8]) -> Result<HotSpots, Fault> {
    let wire: WireSpots<'_> = json(body, "hot spots by store")?;
    let mut spots = HotSpots::default();
    spots.by_leader = by_store(&wire.as_leader, &mut spots.gaps)?;
    spots.by_peer = by_store(&wire.as_peer, &mut spots.gaps)?;
    Ok(spots)
}

fn by_store(
    wire: &ByStore<&RawValue>,
    gaps: &mut Vec<Gap>,
) -> Result<BTreeMap<StoreId, HotPeers>, Fault> {
    let mut stores = BTreeMap::new();
    for (store, item) in wire {
        match serde_json::from_str::<Option<WireStore<'_>>>(item.get()) {
            Ok(Some(wire)) => {
                stores.insert(*store, hot_peers(&wire, gaps)?);
            }
            Ok(None) => {}
            Err(error) => {
                bound(gaps.len(), "store")?;
                let expected = "rates and hot peers".into();
                let found = format!("{} ({error})", super::beginning(item.get().as_bytes()));
                let gap = Gap::new("hot spots", Why::Unusable { expected, found });
                gaps.push(gap.about(Entity::Store(*store)));
            }
        }
    }
    Ok(stores)
}

fn hot_peers(wire: &WireStore<'_>, gaps: &mut Vec<Gap>) -> Result<HotPeers, Fault> {
    let convert = |wire, _: &mut Vec<Gap>| Some(hot_peer(wire));
    let peers = listing(&wire.statistics, "hot peer", region, convert)?;
    gaps.extend(peers.gaps.iter().cloned());
    Ok(HotPeers {
        store: HotStore {
            bytes_per_second: wire.store_bytes,
            keys_per_second: wire.store_keys,
            queries_per_second: wire.store_query,
        },
        hot: HotStore {
            bytes_per_second: wire.total_flow_bytes,
            keys_per_second: wire.total_flow_keys,
            queries_per_second: wire.total_flow_query,
        },
        peers: peers.items,
    })
}

fn region(item: &RawValue) -> Option<Entity> {
    #[derive(Deserialize)]
    struct Id {
        region_id: u64,
    }
    let Id { region_id } = serde_json::from_str(item.get()).ok()?;
    Some(Entity::Region(RegionId(region_id)))
}

fn hot_peer(wire: WirePeer) -> HotPeer {
    HotPeer {
        region: RegionId(wire.region_id),
        store: StoreId(wire.store_id),
        stores: wire.stores.into_iter().map(StoreId).collect(),
        is_leader: wire.is_leader,
        degree: wire.hot_degree,
        bytes_per_second: wire.flow_bytes,
        keys_per_second: wire.flow_keys,
        queries_per_second: wire.flow_query,
        updated_at: wire.last_update_time.as_deref().and_then(units::rfc3339),
    }
}

/// What goes in and out of each store.
pub(crate) fn hot_stores(body: &[u8]) -> Result<BTreeMap<StoreId, StoreFlow>, Fault> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Wire {
        #[serde(default, deserialize_with = "ids")]
        bytes_write_rate: ByStore<f64>,
        #[serde(default, deserialize_with = "ids")]
        bytes_read_rate: ByStore<f64>,
        #[serde(default, deserialize_with = "ids")]
        keys_write_rate: ByStore<f64>,
        #[serde(default, deserialize_with = "ids")]
        keys_read_rate: ByStore<f64>,
        #[serde(default, deserialize_with = "ids")]
        query_write_rate: ByStore<f64>,
        #[serde(default, deserialize_with = "ids")]
        query_read_rate: ByStore<f64>,
    }
    let wire: Wire = json(body, "rates by store")?;
    let mut flows: BTreeMap<StoreId, StoreFlow> = BTreeMap::new();
    let mut spread = |rates: ByStore<f64>, field: fn(&mut StoreFlow) -> &mut Option<f64>| {
        for (store, rate) in rates {
            *field(flows.entry(store).or_default()) = Some(rate);
        }
    };
    spread(wire.bytes_write_rate, |flow| {
        &mut flow.written_bytes_per_second
    });
    spread(wire.bytes_read_rate, |flow| &mut flow.read_bytes_per_second);
    spread(wire.keys_write_rate, |flow| {
        &mut flow.written_keys_per_second
    });
    spread(wire.keys_read_rate, |flow| &mut flow.read_keys_per_second);
    spread(wire.query_write_rate, |flow| {
        &mut flow.write_queries_per_second
    });
    spread(wire.query_read_rate, |flow| {
        &mut flow.read_queries_per_second
    });
    Ok(flows)
}
