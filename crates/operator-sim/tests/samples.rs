//! Every key of PD's sample answers is produced by the simulator, with the same JSON type.
//!
//! The samples are others' bytes: they are read where they lie, and the test says so where they do not.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use operator_sim::{Cluster, Outcome, Request, Shape, pd_endpoints};
use serde_json::Value;

/// A sample, and the request that the simulator is asked instead.
const SAMPLES: &[(&str, &str)] = &[
    ("pd-api/checker.json", "/pd/api/v1/checker/merge"),
    ("pd-api/cluster-status.json", "/pd/api/v1/cluster/status"),
    ("pd-api/cluster.json", "/pd/api/v1/cluster"),
    (
        "pd-api/config-replicate.json",
        "/pd/api/v1/config/replicate",
    ),
    ("pd-api/config-rules.json", "/pd/api/v1/config/rules"),
    ("pd-api/health.json", "/pd/api/v1/health"),
    (
        "pd-api/hotspot-regions-history.json",
        "/pd/api/v1/hotspot/regions/history",
    ),
    (
        "pd-api/hotspot-regions-write.json",
        "/pd/api/v1/hotspot/regions/write",
    ),
    ("pd-api/hotspot-stores.json", "/pd/api/v1/hotspot/stores"),
    ("pd-api/labels.json", "/pd/api/v1/labels"),
    ("pd-api/leader.json", "/pd/api/v1/leader"),
    ("pd-api/members.json", "/pd/api/v1/members"),
    (
        "pd-api/min-resolved-ts-cluster.json",
        "/pd/api/v1/min-resolved-ts?scope=cluster",
    ),
    ("pd-api/min-resolved-ts.json", "/pd/api/v1/min-resolved-ts"),
    ("pd-api/operators.json", "/pd/api/v1/operators"),
    (
        "pd-api/operators-records.json",
        "/pd/api/v1/operators/records",
    ),
    (
        "pd-api/region-joint-learner-witness.json",
        "/pd/api/v1/regions#/regions",
    ),
    ("pd-api/regions-empty.json", "/pd/api/v1/regions/store/999"),
    (
        "pd-api/regions-range-holes.json",
        "/pd/api/v1/regions/range-holes",
    ),
    (
        "pd-api/regions-sibling-of-last.json",
        "/pd/api/v1/regions/sibling/4",
    ),
    ("pd-api/store-never-heartbeat.json", "/pd/api/v1/store/9"),
    (
        "pd-live/operators-records.json",
        "/pd/api/v1/operators/records",
    ),
    (
        "pd-live/regions-check-down-peer.json",
        "/pd/api/v1/regions/check/down-peer",
    ),
    (
        "pd-live/regions-check-empty-region.json",
        "/pd/api/v1/regions/check/empty-region",
    ),
    (
        "pd-live/regions-check-extra-peer.json",
        "/pd/api/v1/regions/check/extra-peer",
    ),
    (
        "pd-live/regions-check-learner-peer.json",
        "/pd/api/v1/regions/check/learner-peer",
    ),
    (
        "pd-live/regions-check-offline-peer.json",
        "/pd/api/v1/regions/check/offline-peer",
    ),
    (
        "pd-live/regions-check-oversized-region.json",
        "/pd/api/v1/regions/check/oversized-region",
    ),
    (
        "pd-live/regions-check-pending-peer.json",
        "/pd/api/v1/regions/check/pending-peer",
    ),
    (
        "pd-live/regions-check-undersized-region.json",
        "/pd/api/v1/regions/check/undersized-region",
    ),
    (
        "pd-api/region-down-pending.json",
        "/pd/api/v1/regions/check/down-peer#/regions",
    ),
    (
        "pd-api/region-not-found-200.json",
        "/pd/api/v1/region/id/999999",
    ),
    ("pd-api/region.json", "/pd/api/v1/region/key/t"),
    (
        "pd-api/regions-check-hist-size.json",
        "/pd/api/v1/regions/check/hist-size",
    ),
    ("pd-api/regions-count.json", "/pd/api/v1/regions/count"),
    (
        "pd-api/regions-replicated.json",
        "/pd/api/v1/regions/replicated?startKey=&endKey=",
    ),
    (
        "pd-api/regions-sibling-of-first.json",
        "/pd/api/v1/regions/sibling/4",
    ),
    ("pd-api/regions.json", "/pd/api/v1/regions"),
    (
        "pd-api/replication-mode-status.json",
        "/pd/api/v1/replication_mode/status",
    ),
    (
        "pd-api/scheduler-config-evict-leader-list.json",
        "/pd/api/v1/scheduler-config/evict-leader-scheduler/list",
    ),
    (
        "pd-api/schedulers-diagnostic.json",
        "/pd/api/v1/schedulers/diagnostic/balance-region-scheduler",
    ),
    (
        "pd-api/schedulers-paused-timestamp.json",
        "/pd/api/v1/schedulers?status=paused&timestamp",
    ),
    ("pd-api/schedulers.json", "/pd/api/v1/schedulers"),
    (
        "pd-api/stats-region-count.json",
        "/pd/api/v1/stats/region?count",
    ),
    ("pd-api/stats-region.json", "/pd/api/v1/stats/region"),
    ("pd-api/status.json", "/pd/api/v1/status"),
    ("pd-api/store.json", "/pd/api/v1/stores#/stores"),
    ("pd-api/stores-check.json", "/pd/api/v1/stores/check"),
    ("pd-api/stores-limit.json", "/pd/api/v1/stores/limit"),
    (
        "pd-api/stores-progress-action.json",
        "/pd/api/v1/stores/progress?action=removing",
    ),
    (
        "pd-api/stores-progress-id.json",
        "/pd/api/v1/stores/progress?id=6",
    ),
    (
        "pd-api/stores.json",
        "/pd/api/v1/stores?state=0&state=1&state=2",
    ),
    (
        "pd-api/unsafe-show-idle.json",
        "/pd/api/v1/admin/unsafe/remove-failed-stores/show",
    ),
    ("pd-api/v2-ready-verbose.json", "/pd/api/v2/ready?verbose"),
    ("pd-api/version.json", "/pd/api/v1/version"),
    ("pd-live/cluster-status.json", "/pd/api/v1/cluster/status"),
    ("pd-live/cluster.json", "/pd/api/v1/cluster"),
    (
        "pd-live/config-pd-server.json",
        "/pd/api/v1/config/pd-server",
    ),
    (
        "pd-live/config-region-label-rules.json",
        "/pd/api/v1/config/region-label/rules",
    ),
    (
        "pd-live/config-replicate.json",
        "/pd/api/v1/config/replicate",
    ),
    ("pd-live/config-rules.json", "/pd/api/v1/config/rules"),
    ("pd-live/config-schedule.json", "/pd/api/v1/config/schedule"),
    ("pd-live/config.json", "/pd/api/v1/config"),
    ("pd-live/health.json", "/pd/api/v1/health"),
    (
        "pd-live/hotspot-regions-read.json",
        "/pd/api/v1/hotspot/regions/read",
    ),
    (
        "pd-live/hotspot-regions-write.json",
        "/pd/api/v1/hotspot/regions/write",
    ),
    ("pd-live/hotspot-stores.json", "/pd/api/v1/hotspot/stores"),
    ("pd-live/labels.json", "/pd/api/v1/labels"),
    ("pd-live/leader.json", "/pd/api/v1/leader"),
    ("pd-live/members.json", "/pd/api/v1/members"),
    (
        "pd-live/min-resolved-ts-cluster.json",
        "/pd/api/v1/min-resolved-ts?scope=cluster",
    ),
    ("pd-live/operators.json", "/pd/api/v1/operators"),
    ("pd-live/region-1012.json", "/pd/api/v1/region/id/4"),
    (
        "pd-live/regions-check-hist-keys.json",
        "/pd/api/v1/regions/check/hist-keys",
    ),
    (
        "pd-live/regions-check-hist-size.json",
        "/pd/api/v1/regions/check/hist-size",
    ),
    (
        "pd-live/regions-check-miss-peer.json",
        "/pd/api/v1/regions/check/miss-peer",
    ),
    ("pd-live/regions-count.json", "/pd/api/v1/regions/count"),
    (
        "pd-live/regions-key-limit-3.json",
        "/pd/api/v1/regions/key?limit=3",
    ),
    ("pd-live/regions.json", "/pd/api/v1/regions"),
    (
        "pd-live/replication-mode-status.json",
        "/pd/api/v1/replication_mode/status",
    ),
    (
        "pd-live/schedulers-diagnostic-balance-region.json",
        "/pd/api/v1/schedulers/diagnostic/balance-region-scheduler",
    ),
    ("pd-live/schedulers.json", "/pd/api/v1/schedulers"),
    ("pd-live/stats-region.json", "/pd/api/v1/stats/region"),
    ("pd-live/status.json", "/pd/api/v1/status"),
    ("pd-live/store-1.json", "/pd/api/v1/store/1"),
    (
        "pd-live/stores-check-up.json",
        "/pd/api/v1/stores/check?state=up",
    ),
    ("pd-live/stores-limit.json", "/pd/api/v1/stores/limit"),
    ("pd-live/stores.json", "/pd/api/v1/stores"),
    ("pd-live/trend.json", "/pd/api/v1/trend"),
    ("pd-live/version.json", "/pd/api/v1/version"),
];

