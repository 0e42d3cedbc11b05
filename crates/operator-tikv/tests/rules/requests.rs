//! What one look asks of PD and of Prometheus: the same, however large the cluster is.

use operator_sim::Shape;

use crate::watch;

/// Requests to PD and to Prometheus, of each of the looks.
async fn asked(stores: u16, regions: u32, looks: usize) -> Vec<(u64, u64)> {
    let shape = Shape {
        stores,
        regions,
        ..Shape::default()
    };
    let mut watched = watch::shaped(shape).await;
    watched.lab.advance(std::time::Duration::from_secs(200));
    let mut counts = Vec::new();
    for _ in 0..looks {
        let before = watched.lab.served.asked();
        watched.look().await;
        let after = watched.lab.served.asked();
        counts.push((after.pd - before.pd, after.prometheus - before.prometheus));
    }
    counts
}

/// What every look asks of PD, and the most that one asks that also reads what is read once a minute. The
/// figures are those of docs/ARCHITECTURE.md.
const PD: (u64, u64) = (9, 30);
const PROMETHEUS: u64 = 22;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_asks_the_same_of_a_small_and_of_a_large_cluster() {
    for (stores, regions) in [(3, 45), (40, 4_000)] {
        let asked = asked(stores, regions, 8).await;
        let fewest = asked.iter().map(|(pd, _)| *pd).min();
        let most = asked.iter().map(|(pd, _)| *pd).max();
        assert_eq!(fewest, Some(PD.0), "{stores} stores: {asked:?}");
        assert!(most <= Some(PD.1), "{stores} stores: {asked:?}");
        // The first look also checks what the queries rely on.
        let measured: Vec<u64> = asked
            .iter()
            .skip(1)
            .map(|(_, prometheus)| *prometheus)
            .collect();
        assert!(
            measured.iter().all(|asked| *asked == PROMETHEUS),
            "{stores} stores: {measured:?}"
        );
    }
}
