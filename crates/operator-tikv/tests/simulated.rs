//! The client and the subject on a simulated cluster that lives: what one side writes, the other reads.
//! The two share no code, so that one misreading of PD cannot be made twice and cancel out.

#[path = "common/lab.rs"]
mod lab;
#[path = "common/watched.rs"]
mod watched;

use std::time::Duration;

use lab::{Lab, PATIENCE};
use operator_core::conformance::{self, Probe};
use operator_core::{Regions, StoreId, Subject};
use operator_sim::{Release, Shape};
use operator_tikv::{MoveKind, PdClient, RegionTop, TikvSubject};
use watched::{TICK, Watched};

/// A cluster whose stores have reported and whose regions have been counted.
async fn settled(release: Release) -> Lab {
    let lab = Lab::new(shape(release)).await;
    lab.advance(Duration::from_secs(120));
    lab
}

/// Such a cluster, watched by what PD says alone.
async fn watched() -> Watched {
    let lab = settled(Release::V8_5).await;
    let subject = TikvSubject::new(lab.pd());
    Watched::new(lab, subject)
}

/// Looks every tick of the cluster's time; tells what changes, and how long after the beginning.
async fn watch(watched: &mut Watched, looks: u32) -> Vec<(u64, String)> {
    let mut changes = Vec::new();
    for look in 1..=looks {
        for change in watched.look().await {
            let told = format!(
                "{} {} {}",
                change.word(),
                change.rule().code,
                change.entity()
            );
            changes.push(((TICK * look).as_secs(), told));
        }
    }
    changes
}

fn shape(release: Release) -> Shape {
    Shape {
        stores: 4,
        regions: 60,
        members: 3,
        release,
        ..Shape::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_read_decodes_what_every_version_says() {
    for release in [Release::V6_5, Release::V7_5, Release::V8_5, Release::Head] {
        let lab = settled(release).await;
        let pd = lab.pd();
        let stores = pd.stores().await.expect("stores");
        assert!(stores.is_whole(), "{release:?}: {:?}", stores.gaps);
        assert_eq!(stores.items.len(), 4);
        assert!(
            stores
                .items
                .iter()
                .all(|store| store.capacity_bytes.is_some() && store.last_heartbeat.is_some())
        );
        assert_eq!(pd.members().await.expect("members").members.items.len(), 3);
        assert!(pd.leader().await.expect("the leader").is_some());
        let health = pd.health().await.expect("health");
        assert!(health.is_whole() && health.items.len() == 3);
        pd.cluster_status().await.expect("the cluster's status");
        let version = pd.version().await.expect("the version").unwrap_or_default();
        assert!(
            version.ends_with(release.version()),
            "{release:?} says {version}"
        );
        pd.hot_writes().await.expect("hot writes");
        pd.hot_reads().await.expect("hot reads");
        pd.store_flows().await.expect("flows of stores");
        pd.schedulers().await.expect("schedulers");
        assert!(pd.operators().await.expect("operators").is_whole());
        pd.schedule_config()
            .await
            .expect("the schedule configuration");
        assert_eq!(
            pd.replication_config()
                .await
                .expect("the replication configuration")
                .max_replicas,
            Some(3)
        );
        pd.placement_rules().await.expect("placement rules");
        assert_eq!(pd.region_count().await.expect("the count of regions"), 60);
        assert!(pd.range_holes().await.expect("holes").items.is_empty());
        for top in [RegionTop::WriteFlow, RegionTop::Size] {
            let top = pd.top_regions(top, 3).await.expect("regions at the top");
            assert_eq!(top.items.len(), 3);
        }
        assert!(
            !pd.regions_on(StoreId(1), 100)
                .await
                .expect("regions of a store")
                .items
                .is_empty()
        );
        assert_eq!(
            pd.progress_of_all(MoveKind::Removing)
                .await
                .expect("no removal"),
            None
        );
        let tally = pd.tally(|_| {}).await.expect("a scan");
        assert_eq!((tally.regions, tally.leaderless, tally.unread), (60, 0, 0));
        let leaders: u64 = tally.stores.values().map(|store| store.leaders).sum();
        assert_eq!(leaders, 60, "every region is led by one store");
        let region = pd.holding(b"").await.expect("the first region");
        assert_eq!(pd.one(region.id).await.expect("the same by its id"), region);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_subject_keeps_its_promises() {
    let lab = settled(Release::V8_5).await;
    let nowhere = TikvSubject::new(PdClient::new("http://127.0.0.1:1").expect("an endpoint"));
    let probe = Probe {
        deadline: PATIENCE,
        unreachable: Some(&nowhere),
        ..Probe::default()
    };
    let subject = TikvSubject::new(lab.pd());
    conformance::all(&subject, &probe)
        .await
        .expect("it conforms");
    let cluster = subject
        .cluster_metrics()
        .await
        .expect("metrics of the cluster");
    assert_eq!(cluster.region_count.value(), Some(&60));
    assert_eq!(
        cluster
            .leaders_per_store
            .value()
            .map(|leaders| leaders.values().sum()),
        Some(60u64)
    );
}

/// PD alone calls a store down after half an hour; one witness is believed after a minute, and the proof
/// of how long it has been silent makes up for the grace.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_store_is_down_and_no_other_and_comes_back() {
    let mut watched = watched().await;
    assert_eq!(watch(&mut watched, 3).await, []);
    watched.lab.inject(&["store-killed store=2 for=200s"]);
    let changes = watch(&mut watched, 30).await;
    let told: Vec<&str> = changes.iter().map(|(_, told)| told.as_str()).collect();
    assert_eq!(
        told,
        [
            "raised store_down store/2",
            "raised store_restarted store/2",
            "resolved store_down store/2",
        ]
    );
    // Silent since up to 10 s before the kill: 60 s and a grace of 10 s, found at the next look.
    assert!(
        (60..=80).contains(&changes[0].0),
        "raised after {} s",
        changes[0].0
    );
    assert!(
        (200..=260).contains(&changes[2].0),
        "resolved after {} s",
        changes[2].0
    );
}

/// An outage of what is asked closes nothing, and says nothing about stores.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_pd_closes_nothing_and_blames_no_store() {
    let mut watched = watched().await;
    watched.lab.inject(&["store-killed store=2"]);
    assert_eq!(watch(&mut watched, 9).await.len(), 1);
    watched.lab.inject(&["pd-killed member=all for=75s"]);
    let changes = watch(&mut watched, 6).await;
    let told = |changes: &[(u64, String)], sight: bool| -> Vec<String> {
        let is_sight = |told: &str| told.starts_with("blinded ") || told.starts_with("sighted ");
        let told = changes.iter().map(|(_, told)| told.clone());
        told.filter(|told| is_sight(told) == sight).collect()
    };
    assert_eq!(told(&changes, false), ["raised pd_unreachable cluster"]);
    assert!(told(&changes, true).contains(&"blinded store_down cluster".to_owned()));
    let stores = |watched: &Watched| -> Vec<String> {
        let open = watched.monitor.engine().open();
        let open = open.filter(|violation| violation.code() != "pd_unreachable");
        open.map(|violation| format!("{} {}", violation.code(), violation.entity))
            .collect()
    };
    assert_eq!(stores(&watched), ["store_down store/2"]);
    // PD is back, every store looks dead to it for a while, and only one is.
    let changes = watch(&mut watched, 20).await;
    assert_eq!(told(&changes, false), ["resolved pd_unreachable cluster"]);
    assert!(told(&changes, true).contains(&"sighted store_down cluster".to_owned()));
    assert_eq!(stores(&watched), ["store_down store/2"]);
}
