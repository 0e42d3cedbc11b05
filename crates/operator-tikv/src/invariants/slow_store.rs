//! `slow_store`: one store is slower than the others.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Listing, Measured, Quantity, Rule, Severity, Snapshot,
    Store, StoreState, Verdicts, Why,
};

use super::Settings;
use super::common::{Strains, idle, judge_up_stores};
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::{Sorted, rounded};
use crate::facts::is_tiflash;

/// A store is slow, and the others are not: its disk, its CPU, its machine.
///
/// A store scores itself, by how long its own disk takes. That score is late, and stays low where the store
/// stalls as a whole; so the time that writes take to be replicated and applied is compared with the others'.
#[derive(Debug)]
pub(super) struct SlowStore {
    rule: Rule,
    score: f64,
    critical_score: f64,
    p99_seconds: f64,
    times_the_others: f64,
    p99_grace: Duration,
}

const WARNING: Knob = Knob::number(
    "score",
    10.0,
    (1.0, 100.0),
    "the slow score above which it is a warning",
);
const CRITICAL: Knob = Knob::number(
    "critical_score",
    80.0,
    (1.0, 100.0),
    "the slow score from which it is critical",
);
const P99: Knob = Knob::span(
    "p99",
    0.05,
    "the P99 of replicated writes from which they are compared with the others'",
);
const TIMES: Knob = Knob::number(
    "times",
    4.0,
    (1.0, 1000.0),
    "how many times the others' median the P99 must be",
);
const P99_GRACE: Knob = Knob::span(
    "p99_grace",
    60.0,
    "time seen broken before it is raised, where only the P99 says so",
);

impl Documented for SlowStore {
    const PAGE: &'static Page = &Page {
        code: "slow_store",
        kind: Kind::Cluster,
        summary: "a store is slower than the others",
        broken_when: "its slow score is above 10: a warning, or from 80: critical; or the P99 of its replicated writes \
                      is at least 50 ms and 4 times the median of the other stores that have any: a warning. Not where \
                      all stores are slow together",
        entity: "the store",
        input: "PD /stores; `tikv_raftstore_slow_score` and async write durations of Prometheus, where there is one",
        meaning: "Every write to a region that it leads is slow, and every write that needs its vote. Clients that \
                  write to many regions are as slow as their slowest store. It is up, so nothing moves away from \
                  it by itself before its score reaches 80",
        evidence: "the score and who says so; the P99 and the median of the others",
        origin: "PD evicts leaders from 80 on. A healthy store scores 1. Waiting for the score takes 70 s, and a \
                 process that stalls in pulses never scores at all: hence the comparison",
        false_alarms: "A store without much traffic may owe its P99 to one large write; fewer than 100 writes in a \
                       minute have none. Writes that waited for an outage to end show for 45 s: the grace outlasts \
                       them. With two stores a slow one is compared with one other",
        what_to_do: &[
            "Look at the disk of its machine: latency of fsync, a rebuild, a neighbour, a worn device.",
            "Then at its CPU: throttling by cgroups shows as stalls while the machine looks free.",
            "Move its leaders away (evict-leader-scheduler), and remember to take the scheduler back.",
            "If only one of its peers is slow to answer it, it is the network between the two.",
        ],
        grace: Duration::from_secs(20),
        settle: Duration::from_secs(60),
        knobs: &[WARNING, CRITICAL, P99, TIMES, P99_GRACE],
        ordered: &[("score", "critical_score")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            score: settings.of(page.code, &WARNING),
            critical_score: settings.of(page.code, &CRITICAL),
            p99_seconds: settings.of(page.code, &P99),
            times_the_others: settings.of(page.code, &TIMES),
            p99_grace: settings.span(page.code, &P99_GRACE),
        }
    }
}

impl Invariant for SlowStore {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let field = Field::of(snapshot)?;
        judge_up_stores(snapshot, verdicts, |store, stores| {
            let score = field.score(store);
            let by_score = score
                .as_ref()
                .and_then(|score| self.by_score(score, &field));
            match (by_score, self.by_p99(snapshot, store, &field), score) {
                (Some(mut slow), Ok(Some(too)), _) => {
                    slow.evidence.quantities.extend(too.evidence.quantities);
                    Ok(Some(slow))
                }
                (Some(slow), _, _) | (None, Ok(Some(slow)), _) => Ok(Some(slow)),
                // Where nobody compares the stores their own word is all there will be.
                (None, Err(gap), Some(_)) if *gap.why() == Why::NotConfigured => Ok(None),
                (None, Ok(None), Some(_)) => Ok(None),
                (None, Err(gap), _) if *gap.why() != Why::NotConfigured => Err(gap),
                (None, _, _) => stores.known(&store.entity(), "slow score", None),
            }
        })
    }
}

