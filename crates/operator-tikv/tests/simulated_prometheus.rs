//! The Prometheus client on a simulated cluster that lives: what one side writes, the other reads.
//! The two share no code, so that one misreading of Prometheus cannot be made twice and cancel out.

#[path = "common/lab.rs"]
mod lab;

use std::time::Duration;

use lab::{Lab, PATIENCE};
use operator_core::{Reading, Store, StoreId, StoreMetrics};
use operator_sim::{LabelStyle, Release, Shape};
use operator_tikv::{ContractStanding, PromClient, PromOptions, StoreStrain};

const STYLES: [LabelStyle; 3] = [LabelStyle::Tiup, LabelStyle::Operator, LabelStyle::Compose];

/// A cluster that has been scraped for long enough that rates are known.
async fn scraped(shape: Shape, faults: &[&str]) -> Lab {
    let lab = Lab::new(shape).await;
    lab.inject(faults);
    lab.advance(Duration::from_secs(300));
    lab
}

fn prometheus(lab: &Lab) -> PromClient {
    PromClient::with(&lab.served.prometheus, patient()).expect("a URL")
}

fn patient() -> PromOptions {
    PromOptions {
        within: PATIENCE,
        ..PromOptions::default()
    }
}

/// The stores as PD says them, which is what the client maps series to.
async fn stores(lab: &Lab) -> Vec<Store> {
    lab.pd().stores().await.expect("PD answers").items
}

async fn metrics(lab: &Lab) -> Vec<StoreMetrics> {
    let stores = stores(lab).await;
    let listing = prometheus(lab).store_metrics(&stores).await;
    listing.expect("Prometheus answers").items
}

async fn strains(lab: &Lab) -> Vec<StoreStrain> {
    let stores = stores(lab).await;
    let listing = prometheus(lab).store_strains(&stores).await;
    listing.expect("Prometheus answers").items
}

fn styled(labels: LabelStyle) -> Shape {
    Shape {
        labels,
        ..Shape::default()
    }
}

#[tokio::test]
async fn a_healthy_store_is_seen_in_every_reading_whatever_its_labels() {
    for style in STYLES {
        let lab = scraped(styled(style), &[]).await;
        let all = metrics(&lab).await;
        assert_eq!(all.len(), 3, "{style:?}");
        for one in &all {
            let gaps: Vec<_> = one.gaps().collect();
            assert!(gaps.is_empty(), "{style:?}, store {}: {gaps:?}", one.store);
            assert_eq!(one.up.value(), Some(&true));
            for (name, latency) in [
                ("write", &one.write_p99_seconds),
                ("read", &one.read_p99_seconds),
            ] {
                let seconds = *latency.value().expect("there is traffic");
                assert!(
                    seconds > 0.0 && seconds < 0.1,
                    "{style:?} {name}: {seconds}"
                );
            }
        }
        for one in strains(&lab).await {
            let gaps: Vec<_> = one.gaps().collect();
            assert!(gaps.is_empty(), "{style:?}, store {}: {gaps:?}", one.store);
        }
    }
}

#[tokio::test]
async fn the_contract_holds_of_every_release_whatever_its_labels() {
    let releases = [Release::V6_5, Release::V7_5, Release::V8_5, Release::Head];
    let styled = STYLES.map(|labels| (labels, Release::V8_5));
    let all = releases.map(|release| (LabelStyle::Tiup, release));
    for (labels, release) in styled.into_iter().chain(all) {
        let shape = Shape {
            labels,
            release,
            ..Shape::default()
        };
        let lab = scraped(shape, &[]).await;
        let checks = prometheus(&lab).contract().await;
        let checks = checks.expect("Prometheus answers");
        assert!(checks.len() > 10);
        for check in checks {
            assert!(check.holds(), "{labels:?}, {release:?}: {check}");
        }
    }
}

#[tokio::test]
async fn a_contract_that_cannot_hold_does_not() {
    let lab = scraped(Shape::default(), &["prometheus-renamed"]).await;
    let options = PromOptions {
        job: "another".to_owned(),
        ..patient()
    };
    let client = PromClient::with(&lab.served.prometheus, options).expect("a URL");
    let checks = client.contract().await.expect("Prometheus answers");
    let missing =
        |standing: &ContractStanding| matches!(standing, ContractStanding::SeriesMissing(_));
    assert!(checks.iter().any(|check| missing(&check.standing)));
}

#[tokio::test]
async fn what_befalls_a_store_is_read_of_that_store_alone() {
    let faults = [
        "disk-slow store=2 factor=60 at=1m",
        "server-busy store=3 part=0.2 at=1m",
        "critical-error store=1 at=2m",
        "raft-log-lag store=1 at=1m",
    ];
    let lab = scraped(Shape::default(), &faults).await;
    let slow = |one: &StoreMetrics| one.write_p99_seconds.value().is_some_and(|s| *s > 0.1);
    let lags = |one: &StoreMetrics| one.raft_log_lag_ratio.value().is_some_and(|r| *r > 0.01);
    for one in metrics(&lab).await {
        assert_eq!(slow(&one), one.store == StoreId(2), "{one:?}");
        assert_eq!(lags(&one), one.store == StoreId(1), "{one:?}");
    }
    for one in strains(&lab).await {
        let busy = one.busy_per_second.value().is_some_and(|rate| *rate > 0.0);
        assert_eq!(busy, one.store == StoreId(3), "{one:?}");
        let errors = one.critical_errors.value().map(|errors| errors.len());
        assert_eq!(
            errors,
            Some(usize::from(one.store == StoreId(1))),
            "{one:?}"
        );
    }
}

#[tokio::test]
async fn a_dead_store_is_down_and_its_rates_are_not_believed() {
    let lab = scraped(Shape::default(), &["store-killed store=2 at=4m"]).await;
    for one in metrics(&lab).await {
        let dead = one.store == StoreId(2);
        assert_eq!(one.up.value(), Some(&!dead));
        assert_eq!(matches!(one.queries_per_second, Reading::Blind(_)), dead);
    }
}

#[tokio::test]
async fn tiflash_is_not_measured_as_tikv() {
    for style in STYLES {
        let shape = Shape {
            tiflash: 1,
            ..styled(style)
        };
        let lab = scraped(shape, &[]).await;
        assert_eq!(stores(&lab).await.len(), 4, "PD knows of it");
        let all = metrics(&lab).await;
        let mut measured: Vec<StoreId> = all.iter().map(|one| one.store).collect();
        measured.sort_unstable();
        assert_eq!(measured, [1, 2, 3].map(StoreId), "{style:?}");
    }
}
