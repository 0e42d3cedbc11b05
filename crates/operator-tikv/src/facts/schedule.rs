//! What PD is doing about the cluster: schedulers, operators, stores on their way in and out.

use std::time::Duration;

use operator_core::{Epoch, RegionId, StoreId, Timestamp};

/// PD's schedulers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schedulers {
    /// Those that there are, paused ones among them. Empty for a minute after a start of every PD.
    pub present: Vec<String>,
    /// Those that are paused.
    pub paused: Vec<PausedScheduler>,
    /// The stores from which leaders are being moved away, and kept away.
    pub evicting: Vec<StoreId>,
}

impl Schedulers {
    /// The ones without which nothing is balanced.
    pub const BALANCING: [&str; 3] = [
        "balance-hot-region-scheduler",
        "balance-leader-scheduler",
        "balance-region-scheduler",
    ];

    /// Which of [`BALANCING`](Self::BALANCING) are missing.
    ///
    /// ```
    /// use operator_tikv::Schedulers;
    ///
    /// let present = vec!["balance-leader-scheduler".into(), "balance-region-scheduler".into()];
    /// let schedulers = Schedulers { present, ..Schedulers::default() };
    /// assert_eq!(schedulers.missing().collect::<Vec<_>>(), ["balance-hot-region-scheduler"]);
    /// ```
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        let present = |name: &&str| !self.present.iter().any(|present| present == name);
        Self::BALANCING.into_iter().filter(present)
    }
}

/// A scheduler that is paused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedScheduler {
    /// Its name.
    pub name: String,
    /// Since when, where PD says so.
    pub since: Option<Timestamp>,
    /// When it goes on by itself, where PD says so.
    pub until: Option<Timestamp>,
}

/// One of PD's scheduling steps: what it has set out to do to one region.
#[derive(Debug, Clone, PartialEq)]
pub struct PdOperator {
    /// What set it up, as in `admin-transfer-leader`.
    pub description: String,
    /// What it does, as in `transfer leader: store 1 to 4`.
    pub brief: String,
    /// The region.
    pub region: RegionId,
    /// The version of the region that it was made for.
    pub epoch: Option<Epoch>,
    /// What kind it is, as in `admin`.
    pub kinds: Vec<String>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it was begun.
    pub started_at: Option<Timestamp>,
    /// When it was over; none while it runs.
    pub finished_at: Option<Timestamp>,
    /// How long it took.
    pub took: Option<Duration>,
}

/// A store that is being filled or emptied.
#[derive(Debug, Clone, PartialEq)]
pub struct MoveProgress {
    /// Whether it is being emptied or filled.
    pub kind: MoveKind,
    /// Which one; absent where PD was asked about all that do so.
    pub store: Option<StoreId>,
    /// The share that is done, from 0 to 1.
    pub done_ratio: f64,
    /// How fast, in MiB per second.
    pub mib_per_second: f64,
    /// How much longer, as PD guesses; none while it cannot.
    pub left: Option<Duration>,
}

/// Which way data moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MoveKind {
    /// Away from a store that is being removed.
    Removing,
    /// Onto a store that is new.
    Preparing,
}
