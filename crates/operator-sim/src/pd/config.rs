//! PD's configuration: the items that the model obeys, among those that an untouched PD has.

use serde_json::{Value, json};

use crate::cluster::pd::Config;
use crate::http::Reply;
use crate::shape::Release;

use super::effect::Effect;
use super::format::{float, ok, span};
use super::removal::limits_of;
use super::{Ask, errors};

/// Booleans of these objects are text.
fn flag(on: bool) -> &'static str {
    if on { "true" } else { "false" }
}

fn schedule_of(ask: &Ask<'_>) -> Value {
    let config = ask.cluster.config();
    let mut body = json!({
        "max-snapshot-count": 64,
        "max-pending-peer-count": 64,
        "max-merge-region-size": 54,
        "max-merge-region-keys": 540_000,
        "split-merge-interval": "1h0m0s",
        "switch-witness-interval": "1h0m0s",
        "enable-one-way-merge": "false",
        "enable-cross-table-merge": "true",
        "patrol-region-interval": "10ms",
        "max-store-down-time": span(config.max_store_down),
        "max-store-preparing-time": "48h0m0s",
        "leader-schedule-limit": config.leader_schedule_limit,
        "leader-schedule-policy": "count",
        "region-schedule-limit": config.region_schedule_limit,
        "witness-schedule-limit": 4,
        "replica-schedule-limit": config.replica_schedule_limit,
        "merge-schedule-limit": 8,
        "hot-region-schedule-limit": 4,
        "hot-region-cache-hits-threshold": 3,
        "store-limit": limits_of(ask.cluster),
        "tolerant-size-ratio": 0,
        "low-space-ratio": float(config.low_space_ratio),
        "high-space-ratio": 0.7,
        "region-score-formula-version": "v2",
        "scheduler-max-waiting-operator": 5,
        "enable-remove-down-replica": "true",
        "enable-replace-offline-replica": "true",
        "enable-make-up-replica": "true",
        "enable-remove-extra-replica": "true",
        "enable-location-replacement": "true",
        "enable-debug-metrics": "false",
        "enable-joint-consensus": "true",
        "enable-tikv-split-region": "true",
        "schedulers-v2": schedulers(ask),
        "hot-regions-write-interval": "10m0s",
        "hot-regions-reserved-days": 7,
        "max-movable-hot-peer-size": 512,
        "enable-diagnostic": "true",
        "enable-witness": "false",
        "slow-store-evicting-affected-store-ratio-threshold": 0.3,
        "store-limit-version": "v1",
    });
    let Some(object) = body.as_object_mut() else {
        return body;
    };
    if ask.release() >= Release::V8_5 {
        for (key, value) in [
            ("affinity-schedule-limit", json!(0)),
            ("split-scatter-schedule-limit", json!(0)),
            ("enable-heartbeat-breakdown-metrics", json!("true")),
            ("enable-heartbeat-concurrent-runner", json!("true")),
            ("patrol-region-worker-count", json!(1)),
            ("max-affinity-merge-region-size", json!(256)),
        ] {
            object.insert(key.to_owned(), value);
        }
    } else {
        object.insert("max-merge-region-size".to_owned(), json!(20));
        object.insert("max-merge-region-keys".to_owned(), json!(200_000));
    }
    // The item is written only where it is on.
    if ask.cluster.halted() {
        object.insert("halt-scheduling".to_owned(), json!(flag(true)));
    }
    body
}

fn schedulers(ask: &Ask<'_>) -> Vec<Value> {
    let named = ask.cluster.scheduler_names();
    let kinds = named
        .iter()
        .filter_map(|name| name.strip_suffix("-scheduler"));
    kinds
        .map(|kind| {
            let kind = if kind == "balance-hot-region" {
                "hot-region"
            } else {
                kind
            };
            json!({"type": kind, "args": null, "disable": false, "args-payload": ""})
        })
        .collect()
}

fn replicate_of(ask: &Ask<'_>) -> Value {
    json!({
        "max-replicas": ask.cluster.pd.config.max_replicas,
        "location-labels": "",
        "strictly-match-label": "false",
        "enable-placement-rules": "true",
        "enable-placement-rules-cache": "false",
        "isolation-level": "",
    })
}

