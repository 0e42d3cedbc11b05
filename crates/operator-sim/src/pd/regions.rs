//! Regions: one, pages, lists of those of a store or with an ailment.

use serde_json::json;

use crate::cluster::Cluster;
use crate::cluster::condition::Flow;
use crate::cluster::row::{Peer, Role, Row};
use crate::cluster::store::Meta;
use crate::http::{Reply, decode};
use crate::num;
use crate::shape::Release;

use super::format::{ok, ok_compact};
use super::stats::BYTES_PER_KEY;
use super::{Ask, errors, keys, wire};

/// PD counts flows over a region's heartbeat interval.
const HEARTBEAT_SECONDS: f64 = 60.0;
/// PD cuts limits above this.
const MAX_LIMIT: u64 = 10_240;
const DEFAULT_LIMIT: u64 = 16;

fn peer(cluster: &Cluster, peer: Peer) -> wire::Peer {
    let (role_name, role) = match peer.role {
        Role::Voter => ("Voter", 0),
        Role::Learner => ("Learner", 1),
        Role::Incoming => ("IncomingVoter", 2),
        Role::Demoting => ("DemotingVoter", 3),
    };
    wire::Peer {
        role_name,
        is_learner: peer.learner,
        id: peer.id.into(),
        store_id: cluster.store(peer.store).map_or(0, |store| store.id),
        role,
        is_witness: peer.witness,
    }
}

/// A region as the answering member knows it: a follower's copy has no sizes.
fn region(ask: &Ask<'_>, slot: u32, row: &Row) -> wire::Region {
    let cluster = ask.cluster;
    let space = cluster.regions.keys();
    let named = |wanted: fn(&Peer) -> bool| -> Vec<wire::Peer> {
        row.peers()
            .filter(wanted)
            .map(|p| peer(cluster, p))
            .collect()
    };
    let (written, read) = flows(cluster, slot);
    let size = if ask.follows {
        0
    } else {
        u64::from(row.size_mib)
    };
    let head = ask.release() == Release::Head;
    wire::Region {
        id: row.id.into(),
        start_key: keys::hex(&keys::key_of(space.start(slot))),
        end_key: space
            .end(slot)
            .map(|end| keys::hex(&keys::key_of(end)))
            .unwrap_or_default(),
        epoch: Some(wire::Epoch {
            conf_ver: row.conf_ver,
            version: row.version,
        }),
        peers: named(|_| true),
        leader: row
            .leader()
            .filter(|_| cluster.gathered(row.id.into()))
            .map_or_else(wire::Peer::default, |p| peer(cluster, p)),
        down_peers: row
            .peers()
            .filter(|p| p.down)
            .map(|p| wire::DownPeer {
                peer: peer(cluster, p),
                down_seconds: cluster
                    .store(p.store)
                    .and_then(|store| store.silent_since)
                    .map_or(0, |since| (cluster.now - since) / 1000),
            })
            .collect(),
        pending_peers: named(|p| p.pending),
        cpu_usage: 0,
        written_bytes: num::whole(written * BYTES_PER_KEY),
        read_bytes: num::whole(read * BYTES_PER_KEY),
        written_keys: num::whole(written),
        read_keys: num::whole(read),
        approximate_size: size,
        approximate_keys: size * 10_000,
        approximate_kv_size: head.then_some(size),
        approximate_columnar_kv_size: head.then_some(0),
    }
}

/// Keys written and read within a heartbeat interval.
fn flows(cluster: &Cluster, slot: u32) -> (f64, f64) {
    let regions = cluster.regions.len().max(1) as f64;
    let heat = |wanted| -> f64 {
        let hot = cluster.conditions.heat.iter();
        hot.filter(|heat| heat.flow == wanted && heat.region == slot)
            .map(|heat| heat.per_second)
            .sum()
    };
    let load = &cluster.shape.load;
    let busy = crate::cluster::traffic::swing(cluster.now, load.daily_swing);
    (
        (load.writes_per_second * busy / regions + heat(Flow::Write)) * HEARTBEAT_SECONDS,
        (load.reads_per_second * busy / regions + heat(Flow::Read)) * HEARTBEAT_SECONDS,
    )
}

