//! PD without a store: there is nothing to see, and nothing that is well.

use operator_bench::real::PdMembers;
use operator_core::{Engine, Fault, Observer, Subject};
use operator_tikv::TikvSubject;
use std::time::Duration;

use crate::support::{Programs, client, plain};

pub(crate) async fn a_cluster_that_was_not_made_yet_is_not_called_healthy(programs: &Programs) {
    let pd = PdMembers::started(programs.path("pd-server"), 1);
    let pd = pd.await.expect("it starts");
    let said = plain(&pd, "pd-0", "/cluster/status");
    assert_eq!(said["is_initialized"], false);
    assert_eq!(said["raft_bootstrap_time"], "0001-01-01T00:00:00Z");

    let client = client(&pd);
    let status = client.cluster_status().await.expect("a status");
    assert_eq!((status.bootstrapped_at, status.initialized), (None, false));
    let error = client.stores().await.expect_err("there are no stores");
    assert!(matches!(*error.fault, Fault::Exhausted(_)), "{error:#}");
    assert!(
        format!("{error:#}").contains("not bootstrapped"),
        "{error:#}"
    );

    // What cannot be seen is no health: nothing that stores are judged by holds.
    let subject = TikvSubject::new(client);
    let mut observer = Observer::new(operator_core::Clock::system(), Duration::from_secs(8));
    let snapshot = observer.observe(&subject).await;
    assert!(snapshot.stores().is_err());
    let mut engine = Engine::new(subject.invariants()).expect("codes differ");
    assert_eq!(engine.judge(&snapshot), []);
    let blind: Vec<&str> = engine.blind().map(|blind| blind.rule.code).collect();
    for code in ["store_down", "store_disconnected", "low_disk_space"] {
        assert!(blind.contains(&code), "{code} in {blind:?}");
    }

    let (exit, told) = programs.operator(&["check", "--pd", &pd.endpoints()]);
    assert_eq!(exit, Some(3), "{told}");
    assert_eq!(told["exit"], 3);
    assert_eq!(told["violations"], serde_json::json!([]));
    assert!(
        told["blind"].to_string().contains("not bootstrapped"),
        "{told}"
    );
}
