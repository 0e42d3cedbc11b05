//! The incidents that have a shape of their own in the logs.

use super::LogSet;
use super::cluster::{Cluster, STORES};

/// 2024-08-14 08:25:23 UTC: every log set happens then.
const AT: i64 = 1_723_623_923_000;

/// The store to which it happens.
const VICTIM: u64 = 1;

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A store dies while it leads this many regions; it comes back after five minutes.
    StoreFailure {
        /// Regions that it leads.
        leaders: u64,
    },
    /// A store is cut off from the others: it gives up what it leads and tries in vain.
    Partition {
        /// Regions that it leads.
        leaders: u64,
    },
    /// A store that leads nothing that matters is cut off and comes back: no leader moves.
    CutOffFollower {
        /// Regions whose follower is cut off.
        regions: u64,
        /// How often each tries.
        tries: u64,
    },
    /// One store after the other is emptied of leaders, stopped and started.
    RollingRestart {
        /// Regions in the cluster.
        regions: u64,
        /// Whether a store is stopped before its leaders are gone: others must time out.
        too_early: bool,
    },
    /// Regions split, and the new ones elect their first leader.
    Splits {
        /// New regions.
        births: u64,
    },
}

/// The logs of an incident.
#[must_use]
pub fn generate(shape: &Shape, seed: u64) -> LogSet {
    match *shape {
        Shape::StoreFailure { leaders } => store_failure(leaders, seed),
        Shape::Partition { leaders } => partition(leaders, seed),
        Shape::CutOffFollower { regions, tries } => cut_off_follower(regions, tries, seed),
        Shape::RollingRestart { regions, too_early } => rolling_restart(regions, too_early, seed),
        Shape::Splits { births } => splits(births, seed),
    }
}

/// Leaders are dealt round: the victim leads every third region.
fn cluster(leaders: u64, seed: u64) -> Cluster {
    Cluster::started(leaders * STORES, seed, AT)
}

/// One of the others takes over every region that the victim led.
fn take_over(cluster: &mut Cluster, from_ms: i64, to_ms: i64) {
    let mut regions = std::mem::take(&mut cluster.regions);
    for region in regions
        .iter_mut()
        .filter(|region| region.leader == Some(VICTIM))
    {
        let winner = 2 + cluster.rng.below(STORES - 1);
        let at = AT + cluster.rng.ms(from_ms, to_ms);
        cluster.timeout_election(region, winner, Some(VICTIM), at);
    }
    cluster.regions = regions;
}

fn store_failure(leaders: u64, seed: u64) -> LogSet {
    let mut cluster = cluster(leaders, seed);
    cluster.unreachable(VICTIM, AT + 4);
    take_over(&mut cluster, 4_000, 29_000);
    cluster.boot(VICTIM, AT + 300_000);
    for region in cluster.regions.clone() {
        if let Some(leader) = region
            .leader
            .filter(|_| region.term > super::cluster::BIRTH_TERM)
        {
            cluster.higher_term(&region, VICTIM, leader, "MsgHeartbeat", AT + 302_000);
        }
    }
    cluster.finish(AT)
}

fn partition(leaders: u64, seed: u64) -> LogSet {
    let mut cluster = cluster(leaders, seed);
    cluster.unreachable(VICTIM, AT + 11_000);
    for region in cluster
        .regions
        .clone()
        .iter()
        .filter(|region| region.leader == Some(VICTIM))
    {
        let at = AT + cluster.rng.ms(11_000, 23_000);
        cluster.step_down(region, VICTIM, at);
        for round in 1..=4 {
            cluster.pre_campaign(region, VICTIM, at + round * 14_000);
        }
    }
    take_over(&mut cluster, 12_000, 21_000);
    cluster.finish(AT)
}

fn cut_off_follower(regions: u64, tries: u64, seed: u64) -> LogSet {
    let mut cluster = cluster(regions, seed);
    for region in cluster
        .regions
        .clone()
        .iter()
        .filter(|region| region.leader != Some(VICTIM))
    {
        let mut at = AT + cluster.rng.ms(10_000, 20_000);
        let period = cluster.rng.ms(10_000, 19_000);
        for _ in 0..tries {
            cluster.pre_campaign(region, VICTIM, at);
            at += period;
        }
        for store in 2..=STORES {
            cluster.ignore_vote(region, store, VICTIM, at - period + 5);
        }
    }
    cluster.finish(AT)
}

fn rolling_restart(regions: u64, too_early: bool, seed: u64) -> LogSet {
    let mut cluster = Cluster::started(regions, seed, AT);
    for (store, round) in (1..=STORES).zip(0_i64..) {
        let at = AT + round * 120_000;
        cluster.pd_store(at, "pause store leader transfer", store);
        let mut all = std::mem::take(&mut cluster.regions);
        let mut left = Vec::new();
        for (n, region) in all
            .iter_mut()
            .filter(|region| region.leader == Some(store))
            .enumerate()
        {
            if too_early && n % 2 == 1 {
                left.push(region.id);
                continue;
            }
            let when = at + cluster.rng.ms(100, 600);
            cluster.transfer(region, store % STORES + 1, when);
        }
        cluster.regions = all;
        cluster.stop(store, at + 5_000);
        cluster.unreachable(store, at + 5_300);
        let mut all = std::mem::take(&mut cluster.regions);
        for region in all.iter_mut().filter(|region| left.contains(&region.id)) {
            let when = at + cluster.rng.ms(10_000, 25_000);
            cluster.timeout_election(region, store % STORES + 1, Some(store), when);
        }
        cluster.regions = all;
        cluster.boot(store, at + 40_000);
        cluster.pd_store(at + 60_000, "resume store leader transfer", store);
    }
    cluster.finish(AT)
}

fn splits(births: u64, seed: u64) -> LogSet {
    let mut cluster = Cluster::started(1, seed, AT);
    let parent = cluster.regions[0].clone();
    for (n, at) in (0..births).zip((AT..).step_by(50)) {
        cluster.split(&parent, at + i64::try_from(n % 7).unwrap_or(0));
    }
    cluster.finish(AT)
}
