//! Operators: peers on their way, and the handing over of a leader by hand.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::cluster::records::{Done, Record};
use crate::cluster::schedule::Move;
use crate::http::Reply;
use crate::num::{self, Millis};

use super::effect::Effect;
use super::format::{self, ok};
use super::{Ask, errors};

pub(super) fn list(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    let kinds: Vec<&str> = ask.params.texts("kind").collect();
    let all: Vec<String> = cluster
        .running_moves()
        .map(|moving| said(cluster, moving))
        .collect();
    // Everything that runs by itself here moves regions.
    if kinds.is_empty() || kinds.contains(&"region") && !all.is_empty() {
        return ok(&all);
    }
    ok(&Value::Null)
}

/// A running operator in PD's words.
fn said(cluster: &Cluster, moving: &Move) -> String {
    let row = cluster.regions.get(moving.region);
    let told = row.map_or_else(Told::default, |row| Told {
        region: row.id.into(),
        version: row.version,
        conf_ver: row.conf_ver,
        size_mib: row.size_mib,
        step: if row.is_joint() { 2 } else { 0 },
    });
    moves(cluster, moving, &told)
}

/// What an operator's text says of its region, and how far it has come.
#[derive(Default)]
struct Told {
    region: u64,
    version: u32,
    conf_ver: u32,
    size_mib: u16,
    step: u8,
}

fn moves(cluster: &Cluster, moving: &Move, told: &Told) -> String {
    let id = |place| cluster.store(place).map_or(0, |store| store.id);
    let (from, to) = (id(moving.from), id(moving.to));
    let change = format!(
        "promote learner peer on store {to} to voter, demote voter peer on store {from} to learner"
    );
    let steps = format!(
        "0:{{add learner peer on store {to}}}, 1:{{use joint consensus, {change}}}, 2:{{leave joint state, {change}}}, 3:{{remove peer on store {from}}}"
    );
    let what = format!("replace-rule-peer {{mv peer: store [{from}] to [{to}]}}");
    let since = went(cluster, moving.since);
    let (region, version, conf_ver) = (told.region, told.version, told.conf_ver);
    let (step, size) = (told.step, told.size_mib);
    format!(
        "{what} (kind:replica,region, region:{region}({version}, {conf_ver}), createAt:{since}, startAt:{since}, currentStep:{step}, size:{size}, steps:[{steps}], timeout:[11m0s])"
    )
}

/// A finished operator.
fn recorded(cluster: &Cluster, record: &Record) -> String {
    let told = Told {
        region: record.region,
        version: record.version,
        conf_ver: record.conf_ver,
        size_mib: record.size_mib,
        step: 4,
    };
    let text = match &record.done {
        Done::Moved(moving) => moves(cluster, moving, &told),
        Done::Led { from, to, .. } => {
            let since = went(cluster, record.at.saturating_sub(record.took));
            let (region, version, conf_ver) = (told.region, told.version, told.conf_ver);
            let size = told.size_mib;
            format!(
                "transfer-leader {{transfer leader: store {from} to {to}}} (kind:leader, region:{region}({version}, {conf_ver}), createAt:{since}, startAt:{since}, currentStep:1, size:{size}, steps:[0:{{transfer leader from store {from} to store {to}}}], timeout:[1m0s])"
            )
        }
    };
    let (end, took) = (went(cluster, record.at), format::span(record.took));
    format!("{text} finished (finishAt:{end}, duration:{took})")
}

/// A moment as Go prints it: with the seconds that the leader's process has run.
fn went(cluster: &Cluster, at: Millis) -> String {
    let unix = cluster.unix_of(num::signed(at));
    let leader = cluster.pd.leader.and_then(|l| cluster.pd.members.get(l));
    let started = leader.map_or(0, |leader| leader.started);
    let ran = num::seconds(num::since(at, started));
    let text = jiff::Timestamp::from_millisecond(unix)
        .map(|at| at.strftime("%Y-%m-%d %H:%M:%S%.f").to_string())
        .unwrap_or_default();
    format!("{text} +0000 UTC m=+{ran:.3}")
}

pub(super) fn one(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    let Ok(id) = ask.segment().parse::<u64>() else {
        return errors::said(400, "the region's id is no number");
    };
    let moving = cluster.regions.find(id).and_then(|region| {
        cluster
            .running_moves()
            .find(|moving| moving.region == region)
    });
    match moving {
        Some(moving) => ok(&json!(format!(
            "status: RUNNING, operator: {}",
            said(cluster, moving)
        ))),
        None => errors::coded(
            ask.release(),
            500,
            "operator:ErrOperatorNotFound",
            "operator not found",
        ),
    }
}

/// What was finished within ten minutes; none is an error to PD.
pub(super) fn records(ask: &mut Ask<'_>) -> Reply {
    let from = match ask.params.text("from").map(str::parse::<i64>) {
        None => 0,
        Some(Ok(seconds)) => seconds,
        Some(Err(_)) => return errors::said(400, "from is no time in seconds"),
    };
    let cluster = ask.cluster;
    let texts: Vec<String> = cluster
        .finished_operators()
        .filter(|record| cluster.unix_of(num::signed(record.at)) / 1000 >= from)
        .map(|record| recorded(cluster, record))
        .collect();
    if texts.is_empty() {
        return errors::coded(
            ask.release(),
            500,
            "operator:ErrOperatorNotFound",
            "operator not found",
        );
    }
    ok(&texts)
}

pub(super) fn create(ask: &mut Ask<'_>) -> Reply {
    let Some(body) = ask.body_json() else {
        return errors::bad_input("the body is no JSON");
    };
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return errors::said(400, "missing operator name");
    };
    if name != "transfer-leader" {
        return errors::said(400, "unknown operator");
    }
    let Some(id) = body.get("region_id").and_then(Value::as_u64) else {
        return errors::said(400, "missing region id");
    };
    let Some(to) = body.get("to_store_id").and_then(Value::as_u64) else {
        return errors::said(400, "missing store id to transfer leader to");
    };
    let cluster = ask.cluster;
    let region = cluster
        .regions
        .find(id)
        .and_then(|place| Some((place, cluster.regions.get(place)?)));
    let Some((region, row)) = region else {
        let text = format!("region {id} not found");
        return errors::coded(ask.release(), 500, "region:ErrRegionNotFound", &text);
    };
    let store = cluster.store_place(to);
    let Some(peer) = store
        .and_then(|store| row.peer_on(store))
        .filter(|peer| !peer.learner)
    else {
        return errors::said(500, &format!("region has no voter in store {to}"));
    };
    if peer.leader {
        return errors::said(500, "no operator step is built");
    }
    if peer.pending || peer.down {
        return errors::said(500, &format!("cannot transfer leader to {to}: unhealthy"));
    }
    if cluster.is_evicted(peer.store) || !cluster.is_running(peer.store) {
        return errors::said(500, "cannot create operator: target leader is not allowed");
    }
    ask.effect = Some(Effect::Transfer {
        region,
        to: peer.store,
    });
    ok(&json!("The operator is created."))
}
