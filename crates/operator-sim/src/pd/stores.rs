//! Stores: what PD says of them.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::cluster::schedule::Move;
use crate::cluster::store::{Meta, Seen, Store};
use crate::http::Reply;
use crate::num;
use crate::prng;
use crate::shape::Release;

use super::format::{self, float, ok};
use super::{Ask, errors, wire};

/// The leaders of each store that PD's present leader knows of, by place: counted in one pass over the regions where it
/// began with nothing, for a region's leader is known from its first heartbeat on.
struct Leaders(Option<Vec<u64>>);

impl Leaders {
    fn of(cluster: &Cluster) -> Self {
        if !cluster.pd_is_cold() {
            return Self(None);
        }
        let mut known = vec![0; cluster.stores.len()];
        for row in cluster.regions.rows() {
            let led = row.leader().filter(|_| cluster.gathered(row.id.into()));
            if let Some(count) = led.and_then(|peer| known.get_mut(usize::from(peer.store))) {
                *count += 1;
            }
        }
        Self(Some(known))
    }

    fn on(&self, cluster: &Cluster, place: u16) -> u64 {
        match &self.0 {
            Some(known) => known.get(usize::from(place)).copied().unwrap_or(0),
            None => cluster.regions.tally(place).leaders.into(),
        }
    }
}

fn store(cluster: &Cluster, leaders: &Leaders, place: u16, store: &Store) -> wire::Store {
    let tally = cluster.regions.tally(place);
    let reports = &store.reports;
    let (leaders, peers) = (leaders.on(cluster, place), u64::from(tally.peers));
    let sized = |bytes: u64| format::size(if reports.sized { bytes } else { 0 });
    let reported = reports.last.is_some();
    let unix = |moment: i64| cluster.unix_of(moment);
    let start = (reports.start).max(-unix(0));
    let seen = cluster.seen(store);
    let release = cluster.shape.release;
    let uptime = reports.last.map_or(0, |last| last.saturating_sub(start));
    wire::Store {
        store: wire::Meta {
            id: store.id,
            address: store.address(),
            state: match store.meta {
                Meta::Up => 0,
                Meta::Offline => 1,
                Meta::Tombstone => 2,
            },
            labels: labels_of(store),
            version: store.version.clone(),
            peer_address: store.peer_address(),
            status_address: store.status_address(),
            git_hash: "0".repeat(40),
            start_timestamp: Some(unix(start).div_euclid(1000)),
            deploy_path: "/deploy/tikv/bin".to_owned(),
            last_heartbeat: reports
                .last
                .map(|last| unix(last).saturating_mul(1_000_000)),
            physically_destroyed: store.destroyed,
            node_state: match (store.meta, reported) {
                (Meta::Up, false) => 0,
                (Meta::Up, true) => 1,
                (Meta::Offline, _) => 2,
                (Meta::Tombstone, _) => 3,
            },
            state_name: seen.name(),
        },
        status: wire::Status {
            capacity: sized(store.capacity),
            available: sized(reports.available),
            used_size: sized(reports.used),
            leader_count: leaders,
            leader_weight: float(1.0),
            leader_score: float(leaders as f64),
            leader_size: tally.leader_mib,
            region_count: peers,
            region_weight: float(1.0),
            region_score: float(region_score(store, tally.region_mib)),
            region_size: tally.region_mib,
            learner_count: tally.learners.into(),
            witness_count: tally.witnesses.into(),
            pending_peer_count: if release >= Release::V8_5 {
                tally.pending.into()
            } else {
                0
            },
            slow_score: if reported && reports.sized {
                reports.slow_score.into()
            } else {
                0
            },
            slow_trend: (release >= Release::V7_5 && reported && reports.sized)
                .then(|| slow_trend(cluster, place)),
            sending_snap_count: snapshots(cluster, |moving| {
                let row = cluster.regions.get(moving.region);
                row.is_some_and(|row| row.is_led_by(place))
            }),
            receiving_snap_count: snapshots(cluster, |moving| moving.to == place),
            is_busy: reports.busy,
            start_ts: format::moment(unix(start)),
            last_heartbeat_ts: format::moment(reports.last.map_or(0, unix)),
            uptime: (uptime > 0).then(|| format::span(uptime.unsigned_abs())),
        },
    }
}

/// Copies on their way; each is sent by a leader and received by a new peer.
fn snapshots(cluster: &Cluster, concerns: impl Fn(&Move) -> bool) -> u64 {
    cluster
        .running_moves()
        .filter(|moving| concerns(moving))
        .count() as u64
}

fn slow_trend(cluster: &Cluster, place: u16) -> wire::SlowTrend {
    let rates = cluster.rates(place);
    wire::SlowTrend {
        cause_value: float((250_000.0 * rates.disk_slow).floor() + 0.5),
        cause_rate: float(0.0),
        result_value: float((rates.writes + rates.reads).floor() + 0.25),
        result_rate: float(0.0),
    }
}

/// Grows with what is stored and with how full the disk is; not comparable with counts.
fn region_score(store: &Store, region_mib: u64) -> f64 {
    let fill = 1.0 - store.reports.available as f64 / store.capacity.max(1) as f64;
    (region_mib as f64 * (1.0 + 0.25 * fill) * 1e6).round() / 1e6
}

fn labels_of(store: &Store) -> Vec<wire::Label> {
    let label = |key, value| wire::Label { key, value };
    if !store.is_tikv() {
        return vec![label("engine", store.engine.name().to_owned())];
    }
    vec![
        label("zone", format!("z{}", (store.id - 1) % 3 + 1)),
        label("host", format!("h{}", store.id)),
    ]
}

