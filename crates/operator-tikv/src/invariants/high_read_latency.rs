//! `high_read_latency`: reads are slow.

use std::time::Duration;

use operator_core::{Gap, Invariant, Kind, Rule, Severity, Snapshot, Verdicts};

use super::Settings;
use super::common::judge_measured_stores;
use super::latency::judge_p99;
use super::page::{Knob, Page};
use super::registry::Documented;

/// One point read or scan in a hundred takes a store too long.
#[derive(Debug)]
pub(super) struct HighReadLatency {
    rule: Rule,
    most_seconds: f64,
}

const WARNING: Knob = Knob::span("warning", 0.1024, "the P99 above which it is a warning");

impl Documented for HighReadLatency {
    const PAGE: &'static Page = &Page {
        code: "high_read_latency",
        kind: Kind::Cluster,
        summary: "reads are slow",
        broken_when: "warning: the P99 of reads over a minute is above 102.4 ms",
        entity: "the store that answers",
        input: "Prometheus: gRPC durations of kv_get, kv_batch_get, kv_scan and of raw reads",
        meaning: "Reads by key, which should take about a millisecond, wait: for the read pool, for the disk where \
                  the block cache does not help, or for a leader that must be asked whether it still leads",
        evidence: "the P99 of reads, and how many requests the store serves",
        origin: "the bound of the histogram next to 100 ms. TiDB's inspection is stricter (50 ms), and cries on large batches",
        false_alarms: "Large batches and long scans are reads as well. Fewer than 100 reads in a minute have no P99, \
                       and hold. Coprocessor requests, which is most of what TiDB reads, are not counted: they take \
                       as long as the query wants",
        what_to_do: &[
            "Look for slow_store and high_cpu on the same store.",
            "CPU at its limit: the read pool is full. Look for hot_read_region, then for new queries.",
            "CPU free and disk reads up: the block cache no longer holds what is read; compare with before the last change.",
            "Many versions of each key (old garbage) make every scan slow: see that the safe point moves.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[WARNING],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            most_seconds: settings.of(page.code, &WARNING),
        }
    }
}

impl Invariant for HighReadLatency {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let most = self.most_seconds;
        let worse = |p99: f64| (p99 > most).then_some((Severity::Warning, most));
        judge_measured_stores(snapshot, verdicts, |_, metrics| {
            let p99 = &metrics.read_p99_seconds;
            judge_p99(snapshot, metrics, "read P99", p99, worse)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{Told, WARNING, check};
    use super::*;
    use operator_core::Reading;

    fn rule() -> HighReadLatency {
        HighReadLatency::new(&Settings::default())
    }

    #[test]
    fn reads_are_slow_above_the_bound() {
        for (p99, expected) in [
            (0.001, Told::Holds),
            (0.1024, Told::Holds),
            (0.103, WARNING),
            (30.0, WARNING),
        ] {
            let snapshot = scene::measured(|metrics| metrics.read_p99_seconds = scene::seen(p99));
            check(&rule(), &snapshot, expected);
        }
    }

    #[test]
    fn writes_are_another_matter() {
        let snapshot = scene::measured(|metrics| {
            metrics.read_p99_seconds = Reading::Idle;
            metrics.write_p99_seconds = scene::seen(9.0);
        });
        check(&rule(), &snapshot, Told::Holds);
    }

    #[test]
    fn what_was_not_measured_is_unseen() {
        check(&rule(), &scene::measured(|_| {}), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
