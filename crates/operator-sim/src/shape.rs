//! What a simulated cluster is made of: sizes, versions, load and delays.

use std::time::Duration;

/// The line of PD (and of TiKV with it) that the cluster speaks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Release {
    /// 6.5: errors without codes, no check of stores by name, unknown regions are a zero region.
    V6_5,
    /// 7.5.
    V7_5,
    /// 8.5.7: what the recordings and the live samples speak.
    V8_5,
    /// The development head: unknown regions are 404.
    Head,
}

impl Release {
    /// The version number of its servers.
    #[must_use]
    pub fn version(self) -> &'static str {
        match self {
            Self::V6_5 => "6.5.12",
            Self::V7_5 => "7.5.7",
            Self::V8_5 => "8.5.7",
            Self::Head => "9.0.0-beta.2",
        }
    }
}

/// How Prometheus labels what it scrapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelStyle {
    /// `job="tikv"`, `instance` is the status address.
    Tiup,
    /// `job="<namespace>-<cluster>-tikv"`, `instance` is the pod's name, cluster labels beside it.
    Operator,
    /// `job="tikv"`, `instance` is a service name with the status port.
    Compose,
}

/// The requests that clients send to the whole cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// Writes per second (each a prewrite and a commit), spread evenly over the regions.
    pub writes_per_second: f64,
    /// Reads per second.
    pub reads_per_second: f64,
    /// The busiest hour of a day over its quietest; 1 for a steady load.
    pub daily_swing: f64,
}

/// The delays of the model. The defaults are those of the recorded cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// How often a store reports to PD.
    pub store_heartbeat: Duration,
    /// Over how much of that period the stores' reports are spread. Stores that were started together report together.
    pub heartbeat_spread: Duration,
    /// From the death of a leader to the campaign of one follower.
    pub election_after_death: (Duration, Duration),
    /// The same after a freeze: connections must time out first.
    pub election_after_freeze: (Duration, Duration),
    /// From the loss of its quorum to a leader's stepping down; also the retry of an election that cannot be won.
    pub step_down: (Duration, Duration),
    /// From a store's start to its registration with PD.
    pub register: Duration,
    /// From a store's start to its first report.
    pub first_report: Duration,
    /// How long a started store calls itself busy after its first report.
    pub busy_after_start: Duration,
    /// From a store's start until its peers have caught up.
    pub caught_up: (Duration, Duration),
    /// From a store's silence to its peers being called down.
    pub peers_down: Duration,
    /// From the death of PD's leader to the next one.
    pub pd_election: (Duration, Duration),
    /// The lease of PD's leader.
    pub pd_lease: Duration,
    /// How long PD's counts fill after every member was down.
    pub pd_refill: Duration,
    /// How long a new PD leader's metrics stay away.
    pub pd_metrics_gap: Duration,
    /// From a region's first heartbeat under heat to PD's listing it: two more heartbeats.
    pub hot_after: Duration,
    /// How long stores need to find a new PD leader: no report reaches it before.
    pub pd_reconnect: Duration,
    /// Prometheus' scrape interval.
    pub scrape: Duration,
    /// Prometheus' scrape time-out.
    pub scrape_timeout: Duration,
    /// How long Prometheus keeps samples.
    pub retention: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        let ms = Duration::from_millis;
        let s = Duration::from_secs;
        Self {
            store_heartbeat: s(10),
            heartbeat_spread: ms(1_500),
            election_after_death: (ms(8_500), s(18)),
            election_after_freeze: (ms(12_500), s(22)),
            step_down: (s(11), s(23)),
            register: s(2),
            first_report: ms(10_500),
            busy_after_start: s(15),
            caught_up: (ms(4_500), ms(7_500)),
            peers_down: s(600),
            pd_election: (ms(8_500), ms(11_000)),
            pd_lease: s(5),
            pd_refill: s(64),
            pd_metrics_gap: s(20),
            hot_after: s(120),
            pd_reconnect: s(4),
            scrape: s(15),
            scrape_timeout: s(10),
            retention: s(30 * 60),
        }
    }
}