fn list<'a>(ask: &Ask<'_>, rows: impl Iterator<Item = (u32, &'a Row)>) -> Reply {
    let regions: Vec<wire::Region> = rows.map(|(slot, row)| region(ask, slot, row)).collect();
    ok_compact(&wire::RegionList {
        count: regions.len(),
        regions,
    })
}

/// All regions in the order of their keys.
fn rows<'a>(ask: &Ask<'a>) -> impl Iterator<Item = (u32, &'a Row)> {
    ask.cluster.regions.in_order(0)
}

pub(super) fn all(ask: &mut Ask<'_>) -> Reply {
    list(ask, rows(ask))
}

pub(super) fn count(ask: &mut Ask<'_>) -> Reply {
    ok(&json!({"count": ask.cluster.regions.len(), "regions": null}))
}

pub(super) fn by_id(ask: &mut Ask<'_>) -> Reply {
    let text = ask.segment();
    let Ok(id) = text.parse::<u64>() else {
        return errors::said(
            400,
            &format!("strconv.ParseUint: parsing {text:?}: invalid syntax"),
        );
    };
    let slot = ask.cluster.regions.find(id);
    match slot.and_then(|slot| Some((slot, ask.cluster.regions.get(slot)?))) {
        Some((slot, row)) => ok_compact(&region(ask, slot, row)),
        None if ask.release() == Release::Head && id == 0 => {
            Reply::new(400, crate::http::JSON, super::format::pretty(&json!({})))
        }
        None => unknown(ask, &id.to_string()),
    }
}

pub(super) fn by_key(ask: &mut Ask<'_>) -> Reply {
    let raw = ask.request.path.rsplit('/').next().unwrap_or_default();
    let hex = ask.params.text("format") == Some("hex") && ask.release() >= Release::V7_5;
    let key = if hex {
        keys::from_hex(ask.segment())
    } else {
        Some(decode(raw.as_bytes(), true))
    };
    let Some(key) = key else {
        return errors::said(400, "split key is not in hex format");
    };
    let place = keys::place_of(&key, ask.cluster.regions.keys());
    match ask.cluster.regions.in_order(place).next() {
        Some((slot, row)) => ok_compact(&region(ask, slot, row)),
        None => unknown(ask, "%v"),
    }
}

/// Newer PDs answer 404; older ones a region of zeros.
fn unknown(ask: &Ask<'_>, id: &str) -> Reply {
    if ask.release() == Release::Head {
        let text = format!("region {id} not found");
        return errors::coded(Release::Head, 404, "region:ErrRegionNotFound", &text);
    }
    ok_compact(&nothing())
}

/// The region that is none.
fn nothing() -> wire::Region {
    wire::Region {
        id: 0,
        start_key: String::new(),
        end_key: String::new(),
        epoch: None,
        peers: Vec::new(),
        leader: wire::Peer::default(),
        down_peers: Vec::new(),
        pending_peers: Vec::new(),
        cpu_usage: 0,
        written_bytes: 0,
        read_bytes: 0,
        written_keys: 0,
        read_keys: 0,
        approximate_size: 0,
        approximate_keys: 0,
        approximate_kv_size: None,
        approximate_columnar_kv_size: None,
    }
}

