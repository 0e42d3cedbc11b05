//! Judging what is well allocates nothing, however many stores there are.

#[path = "support/cluster.rs"]
mod cluster;

use std::time::Duration;

use operator_core::{Engine, Timestamp};

#[test]
fn healthy_verdicts_allocate_nothing() {
    let mut engine = Engine::new(cluster::rules()).expect("thirty codes");
    let at = |tick: u32| Timestamp::EPOCH + tick * Duration::from_secs(10);
    // The first looks make room, the accounts of a whole window among it.
    for tick in 0..4 {
        engine.judge(&cluster::snapshot(at(tick), 1000, 0.5));
    }
    for tick in 4..8 {
        let snapshot = cluster::snapshot(at(tick), 1000, 0.5);
        let allocations = allocation_counter::measure(|| {
            assert!(engine.judge(&snapshot).is_empty());
        });
        assert_eq!(allocations.count_total, 0, "look {tick}");
    }
}

/// The counter counts: what is broken does allocate.
#[test]
fn findings_allocate() {
    let mut engine = Engine::new(cluster::rules()).expect("thirty codes");
    let snapshot = cluster::snapshot(Timestamp::EPOCH, 10, 2.0);
    let allocations = allocation_counter::measure(|| {
        engine.judge(&snapshot);
    });
    assert!(allocations.count_total > 0);
}
