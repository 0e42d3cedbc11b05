//! `clock_skew`: the clocks of those who are asked differ from ours.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Source, Timestamp,
    Verdicts, Why,
};

use super::Settings;
use super::page::{Knob, Page};
use super::registry::Documented;
use crate::facts::{ClockReading, PdClock, PrometheusClock};

/// PD's clock, or Prometheus', is not ours. Ages are then reckoned from two clocks, and wrong.
#[derive(Debug)]
pub(super) struct ClockSkew {
    rule: Rule,
    tolerated: Duration,
}

const TOLERATED: Knob = Knob {
    low: 1.5,
    ..Knob::span(
        "tolerated",
        5.0,
        "how far a clock may be from ours, either way; dates are in whole seconds",
    )
};

impl Documented for ClockSkew {
    const PAGE: &'static Page = &Page {
        code: "clock_skew",
        kind: Kind::Sight,
        summary: "the clock of PD or of Prometheus is not ours",
        broken_when: "warning: what PD's or Prometheus' answer says of the time is over 5 s off our clock",
        entity: "whoever answered, as `origin/HOST:PORT`",
        input: "the header `Date` of PD's /leader; of Prometheus its `time()` and the header `Date` beside it, \
                whichever is further off",
        meaning: "How long a store has been silent is our time less PD's. A PD that is behind makes living stores \
                  look silent; one that is ahead makes dead ones look alive, and what it says of heartbeats is \
                  then not believed. A Prometheus that is off dates its samples wrongly",
        evidence: "how far apart, which way, and both times",
        origin: "A store is called silent after 20 s; 5 s off leaves that meaningful, and dates come in whole \
                 seconds. TiKV's own transactions take their time from PD and do not depend on wall clocks",
        false_alarms: "It is our clock that is off: then every origin is named, by about as much. A machine that \
                       was suspended. An answer that was minutes on its way through a proxy that keeps answers",
        what_to_do: &[
            "Are all origins named, by the same amount? Then correct the clock of this machine.",
            "Else look at the machine that is named: `chronyc tracking` or `timedatectl`.",
            "Until it is right, take findings on silent stores with care: compare with Prometheus' targets.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[TOLERATED],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            tolerated: settings.span(page.code, &TOLERATED),
        }
    }
}

impl Invariant for ClockSkew {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let pd = snapshot.part::<PdClock>();
        let pd = pd.map(|clock| (&clock.value.0, &clock.source));
        let prometheus = snapshot.part::<PrometheusClock>();
        let prometheus = prometheus.map(|clock| (&clock.value.0, &clock.source));
        let not_asked = |gap: &Gap| *gap.why() == Why::NotConfigured;
        let clocks = [pd, prometheus];
        if let [Err(pd), Err(prometheus)] = &clocks {
            let gap = if not_asked(pd) { prometheus } else { pd };
            return Err(gap.clone());
        }
        let all_answered = clocks
            .iter()
            .all(|clock| clock.as_ref().err().is_none_or(not_asked));
        for (reading, source) in clocks.into_iter().flatten() {
            verdicts.judge(reading.entity(), || Ok(self.judged(reading, source)));
        }
        // Who does not answer any more misleads nobody.
        if all_answered {
            verdicts.others_are_gone();
        }
        Ok(())
    }
}

impl ClockSkew {
    fn judged(&self, reading: &ClockReading, source: &Source) -> Option<Broken> {
        let apart = reading.apart();
        if apart <= self.tolerated {
            return None;
        }
        let which = match reading.theirs > reading.ours {
            true => "ahead of ours by",
            false => "behind ours by",
        };
        let tolerated = self.tolerated.as_secs_f64();
        let at = reading.ours;
        let time =
            |name, time: Timestamp| Quantity::new(name, time.to_string(), "", source.clone(), at);
        let evidence = Evidence::of([
            Quantity::new(which, apart.as_secs_f64(), "s", source.clone(), at).against(tolerated),
            time("their time", reading.theirs),
            time("our time", reading.ours),
        ]);
        Some(Broken::new(Severity::Warning, evidence))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{ago, now};
    use super::super::told::told;
    use super::*;
    use operator_core::Snapshot;

    fn pd(ahead: i64) -> Result<PdClock, Gap> {
        Ok(PdClock(ClockReading::of(
            "http://pd-0:2379",
            ago(-ahead),
            now(),
        )))
    }

    fn prometheus(ahead: i64) -> Result<PrometheusClock, Gap> {
        let reading = ClockReading::of("http://prom:9090/x", ago(-ahead), now());
        Ok(PrometheusClock(reading))
    }

    fn look(pd: Result<PdClock, Gap>, prometheus: Result<PrometheusClock, Gap>) -> Snapshot {
        Snapshot::unseen(now())
            .with_part("PD clock", pd)
            .with_part("Prometheus clock", prometheus)
    }

    fn check(snapshot: &Snapshot, entity: &str, expected: &str) {
        let told = told::<ClockSkew>(snapshot, entity);
        assert!(
            told == expected || (!expected.is_empty() && told.starts_with(expected)),
            "{entity}: {told}"
        );
    }

    #[test]
    fn five_seconds_are_tolerated_either_way() {
        for (ahead, expected) in [
            (5, "holds"),
            (-5, "holds"),
            (
                6,
                "warning: ahead of ours by 6 s (threshold 5 s), their time 2023-11-14T22:13:26Z",
            ),
            (-6, "warning: behind ours by 6 s (threshold 5 s)"),
        ] {
            let snapshot = look(pd(ahead), prometheus(0));
            check(&snapshot, "origin/pd-0:2379", expected);
            check(&snapshot, "origin/prom:9090", "holds");
            let snapshot = look(pd(0), prometheus(ahead));
            check(&snapshot, "origin/prom:9090", expected);
        }
    }

    fn gap<T>(why: Why) -> Result<T, Gap> {
        Err(Gap::new("a clock", why))
    }

    #[test]
    fn who_does_not_answer_any_more_is_gone_once_all_have_been_asked() {
        let whole = look(pd(0), prometheus(0));
        check(&whole, "origin/pd-1:2379", "gone");
        let alone = look(pd(0), gap(Why::NotConfigured));
        check(&alone, "origin/pd-1:2379", "gone");
        check(&alone, "origin/pd-0:2379", "holds");
        for partial in [
            look(pd(0), gap(Why::Unsaid)),
            look(gap(Why::Unsaid), prometheus(0)),
        ] {
            check(&partial, "origin/pd-1:2379", "not named");
        }
    }

    #[test]
    fn where_nobody_tells_the_time_it_is_blind() {
        let silent = look(gap(Why::Unsaid), gap(Why::NotConfigured));
        check(
            &silent,
            "origin/pd-0:2379",
            "blind: a clock not seen: the answer does not say",
        );
    }
}
