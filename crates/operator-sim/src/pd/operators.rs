//! Operators: peers on their way, and the handing over of a leader by hand.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::cluster::schedule::Move;
use crate::http::Reply;

use super::effect::Effect;
use super::format::ok;
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

/// An operator in PD's words.
fn said(cluster: &Cluster, moving: &Move) -> String {
    let id = |place| cluster.store(place).map_or(0, |store| store.id);
    let (from, to) = (id(moving.from), id(moving.to));
    let row = cluster.regions.get(moving.region);
    let (region, version, conf_ver, size) = row.map_or((0, 0, 0, 0), |row| {
        (row.id, row.version, row.conf_ver, row.size_mib)
    });
    format!(
        "replace-rule-peer {{mv peer: store [{from}] to [{to}]}} (kind:replica,region, region:{region}({version}, {conf_ver}), currentStep:0, size:{size}, steps:[0:{{add learner peer on store {to}}}, 1:{{promote learner peer on store {to} to voter}}, 2:{{remove peer on store {from}}}], timeout:[11m0s])"
    )
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

/// None are kept, and PD calls that an error.
pub(super) fn records(ask: &mut Ask<'_>) -> Reply {
    errors::coded(
        ask.release(),
        500,
        "operator:ErrOperatorNotFound",
        "operator not found",
    )
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
