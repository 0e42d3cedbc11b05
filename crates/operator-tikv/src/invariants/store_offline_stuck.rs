//! `store_offline_stuck`: a store is being removed, and nothing moves.

use std::collections::BTreeSet;
use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Listing, Quantity, Rule, Scope, Severity, Snapshot,
    Store, StoreState, Value, Verdicts,
};

use super::Settings;
use super::common::settled;
use super::death::Death;
use super::page::{Knob, Page};
use super::registry::Documented;
use crate::facts::{
    MoveProgress, Removal, Removals, ReplicationConfig, ScheduleConfig, is_tiflash,
};

/// A store is on its way out and still has regions, and PD moves none of them.
#[derive(Debug)]
pub(super) struct StoreOfflineStuck {
    rule: Rule,
    death: Death,
    crawl: f64,
}

const CRAWL: Knob = Knob::number(
    "crawl",
    0.0,
    (0.0, 1000.0),
    "up to how many MiB per second nothing moves",
);

impl Documented for StoreOfflineStuck {
    const PAGE: &'static Page = &Page {
        code: "store_offline_stuck",
        kind: Kind::Cluster,
        summary: "a store is being removed, and nothing moves",
        broken_when: "warning: a store is Offline (being removed) and has regions left, and PD's speed of removal \
                      has been 0 for 10 min",
        entity: "the store",
        input: "PD /stores, /stores/progress, /config/schedule, /config/replicate; while it is stuck a sample of \
                the store's regions, every 2 min",
        meaning: "The store will never become a tombstone by itself. Whoever waits for it, a script or an \
                  operator of Kubernetes, waits for ever; whoever stops it all the same loses a replica of every \
                  region that is left",
        evidence: "regions left, PD's speed and how far it came; and whatever is found to hold it up: the store is \
                   dead, too few stores or none with room or apart by label, a limit at zero, scheduling halted, \
                   regions that have no leader or a peer that is down or behind",
        origin: "PD's own speed, which looks back some minutes, and ten minutes more: PD begins with what is \
                 easy, and a removal may pause while other work has the limits",
        false_alarms: "The first minutes after a change of PD's leader: it keeps the account in memory and begins \
                       anew. Where PD keeps no account of a removal this rule cannot tell. More than 20 removals \
                       at once are not all followed. Placement rules that leave no target are not looked into",
        what_to_do: &[
            "Does the evidence name a cause? A limit at zero or halted scheduling: set it back.",
            "Too few stores, no room, or too few zones: add a store, or take the removal back with \
             `curl -X POST 'http://PD:2379/pd/api/v1/store/ID/state?state=Up'`.",
            "Regions without a leader: they have lost their quorum. See regions_without_quorum; they need recovery.",
            "No cause named: placement rules may bind peers to this store (`pd-ctl config placement-rules show`), \
             or its remove-peer limit is 0 (`pd-ctl store limit`).",
            "Do not stop the store and do not force the removal while it has regions.",
        ],
        grace: Duration::from_secs(600),
        settle: Rule::ONE_TICK,
        knobs: &[CRAWL],
        ordered: &[],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings).symptom_of("store_down", Scope::Same),
            death: Death::by(settings),
            crawl: settings.of(page.code, &CRAWL),
        }
    }
}

impl Invariant for StoreOfflineStuck {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let removals = &snapshot.part::<Removals>()?.value.list;
        let stores = snapshot.stores()?;
        for store in &stores.items {
            let state = stores.known(&store.entity(), "state", store.state.as_ref());
            match state {
                Ok(StoreState::Tombstone) => verdicts.gone(store.entity()),
                Ok(StoreState::Offline) => verdicts.judge(store.entity(), || {
                    self.judged(store, stores, removals, snapshot)
                }),
                Ok(_) => verdicts.holds(store.entity()),
                Err(gap) => verdicts.unseen(store.entity(), gap),
            }
        }
        verdicts.close_stores(stores)
    }
}

impl StoreOfflineStuck {
    fn judged(
        &self,
        store: &Store,
        stores: &Listing<Store>,
        removals: &Listing<Removal>,
        snapshot: &Snapshot,
    ) -> Result<Option<Broken>, Gap> {
        let left = stores.known(&store.entity(), "region count", store.region_count)?;
        if left == 0 {
            // So says a new leader of PD too, before it has counted.
            return settled(snapshot).map(|()| None);
        }
        let followed = removals.items.iter().find(|r| r.store == store.id);
        let removal = removals.known(&store.entity(), "progress", followed)?;
        let progress = removal.progress.as_ref();
        let progress = removals.known(&store.entity(), "progress", progress)?;
        if progress.mib_per_second > self.crawl {
            return Ok(None);
        }
        let speed = self.speed(left, progress, snapshot);
        let causes = self.causes(store, stores, removal, snapshot);
        let evidence = Evidence::of(speed.into_iter().chain(causes));
        Ok(Some(Broken::new(Severity::Warning, evidence)))
    }

