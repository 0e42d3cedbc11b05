//! Who PD is: the cluster, its members, their leader and their health.

use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{JSON, Reply};
use crate::shape::Release;

use super::effect::Effect;
use super::format::{self, ok};
use super::{Ask, errors};

pub(super) fn cluster(ask: &mut Ask<'_>) -> Reply {
    ok(&json!({
        "id": ask.cluster.said_cluster_id(),
        "max_peer_count": ask.cluster.pd.config.max_replicas,
    }))
}

pub(super) fn cluster_status(ask: &mut Ask<'_>) -> Reply {
    ok(&json!({
        "raft_bootstrap_time": format::moment(ask.cluster.unix_of(ask.cluster.pd.bootstrapped)),
        "is_initialized": true,
        "replication_status": "",
    }))
}

/// How much is said of a member: `/leader` is short, `/members` is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Short,
    Whole,
}

fn member(ask: &Ask<'_>, place: usize, form: Form) -> Value {
    let Some(member) = ask.cluster.pd.members.get(place) else {
        return Value::Null;
    };
    let mut body = json!({
        "name": member.name,
        "member_id": member.id,
        "peer_urls": [member.peer_url],
        "client_urls": [member.client_url],
    });
    if let Some(object) = body.as_object_mut().filter(|_| form == Form::Whole) {
        let version = format!("v{}", ask.release().version());
        object.insert("deploy_path".to_owned(), json!("/deploy/pd/bin"));
        object.insert("binary_version".to_owned(), json!(version));
        object.insert("git_hash".to_owned(), json!("0".repeat(40)));
    }
    body
}

pub(super) fn members(ask: &mut Ask<'_>) -> Reply {
    let all: Vec<Value> = (0..ask.cluster.pd.members.len())
        .map(|place| member(ask, place, Form::Whole))
        .collect();
    let mut body = json!({
        "header": {"cluster_id": ask.cluster.said_cluster_id()},
        "members": all,
    });
    if let (Some(object), Some(leader)) = (body.as_object_mut(), ask.cluster.pd.leader) {
        object.insert("leader".to_owned(), member(ask, leader, Form::Whole));
        object.insert("etcd_leader".to_owned(), member(ask, leader, Form::Whole));
    }
    ok(&body)
}

pub(super) fn leader(ask: &mut Ask<'_>) -> Reply {
    let leader = ask
        .cluster
        .pd
        .leader
        .map(|leader| member(ask, leader, Form::Short));
    ok(&leader)
}

/// Each member is pinged in turn; one that does not answer at all costs three seconds.
pub(super) fn health(ask: &mut Ask<'_>) -> Reply {
    let pd = &ask.cluster.pd;
    let mut waited = Duration::ZERO;
    let mut all = Vec::new();
    for (place, member) in pd.members.iter().enumerate() {
        if pd.process(place) == Some(crate::cluster::pd::MemberProcess::Frozen) {
            waited += Duration::from_secs(3);
        }
        all.push(json!({
            "name": member.name,
            "member_id": member.id,
            "client_urls": [member.client_url],
            "health": ask.cluster.is_healthy(place),
        }));
    }
    ok(&all).late(waited)
}

pub(super) fn ping(_: &mut Ask<'_>) -> Reply {
    Reply::empty(200)
}

pub(super) fn status(ask: &mut Ask<'_>) -> Reply {
    let started = ask
        .cluster
        .pd
        .members
        .get(ask.member)
        .map_or(0, |member| member.started);
    ok(&json!({
        "build_ts": "2026-06-17 13:35:24",
        "version": format!("v{}", ask.release().version()),
        "git_hash": "0".repeat(40),
        "start_timestamp": ask.cluster.unix_of(started).div_euclid(1000),
    }))
}

pub(super) fn version(ask: &mut Ask<'_>) -> Reply {
    ok(&json!({
        "version": format!("v{}", ask.release().version()),
        "build_time": "",
        "hash": "",
        "branch": "",
    }))
}

pub(super) fn ready(ask: &mut Ask<'_>) -> Reply {
    if !ask.params.has("verbose") {
        return Reply::empty(200);
    }
    let mut body = json!({"region_loaded": true});
    if let Some(object) = body
        .as_object_mut()
        .filter(|_| ask.release() == Release::Head)
    {
        object.insert("is_bootstrapped".to_owned(), json!(true));
    }
    // The second version of the API indents by four, and ends without a newline.
    let text = serde_json::to_string_pretty(&body)
        .unwrap_or_default()
        .replace("  ", "    ");
    Reply::new(200, JSON, text)
}

pub(super) fn resign(ask: &mut Ask<'_>) -> Reply {
    let pd = &ask.cluster.pd;
    let heir = (0..pd.members.len()).find(|place| *place != ask.member && pd.running(*place));
    match heir {
        Some(heir) => {
            ask.effect = Some(Effect::Lead(heir));
            ok(&json!("The resign command is submitted."))
        }
        None => errors::said(500, "no other member can lead"),
    }
}

pub(super) fn transfer(ask: &mut Ask<'_>) -> Reply {
    let name = ask.segment();
    let pd = &ask.cluster.pd;
    let heir = pd.members.iter().position(|member| member.name == name);
    match heir.filter(|heir| pd.running(*heir)) {
        Some(heir) => {
            ask.effect = Some(Effect::Lead(heir));
            ok(&json!("The transfer command is submitted."))
        }
        None => errors::said(
            500,
            &format!("member {name:?} is not found or does not answer"),
        ),
    }
}
