//! Hot spots: what PD lists after heat has lasted.

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::cluster::condition::Flow;
use crate::cluster::store::Meta;
use crate::http::Reply;
use crate::num;
use crate::shape::Release;

use super::format::{self, float, ok};
use super::stats::BYTES_PER_KEY;
use super::{Ask, errors, keys};

pub(super) fn writes(ask: &mut Ask<'_>) -> Reply {
    spots(ask, Flow::Write)
}

pub(super) fn reads(ask: &mut Ask<'_>) -> Reply {
    spots(ask, Flow::Read)
}

fn spots(ask: &Ask<'_>, flow: Flow) -> Reply {
    let cluster = ask.cluster;
    let mut wanted: Vec<u16> = Vec::new();
    for id in ask.params.texts("store_id") {
        match id.parse().ok().and_then(|id| cluster.store_place(id)) {
            Some(place) => wanted.push(place),
            None => {
                return errors::coded(
                    ask.release(),
                    500,
                    "core:ErrStoreNotFound",
                    &format!("store {id} not found"),
                );
            }
        }
    }
    let side = |as_leader: bool| -> Map<String, Value> {
        (0_u16..)
            .zip(&cluster.stores)
            .filter(|(place, store)| {
                let asked = wanted.is_empty() || wanted.contains(place);
                // As a leader, a store without leaders is not listed.
                let leads = cluster.regions.tally(*place).leaders > 0;
                asked && store.meta != Meta::Tombstone && (leads || !as_leader)
            })
            .map(|(place, store)| (store.id.to_string(), of_store(ask, place, flow, as_leader)))
            .collect()
    };
    ok(&json!({"as_peer": side(false), "as_leader": side(true)}))
}

/// One store's share of the heat. Reads are served by leaders alone; writes arrive at every peer.
fn of_store(ask: &Ask<'_>, place: u16, flow: Flow, as_leader: bool) -> Value {
    let cluster = ask.cluster;
    let rates = cluster.rates(place);
    let whole = match flow {
        Flow::Write => rates.writes,
        Flow::Read => rates.reads,
    };
    let store_id = cluster.store(place).map_or(0, |store| store.id);
    let mut statistics = Vec::new();
    let mut total = 0.0;
    for (heat, row) in cluster.listed_heat().filter(|(heat, _)| heat.flow == flow) {
        let Some(peer) = row.peer_on(place) else {
            continue;
        };
        if !peer.leader && (as_leader || flow == Flow::Read) {
            continue;
        }
        total += heat.per_second;
        let listed = cluster.now.saturating_sub(cluster.listed_at(heat));
        let stores: Vec<u64> = row
            .peers()
            .filter_map(|p| Some(cluster.store(p.store)?.id))
            .collect();
        let mut entry = json!({
            "store_id": store_id,
            "stores": stores,
            "is_leader": peer.leader,
            "is_learner": peer.learner,
            "region_id": row.id,
            "hot_degree": 3 + listed / num::MINUTE,
            "flow_bytes": float(heat.per_second * BYTES_PER_KEY),
            "flow_keys": float(heat.per_second),
            "flow_query": float(heat.per_second),
            "anti_count": 2,
            "last_update_time": format::moment(cluster.unix_of(num::signed(cluster.now - cluster.now % num::MINUTE))),
        });
        with_cpu(ask, &mut entry, "flow_cpu");
        statistics.push(entry);
    }
    let mut body = json!({
        "store_bytes": float((whole * BYTES_PER_KEY).round()),
        "store_keys": float(whole.round()),
        "store_query": float(whole.round()),
        "total_flow_bytes": float(total * BYTES_PER_KEY),
        "total_flow_keys": float(total),
        "total_flow_query": float(total),
        "regions_count": statistics.len(),
        "statistics": statistics,
    });
    with_cpu(ask, &mut body, "store_cpu");
    with_cpu(ask, &mut body, "total_flow_cpu");
    body
}

