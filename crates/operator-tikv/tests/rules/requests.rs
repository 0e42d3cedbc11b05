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

/// What every look asks of PD and of Prometheus. The figures are those of docs/ARCHITECTURE.md.
const PD: u64 = 9;
const PROMETHEUS: u64 = 22;
/// The most that a look asks of PD that also reads what is read once a minute, and every how many looks that is.
const ONCE_A_MINUTE: (u64, usize) = (30, 6);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_asks_the_same_of_a_small_and_of_a_large_cluster() {
    for (stores, regions) in [(3, 45), (40, 4_000)] {
        let asked = asked(stores, regions, 8).await;
        for (look, (pd, prometheus)) in asked.iter().copied().enumerate() {
            let (most, minute) = ONCE_A_MINUTE;
            let as_told = match look % minute {
                0 => (PD..=most).contains(&pd),
                _ => pd == PD,
            };
            assert!(as_told, "{stores} stores, PD at look {look}: {asked:?}");
            // The first look also checks what the queries rely on.
            let as_told = look == 0 || prometheus == PROMETHEUS;
            assert!(
                as_told,
                "{stores} stores, Prometheus at look {look}: {asked:?}"
            );
        }
    }
}
