//! Logs of a cluster that is not there: the lines that TiKV and PD write when a store dies, is cut
//! off, is restarted, or splits its regions, and as much ordinary text around them as is wanted.
//!
//! Everything is made from a seed: the same arguments give the same bytes. What each log set is
//! about is known, so a reader of logs can be judged by it.
//!
//! ```
//! use operator_sim::logs::{Shape, generate};
//! let set = generate(&Shape::StoreFailure { leaders: 10 }, 7);
//! assert_eq!(set.logs.len(), 4, "three stores and PD");
//! assert!(set.logs.iter().any(|log| log.text().contains("became leader at term 7")));
//! ```

mod bulk;
mod campaign;
mod cluster;
mod line;
mod shapes;

pub use bulk::{Bulk, BulkReport};
pub use line::Line;
pub use shapes::{Shape, generate};

use std::collections::BTreeMap;

/// The logs of one incident, and what is true about it.
#[derive(Clone, Debug)]
pub struct LogSet {
    /// One log per server: PD's first, then the stores' by id.
    pub logs: Vec<Log>,
    /// The store that leads each region when the logs end; regions without a leader are absent.
    pub leaders: BTreeMap<u64, u64>,
    /// When it happened: Unix milliseconds.
    pub at_ms: i64,
}

/// What one server wrote.
#[derive(Clone, Debug)]
pub struct Log {
    /// `pd` or `tikv-N`.
    pub name: String,
    /// The store's id; `None` for PD.
    pub store: Option<u64>,
    /// The lines in the order they were written.
    pub lines: Vec<Line>,
}

impl Log {
    /// The file as it would lie on the disk.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text =
            String::with_capacity(self.lines.iter().map(|line| line.text.len() + 1).sum());
        for line in &self.lines {
            text.push_str(&line.text);
            text.push('\n');
        }
        text
    }
}

/// A small generator of numbers that are random enough to vary a text (splitmix64).
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) const fn new(seed: u64) -> Self {
        Rng(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Milliseconds in a range.
    pub(crate) fn ms(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from).unwrap_or(0))).unwrap_or(0)
    }
}