fn server_of() -> Value {
    json!({
        "use-region-storage": "true",
        "max-gap-reset-ts": "24h0m0s",
        "key-type": "table",
        "runtime-services": "",
        "metric-storage": "",
        "dashboard-address": "auto",
        "flow-round-by-digit": 3,
        "min-resolved-ts-persistence-interval": "1s",
        "server-memory-limit": 0,
        "server-memory-limit-gc-trigger": 0.7,
        "enable-gogc-tuner": "false",
        "gc-tuner-threshold": 0.6,
        "block-safe-point-v1": "false",
    })
}

pub(super) fn schedule(ask: &mut Ask<'_>) -> Reply {
    ok(&schedule_of(ask))
}

pub(super) fn replicate(ask: &mut Ask<'_>) -> Reply {
    ok(&replicate_of(ask))
}

pub(super) fn server(_: &mut Ask<'_>) -> Reply {
    ok(&server_of())
}

pub(super) fn cluster_version(ask: &mut Ask<'_>) -> Reply {
    ok(&json!(ask.release().version()))
}

/// The whole; a follower asks its leader for a part of it, and fails with it.
pub(super) fn whole(ask: &mut Ask<'_>) -> Reply {
    let pd = &ask.cluster.pd;
    if ask.follows && pd.serving().is_none() {
        let leader = pd.leader.and_then(|leader| pd.members.get(leader));
        return match leader {
            Some(leader) => errors::said(
                500,
                &format!(
                    "Get \"{}/pd/api/v1/config\": dial tcp: connect: connection refused",
                    leader.client_url
                ),
            ),
            None => errors::coded(ask.release(), 500, "server:ErrLeaderNil", "leader is nil"),
        };
    }
    let Some(member) = pd.members.get(ask.member) else {
        return errors::said(500, "no such member");
    };
    let initial: Vec<String> = pd
        .members
        .iter()
        .map(|m| format!("{}={}", m.name, m.peer_url))
        .collect();
    ok(&json!({
        "client-urls": member.client_url,
        "peer-urls": member.peer_url,
        "advertise-client-urls": member.client_url,
        "advertise-peer-urls": member.peer_url,
        "name": member.name,
        "data-dir": "/data/pd",
        "force-new-cluster": false,
        "enable-grpc-gateway": true,
        "initial-cluster": initial.join(","),
        "initial-cluster-state": "new",
        "initial-cluster-token": "pd-cluster",
        "join": "",
        "lease": ask.cluster.shape.timing.pd_lease.as_secs(),
        "log": log(),
        "max-concurrent-tso-proxy-streamings": 5000,
        "tso-proxy-recv-from-client-timeout": "1h0m0s",
        "tso-save-interval": "5s",
        "tso-update-physical-interval": "50ms",
        "enable-local-tso": false,
        "metric": {"job": member.name, "address": "", "interval": "15s"},
        "schedule": schedule_of(ask),
        "replication": replicate_of(ask),
        "pd-server": server_of(),
        "cluster-version": ask.release().version(),
        "labels": {},
        "quota-backend-bytes": "8GiB",
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention-v2": "1h",
        "tick-interval": "500ms",
        "election-interval": "3s",
        "enable-prevote": true,
        "max-request-bytes": 157_286_400,
        "security": security(),
        "label-property": {},
        "dashboard": dashboard(),
        "replication-mode": replication_mode(),
        "keyspace": keyspace(),
        "micro-service": {"enable-scheduling-fallback": "true"},
        "controller": controller(),
    }))
}

fn log() -> Value {
    json!({
        "level": "info",
        "format": "text",
        "disable-timestamp": false,
        "file": {"filename": "/deploy/pd/log/pd.log", "max-size": 300, "max-days": 0, "max-backups": 0},
        "development": false,
        "disable-caller": false,
        "disable-stacktrace": false,
        "disable-error-verbose": true,
        "sampling": null,
        "error-output-path": "",
    })
}

fn security() -> Value {
    json!({
        "cacert-path": "",
        "cert-path": "",
        "key-path": "",
        "cert-allowed-cn": null,
        "SSLCABytes": null,
        "SSLCertBytes": null,
        "SSLKEYBytes": null,
        "redact-info-log": false,
        "encryption": {
            "data-encryption-method": "plaintext",
            "data-key-rotation-period": "168h0m0s",
            "master-key": {"type": "plaintext", "key-id": "", "region": "", "endpoint": "", "path": ""},
        },
    })
}

