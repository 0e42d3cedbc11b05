//! What is read of the cluster as a whole: its load, its regions, and what time it is for the server.

use operator_core::{ClusterMetrics, Fault, Reading, Timestamp, Why};
use operator_tikv::{PromClient, RegionHealth};

use crate::look::{healthy, near, stores};
use crate::support::{Server, answer, json, nothing, vector};

/// The load of three stores, from a server that says `script`, or what a healthy one would.
async fn load(script: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> ClusterMetrics {
    let server =
        Server::start(move |ask| script(ask.query()).unwrap_or_else(|| healthy(ask, 3))).await;
    let client = PromClient::new(&server.url()).unwrap();
    let look = client.measure(&stores(3)).await.unwrap();
    assert_eq!(look.stores, client.store_metrics(&stores(3)).await.unwrap());
    // what all do together costs nothing more
    assert_eq!(server.asked().len(), 18);
    look.cluster
}

/// Whether a query is for the buckets of a type of requests.
fn is_about(kind: &str, query: &str) -> bool {
    query.contains("_bucket") && query.contains(kind)
}

fn ups(values: [&str; 3]) -> Vec<u8> {
    let rows = (1..).zip(values);
    json(vector(rows.map(|(n, value)| {
        (format!(r#""instance":"h{n}:20180""#), value.to_owned())
    })))
}

#[tokio::test]
async fn the_load_of_the_cluster_is_that_of_all_stores_together() {
    let all = load(|_| None).await;
    assert!(near(&all.queries_per_second, 3.0 * 123.5));
    assert!(near(&all.write_p99_seconds, 0.36));
    // 60 reads of each store are too few for a P99, and 180 of all are enough
    let Reading::Seen(top) = &all.read_p99_seconds else {
        panic!("{all:?}");
    };
    assert!((top.value - 0.099).abs() < 1e-9);
    assert_eq!(top.sampled_at, Timestamp::from_unix_millis(999_990_500));
    let rest: Vec<_> = all.gaps().map(|(field, _)| field).collect();
    assert_eq!(rest, ["store_count", "region_count", "leaders_per_store"]);
}

#[tokio::test]
async fn a_slow_store_moves_the_p99_of_the_cluster_by_what_it_serves() {
    let of = |n: u64, le: &str, count: &str| {
        let labels = format!(r#""instance":"h{n}:20180","le":"{le}""#);
        (labels, count.to_owned())
    };
    let all = load(move |query| {
        let uneven = || {
            json(vector([
                of(1, "0.1", "98"),
                of(1, "0.2", "98"),
                of(1, "+Inf", "98"),
                of(2, "0.1", "0"),
                of(2, "0.2", "2"),
                of(2, "+Inf", "2"),
                of(3, "0.1", "0"),
                of(3, "0.2", "0"),
                of(3, "+Inf", "0"),
            ]))
        };
        is_about("kv_prewrite", query).then(uneven)
    })
    .await;
    // and not the mean of 0.1 and 0.2
    assert!(near(&all.write_p99_seconds, 0.15), "{all:?}");
}

#[tokio::test]
async fn a_store_that_is_down_bears_no_load_and_one_that_is_not_seen_hides_it() {
    let all = load(|query| query.starts_with("up{").then(|| ups(["1", "0", "1"]))).await;
    assert!(near(&all.queries_per_second, 2.0 * 123.5));

    let all = load(|query| query.starts_with("up{").then(|| ups(["1", "NaN", "1"]))).await;
    let gap = all.queries_per_second.gap().unwrap().to_string();
    assert!(
        gap.starts_with("metrics of store/2 not seen: expected `up` of 0 or 1"),
        "{gap}"
    );

    let all = load(|query| query.starts_with("up{").then(|| ups(["0", "0", "0"]))).await;
    let gap = all.write_p99_seconds.gap().unwrap();
    assert_eq!(
        gap.why(),
        &Why::Needs {
            what: "stores that are up"
        }
    );

    let all = load(|query| {
        let fails = is_about("kv_prewrite", query);
        fails.then(|| answer(503, "text/plain", "Service Unavailable"))
    })
    .await;
    assert!(all.write_p99_seconds.gap().is_some());
    assert!(near(&all.queries_per_second, 3.0 * 123.5));
}

#[tokio::test]
async fn buckets_of_different_bounds_are_not_added_up() {
    let all = load(|query| {
        let of = |n: u64, le: &str| {
            (
                format!(r#""instance":"h{n}:20180","le":"{le}""#),
                "9".to_owned(),
            )
        };
        let rows = || [of(1, "0.1"), of(2, "0.2"), of(3, "0.1")].into_iter();
        let rows = || rows().chain((1..=3).map(|n| of(n, "+Inf")));
        is_about("kv_get", query).then(|| json(vector(rows())))
    })
    .await;
    let gap = all.read_p99_seconds.gap().unwrap().to_string();
    assert!(
        gap.contains("expected buckets alike, found others"),
        "{gap}"
    );
}

#[tokio::test]
async fn buckets_are_fetched_of_the_requests_that_there_are() {
    let server = Server::start(|ask| healthy(ask, 3)).await;
    let client = PromClient::new(&server.url()).unwrap();
    client.measure(&stores(3)).await.unwrap();
    let asked = server.asked();
    let fetched: Vec<_> = asked
        .iter()
        .map(|ask| ask.query())
        .filter(|query| query.contains("grpc_msg_duration_seconds_bucket"))
        .collect();
    assert_eq!(fetched.len(), 2);
    // They are asked at once, and either may come first.
    for expected in [
        r#",type=~"kv_prewrite|kv_commit",priority=~"medium"}"#,
        r#",type=~"kv_get",priority=~"medium"}"#,
    ] {
        let about = fetched.iter().filter(|query| query.contains(expected));
        assert_eq!(about.count(), 1, "{expected}: {fetched:?}");
    }
}

#[tokio::test]
async fn where_nothing_moves_nothing_is_fetched_and_all_is_idle() {
    let still = |query: &str| {
        let rows = [(r#""type":"kv_prewrite","priority":"low""#, "0".to_owned())];
        query
            .starts_with("sum by (type,priority)")
            .then(|| json(vector(rows)))
    };
    let server =
        Server::start(move |ask| still(ask.query()).unwrap_or_else(|| healthy(ask, 3))).await;
    let client = PromClient::new(&server.url()).unwrap();
    let look = client.measure(&stores(3)).await.unwrap();
    assert_eq!(server.asked().len(), 7);
    assert_eq!(look.cluster.write_p99_seconds, Reading::Idle);
    for metrics in look.stores.items {
        assert_eq!(metrics.gaps().count(), 0);
        assert_eq!(metrics.write_p99_seconds, Reading::Idle);
        assert_eq!(metrics.read_p95_seconds, Reading::Idle);
    }
}

#[tokio::test]
async fn where_it_cannot_be_told_what_moves_everything_is_fetched() {
    for reply in [nothing(), answer(503, "text/plain", "Service Unavailable")] {
        let server = Server::start(move |ask| match ask.query() {
            query if query.starts_with("sum by (type,priority)") => reply.clone(),
            _ => healthy(ask, 3),
        })
        .await;
        let client = PromClient::new(&server.url()).unwrap();
        let look = client.measure(&stores(3)).await.unwrap();
        assert!(near(&look.cluster.write_p99_seconds, 0.36));
        let asked = server.asked();
        assert_eq!(asked.len(), 9);
        let all = |ask: &&crate::support::Request| {
            ask.query()
                .contains(r#"_bucket{job=~".*tikv",type=~"kv_prewrite|"#)
                && !ask.query().contains("priority")
        };
        assert_eq!(asked.iter().filter(all).count(), 1);
    }
}

/// The health of regions, from a server that says these counts and these leaders.
async fn health(
    counts: &'static [(&str, &str, &str)],
    leaders: &'static [(&str, f64)],
) -> RegionHealth {
    let server = Server::start(move |ask| match ask.query() {
        query if query.contains("pd_regions_status") => {
            json(vector(counts.iter().map(|(at, kind, count)| {
                let labels = format!(r#""instance":"{at}:2379","type":"{kind}""#);
                (labels, (*count).to_owned())
            })))
        }
        query if query.contains("etcd_server_is_leader") => {
            assert!(query.contains(r#"{job=~".*pd"}"#), "{query}");
            json(vector(leaders.iter().map(|(at, ago)| {
                (
                    format!(r#""instance":"{at}:2379""#),
                    (1e6 - ago).to_string(),
                )
            })))
        }
        _ => nothing(),
    })
    .await;
    let client = PromClient::new(&server.url()).unwrap();
    let health = client.region_health().await.unwrap();
    assert!(server.asked().len() <= 2);
    health
}

const COUNTS: &[(&str, &str, &str)] = &[
    ("pd-0", "miss-peer-region-count", "0"),
    ("pd-0", "pending-peer-region-count", "0"),
    ("pd-1", "miss-peer-region-count", "7"),
    ("pd-1", "down-peer-region-count", "NaN"),
    ("pd-1", "pending-peer-region-count", "20"),
    ("pd-1", "empty-region-count", "45"),
];

#[tokio::test]
async fn the_leader_of_pd_counts_and_nobody_else() {
    let seen = health(COUNTS, &[("pd-1", 9.5)]).await;
    assert_eq!(seen.miss_peer_count.value(), Some(&7));
    assert_eq!(seen.empty_count.value(), Some(&45));
    let Reading::Seen(pending) = &seen.pending_peer_count else {
        panic!("{seen:?}");
    };
    assert_eq!(pending.value, 20);
    assert_eq!(pending.sampled_at, Timestamp::from_unix_millis(999_990_500));
    // what is no number, and what this version does not count
    let gap = seen.down_peer_count.gap().unwrap().to_string();
    assert!(
        gap.contains("expected one number from 0 up, found NaN"),
        "{gap}"
    );
    let gap = seen.offline_peer_count.gap().unwrap();
    assert_eq!(gap.why(), &Why::Unsaid);
}

#[tokio::test]
async fn without_one_leader_that_has_counted_nothing_is_known_of_regions() {
    let told = async |counts, leaders| {
        let health = health(counts, leaders).await;
        assert_eq!(health.gaps().count(), 9);
        health.miss_peer_count.gap().unwrap().to_string()
    };
    let nobody = told(COUNTS, &[]).await;
    assert!(
        nobody.contains("not believed: no member of PD is seen to lead and to have counted"),
        "{nobody}"
    );
    let both = told(COUNTS, &[("pd-0", 20.0), ("pd-1", 5.0)]).await;
    assert!(
        both.contains("not believed: 2 members of PD are seen to lead"),
        "{both}"
    );
    let old = told(COUNTS, &[("pd-1", 75.0)]).await;
    assert!(old.contains("75 s old, at most 60 s is believed"), "{old}");
    let none = told(&[], &[]).await;
    assert!(none.contains("the answer does not say"), "{none}");
}

#[tokio::test]
async fn the_server_says_what_time_it_is() {
    let server = Server::start(|ask| {
        assert_eq!(ask.query(), "time()");
        json(r#"{"status":"success","data":{"resultType":"scalar","result":[1795262400.25,"1795262400.25"]}}"#)
    })
    .await;
    let time = PromClient::new(&server.url())
        .unwrap()
        .server_time()
        .await
        .unwrap();
    assert_eq!(time.now, Timestamp::from_unix_millis(1_795_262_400_250));
    assert_eq!(time.date, Some(Timestamp::from_unix_seconds(1_795_262_400)));
    assert_eq!(time.origin, server.url());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_server_that_does_not_know_the_time_has_no_usable_answer() {
    let error = async |reply: Vec<u8>| {
        let server = Server::start(move |_| reply.clone()).await;
        let time = PromClient::new(&server.url()).unwrap().server_time().await;
        time.unwrap_err()
    };
    for reply in [
        nothing(),
        json(r#"{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}"#),
    ] {
        let error = error(reply).await;
        assert!(matches!(*error.fault, Fault::Decode { .. }), "{error:#}");
    }
    let error = error(answer(503, "text/plain", "Service Unavailable")).await;
    assert!(matches!(*error.fault, Fault::Status { code: 503, .. }));
}
