//! The simulator's own query face, a real server that scrapes the simulator's pages, and what the client
//! computes: three ways to one number.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{Clock, Store, StoreMetrics};
use operator_sim::{Cluster, Served, Shape, Speed, Timing};
use operator_tikv::{PdClient, PdOptions, PromClient};

use crate::support::{
    PATIENCE, QUICK, Target, by_instance, client, moment, near, scraping, settled,
};

/// The cluster has lived so long before anyone looks.
const LIVED: Duration = Duration::from_secs(120);
/// Of one window the two measure at different moments of it; and counters are in whole requests.
const RATES: f64 = 0.25;
/// Counters count from when a scrape began: what is answered so late moves the rate of a window by less than half
/// of what is allowed.
const LATE: Duration = Duration::from_millis(500);
/// Requests fall into buckets that double; what moves within a window moves the quantile within one.
const QUANTILES: f64 = 0.5;

const WRITES: &str = "kv_prewrite|kv_commit|kv_flush|raw_put|raw_batch_put|raw_delete|raw_batch_delete|raw_compare_and_swap";
const READS: &str = "kv_get|kv_batch_get|kv_batch_get_command|kv_scan|raw_get|raw_batch_get|raw_batch_get_command|raw_scan";

async fn measured(client: &PromClient, stores: &[Store]) -> BTreeMap<u64, StoreMetrics> {
    let listing = client.store_metrics(stores).await.expect("metrics");
    assert!(listing.gaps.is_empty(), "{:?}", listing.gaps);
    let by_store = |metrics: StoreMetrics| (metrics.store.0, metrics);
    listing.items.into_iter().map(by_store).collect()
}

/// A cluster whose time is ours, measured every two seconds, under a load that fills every window.
fn cluster() -> Cluster {
    let began = (Clock::system().now() - LIVED).unix_millis();
    let mut shape = Shape {
        stores: 3,
        regions: 60,
        members: 1,
        began_unix_ms: u64::try_from(began).expect("after 1970"),
        timing: Timing {
            scrape: QUICK.scrape,
            scrape_timeout: QUICK.scrape,
            ..Timing::default()
        },
        ..Shape::default()
    };
    shape.load.writes_per_second = 900.0;
    shape.load.reads_per_second = 2_400.0;
    let mut cluster = Cluster::new(shape).expect("a shape that can be");
    cluster.advance(LIVED);
    cluster
}

#[tokio::test]
async fn the_simulator_a_real_server_and_the_client_agree() {
    let served = Served::start(cluster(), Speed::Times(1.0))
        .await
        .expect("loopback has ports");
    let options = PdOptions {
        within: PATIENCE,
        ..PdOptions::default()
    };
    let pd = PdClient::with(&served.pd.join(","), options).expect("endpoints");
    let stores = pd.stores().await.expect("stores").items;
    assert_eq!(stores.len(), 3);
    let pages = served.pages.trim_start_matches("http://").to_owned();
    let target = |store: &Store| Target {
        instance: store.status_address.clone().expect("a status address"),
        address: pages.clone(),
        path: format!("/store/{}/metrics", store.id),
    };
    let targets: Vec<Target> = stores.iter().map(target).collect();
    let Some(server) = scraping(QUICK, &targets) else {
        return;
    };
    let address = server.address().expect("it runs").to_owned();
    let at = moment(&client(&address, QUICK, None), QUICK, stores.len(), LATE).await;
    settled(&client(&served.prometheus, QUICK, None), stores.len(), at).await;

    // What both have measured of the same seconds.
    let real = measured(&client(&address, QUICK, Some(at)), &stores).await;
    let simulated = measured(&client(&served.prometheus, QUICK, Some(at)), &stores).await;
    for (id, real) in &real {
        let simulated = &simulated[id];
        assert_eq!(real.gaps().count(), 0, "{real:?}");
        assert_eq!(simulated.gaps().count(), 0, "{simulated:?}");
        assert_eq!(real.up.value(), simulated.up.value());
        assert_eq!(real.region_count.value(), simulated.region_count.value());
        assert_eq!(real.leader_count.value(), simulated.leader_count.value());
        assert_eq!(
            real.disk_capacity_bytes.value(),
            simulated.disk_capacity_bytes.value()
        );
        assert_eq!(
            real.memory_quota_bytes.value(),
            simulated.memory_quota_bytes.value()
        );
        assert_eq!(
            real.process_started_at.value(),
            simulated.process_started_at.value()
        );
        let of = |what: &str| format!("{what} of store {id}");
        near(
            &of("requests"),
            &real.queries_per_second,
            &simulated.queries_per_second,
            RATES,
        );
        near(
            &of("CPU"),
            &real.cpu_used_cores,
            &simulated.cpu_used_cores,
            RATES,
        );
        near(
            &of("write P99"),
            &real.write_p99_seconds,
            &simulated.write_p99_seconds,
            QUANTILES,
        );
        near(
            &of("write P95"),
            &real.write_p95_seconds,
            &simulated.write_p95_seconds,
            QUANTILES,
        );
        near(
            &of("read P99"),
            &real.read_p99_seconds,
            &simulated.read_p99_seconds,
            QUANTILES,
        );
    }

    // The same buckets: here nothing may differ but the last digits.
    for url in [format!("http://{address}"), served.prometheus.clone()] {
        let asked = client(&url, QUICK, Some(at));
        let ours = measured(&asked, &stores).await;
        for (types, ratio) in [(WRITES, 0.99), (WRITES, 0.95), (READS, 0.99)] {
            let query = format!(
                "histogram_quantile({ratio}, sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{{job=\"tikv\",type=~\"{types}\"}}[{}s])))",
                QUICK.window().as_secs()
            );
            let theirs = by_instance(&asked, &query, at).await;
            assert_eq!(theirs.len(), stores.len(), "{query}: {theirs:?}");
            for (instance, theirs) in theirs {
                let known = |store: &&Store| store.status_address.as_ref() == Some(&instance);
                let store = stores.iter().find(known).expect("an instance of a store");
                let metrics = &ours[&store.id.0];
                let ours = match (types, ratio) {
                    (WRITES, 0.99) => metrics.write_p99_seconds.value(),
                    (WRITES, _) => metrics.write_p95_seconds.value(),
                    _ => metrics.read_p99_seconds.value(),
                };
                let ours = *ours.expect("a quantile");
                assert!(
                    (ours - theirs).abs() <= theirs * 1e-9,
                    "{url} {instance}: {ours} and {theirs}"
                );
            }
        }
    }
}
