//! What Prometheus' series say around incidents: order and delays of the real ones.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_sim::{Cluster, LabelStyle, Outcome, Release, Request, Shape};
use serde_json::Value;

fn cluster() -> Cluster {
    let mut cluster = Cluster::new(Shape::default()).expect("the shape is sound");
    cluster.advance(Duration::from_secs(300));
    cluster
}

fn encoded(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn ask(cluster: &Cluster, query: &str) -> Value {
    let request = Request::get(&format!("/api/v1/query?query={}", encoded(query)));
    match cluster.prometheus(&request) {
        Outcome::Reply(reply) => {
            let body: Value = serde_json::from_slice(&reply.body).expect("an answer is JSON");
            assert_eq!(reply.status, 200, "{query}: {body}");
            body
        }
        other => panic!("{query}: {other:?}"),
    }
}

/// The rows of a query, by instance.
fn rows(cluster: &Cluster, query: &str) -> BTreeMap<String, f64> {
    let answer = ask(cluster, query);
    let rows = answer["data"]["result"].as_array().into_iter().flatten();
    rows.map(|row| {
        let instance = row["metric"]["instance"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let value = row["value"][1].as_str().unwrap_or_default();
        (instance, value.parse().expect("a value is a number"))
    })
    .collect()
}

const STORE_2: &str = "10.0.0.3:20180";
const QPS: &str = "sum by (instance)(rate(tikv_grpc_msg_duration_seconds_count{job=\"tikv\",type!=\"kv_gc\"}[1m]))";

/// The first second after now at which something holds.
fn first(cluster: &mut Cluster, within: u64, holds: impl Fn(&Cluster) -> bool) -> Option<u64> {
    (0..within).find(|_| {
        cluster.advance(Duration::from_secs(1));
        holds(cluster)
    })
}

#[test]
fn a_healthy_cluster_has_all_its_rows() {
    let cluster = cluster();
    for query in [
        "up{job=\"tikv\"}",
        QPS,
        "histogram_quantile(0.99, sum by (instance, le)(rate(tikv_grpc_msg_duration_seconds_bucket{job=\"tikv\",type=~\"kv_prewrite|kv_commit\"}[1m])))",
        "histogram_quantile(0.99, sum by (instance, type, le)(rate(tikv_storage_engine_async_request_duration_seconds_bucket{job=\"tikv\",type=~\"write|snapshot\"}[1m])))",
        "sum by (instance)(rate(process_cpu_seconds_total{job=\"tikv\"}[1m])) / max by (instance)(tikv_server_cpu_cores_quota{job=\"tikv\"})",
        "sum by (instance)(process_resident_memory_bytes{job=\"tikv\"}) / max by (instance)(tikv_server_memory_quota_bytes{job=\"tikv\"})",
        "1 - sum by (instance)(tikv_store_size_bytes{job=\"tikv\",type=\"available\"}) / sum by (instance)(tikv_store_size_bytes{job=\"tikv\",type=\"capacity\"})",
        "sum by (instance,type)(tikv_raftstore_region_count{job=\"tikv\",type=~\"region|leader\"})",
        "max by (instance)(tikv_raftstore_slow_score{job=\"tikv\"})",
        "max by (instance)(max_over_time(tikv_raftstore_leader_missing{job=\"tikv\"}[10m]))",
        "timestamp(up{job=\"tikv\"})",
    ] {
        let found = rows(&cluster, query);
        assert_eq!(found.len(), 3, "{query}: {found:?}");
        assert!(
            found
                .values()
                .all(|value| value.is_finite() && *value >= 0.0),
            "{query}: {found:?}"
        );
    }
    let p99 = rows(
        &cluster,
        "histogram_quantile(0.99, sum by (instance, le)(rate(tikv_grpc_msg_duration_seconds_bucket{type=\"kv_commit\"}[1m])))",
    );
    assert!(
        p99.values().all(|value| (0.005..0.1).contains(value)),
        "{p99:?}"
    );
}

#[test]
fn what_is_asked_for_makes_the_rates() {
    let cluster = cluster();
    let total: f64 = rows(
        &cluster,
        "sum by (instance)(rate(tikv_storage_command_total{type=\"prewrite\"}[1m]))",
    )
    .values()
    .sum();
    assert!(
        (total - 400.0).abs() < 30.0,
        "{total} writes a second of 400"
    );
}

#[test]
fn a_killed_store_leaves_row_by_row() {
    let mut cluster = cluster();
    cluster
        .inject("store-killed store=2")
        .expect("the fault is known");
    let down = first(&mut cluster, 30, |c| {
        rows(c, "up").get(STORE_2) == Some(&0.0)
    });
    assert!(
        down.is_some_and(|after| after <= 15),
        "up is 0 after {down:?}"
    );
    assert_eq!(
        rows(&cluster, "process_start_time_seconds").get(STORE_2),
        None,
        "gauges end with the scrape"
    );
    assert!(
        rows(&cluster, QPS).contains_key(STORE_2),
        "a rate lives on the samples before"
    );
    let ended = first(&mut cluster, 60, |c| !rows(c, QPS).contains_key(STORE_2));
    let ended = ended.zip(down).map(|(a, b)| a + b);
    assert!(
        ended.is_some_and(|after| (25..=60).contains(&after)),
        "the rate ends after {ended:?}"
    );
}

#[test]
fn a_frozen_store_is_noticed_at_the_time_out() {
    let mut cluster = cluster();
    cluster
        .inject("store-frozen store=2")
        .expect("the fault is known");
    let down = first(&mut cluster, 40, |c| {
        rows(c, "up").get(STORE_2) == Some(&0.0)
    });
    assert!(
        down.is_some_and(|after| (9..=25).contains(&after)),
        "up is 0 after {down:?}"
    );
}

#[test]
fn a_slow_disk_shows_on_its_store_alone() {
    let mut cluster = cluster();
    cluster
        .inject("disk-slow store=2 factor=30")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(90));
    let p99 = rows(
        &cluster,
        "histogram_quantile(0.99, sum by (instance, le)(rate(tikv_storage_engine_async_request_duration_seconds_bucket{type=\"write\"}[1m])))",
    );
    for (instance, value) in &p99 {
        assert_eq!(*value > 0.1, instance == STORE_2, "{p99:?}");
    }
}

#[test]
fn no_traffic_is_no_number_and_an_unknown_metric_is_empty() {
    let cluster = cluster();
    let idle = rows(
        &cluster,
        "histogram_quantile(0.99, sum by (instance, le)(rate(tikv_grpc_msg_duration_seconds_bucket{type=\"raw_put\"}[1m])))",
    );
    assert!(
        idle.len() == 3 && idle.values().all(|value| value.is_nan()),
        "{idle:?}"
    );
    assert!(rows(&cluster, "tikv_no_such_metric").is_empty());
    assert!(
        rows(&cluster, "tikv_critical_error_total").is_empty(),
        "born with the first event"
    );
}

#[test]
fn a_lost_quorum_shows_in_leaders_and_refusals_only() {
    let mut cluster = cluster();
    cluster
        .inject("store-killed store=1,3")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(120));
    let leaders = rows(&cluster, "tikv_raftstore_region_count{type=\"leader\"}");
    assert!(leaders[STORE_2] <= 6.0, "{leaders:?}");
    let refused = rows(
        &cluster,
        "sum by (instance)(rate(tikv_storage_engine_async_request_total{status=\"err_not_leader\"}[1m]))",
    );
    assert!(refused[STORE_2] > 100.0, "{refused:?}");
    let missing = rows(
        &cluster,
        "sum by (instance)(pd_regions_status{type=\"miss-peer-region-count\"})",
    );
    assert!(missing.values().all(|count| *count == 0.0), "{missing:?}");
}