/// Stores in the order of this moment: PD's lists have another each time.
fn listed(cluster: &Cluster, wanted: impl Fn(&Store) -> bool) -> Reply {
    let mut chosen: Vec<(u64, u16, &Store)> = (0_u16..)
        .zip(&cluster.stores)
        .filter(|(_, store)| wanted(store))
        .map(|(place, store)| (prng::hash(cluster.now, place.into(), 1), place, store))
        .collect();
    chosen.sort_by_key(|(turn, place, _)| (*turn, *place));
    let leaders = Leaders::of(cluster);
    let stores: Vec<wire::Store> = chosen
        .into_iter()
        .map(|(_, place, one)| store(cluster, &leaders, place, one))
        .collect();
    #[derive(serde::Serialize)]
    struct List {
        count: usize,
        stores: Vec<wire::Store>,
    }
    ok(&List {
        count: stores.len(),
        stores,
    })
}

pub(super) fn list(ask: &mut Ask<'_>) -> Reply {
    let mut wanted = Vec::new();
    for text in ask.params.texts("state") {
        match text {
            "0" => wanted.push(Meta::Up),
            "1" => wanted.push(Meta::Offline),
            "2" => wanted.push(Meta::Tombstone),
            _ => return errors::said(500, &format!("unknown StoreState: {text}")),
        }
    }
    if wanted.is_empty() {
        wanted = vec![Meta::Up, Meta::Offline];
    }
    listed(ask.cluster, |store| wanted.contains(&store.meta))
}

pub(super) fn check(ask: &mut Ask<'_>) -> Reply {
    let known = [
        Seen::Up,
        Seen::Offline,
        Seen::Tombstone,
        Seen::Down,
        Seen::Disconnected,
    ];
    let mut wanted = Vec::new();
    for text in ask.params.texts("state") {
        match known
            .iter()
            .find(|seen| seen.name().eq_ignore_ascii_case(text))
        {
            Some(seen) => wanted.push(*seen),
            None => return errors::said(400, &format!("unknown StoreState: {text}")),
        }
    }
    let cluster = ask.cluster;
    listed(cluster, |store| {
        wanted.is_empty() || wanted.contains(&cluster.seen(store))
    })
}

/// The store that the path names.
pub(super) fn named<'a>(ask: &Ask<'a>) -> Result<(u16, &'a Store), Reply> {
    let text = ask.segment();
    let Ok(id) = text.parse::<u64>() else {
        return Err(errors::bad_input(&format!(
            "strconv.ParseUint: parsing {text:?}: invalid syntax"
        )));
    };
    let place = ask.cluster.store_place(id);
    let found = place.and_then(|place| Some((place, ask.cluster.store(place)?)));
    found.ok_or_else(|| errors::no_store(ask.release(), id))
}

pub(super) fn one(ask: &mut Ask<'_>) -> Reply {
    match named(ask) {
        Ok((place, found)) => {
            let leaders = Leaders::of(ask.cluster);
            ok(&store(ask.cluster, &leaders, place, found))
        }
        Err(refusal) => refusal,
    }
}

pub(super) fn labels(ask: &mut Ask<'_>) -> Reply {
    let stores = ask.cluster.stores.iter();
    let mut all: Vec<(&str, String)> = stores
        .flat_map(labels_of)
        .map(|label| (label.key, label.value))
        .collect();
    all.sort();
    all.dedup();
    let all: Vec<Value> = all
        .into_iter()
        .map(|(key, value)| json!({"key": key, "value": value}))
        .collect();
    ok(&all)
}

/// The one answer with sizes in whole bytes.
pub(super) fn trend(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    let leaders = Leaders::of(cluster);
    let stores: Vec<Value> = (0_u16..)
        .zip(&cluster.stores)
        .filter(|(_, store)| store.meta != Meta::Tombstone)
        .map(|(place, one)| trend_of(cluster, &leaders, place, one))
        .collect();
    let now = cluster.unix_of(num::signed(cluster.now)).div_euclid(1000);
    ok(&json!({
        "stores": stores,
        "history": {"start": now - 3600, "end": now, "entries": []},
    }))
}

fn trend_of(cluster: &Cluster, leaders: &Leaders, place: u16, one: &Store) -> Value {
    let said = store(cluster, leaders, place, one);
    let sized = |bytes: u64| if one.reports.sized { bytes } else { 0 };
    let flows = |wanted| -> (Option<Vec<Value>>, Value) {
        let rates: Vec<f64> = cluster
            .listed_heat()
            .filter(|(heat, row)| heat.flow == wanted && row.peer_on(place).is_some())
            .map(|(heat, _)| heat.per_second * super::stats::BYTES_PER_KEY)
            .collect();
        (
            (!rates.is_empty()).then(|| rates.iter().map(|rate| float(*rate)).collect()),
            float(rates.iter().sum()),
        )
    };
    let (writes, write_flow) = flows(crate::cluster::condition::Flow::Write);
    let (reads, read_flow) = flows(crate::cluster::condition::Flow::Read);
    let mut body = json!({
        "id": one.id,
        "address": one.address(),
        "state_name": said.store.state_name,
        "capacity": sized(one.capacity),
        "available": sized(one.reports.available),
        "region_count": said.status.region_count,
        "leader_count": said.status.leader_count,
        "start_ts": said.status.start_ts,
        "last_heartbeat_ts": said.status.last_heartbeat_ts,
        "hot_write_flow": write_flow,
        "hot_write_region_flows": writes,
        "hot_read_flow": read_flow,
        "hot_read_region_flows": reads,
    });
    if let (Some(object), Some(uptime)) = (body.as_object_mut(), said.status.uptime) {
        object.insert("uptime".to_owned(), json!(uptime));
    }
    body
}