impl SlowStore {
    /// Whether a store finds itself slow, and not all others find themselves as slow.
    fn by_score(&self, score: &Measured<f64>, field: &Field<'_>) -> Option<Broken> {
        let critical = |score: f64| score >= self.critical_score;
        let warning = |score: f64| score > self.score;
        let apart = |slow: &dyn Fn(f64) -> bool| {
            // All are slow where even the one that is least so is.
            let together = field.scored > 1 && slow(field.least_score);
            slow(score.value) && !together
        };
        let (severity, threshold) = match () {
            () if apart(&critical) => (Severity::Critical, self.critical_score),
            () if apart(&warning) => (Severity::Warning, self.score),
            () => return None,
        };
        let score = Quantity::measured("slow score", score, "").against(threshold);
        Some(Broken::new(severity, Evidence::of([score])))
    }

    /// Whether a store's writes take much longer than the others'.
    fn by_p99(
        &self,
        snapshot: &Snapshot,
        store: &Store,
        field: &Field<'_>,
    ) -> Result<Option<Broken>, Gap> {
        let strain = field.strains()?.of_store(store)?;
        let Some(p99) = strain.async_write_p99_seconds.measured()? else {
            return idle(snapshot, store.id);
        };
        if p99.value < self.p99_seconds {
            return Ok(None);
        }
        let Some(others) = field.median_p99_of_others(p99.value)? else {
            return Ok(None);
        };
        let threshold = (others * self.times_the_others).max(self.p99_seconds);
        Ok((p99.value >= threshold).then(|| {
            let own = Quantity::measured(
                "P99 of replicated writes",
                &p99.map(|p99| rounded(*p99)),
                "s",
            );
            let median = Quantity::measured(
                "median of the other stores",
                &p99.map(|_| rounded(others)),
                "s",
            );
            let evidence = Evidence::of([own.against(rounded(threshold)), median]);
            Broken::new(Severity::Warning, evidence).grace(self.p99_grace)
        }))
    }
}

/// The stores that are compared with each other.
struct Field<'a> {
    strains: Result<Strains<'a>, Gap>,
    /// How many have a score, and the best one.
    scored: usize,
    least_score: f64,
    p99s: Sorted,
    /// Why there is no P99 of one of them.
    unseen_p99: Option<Gap>,
}

impl<'a> Field<'a> {
    fn of(snapshot: &'a Snapshot) -> Result<Self, Gap> {
        let stores: &Listing<Store> = snapshot.stores()?;
        let compared = |store: &&Store| store.state == Some(StoreState::Up) && !is_tiflash(store);
        let mut field = Self {
            strains: Strains::of(snapshot),
            scored: 0,
            least_score: f64::INFINITY,
            p99s: Sorted::new(Vec::new()),
            unseen_p99: None,
        };
        let mut p99s = Vec::new();
        for store in stores.items.iter().filter(compared) {
            if let Some(score) = field.score(store) {
                field.scored += 1;
                field.least_score = field.least_score.min(score.value);
            }
            let strain = field.strains().and_then(|strains| strains.of_store(store));
            match strain.and_then(|strain| strain.async_write_p99_seconds.measured()) {
                Ok(p99) => p99s.extend(p99.map(|p99| p99.value)),
                Err(gap) => field.unseen_p99 = Some(gap),
            }
        }
        field.p99s = Sorted::new(p99s);
        Ok(field)
    }

