//! `leftover_evict_leader`: somebody forgot to let a store lead again.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Quantity, Rule, Severity, Snapshot, StoreState,
    Verdicts,
};

use super::Settings;
use super::common::settled;
use super::page::Page;
use super::registry::Documented;
use crate::facts::Schedulers;

/// A store may not lead, and nobody says that this is meant.
#[derive(Debug)]
pub(super) struct LeftoverEvictLeader {
    rule: Rule,
}

impl Documented for LeftoverEvictLeader {
    const PAGE: &'static Page = &Page {
        code: "leftover_evict_leader",
        kind: Kind::Cluster,
        summary: "leaders are kept off a store",
        broken_when: "warning: an evict-leader scheduler has held the store for half an hour, and no maintenance is \
                      declared for it",
        entity: "the store",
        input: "PD /schedulers and the evict-leader scheduler's list",
        meaning: "The store takes no reads and starts no writes: the others do its work. Should they fail, it still \
                  may not lead, and regions whose other replicas are gone stay without a leader",
        evidence: "the scheduler, and how many regions the store still leads",
        origin: "restart tools add the scheduler and take it back within minutes; one that dies halfway leaves it \
                 behind, in PD's storage, where restarts do not remove it",
        false_alarms: "A long piece of work on a store: declare the maintenance. PD's own evictions of slow and of \
                       stopping stores are other schedulers, and not counted",
        what_to_do: &[
            "Is anybody restarting or upgrading stores? Then ask, and declare the maintenance.",
            "Nobody: remove this store from the scheduler (pd-ctl scheduler remove evict-leader-scheduler-ID).",
            "Remove only this store: taking away evict-leader-scheduler itself frees all stores that it holds.",
        ],
        grace: Duration::from_secs(1800),
        settle: Rule::ONE_TICK,
        knobs: &[],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        Self {
            rule: Self::PAGE.rule(settings),
        }
    }
}

impl Invariant for LeftoverEvictLeader {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let schedulers = snapshot.part::<Schedulers>()?;
        let stores = snapshot.stores()?;
        for store in &stores.items {
            if store.state == Some(StoreState::Tombstone) {
                verdicts.gone(store.entity());
                continue;
            }
            verdicts.judge(store.entity(), || {
                if !schedulers.value.evicting.contains(&store.id) {
                    // A new leader of PD may not have its schedulers yet.
                    settled(snapshot)?;
                    return Ok(None);
                }
                let name =
                    schedulers.map(|_| format!("evict-leader-scheduler of store {}", store.id));
                let held = Quantity::measured("held by", &name, "");
                let leaders = store.leader_count.map(|leaders| {
                    Quantity::new(
                        "it still leads",
                        leaders,
                        "regions",
                        "PD /stores",
                        snapshot.at(),
                    )
                });
                let evidence = Evidence::of([held].into_iter().chain(leaders));
                Ok(Some(Broken::new(Severity::Warning, evidence)))
            });
        }
        verdicts.close_stores(stores)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, Told, WARNING, check};
    use super::*;
    use operator_core::{Store, StoreId};

    fn rule() -> LeftoverEvictLeader {
        LeftoverEvictLeader::new(&Settings::default())
    }

    fn evicting(stores: &[u64]) -> Snapshot {
        let schedulers = Schedulers {
            evicting: stores.iter().copied().map(StoreId).collect(),
            ..Schedulers::default()
        };
        scene::of_stores([scene::up(1), scene::up(2)]).with_part("schedulers", Ok(schedulers))
    }

    #[test]
    fn a_store_that_is_held_is_told_and_the_others_are_well() {
        check(&rule(), &evicting(&[]), Told::Holds);
        check(&rule(), &evicting(&[2]), Told::Holds);
        check(&rule(), &evicting(&[1]), WARNING);
        assert_eq!(
            told::evidence(&rule(), &evicting(&[1]), &scene::entity(1)),
            "held by evict-leader-scheduler of store 1, it still leads 100 regions"
        );
    }

    #[test]
    fn a_young_leader_of_pd_may_raise_and_not_resolve() {
        check(&rule(), &scene::unsettled(evicting(&[1])), WARNING);
        check(&rule(), &scene::unsettled(evicting(&[])), Told::Unseen);
    }

    #[test]
    fn a_removed_store_is_gone_and_without_schedulers_nobody_can_tell() {
        let removed = Store {
            state: Some(StoreState::Tombstone),
            ..scene::up(1)
        };
        let snapshot = scene::of_stores([removed]);
        let snapshot = snapshot.with_part("schedulers", Ok(Schedulers::default()));
        check(&rule(), &snapshot, Told::Gone);
        check(&rule(), &scene::of_stores([scene::up(1)]), Told::Unseen);
    }
}
