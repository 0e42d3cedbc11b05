//! What a real cluster's Prometheus knew, played again by a real server, where the folder with recordings is
//! there. They are read from outside of the project and belong to others.

use std::path::Path;
use std::process::Command;

use operator_core::{Listing, Reading, Store, StoreId, StoreMetrics};
use operator_tikv::{ContractStanding, PromClient, PromOptions};

use crate::common::shared;
use crate::moments::PATIENCE;
use crate::real::Prometheus;

/// A recording under a real server, or why nothing is said here.
fn play(recording: &str) -> Option<Prometheus> {
    let folder = shared(&format!("recordings/{recording}"))?;
    let unpack = |into: &Path| {
        let unpacked = Command::new("tar")
            .arg("-xzf")
            .arg(folder.join("tsdb.tar.gz"))
            .arg("-C")
            .arg(into)
            .status();
        assert!(unpacked.unwrap().success());
        vec!["--storage.tsdb.retention.time=100y".to_owned()]
    };
    Prometheus::with("global: {}\n", unpack)
}

/// The three stores of every recording, as PD describes them.
fn stores(network: u8, ids: [u64; 3]) -> Vec<Store> {
    let hosts = (11..).map(|host| format!("127.0.{network}.{host}"));
    let stores = ids.into_iter().zip(hosts).map(|(id, host)| Store {
        status_address: Some(format!("{host}:20180")),
        ..Store::new(StoreId(id), format!("{host}:20160"))
    });
    stores.collect()
}

/// A client that looks at a moment of the past, and waits for as long as a busy machine may need.
fn at(prometheus: &Prometheus, second: u64) -> PromClient {
    let options = PromOptions {
        within: PATIENCE,
        parameters: vec![("time".into(), second.to_string())],
        ..PromOptions::default()
    };
    PromClient::with(&prometheus.url, options).unwrap()
}

fn gaps(listing: &Listing<StoreMetrics>) -> Vec<String> {
    let of = |metrics: &StoreMetrics| -> Vec<String> {
        let gaps = metrics.gaps();
        gaps.map(|(field, gap)| format!("{field}: {gap}")).collect()
    };
    let whole = listing.gaps.iter().map(ToString::to_string);
    whole.chain(listing.items.iter().flat_map(of)).collect()
}

#[tokio::test]
async fn of_a_healthy_cluster_everything_is_seen_and_the_contract_holds() {
    let Some(prometheus) = play("healthy") else {
        return;
    };
    let client = at(&prometheus, 1_795_222_200);
    let stores = stores(20, [1, 2, 3]);
    let listing = client.store_metrics(&stores).await.unwrap();
    assert_eq!(gaps(&listing), [""; 0]);
    assert_eq!(listing.items.len(), 3);
    for metrics in &listing.items {
        assert_eq!(metrics.up.value(), Some(&true));
        assert_eq!(metrics.region_count.value(), Some(&45));
        assert!(
            metrics
                .queries_per_second
                .value()
                .is_some_and(|rate| *rate > 1.0)
        );
    }
    let leaders = listing
        .items
        .iter()
        .filter_map(|metrics| metrics.leader_count.value());
    assert_eq!(leaders.sum::<u64>(), 45);
    let strains = client.store_strains(&stores).await.unwrap();
    for strain in &strains.items {
        assert_eq!(strain.gaps().count(), 0, "{strain:?}");
        assert!(
            strain
                .critical_errors
                .value()
                .is_some_and(|errors| errors.is_empty())
        );
        assert_eq!(strain.slow_score.value(), Some(&1.0));
    }
    for check in client.contract().await.unwrap() {
        assert!(check.holds(), "{check}");
        let idle = [
            "critical_errors",
            "scheduler_busy",
            "channel_full",
            "stalls",
            "leader_missing",
        ];
        let expected = match idle.contains(&check.query) {
            true => ContractStanding::Idle,
            false => ContractStanding::Live,
        };
        assert_eq!(check.standing, expected, "{check}");
    }
}

#[tokio::test]
async fn a_store_that_is_gone_has_no_readings_and_the_others_have_all() {
    for (recording, network, ids, gone, during, after) in [
        (
            "store-killed",
            10,
            [1, 4, 5],
            4,
            1_795_222_236 + 25,
            1_795_222_436 + 70,
        ),
        (
            "store-frozen",
            20,
            [1, 2, 5],
            5,
            1_795_222_365 + 40,
            1_795_222_485 + 80,
        ),
    ] {
        let Some(prometheus) = play(recording) else {
            return;
        };
        let stores = stores(network, ids);
        let client = at(&prometheus, during);
        for metrics in client.store_metrics(&stores).await.unwrap().items {
            let lives = metrics.store != StoreId(gone);
            let blind = metrics.gaps().count();
            assert_eq!(metrics.up.value(), Some(&lives), "{recording}");
            assert_eq!(
                blind,
                if lives { 0 } else { 16 },
                "{recording}: {metrics:?}"
            );
        }
        let back = at(&prometheus, after).store_metrics(&stores).await.unwrap();
        assert_eq!(gaps(&back), [""; 0], "{recording}");
    }
}

#[tokio::test]
async fn a_slow_store_shows_in_its_own_writes() {
    let Some(prometheus) = play("store-slow") else {
        return;
    };
    let client = at(&prometheus, 1_795_224_255 + 100);
    let strains = client.store_strains(&stores(10, [2, 1, 3])).await.unwrap();
    let p99 = |id| {
        let strain = strains
            .items
            .iter()
            .find(|strain| strain.store == StoreId(id));
        match &strain.unwrap().async_write_p99_seconds {
            Reading::Seen(measured) => measured.value,
            other => panic!("{id}: {other:?}"),
        }
    };
    assert!(
        p99(1) > 4.0 * p99(2).max(p99(3)),
        "{} {} {}",
        p99(1),
        p99(2),
        p99(3)
    );
}