#[test]
fn blind_prometheus_keeps_its_kinds_apart() {
    let mut down = cluster();
    down.inject("prometheus-down").expect("the fault is known");
    assert_eq!(
        down.prometheus(&Request::get("/api/v1/query?query=up")),
        Outcome::Refused
    );

    let mut stale = cluster();
    stale
        .inject("prometheus-stale")
        .expect("the fault is known");
    stale.advance(Duration::from_secs(240));
    assert!(
        rows(&stale, "up").contains_key(STORE_2),
        "within the lookback"
    );
    stale.advance(Duration::from_secs(90));
    assert!(rows(&stale, "up").is_empty(), "beyond the lookback");

    let mut renamed = cluster();
    renamed
        .inject("prometheus-renamed")
        .expect("the fault is known");
    assert!(rows(&renamed, "up{instance=~\".+\"}").is_empty());
    assert_eq!(
        ask(&renamed, "count(up{node=~\".+\"})")["data"]["result"][0]["value"][1],
        "6"
    );

    let mut unscraped = cluster();
    unscraped
        .inject("store-unscraped store=2")
        .expect("the fault is known");
    unscraped.advance(Duration::from_secs(20));
    let left = rows(&unscraped, "up{job=\"tikv\"}");
    assert!(left.len() == 2 && !left.contains_key(STORE_2), "{left:?}");
}

