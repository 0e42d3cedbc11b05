//! What judging costs: 10 to 10,000 stores under 30 rules, all well, all broken, and all with four gaps
//! each, in turn.
//!
//! Every round judges every size once, so that a machine that slows down slows all of them; the time
//! per store says whether it is linear. Run it with `cargo bench -p operator-core`.

#[path = "../tests/support/cluster.rs"]
mod cluster;

use std::time::{Duration, Instant};

use operator_core::{Engine, Timestamp};

const SIZES: [u64; 4] = [10, 100, 1_000, 10_000];

fn main() {
    let quick = std::env::args().any(|arg| arg == "--test");
    let rounds = if quick { 1 } else { 60 };
    println!("30 rules; median of {rounds} interleaved rounds");
    println!(
        "{:>8} {:>12} {:>12} {:>12} {:>12} {:>12}",
        "stores", "all well", "per store", "all broken", "with gaps", "per store"
    );
    let mut kinds = [0.5, 2.0, -1.0].map(|reading| SIZES.map(|size| Subject::new(size, reading)));
    for round in 0..rounds {
        kinds
            .iter_mut()
            .flatten()
            .for_each(|subject| subject.judge(round));
    }
    let [well, broken, gaps] = &mut kinds;
    for ((well, broken), gaps) in well.iter_mut().zip(broken).zip(gaps) {
        let stores = u32::try_from(well.stores).unwrap_or(u32::MAX);
        let [well, broken, gaps] = [well, broken, gaps].map(Subject::median);
        let [per_well, per_gaps] = [well / stores, gaps / stores];
        println!(
            "{stores:>8} {well:>12.1?} {per_well:>12.1?} {broken:>12.1?} {gaps:>12.1?} {per_gaps:>12.1?}"
        );
    }
}

struct Subject {
    stores: u64,
    reading: f64,
    engine: Engine,
    times: Vec<Duration>,
}

impl Subject {
    fn new(stores: u64, reading: f64) -> Self {
        let mut engine = Engine::new(cluster::rules()).expect("thirty codes");
        engine.judge(&cluster::snapshot(Timestamp::EPOCH, stores, reading));
        Self {
            stores,
            reading,
            engine,
            times: Vec::new(),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a benchmark measures itself")]
    fn judge(&mut self, round: u32) {
        let at = Timestamp::EPOCH + (round + 1) * Duration::from_secs(10);
        let snapshot = cluster::snapshot(at, self.stores, self.reading);
        let begin = Instant::now();
        let changes = self.engine.judge(&snapshot);
        self.times.push(begin.elapsed());
        drop(changes);
    }

    fn median(&mut self) -> Duration {
        self.times.sort();
        self.times[self.times.len() / 2]
    }
}