/// Regions in key order from a key on.
pub(super) fn page(ask: &mut Ask<'_>) -> Reply {
    // Hexadecimal keys came with 8.2; before, the digits themselves are taken as the key.
    let hex = ask.params.text("format") == Some("hex") && ask.release() >= Release::V8_5;
    let key_of = |name| -> Result<Vec<u8>, Reply> {
        let raw = ask.params.bytes(name).unwrap_or_default().to_vec();
        if !hex {
            return Ok(raw);
        }
        let text = String::from_utf8_lossy(&raw).into_owned();
        keys::from_hex(&text)
            .ok_or_else(|| errors::said(400, &format!("{name} {text} is not in hex format")))
    };
    let (from, to) = match (key_of("key"), key_of("end_key")) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(refusal), _) | (_, Err(refusal)) => return refusal,
    };
    let limit = match limit(ask) {
        Ok(limit) => limit.unwrap_or(usize::MAX),
        Err(refusal) => return refusal,
    };
    let space = ask.cluster.regions.keys();
    let first = keys::place_of(&from, space);
    let chosen = ask
        .cluster
        .regions
        .in_order(first)
        .take_while(|(slot, _)| {
            let begins = space.at(first) == Some(*slot);
            to.is_empty() || begins || keys::key_of(space.start(*slot)) < to
        })
        .take(limit);
    list(ask, chosen)
}

/// The limit asked for; `None` is no limit at all.
fn limit(ask: &Ask<'_>) -> Result<Option<usize>, Reply> {
    let Some(text) = ask.params.text("limit") else {
        return Ok(Some(num::place(DEFAULT_LIMIT)));
    };
    match text.parse::<i64>() {
        Ok(number) if number <= 0 => Ok(None),
        Ok(number) => Ok(Some(num::place(number.unsigned_abs().min(MAX_LIMIT)))),
        Err(_) => Err(errors::said(
            400,
            &format!("strconv.Atoi: parsing {text:?}: invalid syntax"),
        )),
    }
}

pub(super) fn of_store(ask: &mut Ask<'_>) -> Reply {
    let text = ask.segment();
    let Ok(id) = text.parse::<u64>() else {
        return errors::bad_input(&format!(
            "strconv.ParseUint: parsing {text:?}: invalid syntax"
        ));
    };
    let wanted: fn(&Peer) -> bool = match ask
        .params
        .text("type")
        .filter(|_| ask.release() >= Release::V8_5)
    {
        None | Some("all") => |_| true,
        Some("leader") => |p| p.leader,
        Some("follower") => |p| !p.leader && !p.learner,
        Some("learner") => |p| p.learner,
        Some("pending") => |p| p.pending,
        Some("witness") => |p| p.witness,
        // A real PD refuses this too, and leaves its leader wedged.
        Some(other) => return errors::said(400, &format!("unknown region type: {other}")),
    };
    let Some(place) = ask.cluster.store_place(id) else {
        return list(ask, std::iter::empty());
    };
    let chosen = rows(ask).filter(|(_, row)| row.peer_on(place).is_some_and(|p| wanted(&p)));
    list(ask, chosen)
}

/// The first of all regions by a measure, greatest first.
fn top(ask: &Ask<'_>, measure: impl Fn(u32, &Row) -> u64) -> Reply {
    let limit = match limit(ask) {
        Ok(limit) => limit.unwrap_or(0),
        Err(refusal) => return refusal,
    };
    let mut ranked: Vec<(u64, u32, &Row)> = rows(ask)
        .map(|(slot, row)| (measure(slot, row), slot, row))
        .collect();
    // A stable sort: equals stay in the order of their keys.
    ranked.sort_by_key(|(measure, _, _)| std::cmp::Reverse(*measure));
    list(
        ask,
        ranked
            .into_iter()
            .take(limit)
            .map(|(_, slot, row)| (slot, row)),
    )
}

pub(super) fn top_write(ask: &mut Ask<'_>) -> Reply {
    top(ask, |slot, _| num::whole(flows(ask.cluster, slot).0))
}

pub(super) fn top_read(ask: &mut Ask<'_>) -> Reply {
    top(ask, |slot, _| num::whole(flows(ask.cluster, slot).1))
}

