//! `critical_error`: a store counts errors that must not happen.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Verdicts,
};

use super::Settings;
use super::common::judge_strained_stores;
use super::page::{Knob, Page};
use super::registry::Documented;
use crate::facts::StoreStrain;

/// A store met an error that says that data, or the engine beneath it, is damaged.
#[derive(Debug)]
pub(super) struct CriticalError {
    rule: Rule,
    tolerated: f64,
}

const TOLERATED: Knob = Knob::number(
    "tolerated",
    0.0,
    (0.0, 1e6),
    "how many of one type within ten minutes are not told of",
);

/// So many types are named, those with the most errors first.
const MOST_TYPES: usize = 8;

impl Documented for CriticalError {
    const PAGE: &'static Page = &Page {
        code: "critical_error",
        kind: Kind::Cluster,
        summary: "a store counts critical errors",
        broken_when: "critical: a counter of critical errors has grown within the last 10 min, or is new; the \
                      first event counts",
        entity: "the store",
        input: "`tikv_critical_error_total` of Prometheus, by type",
        meaning: "A read found no value where there must be one, a key outside of its region, a damaged file, or \
                  an engine that fails. Data of that store may be damaged; its other replicas usually are not",
        evidence: "how many errors within 10 min, by type",
        origin: "TiKV's own alert, with its hole closed: a counter is born with its first event, and a rate does \
                 not see that one",
        false_alarms: "A store that Prometheus began to scrape less than 10 min ago shows old errors as new. A \
                       finding ends 10 min after the last error; the damage need not",
        what_to_do: &[
            "Which type? The store's log has the key, the region or the file at the same time, at level error.",
            "`sst_corruption`, `rocksdb get`, `rocksdb iter`: suspect the disk (`dmesg`, SMART). Move leaders away \
             from the store, then replace it.",
            "`default value not found`, `key not in region`: keep the logs and the data, and check the region's \
             consistency before anything is deleted.",
            "Do not restart it again and again: a store with damaged data may not come back.",
        ],
        grace: Duration::ZERO,
        settle: Rule::ONE_TICK,
        knobs: &[TOLERATED],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            tolerated: settings.of(page.code, &TOLERATED),
        }
    }
}

impl Invariant for CriticalError {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        judge_strained_stores(snapshot, verdicts, |_, strain| self.judged(strain))
    }
}

impl CriticalError {
    fn judged(&self, strain: &StoreStrain) -> Result<Option<Broken>, Gap> {
        let Some(errors) = strain.critical_errors.measured()? else {
            return Ok(None);
        };
        let too_many = errors.value.iter().filter(|(_, n)| **n > self.tolerated);
        let mut too_many: Vec<(&String, f64)> = too_many.map(|(kind, n)| (kind, *n)).collect();
        if too_many.is_empty() {
            return Ok(None);
        }
        too_many.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let evidence = too_many.into_iter().take(MOST_TYPES).map(|(kind, count)| {
            // Prometheus reckons what lies between its scrapes: three events may read 3.0769.
            let count = errors.map(|_| (count * 10.0).round() / 10.0);
            let name = format!("`{kind}` within 10 min");
            Quantity::measured(name, &count, "").against(self.tolerated)
        });
        let evidence = Evidence::of(evidence);
        Ok(Some(Broken::new(Severity::Critical, evidence)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene::{self, of_stores, up};
    use super::super::told::{told, told_with};
    use super::*;
    use operator_core::{Listing, Store, StoreState, Why};

    fn look(store: Store, errors: &[(&str, f64)]) -> Snapshot {
        let errors = errors.iter().map(|(kind, n)| ((*kind).to_owned(), *n));
        let strain = scene::strain(1, |strain| {
            strain.critical_errors = scene::seen(errors.collect());
        });
        of_stores([store]).with_part("strain", Ok(Listing::whole(vec![strain])))
    }

    fn check(snapshot: &Snapshot, expected: &str) {
        assert_eq!(told::<CriticalError>(snapshot, "store/1"), expected);
    }

    #[test]
    fn the_first_error_counts() {
        check(&look(up(1), &[]), "holds");
        check(
            &look(up(1), &[("sst_corruption", 1.0), ("rocksdb get", 3.0769)]),
            "critical: `rocksdb get` within 10 min 3.1 (threshold 0), `sst_corruption` within 10 min 1 (threshold 0)",
        );
    }

    #[test]
    fn some_can_be_tolerated() {
        let mut settings = Settings::default();
        settings
            .set("critical_error", "tolerated", "2")
            .expect("a number");
        let of = |count| {
            let snapshot = look(up(1), &[("rocksdb get", count)]);
            told_with::<CriticalError>(&settings, &snapshot, "store/1")
        };
        assert_eq!(of(2.0), "holds");
        assert!(of(2.1).starts_with("critical: "), "{}", of(2.1));
    }

    #[test]
    fn what_was_not_counted_is_unseen_and_who_is_not_up_is_as_it_was() {
        let blind = scene::strain(1, |_| {});
        let snapshot = of_stores([up(1)]).with_part("strain", Ok(Listing::whole(vec![blind])));
        check(
            &snapshot,
            "unseen: strain of store/1 not seen: the answer does not say",
        );
        let silent = Store {
            state: Some(StoreState::Disconnected),
            ..up(1)
        };
        check(&look(silent, &[("rocksdb get", 1.0)]), "not named");
        let why = Why::NotConfigured;
        let nobody = of_stores([up(1)])
            .with_part::<Listing<StoreStrain>>("strain", Err(Gap::new("strain", why)));
        check(&nobody, "blind: strain not seen: not configured");
    }
}
