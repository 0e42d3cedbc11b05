//! `leader_imbalance`: some stores lead far more regions than others.

use std::time::Duration;

use operator_core::{
    Broken, Entity, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, Store,
    StoreId, StoreState, Value, Verdicts,
};

use super::Settings;
use super::common::settled;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::percent;
use crate::facts::{Schedulers, is_tiflash};

/// Leaders, and with them reads and the start of every write, gather on some stores.
#[derive(Debug)]
pub(super) struct LeaderImbalance {
    rule: Rule,
    spread: f64,
    leaders: f64,
}

const SPREAD: Knob = Knob::ratio(
    "spread",
    0.2,
    "how much fewer leaders than the most the fewest may be, by weight, as a share of the most",
);
const LEADERS: Knob = Knob::number(
    "leaders",
    10.0,
    (0.0, 1e6),
    "by how many leaders the two must differ besides: half of them too many on one, half too few on the other",
);

impl Documented for LeaderImbalance {
    const PAGE: &'static Page = &Page {
        code: "leader_imbalance",
        kind: Kind::Cluster,
        summary: "some stores lead far more regions than others",
        broken_when: "info: among stores that may lead, the fewest leaders are over 20 % and over 10 leaders below the most; \
                      where stores have leader weights, leaders for the weight, 5 fewer on the one and 5 more on the other",
        entity: "the cluster",
        input: "PD /stores and /schedulers",
        meaning: "Leaders do the work of reads and the first part of every write: who leads more works more. PD evens \
                  this out by itself, and for half an hour it has not",
        evidence: "the spread, and who leads the most and the fewest, with its leader weight where that is not 1",
        origin: "TiDB's inspection says 5 %, which small clusters never reach: PD itself lets five leaders a side pass",
        false_alarms: "Placement rules and grant-leader schedulers make it so on purpose. Stores that are busy, not up, \
                       of leader weight 0, or from which leaders are evicted are left out",
        what_to_do: &[
            "See whether the leader scheduler runs: scheduling_halted, leader-schedule-limit.",
            "The store with the fewest: has it just started, or do PD's diagnostics say why it is refused leaders?",
            "Nothing is urgent about it, unless high_cpu is open on the store with the most.",
        ],
        grace: Duration::from_secs(1800),
        settle: Duration::from_secs(300),
        knobs: &[SPREAD, LEADERS],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings),
            spread: settings.of(page.code, &SPREAD),
            leaders: settings.of(page.code, &LEADERS),
        }
    }
}

impl Invariant for LeaderImbalance {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let leading = may_lead(snapshot)?;
        verdicts.judge(Entity::Cluster, || {
            if let Some(broken) = self.judge(&leading, snapshot) {
                return Ok(Some(broken));
            }
            settled(snapshot)?;
            Ok(None)
        });
        Ok(())
    }
}

/// A store that may lead, and how many regions it does lead.
struct Leading {
    store: StoreId,
    leaders: u64,
    weight_permille: u64,
}

impl Leading {
    /// What PD evens out: with twice the weight, twice as many leaders are the same.
    fn score(&self) -> f64 {
        self.score_with(0.0)
    }

    /// The score with so many leaders more. PD moves none where that would not make things even.
    fn score_with(&self, more: f64) -> f64 {
        (self.leaders as f64 + more) / self.weight()
    }

    fn weight(&self) -> f64 {
        self.weight_permille as f64 / 1000.0
    }
}

/// The stores that may lead.
fn may_lead(snapshot: &Snapshot) -> Result<Vec<Leading>, Gap> {
    let stores = snapshot.stores()?;
    let schedulers = &snapshot.part::<Schedulers>()?.value;
    // Of whom nothing is known might be the one with the most.
    if let Some(gap) = stores.gaps.iter().find(|gap| gap.entity().is_none()) {
        return Err(gap.clone());
    }
    let mut leading = Vec::new();
    for store in stores.items.iter().filter(|store| !is_tiflash(store)) {
        let known = |what, value| stores.known(&store.entity(), what, value);
        let state = stores.known(&store.entity(), "state", store.state.as_ref())?;
        if *state != StoreState::Up || schedulers.evicting.contains(&store.id) {
            continue;
        }
        if store.busy == Some(true) {
            continue;
        }
        let weight_permille = known("leader weight", store.leader_weight_permille)?;
        if weight_permille == 0 {
            continue;
        }
        leading.push(Leading {
            store: store.id,
            leaders: known("leader count", store.leader_count)?,
            weight_permille,
        });
    }
    left_out(stores.items.as_slice(), &stores.gaps)?;
    Ok(leading)
}

/// Whether a store is missing from the list altogether.
fn left_out(stores: &[Store], gaps: &[Gap]) -> Result<(), Gap> {
    let listed = |entity: &Entity| stores.iter().any(|store| store.entity() == *entity);
    let missing = gaps
        .iter()
        .find(|gap| gap.entity().is_some_and(|entity| !listed(entity)));
    missing.map_or(Ok(()), |gap| Err(gap.clone()))
}

