//! `high_latency`: writes are slow.

use std::time::Duration;

use operator_core::{
    Broken, Gap, Invariant, Kind, Rule, Scope, Slo, Snapshot, StoreMetrics, Verdicts,
};

use super::Settings;
use super::common::judge_measured_stores;
use super::latency::judge_p99;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::Tiers;

/// One write in a hundred takes a store too long.
#[derive(Debug)]
pub(super) struct HighLatency {
    rule: Rule,
    p99_seconds: Tiers,
}

const WARNING: Knob = Knob::span("warning", 0.1024, "the P99 above which it is a warning");
const CRITICAL: Knob = Knob::span("critical", 0.8192, "the P99 above which it is critical");

impl Documented for HighLatency {
    const PAGE: &'static Page = &Page {
        code: "high_latency",
        kind: Kind::Cluster,
        summary: "writes are slow",
        broken_when: "the P99 of writes over a minute is above 102.4 ms: a warning; above 819.2 ms: critical",
        entity: "the store that answers",
        input: "Prometheus: gRPC durations of kv_prewrite, kv_commit, kv_flush and of raw writes",
        meaning: "One transaction in fifty or more waits for this store, and every client that writes to many \
                  regions meets it. Readers that run into the locks of slow writers wait too",
        evidence: "the P99 of writes, and how many requests the store serves",
        origin: "an objective of 100 ms, moved to the next bound of the histogram: between bounds a P99 is a guess. \
                 102.4 ms is also TiDB's threshold for scheduler commands",
        false_alarms: "Large transactions and bulk loads take long without anything being wrong. Fewer than 100 \
                       writes in a minute have no P99, and hold. Waits for locks, coprocessor requests and \
                       garbage collection are not counted. The minute after an outage shows the writes that waited",
        what_to_do: &[
            "See whether slow_store or write_pressure is open on the same store, or store_down anywhere: those are causes.",
            "One store: look at its disk (fsync times), then at its CPU; move leaders away if it does not pass.",
            "All stores: the load has changed, or the network. Compare the requests with yesterday's.",
            "One region: see hot_write_region.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[WARNING, CRITICAL],
        ordered: &[("warning", "critical")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        let rule = page
            .rule(settings)
            .slo(Slo {
                name: "write_latency_p99",
                target_ratio: 0.99,
                window: Duration::from_secs(30 * 24 * 3600),
            })
            .symptom_of("slow_store", Scope::Same)
            .symptom_of("write_pressure", Scope::Same)
            .symptom_of("store_down", Scope::Any);
        Self {
            rule,
            p99_seconds: Tiers::new(settings, page, [&WARNING, &CRITICAL]),
        }
    }
}

impl Invariant for HighLatency {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_measured_stores(snapshot, verdicts, |_, metrics| {
            self.judge(snapshot, metrics)
        })
    }
}

impl HighLatency {
    /// Whether a store's writes are slow.
    pub(super) fn judge(
        &self,
        snapshot: &Snapshot,
        metrics: &StoreMetrics,
    ) -> Result<Option<Broken>, Gap> {
        let p99 = &metrics.write_p99_seconds;
        judge_p99(snapshot, metrics, "write P99", p99, |p99| {
            self.p99_seconds.above(p99)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;
    use operator_core::Reading;

    fn rule() -> HighLatency {
        HighLatency::new(&Settings::default())
    }

    fn with_p99(p99: f64) -> Snapshot {
        scene::measured(|metrics| metrics.write_p99_seconds = scene::seen(p99))
    }

    #[test]
    fn writes_are_slow_above_the_bounds() {
        for (p99, expected) in [
            (0.002, Told::Holds),
            (0.1024, Told::Holds),
            (0.103, WARNING),
            (0.8192, WARNING),
            (0.82, CRITICAL),
        ] {
            check(&rule(), &with_p99(p99), expected);
        }
    }

    #[test]
    fn the_evidence_is_the_p99_and_the_load() {
        let snapshot = scene::measured(|metrics| {
            metrics.write_p99_seconds = scene::seen(0.25);
            metrics.queries_per_second = scene::seen(512.000_001);
        });
        assert_eq!(
            told::evidence(&rule(), &snapshot, &scene::entity(1)),
            "write P99 0.25 s (threshold 0.1024 s), all requests 512 1/s"
        );
    }

    /// Too few writes have no P99: a store that is up is well, of another nobody can tell.
    #[test]
    fn a_store_without_writes_holds_if_it_is_up() {
        let idle = scene::measured(|metrics| metrics.write_p99_seconds = Reading::Idle);
        check(&rule(), &idle, Told::Holds);
        let down = scene::measured(|metrics| {
            metrics.write_p99_seconds = Reading::Idle;
            metrics.up = scene::seen(false);
        });
        check(&rule(), &down, Told::Unseen);
    }

    #[test]
    fn what_was_not_measured_is_unseen() {
        check(&rule(), &scene::measured(|_| {}), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }

    #[test]
    fn only_stores_that_are_up_are_named() {
        let metrics = scene::metrics(1, |metrics| metrics.write_p99_seconds = scene::seen(5.0));
        let snapshot = scene::of_stores([scene::dead(1)])
            .with_metrics(Ok(operator_core::Listing::whole(vec![metrics])));
        check(&rule(), &snapshot, Told::Nothing);
    }
}