/// Samples that are not asked of the troubled cluster, each with its reason.
const NOT_ASKED: &[(&str, &str)] = &[
    (
        "pd-api/hotspot-buckets.json",
        "buckets are off, as by default",
    ),
    (
        "pd-api/cluster-status-not-bootstrapped.json",
        "a simulated cluster is bootstrapped",
    ),
    (
        "pd-api/hotspot-regions-history-none.json",
        "the cluster has a history; faces has one without",
    ),
    (
        "pd-api/hotspot-regions-write-store-without-stats.json",
        "every simulated store has its rates",
    ),
    (
        "pd-api/hotspot-stores-empty.json",
        "every simulated store has its rates",
    ),
    (
        "pd-api/labels-none.json",
        "every simulated store has labels",
    ),
    (
        "pd-api/operator-region-cancel.json",
        "a text, with a state of operators that is not modelled",
    ),
    ("pd-api/operator-region-running.json", "a text"),
    (
        "pd-api/operator-region-success.json",
        "a text, with a state of operators that is not modelled",
    ),
    (
        "pd-api/operator-region-timeout.json",
        "a text, with a state of operators that is not modelled",
    ),
    ("pd-api/operators-none.json", "operators are running"),
    (
        "pd-api/operators-object.json",
        "asked for with a parameter that only newer releases know",
    ),
    ("pd-api/operators-scatter-regions.json", "no such endpoint"),
    ("pd-api/region-head.json", "another release"),
    (
        "pd-api/region-no-leader.json",
        "every region has had a leader",
    ),
    ("pd-api/regions-scatter.json", "no such endpoint"),
    ("pd-api/regions-split.json", "no such endpoint"),
    (
        "pd-api/replication-mode-status-dr.json",
        "the mode is majority",
    ),
    (
        "pd-api/scheduler-delete-evict-leader-suffix.json",
        "the answer to a change",
    ),
    ("pd-api/service-middleware-config.json", "no such endpoint"),
    (
        "pd-api/store-after-pd-leader-change.json",
        "another moment, which the recordings are compared in",
    ),
    ("pd-api/store-head.json", "another release"),
    ("pd-api/v2-keyspaces.json", "no such endpoint"),
    ("pd-api/v2-ready-verbose-head.json", "another release"),
    ("pd-live/region-1012-follower.json", "a follower's answer"),
];

