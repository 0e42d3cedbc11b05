//! `high_cpu`: a store uses nearly all the CPU it may use.

use std::time::Duration;

use operator_core::{Broken, Gap, Invariant, Kind, Rule, Snapshot, StoreMetrics, Verdicts};

use super::Settings;
use super::common::judge_measured_stores;
use super::page::{Knob, Page};
use super::quota::Use;
use super::registry::Documented;
use super::tiers::Tiers;

/// A store has next to no CPU left.
#[derive(Debug)]
pub(super) struct HighCpu {
    rule: Rule,
    share: Tiers,
}

const WARNING: Knob = Knob::ratio("warning", 0.7, "the share above which it is a warning");
const CRITICAL: Knob = Knob::ratio("critical", 0.9, "the share above which it is critical");

impl Documented for HighCpu {
    const PAGE: &'static Page = &Page {
        code: "high_cpu",
        kind: Kind::Cluster,
        summary: "a store has hardly any CPU left",
        broken_when: "the CPU that its process uses, of what it may use: above 70 % a warning, above 90 % critical",
        entity: "the store",
        input: "Prometheus: `process_cpu_seconds_total` over `tikv_server_cpu_cores_quota`",
        meaning: "Above 70 % every peak queues, and latency grows faster than load. What a dead neighbour would \
                  leave to this store has no room here",
        evidence: "the share; the cores used and those that it may use",
        origin: "70 % leaves room for the load of one of three stores that dies; TiKV's own rule cries at 80 %",
        false_alarms: "Compaction and imports take what is free without harm. The quota knows of cgroups, and \
                       nothing of neighbours on the same machine. A single thread may be at its limit while the \
                       process is not",
        what_to_do: &[
            "One store: look for hot_write_region and hot_read_region on it, then for leader_imbalance.",
            "All stores: compare the requests with yesterday's, and look for new queries that scan.",
            "See which threads it is: unified read pool (reads), raftstore and apply (writes), rocksdb (compaction).",
            "If the load is real, add a store. Do not restart this one: it would come back with a cold cache.",
        ],
        grace: Duration::from_secs(300),
        settle: Duration::from_secs(60),
        knobs: &[WARNING, CRITICAL],
        ordered: &[("warning", "critical")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            share: Tiers::new(settings, page, [&WARNING, &CRITICAL]),
        }
    }
}

impl Invariant for HighCpu {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_measured_stores(snapshot, verdicts, |_, metrics| {
            self.judge(snapshot, metrics)
        })
    }
}

impl HighCpu {
    /// Whether a store has hardly any CPU left.
    pub(super) fn judge(
        &self,
        snapshot: &Snapshot,
        metrics: &StoreMetrics,
    ) -> Result<Option<Broken>, Gap> {
        let cpu = Use {
            used: metrics.cpu_used_cores.measured()?,
            quota: metrics.cpu_quota_cores.measured()?,
            names: ["CPU used", "that is", "of"],
            unit: "cores",
        };
        cpu.judge(snapshot, metrics.store, self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;

    fn rule() -> HighCpu {
        HighCpu::new(&Settings::default())
    }

    fn using(cores: f64) -> Snapshot {
        scene::measured(|metrics| {
            metrics.cpu_used_cores = scene::seen(cores);
            metrics.cpu_quota_cores = scene::seen(8.0);
        })
    }

    #[test]
    fn cpu_is_scarce_above_its_shares() {
        for (cores, expected) in [
            (0.0, Told::Holds),
            (5.6, Told::Holds),
            (5.61, WARNING),
            (7.2, WARNING),
            (7.21, CRITICAL),
            (8.1, CRITICAL),
        ] {
            check(&rule(), &using(cores), expected);
        }
    }

    #[test]
    fn the_evidence_is_the_share_and_what_it_is_of() {
        assert_eq!(
            told::evidence(&rule(), &using(6.4), &scene::entity(1)),
            "CPU used 80 % (threshold 70 %), that is 6.4 cores, of 8 cores"
        );
    }

    #[test]
    fn without_the_quota_nobody_can_tell() {
        let used = scene::measured(|metrics| metrics.cpu_used_cores = scene::seen(8.0));
        check(&rule(), &used, Told::Unseen);
        let quota = scene::measured(|metrics| metrics.cpu_quota_cores = scene::seen(8.0));
        check(&rule(), &quota, Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