impl LeaderImbalance {
    fn judge(&self, leading: &[Leading], snapshot: &Snapshot) -> Option<Broken> {
        let (fewer, more) = (-self.leaders / 2.0, self.leaders / 2.0);
        let by = |count: f64| {
            move |a: &&Leading, b: &&Leading| a.score_with(count).total_cmp(&b.score_with(count))
        };
        let top = leading.iter().max_by(by(fewer))?;
        let least = leading.iter().min_by(by(more))?;
        let spread = (top.score() - least.score()) / top.score().max(f64::MIN_POSITIVE);
        if spread <= self.spread || top.score_with(fewer) <= least.score_with(more) {
            return None;
        }
        let quantity = |name: String, value: Value, unit| {
            Quantity::new(name, value, unit, "PD /stores", snapshot.at())
        };
        let spread = quantity("spread of leaders".into(), percent(spread).into(), "%");
        let mut evidence = vec![spread.against(percent(self.spread))];
        for leading in [top, least] {
            let led = format!("led by store {}", leading.store);
            evidence.push(quantity(led, leading.leaders.into(), "regions"));
            if leading.weight_permille != 1000 {
                let name = format!("leader weight of store {}", leading.store);
                evidence.push(quantity(name, leading.weight().into(), ""));
            }
        }
        Some(Broken::new(Severity::Info, Evidence::of(evidence)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, INFO, Told};
    use super::*;

    fn rule() -> LeaderImbalance {
        LeaderImbalance::new(&Settings::default())
    }

    fn leading(leaders: &[u64]) -> Vec<Store> {
        let of = |(id, leaders): (u64, &u64)| Store {
            leader_count: Some(*leaders),
            leader_weight_permille: Some(1000),
            ..scene::up(id)
        };
        (1..).zip(leaders).map(of).collect()
    }

    fn with(stores: Vec<Store>, evicting: &[u64]) -> Snapshot {
        let schedulers = Schedulers {
            evicting: evicting.iter().copied().map(StoreId).collect(),
            ..Schedulers::default()
        };
        scene::of_stores(stores).with_part("schedulers", Ok(schedulers))
    }

    #[track_caller]
    fn check(snapshot: &Snapshot, expected: Told) {
        told::check_cluster(&rule(), snapshot, expected);
    }

    #[test]
    fn leaders_may_differ_by_a_fifth_or_by_ten() {
        for (leaders, expected) in [
            (&[100, 100, 100][..], Told::Holds),
            (&[100, 80, 90], Told::Holds),
            (&[100, 79, 90], INFO),
            (&[15, 5, 5], Told::Holds),
            (&[16, 5, 5], INFO),
            (&[16, 16, 0], INFO),
            (&[100], Told::Holds),
            (&[0, 0], Told::Holds),
        ] {
            check(&with(leading(leaders), &[]), expected);
        }
    }

    #[test]
    fn who_may_not_lead_is_left_out() {
        let uneven = || leading(&[100, 100, 0]);
        check(&with(uneven(), &[]), INFO);
        check(&with(uneven(), &[3]), Told::Holds);
        let with_third = |third: Store| {
            let mut stores = uneven();
            stores[2] = Store {
                leader_count: Some(0),
                ..third
            };
            with(stores, &[])
        };
        let busy = Store {
            busy: Some(true),
            ..scene::up(3)
        };
        check(&with_third(busy), Told::Holds);
        check(&with_third(scene::dead(3)), Told::Holds);
        check(&with_third(scene::tiflash(3)), Told::Holds);
    }

    #[test]
    fn leaders_count_by_their_stores_weight() {
        let weighted = |permille: [u64; 3], leaders: &[u64]| {
            let mut stores = leading(leaders);
            for (store, permille) in stores.iter_mut().zip(permille) {
                store.leader_weight_permille = Some(permille);
            }
            with(stores, &[])
        };
        for (permille, leaders, expected) in [
            ([1000, 2000, 1000], &[50, 100, 50][..], Told::Holds),
            ([1000, 2000, 1000], &[100, 100, 100], INFO),
            ([1000, 1000, 500], &[100, 100, 50], Told::Holds),
            ([1000, 1000, 0], &[100, 100, 0], Told::Holds),
            ([1000, 1000, 0], &[100, 50, 0], INFO),
            // What PD lets pass and what it evens out is a matter of leaders, not of leaders for the weight.
            ([10_000, 10_000, 10_000], &[100, 100, 20], INFO),
            ([2000, 2000, 2000], &[60, 60, 44], INFO),
            ([1000, 1000, 100], &[100, 100, 7], Told::Holds),
            ([1000, 1000, 100], &[100, 60, 5], INFO),
        ] {
            check(&weighted(permille, leaders), expected);
        }
        assert_eq!(
            told::evidence(
                &rule(),
                &weighted([500, 1000, 1000], &[80, 90, 100]),
                &Entity::Cluster
            ),
            "spread of leaders 43.75 % (threshold 20 %), led by store 1 80 regions, leader weight of store 1 0.5, \
             led by store 2 90 regions"
        );
        let mut unsaid = leading(&[100, 100]);
        unsaid[1].leader_weight_permille = None;
        check(&with(unsaid, &[]), Told::Unseen);
    }

    #[test]
    fn the_evidence_names_the_most_and_the_fewest() {
        let snapshot = with(leading(&[90, 60, 100]), &[]);
        assert_eq!(
            told::evidence(&rule(), &snapshot, &Entity::Cluster),
            "spread of leaders 40 % (threshold 20 %), led by store 3 100 regions, led by store 2 60 regions"
        );
    }

    #[test]
    fn counts_that_are_not_whole_may_raise_and_not_resolve() {
        check(
            &scene::unsettled(with(leading(&[100, 90]), &[])),
            Told::Unseen,
        );
        check(&scene::unsettled(with(leading(&[100, 10]), &[])), INFO);
        check(&scene::of_stores(leading(&[100, 10])), Told::Unseen);
        let unknown = Store {
            leader_count: None,
            ..scene::up(2)
        };
        check(&with(vec![scene::up(1), unknown], &[]), Told::Unseen);
    }
}