/// The cluster to build: a value, so that two equal shapes have one history.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// The source of all chance.
    pub seed: u64,
    /// TiKV stores, 1 to 10,000. PD gives them the ids 1 to that number.
    pub stores: u16,
    /// TiFlash stores, 0 to 100, with the ids after TiKV's; half of the regions have a learner on one of them.
    pub tiflash: u16,
    /// Whether one voter of each region is a witness, which has no data (and there are three or more).
    pub witnesses: bool,
    /// Regions, 1 to 10,000,000.
    pub regions: u32,
    /// Voters per region (max-replicas): 1, 3 or 5, and no more than stores.
    pub replicas: u8,
    /// PD members, 1 to 9.
    pub members: u8,
    /// What PD and TiKV speak like.
    pub release: Release,
    /// Unix milliseconds of model time 0.
    pub began_unix_ms: u64,
    /// Bytes of each store's disk.
    pub capacity_bytes: u64,
    /// The part of each disk that other files fill, 0 to 0.9.
    pub fill: f64,
    /// Mean size of a region in MiB.
    pub region_mib: u16,
    /// What clients ask for.
    pub load: Load,
    /// What Prometheus calls things.
    pub labels: LabelStyle,
    /// How long things take.
    pub timing: Timing,
    /// How many of the newest model events are kept for the logs.
    pub kept_events: usize,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            seed: 1,
            stores: 3,
            tiflash: 0,
            witnesses: false,
            regions: 45,
            replicas: 3,
            members: 3,
            release: Release::V8_5,
            began_unix_ms: 1_800_000_000_000,
            capacity_bytes: 500 * crate::num::GIB,
            fill: 0.3,
            region_mib: 96,
            load: Load {
                writes_per_second: 400.0,
                reads_per_second: 1_200.0,
                daily_swing: 1.0,
            },
            labels: LabelStyle::Tiup,
            timing: Timing::default(),
            kept_events: 100_000,
        }
    }
}

/// A shape that no cluster can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a cluster cannot have {what}: expected {expected}")]
pub struct ShapeError {
    what: String,
    expected: &'static str,
}

impl Shape {
    pub(crate) fn check(&self) -> Result<(), ShapeError> {
        let refuse = |what: String, expected| Err(ShapeError { what, expected });
        if !(1..=10_000).contains(&self.stores) {
            return refuse(format!("{} stores", self.stores), "1 to 10,000");
        }
        if !(1..=10_000_000).contains(&self.regions) {
            return refuse(format!("{} regions", self.regions), "1 to 10,000,000");
        }
        if ![1, 3, 5].contains(&self.replicas) || u16::from(self.replicas) > self.stores {
            return refuse(
                format!("{} replicas on {} stores", self.replicas, self.stores),
                "1, 3 or 5, and no more than stores",
            );
        }
        if self.tiflash > 100 {
            return refuse(format!("{} TiFlash stores", self.tiflash), "0 to 100");
        }
        if self.witnesses && self.replicas < 3 {
            return refuse(
                format!("witnesses among {} replicas", self.replicas),
                "three replicas or more",
            );
        }
        if !(1..=9).contains(&self.members) {
            return refuse(format!("{} PD members", self.members), "1 to 9");
        }
        if !(0.0..=0.9).contains(&self.fill) {
            return refuse(format!("disks {} full", self.fill), "0 to 0.9");
        }
        let numbers = [
            self.load.writes_per_second,
            self.load.reads_per_second,
            self.load.daily_swing,
        ];
        if !numbers.iter().all(|n| (0.0..=1e9).contains(n)) {
            return refuse("that load".to_owned(), "numbers from 0 to 1e9");
        }
        let timing = &self.timing;
        let periods = [timing.store_heartbeat, timing.scrape, timing.retention];
        if periods.iter().any(|period| period.as_millis() < 1_000) {
            return refuse("such short periods".to_owned(), "one second or more");
        }
        if timing.retention.as_secs() > 24 * 3600 {
            return refuse("such a long retention".to_owned(), "a day at most");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_impossible_shape_says_what_and_what_else() {
        let error = Shape {
            replicas: 5,
            ..Shape::default()
        }
        .check()
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "a cluster cannot have 5 replicas on 3 stores: expected 1, 3 or 5, and no more than stores"
        );
    }
}
