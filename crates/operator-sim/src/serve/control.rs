//! Controls over HTTP, for a demo or a test in another process. They are a face of their own: the truth is read here,
//! and nowhere else.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::fault::{InjectionId, faults};
use crate::http::{Reply, Request};

type Handler = fn(&mut Cluster, &Value) -> Result<Value, String>;

/// The controls, one entry each.
static ROUTES: &[(&str, &str, Handler)] = &[
    ("GET", "/faults", |_, _| Ok(known())),
    ("GET", "/state", |cluster, _| Ok(state(cluster))),
    ("GET", "/truth", |cluster, _| Ok(truth(cluster))),
    ("POST", "/inject", inject),
    ("POST", "/clear", clear),
    ("POST", "/step", step),
];

pub(super) fn answer(cluster: &mut Cluster, request: &Request) -> Reply {
    let said = |status, body: Value| Reply::new(status, crate::http::JSON, body.to_string());
    let found = ROUTES
        .iter()
        .find(|(method, path, _)| *method == request.method && *path == request.path);
    let Some((.., handler)) = found else {
        return said(404, json!({"error": "no such control"}));
    };
    let body: Value = match request.body.is_empty() {
        true => Value::Null,
        false => match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(error) => {
                return said(
                    400,
                    json!({"error": format!("the body is no JSON: {error}")}),
                );
            }
        },
    };
    match handler(cluster, &body) {
        Ok(answer) => said(200, answer),
        Err(error) => said(400, json!({"error": error})),
    }
}

fn known() -> Value {
    let entries = faults().iter().map(|fault| {
        let params: Vec<Value> = fault
            .params
            .iter()
            .map(|param| json!({"name": param.name, "default": param.default}))
            .collect();
        json!({"name": fault.name, "summary": fault.summary, "params": params})
    });
    entries.collect::<Vec<_>>().into()
}

fn state(cluster: &Cluster) -> Value {
    json!({
        "unix_ms": cluster.unix_ms(),
        "model_ms": u64::try_from(cluster.now().as_millis()).unwrap_or(u64::MAX),
        "stores": cluster.stores.len(),
        "regions": cluster.regions.len(),
        "steps": cluster.steps(),
        "events_kept": cluster.events().count(),
        "events_forgotten": cluster.forgotten_events(),
    })
}

fn truth(cluster: &Cluster) -> Value {
    let entries = cluster.truth().into_iter().map(|truth| {
        json!({
            "id": truth.id.0,
            "fault": truth.fault,
            "onset_unix_ms": truth.onset_unix_ms,
            "end_unix_ms": truth.end_unix_ms,
            "active": truth.active,
            "entities": truth.entities.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    entries.collect::<Vec<_>>().into()
}

fn inject(cluster: &mut Cluster, body: &Value) -> Result<Value, String> {
    let text = body.get("fault").and_then(Value::as_str);
    let text = text.ok_or("expected {\"fault\": \"name param=value …\"}")?;
    let id = cluster.inject(text).map_err(|error| error.to_string())?;
    Ok(json!({"id": id.0}))
}

fn clear(cluster: &mut Cluster, body: &Value) -> Result<Value, String> {
    let id = body.get("id").and_then(Value::as_u64);
    let id = id.ok_or("expected {\"id\": number}")?;
    if cluster.clear(InjectionId(id)) {
        Ok(json!({"cleared": id}))
    } else {
        Err(format!("there is no fault {id} to end"))
    }
}

/// The most that one request may move the model.
const LONGEST_STEP: f64 = 86_400.0;

fn step(cluster: &mut Cluster, body: &Value) -> Result<Value, String> {
    let seconds = body.get("seconds").and_then(Value::as_f64);
    let seconds = seconds
        .filter(|seconds| (0.0..=LONGEST_STEP).contains(seconds))
        .ok_or("expected {\"seconds\": 0 to 86400}")?;
    cluster.advance(Duration::from_secs_f64(seconds));
    Ok(state(cluster))
}