/// Endpoints of the simulator that no sample is there for.
const WITHOUT_SAMPLE: &[&str] = &[
    "/pd/api/v1/hotspot/buckets",
    "/pd/health",
    "/pd/api/v1/ping",
    "/pd/ping",
    "/pd/api/v1/regions/writeflow",
    "/pd/api/v1/regions/readflow",
    "/pd/api/v1/regions/size",
    "/pd/api/v1/regions/keys",
    "/pd/api/v1/regions/confver",
    "/pd/api/v1/regions/version",
    "/pd/api/v1/config/cluster-version",
    "/pd/api/v1/operators/{}",
];

/// Keys that samples have and the model does not, each with its reason. Real PD leaves all of them out by default.
const NOT_MODELLED: &[(&str, &str)] = &[
    (
        "network_slow_score",
        "no network between stores is modelled",
    ),
    (
        "replication_status",
        "written only where the replication mode reports",
    ),
    ("buckets", "region buckets are off, as by default"),
    (
        "location_labels",
        "placement rules are those of an untouched cluster",
    ),
    (
        "label_constraints",
        "placement rules are those of an untouched cluster",
    ),
    ("version", "a rule that nobody changed has no version"),
    ("create_timestamp", "a rule that nobody changed has no time"),
    ("index", "a rule that nobody changed has no index"),
    ("override", "a rule that nobody changed overrides nothing"),
    (
        "isolation_level",
        "placement rules are those of an untouched cluster",
    ),
    ("leader_priority", "members have no priorities"),
];

