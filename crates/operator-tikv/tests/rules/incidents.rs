//! Cause before symptom: what one fault raises is one incident, and what two raise are two.

use std::time::Duration;

use operator_core::incidents;
use operator_sim::Shape;

use crate::watch;
use crate::watched::TICK;

/// Each incident as its cause and the codes beneath it, after so long under these faults.
async fn told(faults: &[&str], after: Duration) -> Vec<(String, Vec<String>)> {
    let shape = Shape {
        stores: 4,
        regions: 60,
        ..Shape::default()
    };
    let mut watched = watch::shaped(shape).await;
    watched.lab.advance(Duration::from_secs(200));
    watched.look().await;
    watched.lab.inject(faults);
    let mut passed = Duration::ZERO;
    while passed < after {
        passed += TICK;
        watched.look().await;
    }
    let open = watched.monitor.engine().open();
    let told = incidents(open).into_iter().map(|incident| {
        let symptoms = incident.symptoms.iter();
        let symptoms = symptoms.map(|symptom| symptom.code().to_owned()).collect();
        let causes: Vec<String> = incident
            .causes
            .iter()
            .map(|cause| format!("{} {}", cause.code(), cause.entity))
            .collect();
        (causes.join(", "), symptoms)
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_killed_store_is_one_incident_with_what_it_does_beneath() {
    let told = told(&["store-killed store=2"], Duration::from_secs(13 * 60)).await;
    let [(cause, symptoms)] = &told[..] else {
        panic!("one incident, not {told:?}");
    };
    assert_eq!(cause, "store_down store/2");
    for symptom in ["down_peers", "pending_peers_stuck", "raft_log_lag"] {
        assert!(
            symptoms.iter().any(|told| told == symptom),
            "{symptom}: {symptoms:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_independent_faults_are_two_incidents() {
    let faults = ["store-killed store=2", "disk-slow store=3 factor=60"];
    let told = told(&faults, Duration::from_secs(4 * 60)).await;
    let of = |cause: &str| {
        let incident = told.iter().find(|(causes, _)| causes == cause);
        incident.map(|(_, symptoms)| symptoms.clone())
    };
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(of("store_down store/2").is_some(), "{told:?}");
    let slow = of("slow_store store/3").unwrap_or_default();
    assert!(slow.iter().any(|code| code == "high_latency"), "{told:?}");
}