fn dashboard() -> Value {
    json!({
        "tidb-cacert-path": "",
        "tidb-cert-path": "",
        "tidb-key-path": "",
        "public-path-prefix": "",
        "internal-proxy": false,
        "enable-telemetry": false,
        "enable-experimental": false,
        "disable-custom-prom-addr": false,
    })
}

fn replication_mode() -> Value {
    json!({
        "replication-mode": "majority",
        "dr-auto-sync": {
            "label-key": "",
            "primary": "",
            "dr": "",
            "primary-replicas": 0,
            "dr-replicas": 0,
            "wait-store-timeout": "1m0s",
            "wait-recover-timeout": "0s",
            "pause-region-split": "false",
        },
    })
}

fn keyspace() -> Value {
    json!({
        "pre-alloc": null,
        "wait-region-split": true,
        "wait-region-split-timeout": "30s",
        "check-region-split-interval": "50ms",
    })
}

fn controller() -> Value {
    json!({
        "degraded-mode-wait-duration": "0s",
        "ltb-max-wait-duration": "30s",
        "ltb-token-rpc-max-delay": "1s",
        "request-unit": {
            "read-base-cost": 0.125,
            "read-per-batch-base-cost": 0.5,
            "read-cost-per-byte": 1.0 / 65_536.0,
            "write-base-cost": 1,
            "write-per-batch-base-cost": 1,
            "write-cost-per-byte": 1.0 / 1_024.0,
            "read-cpu-ms-cost": 1.0 / 3.0,
        },
        "enable-controller-trace-log": "false",
    })
}

type Setter = fn(&mut Config, &Value) -> Option<()>;

/// The items that can be set: those that the model obeys.
static ITEMS: &[(&str, Setter)] = &[
    ("schedule.halt-scheduling", |config, value| {
        config.halt_scheduling = truth(value)?;
        Some(())
    }),
    ("schedule.leader-schedule-limit", |config, value| {
        config.leader_schedule_limit = value.as_u64()?;
        Some(())
    }),
    ("schedule.low-space-ratio", |config, value| {
        config.low_space_ratio = value.as_f64().filter(|ratio| (0.0..=1.0).contains(ratio))?;
        Some(())
    }),
    ("schedule.max-store-down-time", |config, value| {
        config.max_store_down =
            jiff::SignedDuration::try_from(value.as_str()?.parse::<jiff::Span>().ok()?)
                .ok()
                .and_then(|span| u64::try_from(span.as_millis()).ok())?;
        Some(())
    }),
    ("schedule.region-schedule-limit", |config, value| {
        config.region_schedule_limit = value.as_u64()?;
        Some(())
    }),
    ("schedule.replica-schedule-limit", |config, value| {
        config.replica_schedule_limit = value.as_u64()?;
        Some(())
    }),
];

/// Booleans come as text only.
fn truth(value: &Value) -> Option<bool> {
    value.as_str()?.parse().ok()
}

pub(super) fn set(ask: &mut Ask<'_>) -> Reply {
    let Some(Value::Object(items)) = ask.body_json() else {
        return errors::bad_input("the body is no JSON object");
    };
    let mut config = ask.cluster.pd.config.clone();
    for (key, value) in &items {
        let known = ITEMS.iter().find(|(name, _)| {
            name == key || name.split_once('.').is_some_and(|(_, short)| short == key)
        });
        let Some((_, set)) = known else {
            return errors::said(400, &format!("config item {key} not found"));
        };
        if set(&mut config, value).is_none() {
            return errors::said(400, &format!("config item {key} cannot be {value}"));
        }
    }
    ask.effect = Some(Effect::Configure(config));
    ok(&json!("The config is updated."))
}

pub(super) fn rules(ask: &mut Ask<'_>) -> Reply {
    ok(&json!([{
        "group_id": "pd",
        "id": "default",
        "start_key": "",
        "end_key": "",
        "role": "voter",
        "is_witness": false,
        "count": ask.cluster.pd.config.max_replicas,
    }]))
}

pub(super) fn label_rules(_: &mut Ask<'_>) -> Reply {
    ok(&json!([{
        "id": "keyspaces/0",
        "index": 0,
        "labels": [{"key": "id", "value": "0"}],
        "rule_type": "key-range",
        "data": [
            {"start_key": "7200000000000000fb", "end_key": "7200000100000000fb"},
            {"start_key": "7800000000000000fb", "end_key": "7800000100000000fb"},
        ],
    }]))
}