fn shared() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/samples");
    path.is_dir().then_some(path)
}

/// A cluster in trouble enough that every optional key has its occasion.
fn troubled() -> Cluster {
    let mut cluster = Cluster::new(Shape {
        stores: 7,
        tiflash: 1,
        witnesses: true,
        regions: 300,
        ..Shape::default()
    })
    .expect("the shape is sound");
    for fault in [
        "store-killed store=2",
        "store-removed store=5",
        "evict-leader-left store=3",
        "hot-write region=4",
        "hot-read region=4",
        "store-never-reported",
    ] {
        cluster.inject(fault).expect("the fault is known");
    }
    cluster.advance(Duration::from_secs(12 * 60));
    let pause = Request::new(
        "POST",
        "/pd/api/v1/schedulers/balance-region-scheduler",
        r#"{"delay":600}"#,
    );
    cluster.pd(0, &pause);
    cluster
        .inject("store-killed store=7 for=30s")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(30));
    cluster.pd(0, &Request::new("DELETE", "/pd/api/v1/store/6?force", ""));
    cluster.advance(Duration::from_secs(12));
    // To a moment at which a region is in joint consensus: its peers leave the removed store all the while.
    for _ in 0..1_000 {
        let regions = ask(&mut cluster, "/pd/api/v1/regions").to_string();
        if regions.contains("IncomingVoter") {
            return cluster;
        }
        cluster.advance(Duration::from_millis(20));
    }
    panic!("no region is ever in joint consensus");
}

fn ask(cluster: &mut Cluster, target: &str) -> Value {
    let (target, pointer) = target.split_once('#').unwrap_or((target, ""));
    match cluster.pd(0, &Request::get(target)) {
        Outcome::Reply(reply) => {
            let body = serde_json::from_slice(&reply.body);
            let body: Value = body.unwrap_or_else(|e| {
                panic!("{target}: {e}: {}", String::from_utf8_lossy(&reply.body))
            });
            body.pointer(pointer)
                .cloned()
                .unwrap_or_else(|| panic!("{target} has no {pointer}: {body}"))
        }
        other => panic!("{target}: {other:?}"),
    }
}

