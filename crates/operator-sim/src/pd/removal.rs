//! The removal of stores: asked for, taken back, limited, and how far it is.

use serde_json::{Map, Value, json};

use crate::cluster::Cluster;
use crate::cluster::store::Meta;
use crate::http::Reply;

use super::effect::Effect;
use super::format::{float, ok};
use super::stores::named;
use super::{Ask, errors};

pub(super) fn remove(ask: &mut Ask<'_>) -> Reply {
    let (place, found) = match named(ask) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let (release, id) = (ask.release(), found.id);
    let force = ask.params.has("force");
    if found.meta == Meta::Tombstone {
        return errors::coded(
            release,
            410,
            "core:ErrStoreRemoved",
            &format!("store {id} has been removed"),
        );
    }
    if found.destroyed && !force {
        return errors::coded(
            release,
            400,
            "core:ErrStoreDestroyed",
            &format!("store {id} has been physically destroyed"),
        );
    }
    let refusal = ask.cluster.refusal_of_removal(place);
    if let Some(left) = refusal.filter(|_| !force && found.meta == Meta::Up) {
        let need = ask.cluster.pd.config.max_replicas;
        return errors::coded(
            release,
            400,
            "core:ErrStoresNotEnough",
            &format!(
                "can not remove store {id} since the number of up stores would be {left} while need {need}"
            ),
        );
    }
    ask.effect = Some(Effect::Remove {
        store: place,
        destroyed: force,
    });
    ok(&json!("The store is set as Offline."))
}

pub(super) fn set_state(ask: &mut Ask<'_>) -> Reply {
    let (place, found) = match named(ask) {
        Ok(found) => found,
        Err(refusal) => return refusal,
    };
    let (release, id) = (ask.release(), found.id);
    match ask.params.text("state").unwrap_or_default() {
        "Offline" => remove(ask),
        "Up" if found.meta == Meta::Tombstone => errors::coded(
            release,
            410,
            "core:ErrStoreRemoved",
            &format!("store {id} has been removed"),
        ),
        "Up" if found.destroyed => errors::coded(
            release,
            400,
            "core:ErrStoreDestroyed",
            &format!("store {id} has been physically destroyed"),
        ),
        "Up" => {
            ask.effect = Some(Effect::Restore(place));
            ok(&json!("The store's state is updated."))
        }
        other => errors::said(400, &format!("invalid state {other}")),
    }
}

pub(super) fn limits(ask: &mut Ask<'_>) -> Reply {
    ok(&limits_of(ask.cluster))
}

pub(super) fn limits_of(cluster: &Cluster) -> Value {
    let limit = float(cluster.pd.config.store_limit);
    let stores = cluster
        .stores
        .iter()
        .filter(|store| store.meta != Meta::Tombstone);
    let limits: Map<String, Value> = stores
        .map(|store| {
            // A removal lifts the limit of what may leave.
            let away = if store.meta == Meta::Offline {
                json!(100_000_000)
            } else {
                limit.clone()
            };
            (
                store.id.to_string(),
                json!({"add-peer": limit, "remove-peer": away}),
            )
        })
        .collect();
    Value::Object(limits)
}

pub(super) fn progress(ask: &mut Ask<'_>) -> Reply {
    let release = ask.release();
    let missing = || {
        errors::coded(
            release,
            404,
            "cluster:ErrProgressNotFound",
            "progress not found",
        )
    };
    let removals = ask
        .cluster
        .stores
        .iter()
        .filter_map(|s| Some((s, s.removal.as_ref()?)));
    let mut said: Vec<(u64, f64, Option<f64>, u64)> = removals
        .map(|(s, removal)| {
            let left = removal.looks.last().map_or(0, |(_, left)| *left);
            (s.id, removal.progress, removal.speed(), left)
        })
        .collect();
    let one_store = match (ask.params.text("id"), ask.params.text("action")) {
        (Some(id), _) => {
            said.retain(|(store, ..)| store.to_string() == id);
            true
        }
        (None, Some("removing")) => false,
        (None, Some(_)) => return missing(),
        (None, None) => return errors::said(400, "need query parameters"),
    };
    if said.is_empty() {
        return missing();
    }
    let number = said.len() as f64;
    let mean = said.iter().map(|(_, progress, ..)| progress).sum::<f64>() / number;
    let speed = said
        .iter()
        .map(|(.., speed, _)| speed.unwrap_or(0.0))
        .sum::<f64>()
        / number;
    let seconds = said.iter().map(|(.., speed, left)| match speed {
        Some(speed) if *speed > 0.0 => *left as f64 / speed,
        _ => f64::MAX,
    });
    let seconds = seconds.fold(0.0, f64::max);
    let mut body = json!({
        "action": "removing",
        "progress": float(mean),
        "current_speed": float(speed),
        "left_seconds": float(seconds),
    });
    if let Some(object) = body.as_object_mut().filter(|_| one_store) {
        object.insert(
            "store_id".to_owned(),
            json!(said.first().map_or(0, |(id, ..)| *id)),
        );
    }
    ok(&body)
}