    fn strains(&self) -> Result<&Strains<'a>, Gap> {
        self.strains.as_ref().map_err(Gap::clone)
    }

    /// How slow a store finds itself: PD's word and Prometheus' are of different ages, the worse one counts.
    fn score(&self, store: &Store) -> Option<Measured<f64>> {
        let told = store.slow_score.zip(store.last_heartbeat);
        let told = told.map(|(score, at)| Measured::new(score as f64, at, "PD /stores"));
        let strain = self.strains().and_then(|strains| strains.of_store(store));
        let measured = strain.ok().and_then(|strain| {
            let score = strain.slow_score.measured();
            score.ok().flatten().cloned()
        });
        match (told, measured) {
            (Some(told), Some(measured)) if measured.value > told.value => Some(measured),
            (told, measured) => told.or(measured),
        }
    }

    /// The median P99 of the stores that have one, but for the one that has this; nothing where no other has
    /// traffic.
    fn median_p99_of_others(&self, own: f64) -> Result<Option<f64>, Gap> {
        match (self.p99s.median_without(own), &self.unseen_p99) {
            (None, Some(gap)) => Err(gap.clone()),
            (median, _) => Ok(median),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;
    use operator_core::{Reading, Verdict};

    fn rule() -> SlowStore {
        SlowStore::new(&Settings::default())
    }

    /// Stores with these scores, in PD's words alone.
    fn scores(scores: &[u64]) -> Snapshot {
        let gap = Gap::new("strain", Why::NotConfigured);
        let stores = (1..).zip(scores).map(|(id, score)| Store {
            slow_score: Some(*score),
            ..scene::up(id)
        });
        scene::of_stores(stores).with_part::<Listing<crate::StoreStrain>>("strain", Err(gap))
    }

    /// Stores that write so slowly; `None` writes next to nothing.
    fn writing(p99s: &[Option<f64>]) -> Snapshot {
        scene::strained_stores((1..).zip(p99s).map(|(id, p99)| {
            scene::strain(id, |strain| {
                strain.async_write_p99_seconds = p99.map_or(Reading::Idle, scene::seen);
            })
        }))
    }

    #[test]
    fn a_score_tells_without_prometheus() {
        for (score, expected) in [
            (1, Told::Holds),
            (10, Told::Holds),
            (11, WARNING),
            (79, WARNING),
            (80, CRITICAL),
            (100, CRITICAL),
        ] {
            check(&rule(), &scores(&[score, 1, 1]), expected);
            check(&rule(), &scores(&[score]), expected);
        }
    }

    #[test]
    fn stores_that_are_slow_together_are_under_load() {
        check(&rule(), &scores(&[50, 40, 30]), Told::Holds);
        check(&rule(), &scores(&[100, 90, 80]), Told::Holds);
        check(&rule(), &scores(&[50, 40, 1]), WARNING);
        check(&rule(), &scores(&[100, 12, 12]), CRITICAL);
        let all = [Some(0.4), Some(0.5), Some(0.6)];
        check(&rule(), &writing(&all), Told::Holds);
    }

    #[test]
    fn writes_are_compared_with_the_others() {
        for (p99s, expected) in [
            (&[Some(0.2), Some(0.05), Some(0.05)][..], WARNING),
            (&[Some(0.199), Some(0.05), Some(0.05)], Told::Holds),
            (&[Some(0.05), Some(0.01), Some(0.01)], WARNING),
            (&[Some(0.049), Some(0.001), Some(0.001)], Told::Holds),
            (&[Some(0.2), None, Some(0.01)], WARNING),
            (&[Some(0.2), None, None], Told::Holds),
            (&[Some(0.2)], Told::Holds),
            (&[None, Some(0.01), Some(0.01)], Told::Holds),
        ] {
            check(&rule(), &writing(p99s), expected);
        }
    }

    #[test]
    fn the_score_has_the_rules_grace_and_the_p99_its_own() {
        let grace = |snapshot: &Snapshot| match told::verdict(&rule(), snapshot, &scene::entity(1))
        {
            Some(Verdict::Broken(broken)) => broken.grace,
            other => panic!("{other:?}"),
        };
        assert_eq!(grace(&scores(&[50, 1])), None);
        let by_p99 = writing(&[Some(0.9), Some(0.01)]);
        assert_eq!(grace(&by_p99), Some(Duration::from_secs(60)));
    }

    #[test]
    fn the_worse_score_counts_and_what_else_speaks_for_it_is_evidence() {
        let strains = [(1, 30.0, 0.9), (2, 1.0, 0.01)].map(|(id, score, p99)| {
            scene::strain(id, |strain| {
                strain.slow_score = scene::seen(score);
                strain.async_write_p99_seconds = scene::seen(p99);
            })
        });
        let snapshot = scene::strained_stores(strains);
        assert_eq!(
            told::evidence(&rule(), &snapshot, &scene::entity(1)),
            "slow score 30 (threshold 10), P99 of replicated writes 0.9 s (threshold 0.05 s), \
             median of the other stores 0.01 s"
        );
    }

    #[test]
    fn a_score_of_one_is_no_health_while_the_comparison_is_not_seen() {
        let blind = scene::strained_stores([1, 2].map(|id| scene::strain(id, |_| {})));
        check(&rule(), &blind, Told::Unseen);
        let alone = scene::strained_stores([
            scene::strain(1, |own| own.async_write_p99_seconds = scene::seen(0.9)),
            scene::strain(2, |_| {}),
        ]);
        check(&rule(), &alone, Told::Unseen);
        let unscored = Store {
            slow_score: None,
            ..scene::up(1)
        };
        check(&rule(), &scene::of_stores([unscored]), Told::Unseen);
    }
}
