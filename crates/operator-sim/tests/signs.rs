//! Every fault leaves its sign: something that a healthy cluster does not show.

use std::time::Duration;

use operator_sim::{Cluster, Outcome, Request, Shape, faults};
use serde_json::Value;

/// How to tell that a fault is there.
enum Sign {
    /// A query of Prometheus that finds something.
    Query(&'static str),
    /// Something about what PD answers to a path.
    Pd(&'static str, fn(&Value) -> bool),
    /// What asking PD's second member, and asking Prometheus, comes to.
    Outcomes(fn(&Outcome, &Outcome) -> bool),
}

use Sign::{Outcomes, Pd, Query};

fn replied(outcome: &Outcome) -> Option<&operator_sim::Reply> {
    match outcome {
        Outcome::Reply(reply) => Some(reply),
        _ => None,
    }
}

/// Faults as text, after how many seconds, and their sign.
static SIGNS: &[(&str, u64, Sign)] = &[
    ("store-killed store=2", 30, Query("up{job=\"tikv\"} == 0")),
    ("store-stopped store=2", 30, Query("up{job=\"tikv\"} == 0")),
    (
        "store-restarted store=2",
        60,
        Query("changes(process_start_time_seconds{job=\"tikv\"}[2m]) > 0"),
    ),
    (
        "store-flapping store=2",
        120,
        Query("changes(process_start_time_seconds{job=\"tikv\"}[2m]) > 1"),
    ),
    ("store-frozen store=2", 40, Query("up{job=\"tikv\"} == 0")),
    (
        "store-cut-from-pd store=2",
        30,
        Pd("/store/2", |s| s["store"]["state_name"] == "Disconnected"),
    ),
    (
        "stores-parted store=2",
        40,
        Query(
            "increase(tikv_server_report_failure_msg_total{instance=\"10.0.0.3:20180\"}[1m]) > 0 and on (instance) up == 1",
        ),
    ),
    (
        "network-slow store=2",
        90,
        Query(
            "histogram_quantile(0.99, sum by (instance,le)(rate(tikv_grpc_msg_duration_seconds_bucket{type=\"kv_commit\"}[1m]))) > 0.2",
        ),
    ),
    (
        "memory-grows store=2 over=2m",
        150,
        Query("process_resident_memory_bytes / tikv_server_memory_quota_bytes > 0.9"),
    ),
    (
        "write-stall store=2",
        60,
        Query("rate(tikv_engine_stall_micro_seconds{db=\"kv\"}[1m]) > 5e4"),
    ),
    (
        "replicas-missing store=2",
        30,
        Query("pd_regions_status{type=\"miss-peer-region-count\"} > 0"),
    ),
    (
        "replicas-surplus store=2",
        30,
        Query("pd_regions_status{type=\"extra-peer-region-count\"} > 0"),
    ),
    (
        "learners-stuck store=2",
        30,
        Pd("/regions/check/learner-peer", |r| {
            r["count"].as_u64() > Some(0)
        }),
    ),
    (
        "limits-zero",
        5,
        Pd("/config/schedule", |c| c["leader-schedule-limit"] == 0),
    ),
    (
        "pd-unknown-keys",
        5,
        Pd("/stores", |s| {
            s["stores"][0]["status"].get("unknown_key").is_some()
        }),
    ),
    (
        "disk-slow store=2",
        90,
        Query(
            "histogram_quantile(0.99, sum by (instance,le)(rate(tikv_storage_engine_async_request_duration_seconds_bucket{type=\"write\"}[1m]))) > 0.1",
        ),
    ),
    (
        "reads-slow store=2",
        90,
        Query(
            "histogram_quantile(0.99, sum by (instance,le)(rate(tikv_grpc_msg_duration_seconds_bucket{type=\"kv_get\"}[1m]))) > 0.1",
        ),
    ),
    (
        "all-slow",
        90,
        Query(
            "count(histogram_quantile(0.99, sum by (instance,le)(rate(tikv_storage_engine_async_request_duration_seconds_bucket{type=\"write\"}[1m]))) > 0.1) == 4",
        ),
    ),
    (
        "disk-fills store=2",
        30,
        Query(
            "1 - tikv_store_size_bytes{type=\"available\"} / ignoring(type) tikv_store_size_bytes{type=\"capacity\"} > 0.9",
        ),
    ),
    (
        "memory-high store=2",
        30,
        Query("process_resident_memory_bytes / tikv_server_memory_quota_bytes > 0.9"),
    ),
    (
        "cpu-high store=2",
        90,
        Query("rate(process_cpu_seconds_total[1m]) / tikv_server_cpu_cores_quota > 0.85"),
    ),
    (
        "server-busy store=2",
        60,
        Query(
            "rate(tikv_storage_engine_async_request_total{status=\"err_server_is_busy\"}[1m]) > 1",
        ),
    ),
    (
        "flow-control store=2",
        30,
        Query("tikv_scheduler_discard_ratio / 1e7 > 0.05"),
    ),
    (
        "raft-log-lag store=2",
        90,
        Query(
            "1 - sum by (instance)(rate(tikv_raftstore_log_lag_bucket{le=\"1024\"}[1m])) / sum by (instance)(rate(tikv_raftstore_log_lag_count[1m])) > 0.01",
        ),
    ),
    (
        "leader-missing store=2",
        330,
        Query("max_over_time(tikv_raftstore_leader_missing[10m]) > 0"),
    ),
    (
        "critical-error store=2",
        60,
        Query("tikv_critical_error_total > 0"),
    ),
    (
        "version-mix store=2",
        20,
        Query("count(count by (version)(tikv_server_info)) > 1"),
    ),
    (
        "peers-pending store=2",
        5,
        Pd("/regions/check/pending-peer", |r| {
            r["count"].as_u64() > Some(0)
        }),
    ),
    (
        "store-removed store=2",
        5,
        Pd("/store/2", |s| s["store"]["state_name"] == "Offline"),
    ),
    (
        "no-target",
        5,
        // Nothing shows until something needs a place: a removal then stands still.
        Pd("/stores/progress?id=4", |p| p["progress"] == 0),
    ),
    (
        "store-never-reported",
        5,
        Pd("/stores", |s| s["count"] == 5),
    ),
    (
        "evict-leader-left store=2",
        5,
        Pd("/scheduler-config/evict-leader-scheduler/list", |l| {
            l["store-id-ranges"]["2"].is_array()
        }),
    ),
    (
        "leader-skew store=2",
        30,
        Pd("/store/2", |s| {
            s["status"]["leader_count"].as_u64() > Some(35)
        }),
    ),
    (
        "scheduling-halted",
        5,
        Pd("/config/schedule", |c| c["halt-scheduling"] == "true"),
    ),
    (
        "scheduler-missing",
        5,
        Pd("/schedulers", |s| {
            s.as_array().is_some_and(|s| s.len() == 4)
        }),
    ),
    (
        "scheduler-paused",
        5,
        Pd("/schedulers?status=paused", |s| {
            s.as_array().is_some_and(|s| s.len() == 1)
        }),
    ),
    (
        "data-grows mib=20",
        300,
        Pd("/regions/count", |r| r["count"].as_u64() > Some(80)),
    ),
    (
        "tables-dropped",
        60,
        Pd("/regions/count", |r| r["count"].as_u64() < Some(80)),
    ),
    (
        "hot-write region=last",
        190,
        Pd("/hotspot/regions/write", |h| {
            h.to_string().contains("\"is_leader\":true")
        }),
    ),
    (
        "hot-read region=last",
        190,
        Pd("/hotspot/regions/read", |h| {
            h.to_string().contains("\"is_leader\":true")
        }),
    ),
    (
        "pd-killed",
        1,
        Outcomes(|pd, _| replied(pd).is_some_and(|r| r.status == 500)),
    ),
    ("pd-frozen", 1, Outcomes(|pd, _| *pd == Outcome::Silence)),
    (
        "pd-unhealthy member=pd-2",
        5,
        Pd("/health", |h| {
            h.as_array()
                .is_some_and(|m| m.iter().any(|m| m["health"] == false))
        }),
    ),
    (
        "pd-slow",
        1,
        Outcomes(|pd, _| replied(pd).is_some_and(|r| r.after > Duration::from_secs(1))),
    ),
    (
        "pd-fails",
        1,
        Outcomes(|pd, _| replied(pd).is_some_and(|r| r.status == 500)),
    ),
    (
        "pd-truncates",
        1,
        Outcomes(|pd, _| replied(pd).is_some_and(|r| r.cut_at.is_some())),
    ),
    (
        "pd-other-cluster",
        1,
        Pd("/cluster", |c| {
            c["id"].as_u64().is_some_and(|id| id % 2 == OTHER_PARITY)
        }),
    ),
    (
        "pd-clock",
        1,
        Outcomes(|pd, prometheus| dates(pd) != dates(prometheus)),
    ),
    (
        "prometheus-down",
        1,
        Outcomes(|_, prometheus| *prometheus == Outcome::Refused),
    ),
    ("prometheus-stale", 60, Query("time() - timestamp(up) > 50")),
    ("prometheus-renamed", 1, Query("up{node!=\"\"}")),
    (
        "prometheus-clock",
        1,
        Outcomes(|pd, prometheus| dates(pd) != dates(prometheus)),
    ),
    (
        "store-unscraped store=2",
        20,
        Query("absent(up{instance=\"10.0.0.3:20180\"})"),
    ),
];

/// The other cluster's id is one more than this one's.
const OTHER_PARITY: u64 = 1;

fn dates(outcome: &Outcome) -> Option<&str> {
    let headers = &replied(outcome)?.headers;
    headers
        .iter()
        .find(|(name, _)| *name == "date")
        .map(|(_, date)| date.as_str())
}

/// Seeds are tried until the id is even, so that the other one is odd.
fn healthy() -> Cluster {
    (1..50)
        .find_map(|seed| {
            let mut cluster = Cluster::new(Shape {
                seed,
                stores: 4,
                regions: 80,
                ..Shape::default()
            })
            .expect("the shape is sound");
            cluster.advance(Duration::from_secs(120));
            let id = pd(&mut cluster, "/cluster")?["id"].as_u64()?;
            (id % 2 != OTHER_PARITY).then_some(cluster)
        })
        .expect("half of all ids are even")
}

fn pd(cluster: &mut Cluster, path: &str) -> Option<Value> {
    let outcome = cluster.pd(1, &Request::get(&format!("/pd/api/v1{path}")));
    serde_json::from_slice(&replied(&outcome)?.body).ok()
}

fn shows(cluster: &mut Cluster, sign: &Sign) -> bool {
    match sign {
        Query(query) => {
            let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let outcome =
                cluster.prometheus(&Request::get(&format!("/api/v1/query?query={encoded}")));
            let reply = replied(&outcome).expect("Prometheus answers");
            let body: Value = serde_json::from_slice(&reply.body).expect("an answer is JSON");
            assert_eq!(reply.status, 200, "{query}: {body}");
            body["data"]["result"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty())
        }
        Pd(path, holds) => pd(cluster, path).is_some_and(|body| holds(&body)),
        Outcomes(holds) => {
            let own = cluster.pd(1, &Request::get("/pd/api/v1/stores"));
            holds(
                &own,
                &cluster.prometheus(&Request::get("/api/v1/query?query=up")),
            )
        }
    }
}

#[test]
fn every_fault_shows_and_health_does_not() {
    let mut wrong = Vec::new();
    for (text, after, sign) in SIGNS {
        let cluster = healthy();
        let needs_a_removal = text.starts_with("no-target");
        for injected in [false, true] {
            let mut cluster = cluster.clone();
            if injected {
                cluster
                    .inject(text)
                    .unwrap_or_else(|error| panic!("{text}: {error}"));
            }
            if needs_a_removal {
                cluster.scale_in(4);
                cluster.advance(Duration::from_secs(40));
            }
            cluster.advance(Duration::from_secs(*after));
            if shows(&mut cluster, sign) != injected {
                wrong.push(format!(
                    "`{text}`: the sign is {} when injected is {injected}",
                    !injected
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_fault_has_its_sign_here() {
    let named: Vec<&str> = SIGNS
        .iter()
        .filter_map(|(text, ..)| text.split(' ').next())
        .collect();
    let missing: Vec<&str> = faults()
        .iter()
        .map(|fault| fault.name)
        .filter(|name| !named.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn signs_end_with_their_faults() {
    for text in [
        "store-killed store=2 for=60s",
        "pd-killed for=30s",
        "prometheus-renamed for=10s",
        "disk-slow store=2 for=60s",
    ] {
        let name = text.split(' ').next().unwrap_or_default();
        let sign = SIGNS
            .iter()
            .find(|(known, ..)| known.split(' ').next() == Some(name));
        let (.., sign) = sign.expect("the fault is in the table");
        let mut cluster = healthy();
        cluster.inject(text).expect("the fault is known");
        cluster.advance(Duration::from_secs(300));
        assert!(!shows(&mut cluster, sign), "{text}");
    }
}
