//! A look at a whole cluster, from a server that is told what to say.

use operator_core::{Fault, Reading, Store, StoreId, StoreMetrics, Timestamp, Why};
use operator_tikv::{PromClient, StoreStrain};

use crate::support::{Request, Server, answer, json, nothing, store, vector};

/// Which requests a healthy cluster has.
const TRAFFIC: &[(&str, &str, &str)] = &[
    ("kv_prewrite", "medium", "8"),
    ("kv_commit", "medium", "2"),
    ("raw_put", "medium", "0"),
    ("kv_get", "medium", "1"),
    ("kv_get", "low", "0"),
];

/// What a healthy cluster of so many stores answers. Its hosts are `h1`, `h2` and so on.
pub(crate) fn healthy(request: &Request, stores: u64) -> Vec<u8> {
    let query = request.query();
    let of = |further: &str, value: &str| {
        let rows = (1..=stores).map(|n| {
            let labels = format!(r#""instance":"h{n}:20180"{further}"#);
            (labels, value.to_owned())
        });
        rows.collect::<Vec<_>>()
    };
    let buckets = |rows: &[(&str, &str)]| {
        let rows = rows.iter();
        let rows = rows.flat_map(|(le, count)| of(&format!(r#","le":"{le}""#), count));
        rows.collect::<Vec<_>>()
    };
    let gauges = || {
        let gauge = |family: &str, kind: &str, value: &str| {
            let kind = match kind {
                "" => String::new(),
                kind => format!(r#","type":"{kind}""#),
            };
            of(&format!(r#","__name__":"{family}"{kind}"#), value)
        };
        [
            gauge("tikv_server_info", "", "990000"),
            gauge("process_start_time_seconds", "", "990000"),
            gauge("process_resident_memory_bytes", "", "1e9"),
            gauge("tikv_server_memory_quota_bytes", "", "4e9"),
            gauge("tikv_server_cpu_cores_quota", "", "8"),
            gauge("tikv_store_size_bytes", "capacity", "100"),
            gauge("tikv_store_size_bytes", "available", "60"),
            gauge("tikv_store_size_bytes", "used", "30"),
            gauge("tikv_raftstore_region_count", "leader", "7"),
            gauge("tikv_raftstore_region_count", "region", "21"),
            gauge("tikv_raftstore_slow_score", "raft", "1"),
            gauge("tikv_raftstore_slow_score", "kvdb", "3"),
        ]
        .concat()
    };
    let ladder = [("0.1", "5"), ("0.2", "9.5"), ("0.4", "10"), ("+Inf", "10")];
    let rows = match query {
        _ if query.starts_with("up{") => of(r#","job":"tikv""#, "1"),
        _ if query.contains("timestamp(up") => of("", "999990.5"),
        _ if query.starts_with("max by (instance,__name__") => gauges(),
        _ if query.starts_with("sum by (type,priority)") => TRAFFIC
            .iter()
            .map(|(kind, priority, rate)| {
                let labels = format!(r#""type":"{kind}","priority":"{priority}""#);
                (labels, (*rate).to_owned())
            })
            .collect(),
        _ if query.contains("kv_prewrite") => buckets(&ladder),
        // Reads are too few for a P99: 60 in the window.
        _ if query.contains("kv_get") => buckets(&[("0.1", "1"), ("+Inf", "1")]),
        _ if query.contains("log_lag") => buckets(&[("1024.0", "9"), ("+Inf", "10")]),
        _ if query.contains("async_request_duration") => buckets(&[("0.1", "0"), ("+Inf", "9")]),
        _ if query.contains("async_request_total") => [
            of(r#","status":"all""#, "50"),
            of(r#","status":"err_server_is_busy""#, "0.5"),
            of(r#","status":"err_not_leader""#, "0"),
        ]
        .concat(),
        _ if query.contains("grpc_msg_duration_seconds_count") => of("", "123.5"),
        _ if query.contains("process_cpu") => of("", "1.25"),
        _ if query.contains("stall") => of("", "0.02"),
        _ if query.contains("leader_missing") => of("", "0"),
        _ => Vec::new(),
    };
    json(vector(rows))
}

pub(crate) fn stores(count: u64) -> Vec<Store> {
    (1..=count).map(|n| store(n, &format!("h{n}"))).collect()
}

/// The one store's metrics, from a server that says `script`, or what a healthy one would.
async fn metrics(
    script: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static,
) -> Result<StoreMetrics, operator_core::Gap> {
    let server =
        Server::start(move |ask| script(ask.query()).unwrap_or_else(|| healthy(ask, 1))).await;
    let client = PromClient::new(&server.url()).unwrap();
    let mut listing = client.store_metrics(&stores(1)).await.unwrap();
    match listing.items.pop() {
        Some(metrics) => Ok(metrics),
        None => Err(listing.gaps.iter().next().cloned().unwrap()),
    }
}

async fn strain(script: impl Fn(&str) -> Option<Vec<u8>> + Send + Sync + 'static) -> StoreStrain {
    let server =
        Server::start(move |ask| script(ask.query()).unwrap_or_else(|| healthy(ask, 1))).await;
    let client = PromClient::new(&server.url()).unwrap();
    let listing = client.store_strains(&stores(1)).await.unwrap();
    listing.items[0].clone()
}

pub(crate) fn near(reading: &Reading<f64>, expected: f64) -> bool {
    reading
        .value()
        .is_some_and(|value| (value - expected).abs() < 1e-9)
}

#[tokio::test]
async fn every_reading_is_what_the_server_said() {
    let metrics = metrics(|_| None).await.unwrap();
    assert_eq!(metrics.gaps().count(), 0, "{metrics:?}");
    assert_eq!(metrics.store, StoreId(1));
    assert_eq!(metrics.up.value(), Some(&true));
    let start = Timestamp::from_unix_seconds(990_000);
    assert_eq!(metrics.process_started_at.value(), Some(&start));
    assert!(near(&metrics.queries_per_second, 123.5));
    assert!(near(&metrics.write_p95_seconds, 0.2));
    assert!(near(&metrics.write_p99_seconds, 0.36));
    assert!(near(&metrics.read_p95_seconds, 0.095));
    assert_eq!(metrics.read_p99_seconds, Reading::Idle);
    assert!(near(&metrics.cpu_used_cores, 1.25));
    assert!(near(&metrics.cpu_quota_cores, 8.0));
    assert_eq!(metrics.memory_used_bytes.value(), Some(&1_000_000_000));
    assert_eq!(metrics.memory_quota_bytes.value(), Some(&4_000_000_000));
    assert_eq!(metrics.disk_capacity_bytes.value(), Some(&100));
    assert_eq!(metrics.disk_available_bytes.value(), Some(&60));
    assert_eq!(metrics.disk_used_bytes.value(), Some(&30));
    assert!(near(&metrics.raft_log_lag_ratio, 0.1));
    assert_eq!(metrics.leader_count.value(), Some(&7));
    assert_eq!(metrics.region_count.value(), Some(&21));
    // when it was scraped, not when it was asked
    let Reading::Seen(measured) = &metrics.cpu_used_cores else {
        panic!("seen");
    };
    assert_eq!(
        measured.sampled_at,
        Timestamp::from_unix_millis(999_990_500)
    );
    assert!(
        measured
            .source
            .as_str()
            .contains("process_cpu_seconds_total")
    );
}

#[tokio::test]
async fn strain_is_what_the_server_said_and_what_never_happened_is_zero() {
    let strain = strain(|_| None).await;
    assert_eq!(strain.gaps().count(), 0, "{strain:?}");
    assert_eq!(
        strain.critical_errors.value().map(|errors| errors.len()),
        Some(0)
    );
    assert!(near(&strain.storage_requests_per_second, 50.0));
    assert!(near(&strain.busy_per_second, 0.5));
    assert!(near(&strain.not_leader_per_second, 0.0));
    assert!(near(&strain.scheduler_busy_count, 0.0));
    assert!(near(&strain.channel_full_count, 0.0));
    assert!(near(&strain.flow_discard_ratio, 0.0));
    assert!(near(&strain.stalled_ratio, 0.02));
    assert!(near(&strain.slow_score, 3.0));
    assert_eq!(strain.leader_missing.value(), Some(&false));
    let Reading::Seen(top) = &strain.async_write_p99_seconds else {
        panic!("seen");
    };
    assert!((top.value - 0.1).abs() < 1e-9);
    assert!(top.source.as_str().starts_with("at least, from "));
}

#[tokio::test]
async fn absence_is_a_zero_only_beside_a_store_that_exports() {
    let strain = strain(|query| query.starts_with("max by (instance,__name__").then(nothing)).await;
    for reading in [&strain.scheduler_busy_count, &strain.flow_discard_ratio] {
        assert_eq!(
            reading.gap().map(operator_core::Gap::why),
            Some(&Why::Unsaid)
        );
    }
    assert!(strain.critical_errors.gap().is_some());
}

#[tokio::test]
async fn a_store_that_is_not_up_has_no_readings_however_long_a_rate_lingers() {
    let down = |query: &str| {
        let row = (r#""instance":"h1:20180","job":"tikv""#, "0".to_owned());
        query.starts_with("up{").then(|| json(vector([row])))
    };
    let metrics = metrics(down).await.unwrap();
    assert_eq!(metrics.up.value(), Some(&false));
    assert_eq!(metrics.gaps().count(), 16);
    let strain = strain(down).await;
    assert_eq!(strain.gaps().count(), 12);
}

#[tokio::test]
async fn an_instance_that_is_there_twice_is_nobodys() {
    let twice = |query: &str| {
        let row = |job| {
            (
                format!(r#""instance":"h1:20180","job":"{job}""#),
                "1".to_owned(),
            )
        };
        query
            .starts_with("up{")
            .then(|| json(vector([row("a-tikv"), row("b-tikv")])))
    };
    let gap = metrics(twice).await.unwrap_err().to_string();
    let expected = "metrics of store/1 not seen: expected one series `up`, \
                    found 2 of h1:20180, of jobs a-tikv, b-tikv";
    assert!(gap.starts_with(expected), "{gap}");
}

#[tokio::test]
async fn a_sample_that_is_too_old_is_none() {
    let old = |query: &str| {
        let row = (r#""instance":"h1:20180","job":"tikv""#, "999900".to_owned());
        query.contains("timestamp(up").then(|| json(vector([row])))
    };
    let gap = metrics(old).await.unwrap_err();
    assert!(matches!(gap.why(), Why::Stale { .. }), "{gap}");
}

#[tokio::test]
async fn a_query_that_fails_costs_what_it_feeds_and_no_more() {
    let metrics = metrics(|query| {
        let body = r#"{"status":"error","errorType":"timeout","error":"too slow"}"#;
        let fails = query.contains("kv_prewrite");
        fails.then(|| answer(503, "application/json", body))
    })
    .await
    .unwrap();
    let blind: Vec<_> = metrics.gaps().map(|(field, _)| field).collect();
    assert_eq!(blind, ["write_p95_seconds", "write_p99_seconds"]);
    let gap = metrics.write_p99_seconds.gap().unwrap().to_string();
    assert!(gap.contains("status 503, timeout: too slow"), "{gap}");
}

#[tokio::test]
async fn of_an_answer_that_is_not_whole_nothing_is_summed_up_or_called_absent() {
    let partial = |rows: Vec<(String, String)>| {
        let body = vector(rows);
        let body = body.strip_suffix('}').unwrap();
        Some(json(format!(r#"{body},"warnings":["store 2 is away"]}}"#)))
    };
    let row = |value: &str| (r#""instance":"h1:20180""#.to_owned(), value.to_owned());
    let metrics = metrics(move |query| match query {
        _ if query.contains("process_cpu") => partial(vec![row("0.1")]),
        _ => None,
    });
    let metrics = metrics.await.unwrap();
    let gap = metrics.cpu_used_cores.gap().unwrap().to_string();
    assert!(
        gap.contains("not believed: the answer is not whole: store 2 is away"),
        "{gap}"
    );
    let other = (r#""instance":"h2:20180""#.to_owned(), "1".to_owned());
    let absent = self::metrics(move |query| match query {
        _ if query.starts_with("up{") => partial(vec![other.clone()]),
        _ => None,
    });
    let gap = absent.await.unwrap_err().to_string();
    assert!(
        gap.contains("not believed: the answer is not whole"),
        "{gap}"
    );
}

#[tokio::test]
async fn numbers_that_are_none_never_become_readings() {
    for odd in ["NaN", "+Inf", "-1"] {
        let metrics = metrics(move |query| {
            let row = (r#""instance":"h1:20180""#, odd.to_owned());
            query.contains("process_cpu").then(|| json(vector([row])))
        });
        let metrics = metrics.await.unwrap();
        let gap = metrics.cpu_used_cores.gap().unwrap().to_string();
        assert!(gap.contains("expected a number from 0 up"), "{gap}");
    }
}

#[tokio::test]
async fn nothing_measured_at_all_is_a_gap_for_each_store() {
    let server = Server::start(|_| nothing()).await;
    let client = PromClient::new(&server.url()).unwrap();
    let listing = client.store_metrics(&stores(2)).await.unwrap();
    assert!(listing.items.is_empty());
    let gaps: Vec<_> = listing.gaps.iter().map(ToString::to_string).collect();
    assert!(gaps[1].starts_with(
        "metrics of store/2 not seen: expected an instance for h2:20180, found none at all"
    ));
}

/// A look at three stores of which some have an `up`, and some had one so many seconds ago.
async fn targets(now: &'static [&str], before: &'static [(&str, f64)]) -> Vec<Option<Timestamp>> {
    let server = Server::start(move |ask| {
        let row = |at: &str, value: String| (format!(r#""instance":"{at}:20180""#), value);
        match ask.query() {
            query if query.starts_with("up{") => {
                json(vector(now.iter().map(|at| row(at, "1".into()))))
            }
            query if query.contains("timestamp(up") => {
                let now = now.iter().map(|at| (*at, 9.5));
                let rows = now.chain(before.iter().copied());
                json(vector(
                    rows.map(|(at, ago)| row(at, (1e6 - ago).to_string())),
                ))
            }
            _ => healthy(ask, 3),
        }
    })
    .await;
    let client = PromClient::new(&server.url()).unwrap();
    let listing = client.store_metrics(&stores(3)).await.unwrap();
    let strains = client.store_strains(&stores(3)).await.unwrap();
    assert_eq!(listing.gaps, strains.gaps);
    let vanished = stores(3).into_iter().map(|store| {
        let gap = listing.gap_about(&store.entity())?;
        let vanished = *gap.why() == Why::Vanished;
        vanished.then(|| gap.standing_since().unwrap())
    });
    vanished.collect()
}

#[tokio::test]
async fn a_target_that_was_there_within_ten_minutes_has_vanished() {
    let ago = |millis: i64| Some(Timestamp::from_unix_millis(1_000_000_000 - millis));
    let found = targets(&["h1", "h2"], &[("h3", 44.5)]).await;
    assert_eq!(found, [None, None, ago(44_500)]);
    let found = targets(&["h1"], &[("h2", 600.0), ("h3", 15.0)]).await;
    assert_eq!(found, [None, ago(600_000), ago(15_000)]);
}

#[tokio::test]
async fn what_was_never_there_or_is_there_by_another_name_has_not_vanished() {
    let nobody = [None, None, None];
    // never, or too long ago
    assert_eq!(targets(&["h1", "h2"], &[]).await, nobody);
    assert_eq!(targets(&["h1", "h2"], &[("h3", 601.0)]).await, nobody);
    // so young that it began between the two queries
    assert_eq!(targets(&["h1", "h2"], &[("h3", 3.0)]).await, nobody);
    // renamed, perhaps
    assert_eq!(
        targets(&["h1", "h2", "pod-3"], &[("h3", 44.5)]).await,
        nobody
    );
    // when all are gone, it is the server that changed
    let all = &[("h1", 44.5), ("h2", 44.5), ("h3", 44.5)];
    assert_eq!(targets(&[], all).await, nobody);
}

#[tokio::test]
async fn who_is_up_must_be_known() {
    let server = Server::start(|_| answer(503, "text/plain", "Service Unavailable")).await;
    let client = PromClient::new(&server.url()).unwrap();
    let error = client.store_metrics(&stores(1)).await.unwrap_err();
    assert!(matches!(*error.fault, Fault::Status { code: 503, .. }));
}

#[tokio::test]
async fn a_look_is_as_many_requests_for_a_thousand_stores_as_for_three() {
    for count in [3, 1000] {
        let server = Server::start(move |ask| healthy(ask, count)).await;
        let client = PromClient::new(&server.url()).unwrap();
        let listing = client.store_metrics(&stores(count)).await.unwrap();
        assert_eq!(listing.items.len() as u64, count);
        assert!(listing.is_whole());
        assert_eq!(server.asked().len(), 9);
        client.store_strains(&stores(count)).await.unwrap();
        let asked = server.asked();
        assert_eq!(asked.len(), 19);
        // all about the moment of the first answer
        let moments: Vec<_> = asked
            .iter()
            .filter_map(|ask| ask.form.get("time"))
            .collect();
        assert_eq!(moments.len(), 17);
        assert!(moments.iter().all(|moment| *moment == "1000000.000"));
    }
}

#[tokio::test]
async fn the_contract_names_what_a_server_does_not_have() {
    let server = Server::start(|ask| {
        let query = ask.query();
        let rows = |label: &str, values: &[&str]| {
            let rows = values.iter();
            let rows = rows.map(|value| (format!(r#""{label}":"{value}""#), "1".to_owned()));
            json(vector(rows.collect::<Vec<_>>()))
        };
        match query {
            _ if query.starts_with("count by (__name__)") => rows(
                "__name__",
                &[
                    "up",
                    "process_cpu_seconds_total",
                    "tikv_grpc_msg_duration_seconds_bucket",
                ],
            ),
            _ if query.starts_with("count by (version)") => rows("version", &["v7.5.1"]),
            _ if query.starts_with("count by (type)") => rows("type", &["kv_get"]),
            _ => healthy(ask, 1),
        }
    })
    .await;
    let client = PromClient::new(&server.url()).unwrap();
    let checks = client.contract().await.unwrap();
    let said = |name: &str| {
        let check = checks.iter().find(|check| check.query == name).unwrap();
        check.to_string()
    };
    assert_eq!(said("cpu"), "cpu: live");
    assert_eq!(said("critical_errors"), "critical_errors: idle");
    assert!(said("reads").starts_with(r#"reads: label value unknown: type="kv_batch_get""#));
    assert_eq!(
        said("log_lag"),
        "log_lag: series missing: tikv_raftstore_log_lag_bucket"
    );
    // 7.5 has no memory quota yet
    assert!(!said("gauges").contains("memory_quota"));
    assert_eq!(checks.len(), 18);
}
