//! `server_busy`: a store turns requests away.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Measured, Quantity, Reading, Rule, Severity, Snapshot,
    Verdicts,
};

use super::Settings;
use super::common::judge_strained_stores;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::{percent, rounded};
use crate::facts::StoreStrain;

/// A store answers that it is busy.
#[derive(Debug)]
pub(super) struct ServerBusy {
    rule: Rule,
    most_per_second: f64,
    critical_share: f64,
}

const RATE: Knob = Knob::number(
    "rate",
    0.0,
    (0.0, 1e6),
    "the refusals per second above which it is a warning",
);
const CRITICAL: Knob = Knob::ratio(
    "critical",
    0.01,
    "the share of requests refused above which it is critical",
);

impl Documented for ServerBusy {
    const PAGE: &'static Page = &Page {
        code: "server_busy",
        kind: Kind::Cluster,
        summary: "a store turns requests away",
        broken_when: "it answers `server is busy` at all: a warning; to more than 1 % of requests: critical",
        entity: "the store",
        input: "Prometheus: `tikv_storage_engine_async_request_total` by status",
        meaning: "Clients wait and try again, for up to a minute: to an application this looks like latency, then \
                  like errors. The answers count as successes in the gRPC metrics",
        evidence: "refusals per second, and their share of requests; within ten minutes, how often the scheduler was \
                   too busy and how often a channel was full",
        origin: "none should ever happen, says TiDB's inspection; 1 % is where retries begin to show",
        false_alarms: "A store that has just started, or receives many snapshots, refuses for some seconds: the grace \
                       outlasts that. Coprocessor requests that are refused are not among these",
        what_to_do: &[
            "Look for write_pressure and slow_store on the same store: flow control and slow disks refuse writes.",
            "Look for a hot region: one scheduler queue can be full while the store is not.",
            "A channel that is full means raftstore cannot keep up: CPU of its threads, or the disk.",
            "Slow the writers down; retries add to the load they suffer from.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[RATE, CRITICAL],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            most_per_second: settings.of(page.code, &RATE),
            critical_share: settings.of(page.code, &CRITICAL),
        }
    }
}

impl Invariant for ServerBusy {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_strained_stores(snapshot, verdicts, |_, strain| {
            let busy = strain.busy_per_second.measured()?;
            let busy = busy.filter(|busy| busy.value > self.most_per_second);
            Ok(busy.map(|busy| self.broken(busy, strain)))
        })
    }
}

impl ServerBusy {
    fn broken(&self, busy: &Measured<f64>, strain: &StoreStrain) -> Broken {
        let rate = |name, rate: &Measured<f64>| {
            Quantity::measured(name, &rate.map(|n| rounded(*n)), "1/s")
        };
        let mut evidence = vec![rate("refused as busy", busy).against(self.most_per_second)];
        let mut severity = Severity::Warning;
        if let Some(requests) = positive(&strain.storage_requests_per_second) {
            let share = busy.map(|busy| busy / requests.value);
            if share.value > self.critical_share {
                severity = Severity::Critical;
            }
            let share = share.map(|share| percent(*share));
            let share = Quantity::measured("of requests", &share, "%");
            evidence.push(share.against(percent(self.critical_share)));
        }
        let counts = [
            ("scheduler too busy", &strain.scheduler_busy_count),
            ("channels full", &strain.channel_full_count),
        ];
        evidence.extend(counts.into_iter().filter_map(|(name, count)| {
            let count = positive(count)?.map(|count| count.round());
            Some(Quantity::measured(name, &count, "times in 10 min"))
        }));
        Broken::new(severity, Evidence::of(evidence))
    }
}

fn positive(reading: &Reading<f64>) -> Option<&Measured<f64>> {
    let measured = reading.measured().ok().flatten();
    measured.filter(|measured| measured.value > 0.0)
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;

    fn rule() -> ServerBusy {
        ServerBusy::new(&Settings::default())
    }

    fn refusing(busy: f64, requests: f64) -> Snapshot {
        scene::strained(|strain| {
            strain.busy_per_second = scene::seen(busy);
            strain.storage_requests_per_second = scene::seen(requests);
        })
    }

    #[test]
    fn any_refusal_is_a_warning_and_one_in_a_hundred_is_critical() {
        for (busy, expected) in [
            (0.0, Told::Holds),
            (0.1, WARNING),
            (10.0, WARNING),
            (10.1, CRITICAL),
        ] {
            check(&rule(), &refusing(busy, 1000.0), expected);
        }
        check(&rule(), &refusing(0.0, 0.0), Told::Holds);
    }

    #[test]
    fn a_refusal_is_one_whatever_else_is_seen() {
        let alone = scene::strained(|strain| strain.busy_per_second = scene::seen(5.0));
        check(&rule(), &alone, WARNING);
    }

    #[test]
    fn the_evidence_says_what_was_full() {
        let snapshot = scene::strained(|strain| {
            strain.busy_per_second = scene::seen(5.0);
            strain.storage_requests_per_second = scene::seen(100.0);
            strain.scheduler_busy_count = scene::seen(0.0);
            strain.channel_full_count = scene::seen(3.2);
        });
        assert_eq!(
            told::evidence(&rule(), &snapshot, &scene::entity(1)),
            "refused as busy 5 1/s (threshold 0 1/s), of requests 5 % (threshold 1 %), \
             channels full 3 times in 10 min"
        );
    }

    #[test]
    fn what_was_not_measured_is_unseen() {
        check(&rule(), &scene::strained(|_| {}), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
        check(&rule(), &scene::strained_stores([]), Told::Unseen);
    }
}
