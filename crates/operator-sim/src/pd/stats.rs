//! Numbers about all regions, and the small answers around them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cluster::row::Row;
use crate::http::Reply;
use crate::num;

use super::format::{self, ok};
use super::{Ask, errors, keys};

pub(super) use crate::cluster::traffic::BYTES_PER_KEY;

pub(super) fn region(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    let bound = |name| ask.params.bytes(name).unwrap_or_default();
    let space = cluster.regions.keys();
    let first = keys::place_of(bound("start_key"), space);
    let end = bound("end_key");
    let before_end = |slot: u32| end.is_empty() || keys::key_of(space.start(slot)).as_slice() < end;
    let rows: Vec<&Row> = cluster
        .regions
        .in_order(first)
        .take_while(|(slot, _)| before_end(*slot))
        .map(|(_, row)| row)
        .collect();
    if ask.params.has("count") {
        return ok(&json!({
            "count": rows.len(),
            "empty_count": 0,
            "storage_size": 0,
            "user_storage_size": 0,
            "storage_keys": 0,
            "store_leader_count": null,
            "store_peer_count": null,
            "store_leader_size": null,
            "store_leader_keys": null,
            "store_peer_size": null,
            "store_peer_keys": null,
        }));
    }
    let size = |row: &Row| u64::from(row.size_mib);
    let all: u64 = rows.iter().map(|row| size(row)).sum();
    let empty = rows.iter().filter(|row| row.is_empty()).count();
    // Per store: leaders, peers, leaders' size, peers' size.
    let mut stores: BTreeMap<u16, [u64; 4]> = BTreeMap::new();
    for row in &rows {
        let led = cluster.gathered(row.id.into());
        for peer in row.peers() {
            let [leaders, peers, leader_size, peer_size] = stores.entry(peer.store).or_default();
            (*peers, *peer_size) = (*peers + 1, *peer_size + size(row));
            if peer.leader && led {
                (*leaders, *leader_size) = (*leaders + 1, *leader_size + size(row));
            }
        }
    }
    let map = |of: fn(&[u64; 4]) -> u64| -> Value {
        let entries: Map<String, Value> = stores
            .iter()
            .filter_map(|(place, counts)| Some((cluster.store(*place)?.id.to_string(), of(counts))))
            .filter(|(_, count)| *count > 0)
            .map(|(id, count)| (id, json!(count)))
            .collect();
        Value::Object(entries)
    };
    ok(&json!({
        "count": rows.len(),
        "empty_count": empty,
        "storage_size": all,
        "user_storage_size": 0,
        "storage_keys": all * 10_000,
        "store_leader_count": map(|counts| counts[0]),
        "store_peer_count": map(|counts| counts[1]),
        "store_leader_size": map(|counts| counts[2]),
        "store_leader_keys": map(|counts| counts[2] * 10_000),
        "store_peer_size": map(|counts| counts[3]),
        "store_peer_keys": map(|counts| counts[3] * 10_000),
    }))
}

pub(super) fn hist_size(ask: &mut Ask<'_>) -> Reply {
    histogram(ask, 1, |row| row.size_mib.into())
}

pub(super) fn hist_keys(ask: &mut Ask<'_>) -> Reply {
    histogram(ask, 1_000, |row| u64::from(row.size_mib) * 10_000)
}

/// Buckets of a width that is never below the least; only those that hold something.
fn histogram(ask: &Ask<'_>, least: u64, measure: fn(&Row) -> u64) -> Reply {
    let width = match ask.params.text("bound").map(str::parse::<u64>) {
        None => least,
        Some(Ok(bound)) => bound.max(least),
        Some(Err(_)) => return errors::said(400, "bound is no number"),
    };
    let mut buckets: BTreeMap<u64, u64> = BTreeMap::new();
    for row in ask.cluster.regions.rows() {
        *buckets.entry(measure(row) / width * width).or_default() += 1;
    }
    let buckets: Vec<Value> = buckets
        .into_iter()
        .map(|(start, count)| json!({"start": start, "end": start + width - 1, "count": count}))
        .collect();
    ok(&buckets)
}

pub(super) fn min_resolved_ts(ask: &mut Ask<'_>) -> Reply {
    let mut body = json!({
        "is_real_time": true,
        "min_resolved_ts": 0,
        "persist_interval": "1s",
        "stores_min_resolved_ts": null,
    });
    if let Some(object) = body.as_object_mut().filter(|_| ask.params.has("scope")) {
        let stores: Map<String, Value> = ask
            .cluster
            .stores
            .iter()
            .map(|store| (store.id.to_string(), json!(0)))
            .collect();
        object.insert("stores_min_resolved_ts".to_owned(), stores.into());
    }
    ok(&body)
}

pub(super) fn replication_mode(_: &mut Ask<'_>) -> Reply {
    ok(&json!({
        "mode": "majority",
        "dr-auto-sync": {"label_key": "", "state": "", "acid_consistent": false},
    }))
}

pub(super) fn unsafe_recovery(ask: &mut Ask<'_>) -> Reply {
    let now = num::signed(ask.cluster.unix_ms());
    ok(&json!([{"info": "No on-going recovery.", "time": format::moment(now)}]))
}