pub(super) fn top_size(ask: &mut Ask<'_>) -> Reply {
    top(ask, |_, row| row.size_mib.into())
}

pub(super) fn top_conf_ver(ask: &mut Ask<'_>) -> Reply {
    top(ask, |_, row| row.conf_ver.into())
}

pub(super) fn top_version(ask: &mut Ask<'_>) -> Reply {
    top(ask, |_, row| row.version.into())
}

/// The neighbours; at the end of the key space the left one comes twice, as it does in PD.
pub(super) fn siblings(ask: &mut Ask<'_>) -> Reply {
    let id = ask.segment().to_owned();
    let slot = id.parse().ok().and_then(|id| ask.cluster.regions.find(id));
    let Some(place) = slot.and_then(|slot| ask.cluster.regions.keys().place_of(slot)) else {
        let text = format!("region {id} not found");
        return errors::coded(ask.release(), 404, "region:ErrRegionNotFound", &text);
    };
    let at = |place: usize| {
        let (slot, row) = ask.cluster.regions.in_order(place).next()?;
        Some(region(ask, slot, row))
    };
    let left = place.checked_sub(1).and_then(at);
    let right = at(place + 1).or_else(|| place.checked_sub(1).and_then(at));
    let regions = vec![left.unwrap_or_else(nothing), right.unwrap_or_else(nothing)];
    ok_compact(&wire::RegionList {
        count: regions.len(),
        regions,
    })
}

pub(super) fn holes(_: &mut Ask<'_>) -> Reply {
    ok(&json!([]))
}

pub(super) fn replicated(ask: &mut Ask<'_>) -> Reply {
    let bound = |name| ask.params.text(name).and_then(keys::from_hex);
    let (Some(from), Some(to)) = (bound("startKey"), bound("endKey")) else {
        return errors::said(400, "startKey and endKey are needed, in hex");
    };
    let regions = &ask.cluster.regions;
    let first = keys::place_of(&from, regions.keys());
    let last = if to.is_empty() {
        regions.len()
    } else {
        keys::place_of(&to, regions.keys())
    };
    let mut span = regions.in_order(first).take(last.saturating_sub(first) + 1);
    let whole = span.all(|(_, row)| !row.has_pending() && !row.has_down() && !row.is_moving());
    ok(&json!(if whole { "REPLICATED" } else { "INPROGRESS" }))
}

pub(super) fn ailing(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    let replicas = usize::from(cluster.pd.config.max_replicas);
    let offline = |row: &Row| {
        row.peers().any(|p| {
            cluster
                .store(p.store)
                .is_some_and(|store| store.meta == Meta::Offline)
        })
    };
    let wanted: Box<dyn Fn(&Row) -> bool> = match ask.segment() {
        "pending-peer" => Box::new(Row::has_pending),
        "down-peer" => Box::new(Row::has_down),
        "learner-peer" => Box::new(Row::has_learner),
        "offline-peer" => Box::new(offline),
        "miss-peer" => Box::new(move |row| row.replicas() < replicas),
        "extra-peer" => Box::new(move |row| row.peers().filter(|p| !p.learner).count() > replicas),
        "empty-region" => Box::new(Row::is_empty),
        "oversized-region" => Box::new(Row::is_oversized),
        "undersized-region" => Box::new(Row::is_undersized),
        _ => return Reply::text(404, "404 page not found"),
    };
    // These lists are kept on heartbeats: a new leader's are empty, and fill.
    let known = |row: &Row| cluster.gathered(row.id.into()) && heard_of(cluster, row);
    list(ask, rows(ask).filter(|(_, row)| wanted(row) && known(row)))
}

/// Whether the region has sent a heartbeat to the present PD leader: each does within a minute.
fn heard_of(cluster: &Cluster, row: &Row) -> bool {
    let minute = num::MINUTE;
    crate::prng::hash(cluster.shape.seed, row.id.into(), 0xbea7) % minute < cluster.led_for()
}
