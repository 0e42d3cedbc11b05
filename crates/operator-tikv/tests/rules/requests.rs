//! What one look asks of PD and of Prometheus: the same, however large the cluster is.

use operator_sim::{Cluster, Shape};

use crate::lab::{Lab, TICK};

/// Requests to PD and to Prometheus, of each of the looks.
async fn asked(stores: u16, regions: u32, looks: usize) -> Vec<(u64, u64)> {
    let shape = Shape {
        stores,
        regions,
        ..Shape::default()
    };
    let mut lab = Lab::of(Cluster::new(shape).expect("a shape that can be")).await;
    lab.advance(std::time::Duration::from_secs(200));
    let mut counts = Vec::new();
    for _ in 0..looks {
        let before = lab.served.asked();
        lab.look(TICK).await;
        let after = lab.served.asked();
        counts.push((after.pd - before.pd, after.prometheus - before.prometheus));
    }
    counts
}

/// The figures are those of docs/ARCHITECTURE.md.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_asks_the_same_of_a_small_and_of_a_large_cluster() {
    let small = asked(3, 45, 8).await;
    let large = asked(40, 4_000, 8).await;
    assert_eq!(small, large);
    eprintln!("{small:?}");
}
