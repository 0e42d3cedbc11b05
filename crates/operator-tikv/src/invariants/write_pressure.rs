//! `write_pressure`: a store holds writes back because it cannot compact fast enough.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Reading, Rule, Severity, Snapshot, Verdicts,
};

use super::Settings;
use super::common::judge_strained_stores;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::{percent, rounded};
use crate::facts::StoreStrain;

/// More is written to a store than it can put in order.
#[derive(Debug)]
pub(super) struct WritePressure {
    rule: Rule,
    discard: f64,
    stalled: f64,
    l0_files: f64,
}

const DISCARD: Knob = Knob::ratio(
    "discard",
    0.01,
    "the share of writes turned away above which it is a warning",
);
const STALLED: Knob = Knob::ratio(
    "stalled",
    0.01,
    "the share of time stalled above which it is a warning",
);
const L0_FILES: Knob = Knob::number(
    "l0_files",
    80.0,
    (1.0, 1e6),
    "the files in level 0, on average, above which it is critical",
);

impl Documented for WritePressure {
    const PAGE: &'static Page = &Page {
        code: "write_pressure",
        kind: Kind::Cluster,
        summary: "a store holds writes back",
        broken_when: "flow control turns away more than 1 % of writes, or the engine stalls for more than 1 % of the \
                      time: a warning; more than 80 files in level 0 on average: critical",
        entity: "the store",
        input: "Prometheus: `tikv_scheduler_discard_ratio`, `tikv_engine_stall_micro_seconds`, `tikv_scheduler_l0_avg`",
        meaning: "Data comes in faster than compaction takes it down. Writers are slowed on purpose; every read has \
                  more files to look into. Left alone it ends with writes that stand still",
        evidence: "each of the three that is beyond its threshold",
        origin: "flow control begins at 20 files; TiKV's own rule (may stall) cries above 80. 1 % is where it shows in a P99",
        false_alarms: "Bulk loads are held back by design. With flow control on, which is usual, the engine itself \
                       never stalls, and stalls count for clusters that turned it off",
        what_to_do: &[
            "Find the writer: an import, a large delete, garbage collection after a long pause. Slow it down.",
            "Look at the disk: compaction that waits for it never catches up. See whether a rate limit is set.",
            "See rocksdb.max-background-jobs against the CPU that is free.",
            "One store only: look for a hot region, or for replicas streaming in.",
        ],
        grace: Duration::from_secs(60),
        settle: Duration::from_secs(60),
        knobs: &[DISCARD, STALLED, L0_FILES],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        let of = |knob| settings.of(page.code, knob);
        Self {
            rule: page.rule(settings),
            discard: of(&DISCARD),
            stalled: of(&STALLED),
            l0_files: of(&L0_FILES),
        }
    }
}

impl Invariant for WritePressure {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_strained_stores(snapshot, verdicts, |_, strain| self.judge(strain))
    }
}

impl WritePressure {
    /// One sign is enough to tell that there is pressure; that there is none takes all three.
    fn judge(&self, strain: &StoreStrain) -> Result<Option<Broken>, Gap> {
        let share = |name, reading, most| beyond(name, "%", reading, most, percent);
        let signs = [
            (
                Severity::Critical,
                beyond(
                    "files in level 0",
                    "",
                    &strain.l0_files_average,
                    self.l0_files,
                    rounded,
                ),
            ),
            (
                Severity::Warning,
                share(
                    "writes turned away",
                    &strain.flow_discard_ratio,
                    self.discard,
                ),
            ),
            (
                Severity::Warning,
                share("time stalled", &strain.stalled_ratio, self.stalled),
            ),
        ];
        let (mut worst, mut evidence, mut unseen) = (None, Vec::new(), None);
        for (severity, sign) in signs {
            match sign {
                Ok(Some(quantity)) => {
                    worst = worst.max(Some(severity));
                    evidence.push(quantity);
                }
                Ok(None) => {}
                Err(gap) => unseen = unseen.or(Some(gap)),
            }
        }
        match (worst, unseen) {
            (Some(severity), _) => Ok(Some(Broken::new(severity, Evidence::of(evidence)))),
            (None, Some(gap)) => Err(gap),
            (None, None) => Ok(None),
        }
    }
}

fn beyond(
    name: &'static str,
    unit: &'static str,
    reading: &Reading<f64>,
    most: f64,
    shown: fn(f64) -> f64,
) -> Result<Option<Quantity>, Gap> {
    let measured = reading.measured()?;
    Ok(measured
        .filter(|measured| measured.value > most)
        .map(|measured| {
            Quantity::measured(name, &measured.map(|value| shown(*value)), unit)
                .against(shown(most))
        }))
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;

    fn rule() -> WritePressure {
        WritePressure::new(&Settings::default())
    }

    fn under(discard: f64, stalled: f64, files: f64) -> Snapshot {
        scene::strained(|strain| {
            strain.flow_discard_ratio = scene::seen(discard);
            strain.stalled_ratio = scene::seen(stalled);
            strain.l0_files_average = scene::seen(files);
        })
    }

    #[test]
    fn any_of_three_signs_tells() {
        for (discard, stalled, files, expected) in [
            (0.0, 0.0, 4.0, Told::Holds),
            (0.01, 0.01, 80.0, Told::Holds),
            (0.011, 0.0, 4.0, WARNING),
            (0.0, 0.011, 4.0, WARNING),
            (0.0, 0.0, 80.1, CRITICAL),
            (0.5, 0.5, 90.0, CRITICAL),
        ] {
            check(&rule(), &under(discard, stalled, files), expected);
        }
    }

    #[test]
    fn the_evidence_is_what_is_beyond_its_threshold() {
        assert_eq!(
            told::evidence(&rule(), &under(0.25, 0.0, 96.5), &scene::entity(1)),
            "files in level 0 96.5 (threshold 80), writes turned away 25 % (threshold 1 %)"
        );
    }

    #[test]
    fn one_sign_is_enough_to_raise_and_not_to_call_it_well() {
        let one = |share| scene::strained(|strain| strain.stalled_ratio = scene::seen(share));
        check(&rule(), &one(0.5), WARNING);
        check(&rule(), &one(0.0), Told::Unseen);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