/// CPU came with 8.5.7.
fn with_cpu(ask: &Ask<'_>, body: &mut Value, key: &str) {
    if let Some(object) = body
        .as_object_mut()
        .filter(|_| ask.release() >= Release::V8_5)
    {
        object.insert(key.to_owned(), json!(0));
    }
}

pub(super) fn stores(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    let per_store = |rate: fn(&Cluster, u16) -> f64| -> Value {
        let rates: Map<String, Value> = (0_u16..)
            .zip(&cluster.stores)
            .filter(|(_, store)| store.meta != Meta::Tombstone && store.reports.last.is_some())
            .map(|(place, store)| (store.id.to_string(), float(rate(cluster, place).round())))
            .collect();
        Value::Object(rates)
    };
    let mut body = json!({
        "bytes-write-rate": per_store(|c, s| c.rates(s).writes * BYTES_PER_KEY),
        "bytes-read-rate": per_store(|c, s| c.rates(s).reads * BYTES_PER_KEY),
        "keys-write-rate": per_store(|c, s| c.rates(s).writes),
        "keys-read-rate": per_store(|c, s| c.rates(s).reads),
        "query-write-rate": per_store(|c, s| c.rates(s).writes),
        "query-read-rate": per_store(|c, s| c.rates(s).reads),
    });
    if let Some(object) = body
        .as_object_mut()
        .filter(|_| ask.release() >= Release::V8_5)
    {
        object.insert(
            "cpu-read-rate".to_owned(),
            per_store(|c, s| c.rates(s).reads / 100.0),
        );
    }
    ok(&body)
}

/// Buckets are off, as they are by default.
pub(super) fn buckets(_: &mut Ask<'_>) -> Reply {
    ok(&json!({}))
}

/// What this member wrote down while it led. The filters come in a body, though it is a GET.
pub(super) fn history(ask: &mut Ask<'_>) -> Reply {
    let filters = if ask.request.body.is_empty() {
        Value::Null
    } else {
        match ask.body_json() {
            Some(filters) => filters,
            None => return errors::bad_input("the body is no JSON"),
        }
    };
    let cluster = ask.cluster;
    // A list names the accepted values; where there is none, all are, but for the two that must be given.
    let among = |name: &str, value: Value, needed: bool| match filters.get(name) {
        Some(Value::Array(accepted)) if !accepted.is_empty() => accepted.contains(&value),
        _ => !needed || filters.is_null(),
    };
    let bound = |name: &str, none: i64| filters.get(name).and_then(Value::as_i64).unwrap_or(none);
    let (start, end) = (bound("start_time", 0), bound("end_time", i64::MAX));
    let space = cluster.regions.keys();
    let key = |position| keys::hex(&keys::key_of(position));
    let rows: Vec<Value> = cluster
        .hot_history(ask.member)
        .filter(|was| {
            let at = cluster.unix_of(num::signed(was.at));
            (start..=end).contains(&at)
                && among("region_ids", json!(was.region), false)
                && among("store_ids", json!(was.store), false)
                && among("peer_ids", json!(was.peer), false)
                && among("is_leaders", json!(was.leader), true)
                && among("is_learners", json!(was.learner), true)
                && among("hot_region_type", json!(kind(was.flow)), false)
        })
        .map(|was| {
            json!({
                "update_time": cluster.unix_of(num::signed(was.at)),
                "region_id": was.region,
                "peer_id": was.peer,
                "store_id": was.store,
                "is_leader": was.leader,
                "is_learner": was.learner,
                "hot_region_type": kind(was.flow),
                "hot_degree": was.degree,
                "flow_bytes": float(was.per_second * BYTES_PER_KEY),
                "flow_cpu": 0,
                "key_rate": float(was.per_second),
                "query_rate": float(was.per_second),
                "start_key": key(space.start(was.slot)),
                "end_key": space.end(was.slot).map(key).unwrap_or_default(),
            })
        })
        .collect();
    let rows = if rows.is_empty() {
        Value::Null
    } else {
        rows.into()
    };
    ok(&json!({"history_hot_region": rows}))
}

fn kind(flow: Flow) -> &'static str {
    match flow {
        Flow::Write => "write",
        Flow::Read => "read",
    }
}