    fn speed(&self, left: u64, progress: &MoveProgress, snapshot: &Snapshot) -> [Quantity; 3] {
        let quantity = |name, value: Value, unit, source| {
            Quantity::new(name, value, unit, source, snapshot.at())
        };
        let source = "PD /stores/progress";
        [
            quantity("regions left", left.into(), "", "PD /stores"),
            quantity("speed", progress.mib_per_second.into(), "MiB/s", source).against(self.crawl),
            quantity(
                "done",
                (progress.done_ratio * 100.0).round().into(),
                "%",
                source,
            ),
        ]
    }

    /// What is found to hold it up. What cannot be seen is left out: it only explains.
    fn causes(
        &self,
        store: &Store,
        stores: &Listing<Store>,
        removal: &Removal,
        snapshot: &Snapshot,
    ) -> Vec<Quantity> {
        let mut causes = Vec::new();
        if let Ok(Some(dead)) = self.death.of(store, stores, snapshot) {
            causes.extend(dead.evidence().into_iter().take(1));
        }
        let schedule = snapshot.part::<ScheduleConfig>().ok();
        let room = schedule.and_then(|schedule| schedule.value.low_space_ratio);
        if let Ok(replication) = snapshot.part::<ReplicationConfig>() {
            let lack = lack_of_targets(store, stores, &replication.value, room);
            let quantity = |lack: String| {
                let (source, at) = (replication.source.clone(), replication.sampled_at);
                Quantity::new("targets", lack, "", source, at)
            };
            causes.extend(lack.map(quantity));
        }
        if let Some(schedule) = schedule {
            let quantity = |name: &'static str, value: Value| {
                let (source, at) = (schedule.source.clone(), schedule.sampled_at);
                Quantity::new(name, value, "", source, at)
            };
            let limits = &schedule.value;
            let limits = [
                ("replica-schedule-limit", limits.replica_schedule_limit),
                ("region-schedule-limit", limits.region_schedule_limit),
                ("leader-schedule-limit", limits.leader_schedule_limit),
            ];
            let zero = limits.into_iter().filter(|(_, limit)| *limit == Some(0));
            causes.extend(zero.map(|(name, _)| quantity(name, 0u64.into())));
            if schedule.value.halted == Some(true) {
                causes.push(quantity("scheduling", "halted".into()));
            }
        }
        if let Some(held) = removal.held {
            let kinds = [
                ("regions without a leader", held.leaderless),
                ("regions with a peer down or behind", held.ailing),
            ];
            let some = kinds.into_iter().filter(|(_, count)| *count > 0);
            causes.extend(some.map(|(name, count)| {
                let of = format!("{count} of {} looked at", held.looked_at);
                Quantity::new(name, of, "", "PD /regions/store", held.at)
            }));
        }
        causes
    }
}

/// Why no store can take what leaves this one, as far as can be told without looking at each region.
fn lack_of_targets(
    leaving: &Store,
    stores: &Listing<Store>,
    replication: &ReplicationConfig,
    low_space_ratio: Option<f64>,
) -> Option<String> {
    let others: Vec<&Store> = stores
        .items
        .iter()
        .filter(|store| store.id != leaving.id && store.state == Some(StoreState::Up))
        .filter(|store| is_tiflash(store) == is_tiflash(leaving))
        .collect();
    let replicas = replication.max_replicas.filter(|_| !is_tiflash(leaving));
    let replicas = usize::try_from(replicas.unwrap_or(1)).unwrap_or(usize::MAX);
    if others.len() < replicas {
        let others = others.len();
        return Some(format!(
            "{others} other stores are Up, for {replicas} replicas"
        ));
    }
    if let Some(ratio) = low_space_ratio
        && others
            .iter()
            .all(|store| fill(store).is_some_and(|fill| fill >= ratio))
    {
        return Some(format!("no other store is below low-space-ratio {ratio}"));
    }
    let level = replication.isolation_level.as_ref()?;
    let places: BTreeSet<&str> = others
        .iter()
        .filter_map(|store| store.labels.get(level).map(String::as_str))
        .collect();
    let places = places.len();
    (places < replicas)
        .then(|| format!("{places} values of `{level}`, for {replicas} replicas apart"))
}

/// The share of a store's disk that is taken.
fn fill(store: &Store) -> Option<f64> {
    let (available, capacity) = (store.available_bytes?, store.capacity_bytes?);
    (capacity > 0).then(|| 1.0 - available as f64 / capacity as f64)
}

#[cfg(test)]
mod tests {
    use super::super::scene::{ago, led, of_stores, up};
    use super::super::told::told;
    use super::*;
    use crate::facts::{Held, MoveKind};
    use operator_core::{StoreId, Why};

    fn leaving() -> Store {
        Store {
            state: Some(StoreState::Offline),
            ..up(4)
        }
    }

    fn moving(mib_per_second: f64) -> Removal {
        Removal {
            store: StoreId(4),
            progress: Some(MoveProgress {
                kind: MoveKind::Removing,
                store: Some(StoreId(4)),
                done_ratio: 0.25,
                mib_per_second,
                left: None,
            }),
            held: None,
        }
    }

    fn with_removals(snapshot: Snapshot, removals: Vec<Removal>) -> Snapshot {
        let list = Listing::whole(removals);
        snapshot.with_part("removals", Ok(Removals { list }))
    }