/// All ways to leave `sample`'s shape, as paths.
fn differences(sample: &Value, ours: &[&Value], at: &str, found: &mut Vec<String>) {
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !ours.iter().any(|one| kind(one) == kind(sample)) {
        let kinds: Vec<&str> = ours.iter().map(|one| kind(one)).collect();
        found.push(format!(
            "{at}: {} in the sample, {kinds:?} here",
            kind(sample)
        ));
        return;
    }
    match sample {
        Value::Object(fields) => {
            for (key, value) in fields {
                if NOT_MODELLED.iter().any(|(known, _)| known == key)
                    && (!at.is_empty() || key != "version")
                {
                    continue;
                }
                // Keys that are ids stand for each other.
                let is_id = key.parse::<u64>().is_ok();
                let inner: Vec<&Value> = ours
                    .iter()
                    .filter_map(|one| one.as_object())
                    .flat_map(|one| {
                        one.iter()
                            .filter(|(k, _)| *k == key || is_id && k.parse::<u64>().is_ok())
                    })
                    .map(|(_, value)| value)
                    .collect();
                let at = format!("{at}/{key}");
                if inner.is_empty() {
                    found.push(format!("{at}: not produced"));
                } else {
                    differences(value, &inner, &at, found);
                }
            }
        }
        Value::Array(items) => {
            let inner: Vec<&Value> = ours
                .iter()
                .filter_map(|one| one.as_array())
                .flatten()
                .collect();
            for item in items.iter().filter(|_| !inner.is_empty()) {
                differences(item, &inner, &format!("{at}[]"), found);
            }
        }
        _ => {}
    }
}

/// Said also where what tests print is kept back.
fn say_skipped() {
    let _ = std::io::stderr()
        .write_all(b"skipped: there is no ../shared/samples beside the workspace\n");
}

#[test]
fn every_key_of_the_samples_is_produced_with_its_type() {
    let Some(shared) = shared() else {
        say_skipped();
        return;
    };
    let mut cluster = troubled();
    let mut found = Vec::new();
    for (sample, target) in SAMPLES {
        let bytes = std::fs::read(shared.join(sample)).unwrap_or_else(|e| panic!("{sample}: {e}"));
        let expected: Value =
            serde_json::from_slice(&bytes).unwrap_or_else(|e| panic!("{sample}: {e}"));
        let ours = ask(&mut cluster, target);
        // Where one object stands for any of a list, the list together must have its keys.
        let ours: Vec<&Value> = match (&expected, &ours) {
            (Value::Object(_), Value::Array(items)) => items.iter().collect(),
            _ => vec![&ours],
        };
        let mut here = Vec::new();
        differences(&expected, &ours, "", &mut here);
        found.extend(
            here.into_iter()
                .map(|difference| format!("{sample} {difference}")),
        );
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whether a path is of the form of an endpoint.
fn matches(form: &str, target: &str) -> bool {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    let (form, path): (Vec<&str>, Vec<&str>) =
        (form.split('/').collect(), path.split('/').collect());
    let alike = |(a, b): (&&str, &&str)| *a == "{}" || a == b;
    form.len() == path.len() && form.iter().zip(&path).all(alike)
}

#[test]
fn every_endpoint_is_compared_with_a_sample_or_has_none() {
    for (_, path) in pd_endpoints().filter(|(method, _)| *method == "GET") {
        let compared = SAMPLES.iter().any(|(_, target)| matches(path, target));
        let without = WITHOUT_SAMPLE.contains(&path);
        assert!(compared || without, "{path} is compared with nothing");
    }
}

#[test]
fn every_sample_is_asked_for_or_says_why_not() {
    let Some(shared) = shared() else {
        say_skipped();
        return;
    };
    for folder in ["pd-api", "pd-live"] {
        let files = std::fs::read_dir(shared.join(folder)).expect("the samples are there");
        for file in files {
            let name = file.expect("a folder can be read").file_name();
            let name = format!("{folder}/{}", name.to_string_lossy());
            let json = std::path::Path::new(&name)
                .extension()
                .is_some_and(|e| e == "json");
            let known = SAMPLES
                .iter()
                .chain(NOT_ASKED)
                .any(|(sample, _)| *sample == name);
            assert!(!json || known, "{name} is not asked for");
        }
    }
}

#[test]
fn the_check_of_shapes_can_fail() {
    let sample = serde_json::json!({"a": 1, "b": [{"c": "x"}]});
    let mut found = Vec::new();
    differences(
        &sample,
        &[&serde_json::json!({"a": "1", "b": [{"d": "x"}]})],
        "",
        &mut found,
    );
    assert_eq!(found.len(), 2, "{found:?}");
}
