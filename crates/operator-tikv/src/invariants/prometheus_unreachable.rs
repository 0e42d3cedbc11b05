//! `prometheus_unreachable`: Prometheus cannot be seen.

use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Verdicts,
    Why,
};

use super::Settings;
use super::page::Page;
use super::registry::Documented;
use super::sight::prometheus_answers;

/// A Prometheus is configured, and gives no usable answer.
#[derive(Debug)]
pub(super) struct PrometheusUnreachable {
    rule: Rule,
}

impl Documented for PrometheusUnreachable {
    const PAGE: &'static Page = &Page {
        code: "prometheus_unreachable",
        kind: Kind::Sight,
        summary: "Prometheus gives no usable answer",
        broken_when: "warning: Prometheus is configured, and cannot be asked which stores are up (or, while no \
                      store is known, what time it is)",
        entity: "the cluster",
        input: "the query `up`, once for all stores; `time()`",
        meaning: "Latency, load, strain and the second witness of a store's death are out of sight. Rules on PD \
                  go on: a dead store is still found, after a minute instead of twenty seconds. What is open on \
                  measurements stays open",
        evidence: "what the server answered, or why it did not",
        origin: "The original design: what cannot be observed is worth a ticket. No grace: a look that could not \
                 measure anything is blind, however short that lasts",
        false_alarms: "A restart of Prometheus: it answers 503 until it has read its data. A query that was \
                       declined because the server was busy. Not where no Prometheus is configured: then this \
                       rule is listed as not configured",
        what_to_do: &[
            "Ask it by hand: `curl 'http://PROMETHEUS:9090/api/v1/query?query=up'`. Does it connect, who answers?",
            "A login page, 401 or 403: the credentials or the proxy in front of it changed.",
            "503, or a timeout: it is starting, or overloaded. Look at its memory, its disk and other heavy queries.",
            "Until it is back, watch PD: stores, members and leaders are still judged.",
        ],
        grace: Duration::ZERO,
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let rule = Self::PAGE.rule(settings);
        Self { rule }
    }
}

impl Invariant for PrometheusUnreachable {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        match prometheus_answers(snapshot) {
            Ok(()) => verdicts.holds(Entity::Cluster),
            Err(gap) if *gap.why() == Why::NotConfigured => return Err(gap),
            Err(gap) => {
                let (name, why) = (gap.what().to_owned(), gap.why().to_string());
                let source = gap.origin().unwrap_or("Prometheus").to_owned();
                let answer = Quantity::new(name, why, "", source, snapshot.at());
                let broken = Broken::new(Severity::Warning, Evidence::of([answer]));
                verdicts.broken(Entity::Cluster, broken);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{now, of_stores, tiflash, up, with_ups};
    use super::super::told::told;
    use super::*;
    use crate::facts::{ClockReading, PrometheusClock};

    fn timed_out() -> Why {
        let after = Duration::from_secs(4);
        Why::TimedOut { after }
    }

    fn with_clock(snapshot: Snapshot, clock: Result<(), Why>) -> Snapshot {
        let reading = ClockReading::of("http://prom:9090", now(), now());
        let clock = clock.map(|()| PrometheusClock(reading));
        let clock = clock.map_err(|why| Gap::new("Prometheus clock", why));
        snapshot.with_part("Prometheus clock", clock)
    }

    fn check(snapshot: Snapshot, clock: Result<(), Why>, expected: &str) {
        let snapshot = with_clock(snapshot, clock);
        let told = told::<PrometheusUnreachable>(&snapshot, "cluster");
        assert_eq!(told, expected);
    }

    #[test]
    fn it_is_reachable_while_it_says_something_of_a_store() {
        let stores = || of_stores([up(1), up(2), tiflash(3)]);
        let of = |one, two| {
            let tiflash = (3, Err(Why::NotConfigured));
            with_ups(stores(), [(1, one), (2, two), tiflash])
        };
        check(of(Ok(true), Ok(false)), Ok(()), "holds");
        // What it says may be too little; it is there.
        check(of(Err(Why::Unsaid), Err(Why::Unsaid)), Ok(()), "holds");
        check(of(Err(timed_out()), Ok(true)), Err(timed_out()), "holds");
        let silent = "warning: metrics no answer within 4 s";
        let nothing = || of(Err(timed_out()), Err(timed_out()));
        check(nothing(), Err(timed_out()), silent);
        // It knows the time, and nothing that was asked for.
        check(nothing(), Ok(()), silent);
    }

    #[test]
    fn where_no_store_is_known_its_clock_decides() {
        let needs = Gap::new("store metrics", Why::Needs { what: "stores" });
        let snapshot = || Snapshot::unseen(now()).with_metrics(Err(needs.clone()));
        check(snapshot(), Ok(()), "holds");
        let silent = "warning: Prometheus clock no answer within 4 s";
        check(snapshot(), Err(timed_out()), silent);
    }

    #[test]
    fn what_is_not_configured_is_listed_as_such() {
        let snapshot = with_ups(of_stores([up(1)]), [(1, Err(Why::NotConfigured))]);
        check(
            snapshot,
            Err(Why::NotConfigured),
            "blind: Prometheus clock not seen: not configured",
        );
    }
}
