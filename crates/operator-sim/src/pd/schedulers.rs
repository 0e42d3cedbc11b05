//! Schedulers: which there are, which rest, and the one that holds stores.

use serde_json::{Map, Value, json};

use crate::cluster::pd::BALANCERS;
use crate::http::Reply;
use crate::prng;
use crate::shape::Release;

use super::effect::Effect;
use super::format::{moment, ok};
use super::{Ask, errors};

const EVICT: &str = "evict-leader-scheduler";

pub(super) fn list(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    // While a leader that began with nothing still gathers, no scheduler runs.
    let mut names = if cluster.pd_is_cold() {
        Vec::new()
    } else {
        cluster.scheduler_names()
    };
    names.sort_by_key(|name| {
        prng::hash(
            cluster.now,
            name.len() as u64,
            name.bytes().map(u64::from).sum(),
        )
    });
    let paused: Vec<&String> = names
        .iter()
        .filter(|name| !cluster.scheduler_works(name))
        .collect();
    match ask.params.text("status") {
        None => ok(&names),
        Some("paused") if ask.params.has("timestamp") => {
            let said: Vec<Value> = paused
                .iter()
                .map(|name| {
                    let unix = |at: u64| moment(cluster.unix_of(crate::num::signed(at)));
                    let (from, until) = cluster
                        .pd
                        .paused
                        .get(*name)
                        .copied()
                        .unwrap_or((0, cluster.now));
                    json!({"name": name, "paused_at": unix(from), "resume_at": unix(until)})
                })
                .collect();
            ok(&said)
        }
        Some("paused") if paused.is_empty() && ask.release() < Release::V8_5 => ok(&Value::Null),
        Some("paused") => ok(&paused),
        Some("disabled") if ask.release() < Release::V8_5 => ok(&Value::Null),
        Some("disabled") => ok(&json!([])),
        Some(_) => ok(&names),
    }
}

pub(super) fn add(ask: &mut Ask<'_>) -> Reply {
    let Some(body) = ask.body_json() else {
        return errors::bad_input("the body is no JSON");
    };
    let Some(name) = body.get("name").and_then(Value::as_str) else {
        return errors::said(400, "missing scheduler name");
    };
    if BALANCERS.contains(&name) {
        ask.effect = Some(Effect::AddScheduler(name.to_owned()));
        return ok(&json!("The scheduler is created."));
    }
    if name != EVICT {
        return errors::said(400, "unknown scheduler");
    }
    let Some(id) = body.get("store_id").and_then(Value::as_u64) else {
        return errors::said(400, "missing store id");
    };
    let Some(place) = ask.cluster.store_place(id) else {
        return errors::coded(
            ask.release(),
            500,
            "core:ErrStoreNotFound",
            &format!("store {id} not found"),
        );
    };
    ask.effect = Some(Effect::Evict(place));
    let there = ask.cluster.evicted().next().is_some();
    ok(&json!(if there {
        "The scheduler has been applied to the store."
    } else {
        "The scheduler is created."
    }))
}

fn not_found(release: Release) -> Reply {
    errors::coded(
        release,
        404,
        "scheduler:ErrSchedulerNotFound",
        "scheduler not found",
    )
}

pub(super) fn remove(ask: &mut Ask<'_>) -> Reply {
    let name = ask.segment().to_owned();
    let cluster = ask.cluster;
    if let Some(id) = name
        .strip_prefix(EVICT)
        .and_then(|rest| rest.strip_prefix('-'))
    {
        let place = id.parse().ok().and_then(|id| cluster.store_place(id));
        return match place.filter(|place| cluster.pd.evicting.contains(place)) {
            Some(place) => {
                ask.effect = Some(Effect::Release(Some(place)));
                ok(&Value::Null)
            }
            None => not_found(ask.release()),
        };
    }
    if !cluster.scheduler_names().contains(&name) {
        return not_found(ask.release());
    }
    ask.effect = Some(if name == EVICT {
        Effect::Release(None)
    } else {
        Effect::RemoveScheduler(name)
    });
    ok(&json!("The scheduler is removed."))
}

pub(super) fn pause(ask: &mut Ask<'_>) -> Reply {
    let name = ask.segment().to_owned();
    let delay = ask
        .body_json()
        .and_then(|body| body.get("delay").and_then(Value::as_u64));
    let Some(delay) = delay else {
        return errors::said(400, "missing pause time");
    };
    let mut names = ask.cluster.scheduler_names();
    if name != "all" {
        names.retain(|known| *known == name);
    }
    if names.is_empty() {
        return errors::coded(
            ask.release(),
            500,
            "scheduler:ErrSchedulerNotFound",
            "scheduler not found",
        );
    }
    ask.effect = Some(Effect::Pause(names, delay));
    ok(&json!("Pause or resume the scheduler successfully."))
}

pub(super) fn evicted(ask: &mut Ask<'_>) -> Reply {
    let cluster = ask.cluster;
    if ask.segment() != EVICT || cluster.evicted().next().is_none() {
        return Reply::text(404, "404 page not found");
    }
    let ranges: Map<String, Value> = cluster
        .evicted()
        .filter_map(|place| Some(cluster.store(place)?.id.to_string()))
        .map(|id| (id, json!([{"start-key": "", "end-key": ""}])))
        .collect();
    let mut body = json!({"store-id-ranges": ranges});
    if let Some(object) = body
        .as_object_mut()
        .filter(|_| ask.release() >= Release::V8_5)
    {
        object.insert("batch".to_owned(), json!(3));
    }
    ok(&body)
}

pub(super) fn release(ask: &mut Ask<'_>) -> Reply {
    let held = &ask.cluster.pd.evicting;
    let id = ask.segments.get(1).and_then(|id| id.parse().ok());
    let place = id.and_then(|id| ask.cluster.store_place(id));
    match place.filter(|place| ask.segment() == EVICT && held.contains(place)) {
        Some(place) => {
            let last = held.len() == 1;
            ask.effect = Some(Effect::Release(Some(place)));
            ok(&if last {
                json!("The last store has been deleted")
            } else {
                Value::Null
            })
        }
        None => not_found(ask.release()),
    }
}

pub(super) fn diagnostic(ask: &mut Ask<'_>) -> Reply {
    let name = ask.segment();
    let cluster = ask.cluster;
    if !["balance-region-scheduler", "balance-leader-scheduler"].contains(&name) {
        return errors::coded(
            ask.release(),
            500,
            "scheduler:ErrSchedulerUndiagnosable",
            "scheduler is undiagnosable",
        );
    }
    let status = if cluster.halted() {
        "halted"
    } else if !cluster.scheduler_names().iter().any(|known| known == name) {
        "disabled"
    } else if !cluster.scheduler_works(name) {
        "paused"
    } else {
        "normal"
    };
    ok(&json!({
        "name": name,
        "status": status,
        "summary": "",
        "timestamp": cluster.unix_of(crate::num::signed(cluster.now)).div_euclid(1000),
    }))
}

pub(super) fn checker(ask: &mut Ask<'_>) -> Reply {
    match ask.segment() {
        "learner" | "replica" | "rule" | "split" | "merge" | "joint-state" => {
            ok(&json!({"paused": false}))
        }
        _ => errors::said(500, "checker not found"),
    }
}
