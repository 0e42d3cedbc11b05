//! `store_restarted`: a store's process started anew.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Scope, Severity, Snapshot, StoreId,
    StoreState, Value, Verdicts, Why,
};

use super::Settings;
use super::page::{Knob, Page};
use super::registry::Documented;
use crate::facts::StoreStarts;

/// A store's process started anew: worth knowing once, and a loop of crashes when it goes on.
#[derive(Debug)]
pub(super) struct StoreRestarted {
    rule: Rule,
    recent: Duration,
    repeated: Duration,
    times: f64,
}

/// No start is remembered for longer.
const REMEMBERED: f64 = StoreStarts::REMEMBERED.as_secs() as f64;

const RECENT: Knob = Knob {
    high: REMEMBERED,
    ..Knob::span("recent", 300.0, "how long a single restart is told of")
};
const REPEATED: Knob = Knob {
    high: REMEMBERED,
    ..Knob::span("repeated", 1800.0, "within how long restarts are counted")
};
const TIMES: Knob = Knob::number(
    "times",
    3.0,
    (2.0, 100.0),
    "how many restarts within that time are a warning",
);

impl Documented for StoreRestarted {
    const PAGE: &'static Page = &Page {
        code: "store_restarted",
        kind: Kind::Cluster,
        summary: "a store's process started anew",
        broken_when: "info: a store started anew within the last 5 min; warning: 3 times or more within 30 min",
        entity: "the store",
        input: "PD /stores: the start that each store tells PD, remembered from look to look",
        meaning: "A restart costs leaders, a cold cache and some seconds. A restart that nobody ordered is a \
                  crash; one after the other is a loop that a health check at the wrong moment takes for health",
        evidence: "restarts within 5 min and within 30 min; how long ago the last one was",
        origin: "TiKV's own alert on restarts looks back 5 min; three in half an hour is more than a rolling \
                 restart, or a try, takes. PD knows a start after 2 s, where Prometheus may miss quick ones",
        false_alarms: "Restarts that were meant: declare maintenance for them. What happened before the first \
                       look is not known, and counts as long ago; so the warning comes late after a restart of \
                       ours",
        what_to_do: &[
            "Was it meant? An upgrade, a node that was drained, a changed configuration.",
            "Else the reason is at the end of the log before the last `Welcome to TiKV`: a panic, or nothing at \
             all, which is a kill (`dmesg -T | grep -i oom`).",
            "In a loop: stop it from being started before it harms others; leaders come and go with each round.",
            "A panic on corrupted data leaves a file `panic_mark_file`; take the store out and let PD repair.",
        ],
        grace: Duration::ZERO,
        settle: Duration::ZERO,
        knobs: &[RECENT, REPEATED, TIMES],
        ordered: &[("recent", "repeated")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings).symptom_of("store_down", Scope::Same),
            recent: settings.span(page.code, &RECENT),
            repeated: settings.span(page.code, &REPEATED),
            times: settings.of(page.code, &TIMES),
        }
    }
}

impl Invariant for StoreRestarted {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let starts = &snapshot.part::<StoreStarts>()?.value;
        let stores = snapshot.stores()?;
        for store in &stores.items {
            let unknown = || Gap::new("start", Why::Unsaid).about(store.entity());
            match store.state {
                Some(StoreState::Tombstone) => verdicts.gone(store.entity()),
                _ => verdicts.judge(store.entity(), || match starts.knows(store.id) {
                    true => Ok(self.judged(starts, store.id, snapshot)),
                    false => Err(unknown()),
                }),
            }
        }
        verdicts.close_stores(stores)
    }
}

impl StoreRestarted {
    fn judged(&self, starts: &StoreStarts, store: StoreId, snapshot: &Snapshot) -> Option<Broken> {
        let at = snapshot.at();
        let within = |window| starts.restarts(store, at, window);
        let (recent, repeated) = (within(self.recent).count(), within(self.repeated).count());
        let in_loop = repeated as f64 >= self.times;
        let severity = match (in_loop, recent) {
            (true, _) => Severity::Warning,
            (false, 0) => return None,
            (false, _) => Severity::Info,
        };
        let told = match in_loop {
            true => self.repeated,
            false => self.recent,
        };
        let (first, last) = (within(told).min()?, within(told).max()?);
        let quantity =
            |name: String, value: Value, unit| Quantity::new(name, value, unit, "PD /stores", at);
        let many = |window: Duration, count: usize| {
            let minutes = window.as_secs_f64() / 60.0;
            quantity(
                format!("restarts within {minutes} min"),
                (count as u64).into(),
                "",
            )
        };
        let evidence = Evidence::of([
            many(self.repeated, repeated).against(self.times),
            many(self.recent, recent),
            quantity(
                "the last before".into(),
                at.since(last).as_secs().into(),
                "s",
            ),
        ]);
        Some(Broken::new(severity, evidence).since(first.min(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{ago, of_stores, up};
    use super::super::told::told;
    use super::*;
    use operator_core::Store;

    /// A look at a store that was seen to start so long ago.
    fn started(seconds: &[i64]) -> Snapshot {
        let mut starts = StoreStarts::default();
        for seconds in seconds {
            let store = Store {
                started_at: Some(ago(*seconds)),
                ..up(2)
            };
            starts = starts.and(ago(*seconds), &operator_core::Listing::whole(vec![store]));
        }
        of_stores([up(2)]).with_part("starts", Ok(starts))
    }

    fn check(seconds: &[i64], expected: &str) {
        let told = told::<StoreRestarted>(&started(seconds), "store/2");
        assert_eq!(told, expected);
    }

    #[test]
    fn one_restart_is_told_for_five_minutes() {
        check(&[86_400], "holds");
        check(
            &[86_400, 299],
            "info for 299 s: restarts within 30 min 1 (threshold 3), restarts within 5 min 1, the last before 299 s",
        );
        check(&[86_400, 300], "holds");
        check(&[86_400, 1500, 400], "holds");
    }

    #[test]
    fn three_within_half_an_hour_are_a_loop() {
        check(
            &[86_400, 1799, 900, 400],
            "warning for 1799 s: restarts within 30 min 3 (threshold 3), restarts within 5 min 0, the last before 400 s",
        );
        check(&[86_400, 1800, 900, 400], "holds");
        // The first that is seen is no restart.
        check(&[1799, 900, 400], "holds");
    }

    #[test]
    fn whose_start_is_not_known_is_unseen() {
        check(
            &[],
            "unseen: start of store/2 not seen: the answer does not say",
        );
        let gap = Gap::new("starts", Why::Unsaid);
        let missing = of_stores([up(2)]).with_part::<StoreStarts>("starts", Err(gap));
        assert_eq!(
            told::<StoreRestarted>(&missing, "store/2"),
            "blind: starts not seen: the answer does not say"
        );
        assert_eq!(told::<StoreRestarted>(&started(&[100]), "store/7"), "gone");
    }
}