    fn look(leaving: Store, removal: Removal) -> Snapshot {
        let stores = vec![up(1), up(2), up(3), leaving];
        with_removals(of_stores(stores), vec![removal])
    }

    fn check(snapshot: &Snapshot, expected: &str) {
        assert_eq!(told::<StoreOfflineStuck>(snapshot, "store/4"), expected);
    }

    const STUCK: &str = "warning: regions left 300, speed 0 MiB/s (threshold 0 MiB/s), done 25 %";

    #[test]
    fn a_removal_that_stands_still_is_stuck() {
        check(&look(leaving(), moving(0.0)), STUCK);
        check(&look(leaving(), moving(0.1)), "holds");
        check(&look(up(4), moving(0.0)), "holds");
        let gone = Store {
            state: Some(StoreState::Tombstone),
            ..leaving()
        };
        check(&look(gone, moving(0.0)), "gone");
    }

    #[test]
    fn a_removal_that_nobody_keeps_account_of_is_unseen() {
        let unsaid = "unseen: progress of store/4 not seen: the answer does not say";
        let no_account = Removal {
            progress: None,
            ..moving(0.0)
        };
        check(&look(leaving(), no_account), unsaid);
        let not_followed = with_removals(of_stores([up(1), leaving()]), Vec::new());
        check(&not_followed, unsaid);
        let missing = of_stores([leaving()])
            .with_part::<Removals>("removals", Err(Gap::new("removals", Why::Unsaid)));
        check(
            &missing,
            "blind: removals not seen: the answer does not say",
        );
    }

    /// A new leader of PD counts from nothing.
    #[test]
    fn that_nothing_is_left_is_believed_of_a_leader_that_has_counted() {
        let emptied = Store {
            region_count: Some(0),
            ..leaving()
        };
        let of = |store: &Store, changed| led(look(store.clone(), moving(0.0)), changed);
        check(&of(&emptied, None), "holds");
        let young = "unseen: what PD counts not seen: not believed: PD's leader changed 99 s ago: it has not \
                     counted everything yet";
        check(&of(&emptied, Some(99)), young);
        // That a removal stands still needs no such count.
        check(&of(&leaving(), Some(99)), STUCK);
    }

    fn causes(snapshot: &Snapshot, expected: &str) {
        check(snapshot, &format!("{STUCK}, {expected}"));
    }

    fn replicas(isolation_level: Option<&str>) -> Result<ReplicationConfig, Gap> {
        Ok(ReplicationConfig {
            max_replicas: Some(3),
            isolation_level: isolation_level.map(str::to_owned),
            ..ReplicationConfig::default()
        })
    }

    #[test]
    fn a_dead_store_is_named_as_the_cause() {
        let dead = Store {
            last_heartbeat: Some(ago(700)),
            ..leaving()
        };
        causes(
            &look(dead, moving(0.0)),
            "no sign of life for 700 s (threshold 60 s)",
        );
    }

    #[test]
    fn what_the_configuration_forbids_is_named() {
        let schedule = ScheduleConfig {
            replica_schedule_limit: Some(0),
            region_schedule_limit: Some(2048),
            halted: Some(true),
            ..ScheduleConfig::default()
        };
        let snapshot = look(leaving(), moving(0.0)).with_part("schedule", Ok(schedule));
        causes(&snapshot, "replica-schedule-limit 0, scheduling halted");
    }

    #[test]
    fn the_lack_of_a_target_is_named() {
        let of = |stores: Vec<Store>, isolation| {
            let schedule = ScheduleConfig {
                low_space_ratio: Some(0.8),
                ..ScheduleConfig::default()
            };
            with_removals(of_stores(stores), vec![moving(0.0)])
                .with_part("replication", Ok(replicas(isolation).expect("given")))
                .with_part("schedule", Ok(schedule))
        };
        let three = || vec![up(1), up(2), up(3), leaving()];
        check(&of(three(), None), STUCK);
        causes(
            &of(vec![up(1), up(2), leaving()], None),
            "targets 2 other stores are Up, for 3 replicas",
        );
        let full = |id| Store {
            available_bytes: Some(200),
            ..up(id)
        };
        causes(
            &of(vec![full(1), full(2), full(3), leaving()], None),
            "targets no other store is below low-space-ratio 0.8",
        );
        check(&of(vec![full(1), full(2), up(3), leaving()], None), STUCK);
        let zoned = |id, zone: &str| Store {
            labels: [("zone".to_owned(), zone.to_owned())].into(),
            ..up(id)
        };
        causes(
            &of(
                vec![zoned(1, "a"), zoned(2, "a"), zoned(3, "b"), leaving()],
                Some("zone"),
            ),
            "targets 2 values of `zone`, for 3 replicas apart",
        );
    }

    #[test]
    fn regions_that_cannot_move_are_named() {
        let held = Held {
            looked_at: 100,
            leaderless: 7,
            ailing: 0,
            at: ago(30),
        };
        let removal = Removal {
            held: Some(held),
            ..moving(0.0)
        };
        causes(
            &look(leaving(), removal),
            "regions without a leader 7 of 100 looked at",
        );
    }
}