#[test]
fn label_styles_are_those_of_the_deployments() {
    let instances = |labels| {
        let mut cluster = Cluster::new(Shape {
            labels,
            ..Shape::default()
        })
        .expect("the shape is sound");
        cluster.advance(Duration::from_secs(60));
        rows(&cluster, "tikv_server_info")
            .into_keys()
            .collect::<Vec<_>>()
    };
    assert_eq!(instances(LabelStyle::Tiup)[0], "10.0.0.2:20180");
    assert_eq!(
        instances(LabelStyle::Operator),
        ["basic-tikv-0", "basic-tikv-1", "basic-tikv-2"]
    );
    assert_eq!(instances(LabelStyle::Compose)[0], "tikv0:20180");
}

#[test]
fn versions_have_their_labels() {
    let answer = |release, query: &str| {
        let mut cluster = Cluster::new(Shape {
            release,
            ..Shape::default()
        })
        .expect("the shape is sound");
        cluster.advance(Duration::from_secs(60));
        ask(&cluster, query)["data"]["result"].clone()
    };
    let status = "pd_cluster_status{type=\"store_up_count\"}";
    assert_eq!(
        answer(Release::V7_5, status).as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(
        answer(Release::V8_5, status).as_array().map(Vec::len),
        Some(3)
    );
    let quota = "tikv_server_memory_quota_bytes";
    assert_eq!(
        answer(Release::V7_5, quota).as_array().map(Vec::len),
        Some(0)
    );
    assert_eq!(
        answer(Release::V8_5, quota).as_array().map(Vec::len),
        Some(3)
    );
    let score = &answer(Release::V6_5, "tikv_raftstore_slow_score")[0]["metric"];
    assert!(score.get("type").is_none(), "{score}");
}

#[test]
fn queries_that_cannot_be_answered_say_why() {
    let cluster = cluster();
    for (query, status, kind) in [
        ("", 400, "bad_data"),
        ("sum(rate(foo[1m])", 400, "bad_data"),
        (
            "label_replace(up, \"a\", \"b\", \"c\", \"(\")",
            422,
            "execution",
        ),
        ("label_replace(up, \"a\", \"b\", \"c\")", 400, "bad_data"),
        ("{}", 400, "bad_data"),
        ("{job=~\".*\"}", 400, "bad_data"),
        ("holt_winters(up[1m], 0.5, 0.5)", 400, "bad_data"),
        ("up @ 5", 400, "bad_data"),
        (
            "tikv_raftstore_region_count * on(instance) tikv_store_size_bytes",
            422,
            "execution",
        ),
    ] {
        let request = Request::get(&format!("/api/v1/query?query={}", encoded(query)));
        let Outcome::Reply(reply) = cluster.prometheus(&request) else {
            panic!("{query}: no reply");
        };
        let body: Value = serde_json::from_slice(&reply.body).expect("an error is JSON");
        assert_eq!(
            (reply.status, body["errorType"].as_str()),
            (status, Some(kind)),
            "{query}: {body}"
        );
    }
    let many = Request::get("/api/v1/query_range?query=up&start=0&end=20000&step=1");
    assert!(matches!(cluster.prometheus(&many), Outcome::Reply(reply) if reply.status == 400));
    let post = Request::new("POST", "/api/v1/query", "query=up")
        .with_header("content-type", "application/json");
    assert!(matches!(cluster.prometheus(&post), Outcome::Reply(reply) if reply.status == 400));
    let form = Request::new("POST", "/api/v1/query", "query=up")
        .with_header("content-type", "application/x-www-form-urlencoded");
    assert!(matches!(cluster.prometheus(&form), Outcome::Reply(reply) if reply.status == 200));
}

#[test]
fn operators_of_the_subset_do_what_they_say() {
    let cluster = cluster();
    for (query, expected) in [
        ("1 + 2 * 3", "7"),
        ("scalar(count(up{job=\"tikv\"}))", "3"),
        ("scalar(count(up{job=\"tikv\"} == 1))", "3"),
        (
            "scalar(count(up{job=\"tikv\"} and on (instance) tikv_server_info))",
            "3",
        ),
        ("scalar(sum(up{job=\"tikv\"} > bool 1))", "0"),
        ("scalar(count(up unless up{job=\"tikv\"}))", "3"),
        ("scalar(count(up{job=\"tikv\"} or up{job=\"pd\"}))", "6"),
        ("scalar(count(topk(2, up)))", "2"),
        ("scalar(absent(nothing{a=\"b\"}))", "1"),
        (
            "scalar(max(max_over_time(sum by (instance)(up{job=\"tikv\"})[2m:15s])))",
            "1",
        ),
        (
            "scalar(sum(changes(process_start_time_seconds{job=\"tikv\"}[5m])))",
            "0",
        ),
        ("-1 ^ 2", "-1"),
        ("scalar(quantile(0.5, vector(3) or up{job=\"none\"}))", "3"),
        ("scalar(quantile(0.5, up))", "1"),
        (
            "scalar(quantile_over_time(0.9, up{instance=\"10.0.0.2:20180\"}[1m]))",
            "1",
        ),
        (
            "scalar(count(label_replace(up{job=\"tikv\"}, \"host\", \"$1\", \"instance\", \"(.*):.*\")))",
            "3",
        ),
        (
            "scalar(count(count by (both) (label_join(up, \"both\", \"-\", \"job\", \"instance\"))))",
            "6",
        ),
        ("scalar(count_values(\"is\", up))", "6"),
        (
            "scalar(count(count by (__name__) ({__name__=~\"up|tikv_server_info|process_start_time_seconds\",job=\"tikv\"})))",
            "3",
        ),
        (
            "scalar(count({__name__=~\"tikv_grpc_msg_duration_seconds_(sum|count)\",type=\"kv_get\"}))",
            "6",
        ),
        ("scalar(count({job=~\".*tikv\",__name__=\"up\"}))", "3"),
        ("scalar(absent_over_time(nothing[5m]))", "1"),
        ("scalar(count(up offset 1m))", "6"),
        ("scalar(count(up offset 1d))", "NaN"),
        ("scalar(clamp(vector(7), 1, 5))", "5"),
        ("scalar(round(vector(7.26), 0.5))", "7.5"),
        (
            "scalar(count(deriv(process_cpu_seconds_total[2m]) > 0))",
            "3",
        ),
        ("scalar(sum(present_over_time(up{job=\"tikv\"}[1m])))", "3"),
        ("scalar(sum(last_over_time(up{job=\"tikv\"}[1m])))", "3"),
        ("scalar(sum(count_over_time(up{job=\"tikv\"}[1m])))", "12"),
        ("scalar(vector(time()) - vector(time()))", "0"),
    ] {
        assert_eq!(
            ask(&cluster, query)["data"]["result"][1],
            expected,
            "{query}"
        );
    }
}

#[test]
fn a_label_is_written_where_its_source_has_the_form() {
    let cluster = cluster();
    let query = "label_replace(up{job=~\"tikv|pd\"}, \"host\", \"h-$1\", \"instance\", \"10\\\\.0\\\\.0\\\\.(.*):20180\")";
    let answer = ask(&cluster, query);
    let rows = answer["data"]["result"].as_array().expect("a vector");
    let hosts: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["metric"]["host"].as_str())
        .collect();
    assert_eq!(hosts, ["h-2", "h-3", "h-4"], "members of PD have none");
    assert!(rows.iter().all(|row| row["metric"]["__name__"] == "up"));
}

#[test]
fn absurd_queries_end_in_an_answer() {
    let cluster = cluster();
    for (query, status) in [
        ("(".repeat(4_000) + "1" + &")".repeat(4_000), 400),
        ("1+".repeat(4_000) + "1", 400),
        ("1".repeat(9_000), 400),
        ("up[5000d:1ms]".to_owned(), 422),
        ("-up".to_owned(), 200),
    ] {
        let request = Request::get(&format!("/api/v1/query?query={}", encoded(&query)));
        let outcome = cluster.prometheus(&request);
        let start: String = query.chars().take(20).collect();
        assert!(
            matches!(&outcome, Outcome::Reply(reply) if reply.status == status),
            "{start}: {outcome:?}"
        );
    }
}
