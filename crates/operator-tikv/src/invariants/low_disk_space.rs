//! `low_disk_space`: a store's disk is filling up.

use std::time::Duration;

use operator_core::{
    Broken, Evidence, Gap, Invariant, Kind, Listing, Measured, Quantity, Rule, Slo, Snapshot,
    Store, StoreState, Verdicts,
};

use super::Settings;
use super::death::never_reported;
use super::page::{Knob, Page};
use super::registry::Documented;
use super::tiers::{Tiers, percent};
use crate::facts::ScheduleConfig;

/// A store is nearly full.
///
/// Fullness is what is no longer available: others fill the same disk, and a store may be told to use less
/// than there is.
#[derive(Debug)]
pub(super) struct LowDiskSpace {
    rule: Rule,
    fill: Tiers,
}

const WARNING: Knob = Knob::ratio("warning", 0.7, "the fill from which it is a warning");
const CRITICAL: Knob = Knob::ratio("critical", 0.9, "the fill from which it is critical");

impl Documented for LowDiskSpace {
    const PAGE: &'static Page = &Page {
        code: "low_disk_space",
        kind: Kind::Cluster,
        summary: "a store's disk is filling up",
        broken_when: "fill, which is 1 - available/capacity: from 70 % a warning, from 90 % critical",
        entity: "the store, TiFlash too",
        input: "PD /stores; `tikv_store_size_bytes` of Prometheus where PD does not say",
        meaning: "At 80 % (PD's low-space-ratio) PD places no more replicas there, so a store that dies can no \
                  longer be repaired onto it. A disk that is full ends in refused writes, and then in a process \
                  that cannot start for want of room to compact",
        evidence: "the fill; what is available and the capacity; the fill above which PD places nothing there",
        origin: "70 % as TiDB's inspection has it, 10 points before PD stops placing replicas; 90 % leaves time to act",
        false_alarms: "PD's sizes have four digits, and are as old as the last heartbeat. A limit set by \
                       raftstore.capacity counts as the disk, though TiKV writes on when it is reached. Of a store \
                       that is dead the last report counts",
        what_to_do: &[
            "One store or all? One: something else fills the disk (logs, core dumps, a snapshot), or data is unevenly spread.",
            "All: add stores, or delete data; space comes back only after garbage collection and compaction.",
            "Above 90 %: stop imports and big deletes first; both need room before they give any.",
            "Full, and the process does not start: remove its space_placeholder_file, start it, and move replicas away.",
        ],
        grace: Duration::ZERO,
        settle: Duration::from_secs(60),
        knobs: &[WARNING, CRITICAL],
        ordered: &[("warning", "critical")],
    };

    fn new(settings: &Settings) -> Self {
        let page = Self::PAGE;
        Self {
            rule: page.rule(settings).slo(Slo {
                name: "disk_usage",
                target_ratio: 1.0,
                window: Duration::from_secs(30 * 24 * 3600),
            }),
            fill: Tiers::new(settings, page, [&WARNING, &CRITICAL]),
        }
    }
}

impl Invariant for LowDiskSpace {
    fn rule(&self) -> &Rule {
        &self.rule
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let stores = snapshot.stores()?;
        for store in &stores.items {
            match store.state {
                Some(StoreState::Tombstone) => verdicts.gone(store.entity()),
                _ if never_reported(store, stores) => {}
                _ => verdicts.judge(store.entity(), || self.judge(store, stores, snapshot)),
            }
        }
        verdicts.close_stores(stores)
    }
}

impl LowDiskSpace {
    fn judge(
        &self,
        store: &Store,
        stores: &Listing<Store>,
        snapshot: &Snapshot,
    ) -> Result<Option<Broken>, Gap> {
        let disk = Disk::of(store, stores, snapshot)?;
        let fill = disk.fill();
        let Some((severity, threshold)) = self.fill.at_least(fill.value) else {
            return Ok(None);
        };
        let shown = |ratio: &f64| percent(*ratio);
        let mut evidence = vec![
            Quantity::measured("fill", &fill.map(shown), "%").against(percent(threshold)),
            Quantity::measured("available", &disk.available, "bytes"),
            Quantity::measured("capacity", &disk.capacity, "bytes"),
        ];
        // What is not known of PD's own limit does not make the disk any emptier.
        if let Ok(config) = snapshot.part::<ScheduleConfig>()
            && let Some(ratio) = config.value.low_space_ratio
        {
            let (at, source) = (config.sampled_at, config.source.clone());
            let limit = Quantity::new(
                "PD places no replicas there above",
                percent(ratio),
                "%",
                source,
                at,
            );
            evidence.push(limit);
        }
        Ok(Some(Broken::new(severity, Evidence::of(evidence))))
    }
}

/// How large a store's disk is, and what is left of it.
struct Disk {
    capacity: Measured<u64>,
    available: Measured<u64>,
}

impl Disk {
    /// As PD knows it, else as it was measured.
    fn of(store: &Store, stores: &Listing<Store>, snapshot: &Snapshot) -> Result<Self, Gap> {
        let told = |what, bytes| {
            let bytes = stores.known(&store.entity(), what, bytes)?;
            let at = store.last_heartbeat.unwrap_or(snapshot.at());
            Ok(Measured::new(bytes, at, "PD /stores"))
        };
        let capacity = told("capacity", store.capacity_bytes.filter(|bytes| *bytes > 0));
        let available = told("available", store.available_bytes);
        match (capacity, available) {
            (Ok(capacity), Ok(available)) => Ok(Self {
                capacity,
                available,
            }),
            (Err(gap), _) | (_, Err(gap)) => Self::measured(store, snapshot).ok_or(gap),
        }
    }

    fn measured(store: &Store, snapshot: &Snapshot) -> Option<Self> {
        let metrics = snapshot.metrics_of(store.id).ok()?;
        let capacity = metrics.disk_capacity_bytes.measured().ok()??;
        let available = metrics.disk_available_bytes.measured().ok()??;
        (capacity.value > 0).then(|| Self {
            capacity: capacity.clone(),
            available: available.clone(),
        })
    }

    fn fill(&self) -> Measured<f64> {
        let capacity = self.capacity.value;
        self.available
            .map(|available| capacity.saturating_sub(*available) as f64 / capacity as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::super::told::{self, CRITICAL, Told, WARNING, check};
    use super::*;
    use operator_core::Why;

    fn rule() -> LowDiskSpace {
        LowDiskSpace::new(&Settings::default())
    }

    fn with_available(available: u64) -> Store {
        Store {
            available_bytes: Some(available),
            ..scene::up(1)
        }
    }

    #[test]
    fn a_disk_is_low_from_70_percent_and_critical_from_90() {
        for (available, expected) in [
            (301, Told::Holds),
            (300, WARNING),
            (101, WARNING),
            (100, CRITICAL),
            (0, CRITICAL),
            (2000, Told::Holds),
        ] {
            let snapshot = scene::of_stores([with_available(available)]);
            check(&rule(), &snapshot, expected);
        }
    }

    #[test]
    fn the_evidence_says_where_pd_stops() {
        let config = ScheduleConfig {
            low_space_ratio: Some(0.8),
            ..ScheduleConfig::default()
        };
        let snapshot = scene::of_stores([with_available(150)]).with_part("config", Ok(config));
        assert_eq!(
            told::evidence(&rule(), &snapshot, &scene::entity(1)),
            "fill 85 % (threshold 70 %), available 150 bytes, capacity 1000 bytes, \
             PD places no replicas there above 80 %"
        );
    }

    #[test]
    fn what_pd_does_not_say_is_measured_and_what_nobody_says_is_unseen() {
        let silent = Store {
            capacity_bytes: None,
            available_bytes: None,
            ..scene::up(1)
        };
        check(&rule(), &scene::of_stores([silent.clone()]), Told::Unseen);
        let measured = |capacity, available| {
            let metrics = scene::metrics(1, |metrics| {
                metrics.disk_capacity_bytes = scene::seen(capacity);
                metrics.disk_available_bytes = scene::seen(available);
            });
            scene::of_stores([silent.clone()]).with_metrics(Ok(Listing::whole(vec![metrics])))
        };
        check(&rule(), &measured(100, 25), WARNING);
        check(&rule(), &measured(100, 31), Told::Holds);
        check(&rule(), &measured(0, 0), Told::Unseen);
        let blind = Snapshot::unseen(scene::now());
        check(&rule(), &blind, Told::Unseen);
    }

    #[test]
    fn whom_the_rule_does_not_concern() {
        let removed = Store {
            state: Some(StoreState::Tombstone),
            ..with_available(0)
        };
        check(&rule(), &scene::of_stores([removed]), Told::Gone);
        let never = Store {
            last_heartbeat: None,
            capacity_bytes: None,
            available_bytes: None,
            ..scene::up(1)
        };
        check(&rule(), &scene::of_stores([never]), Told::Nothing);
        let dead = Store {
            available_bytes: Some(50),
            ..scene::dead(1)
        };
        check(&rule(), &scene::of_stores([dead]), CRITICAL);
    }

    #[test]
    fn thresholds_can_be_set() {
        let mut settings = Settings::default();
        settings
            .set("low_disk_space", "warning", "50%")
            .expect("a share");
        let rule = LowDiskSpace::new(&settings);
        check(&rule, &scene::of_stores([with_available(450)]), WARNING);
    }

    #[test]
    fn a_distrusted_size_is_not_believed() {
        let store = Store {
            capacity_bytes: None,
            ..scene::up(1)
        };
        let because = "PD says 0B".into();
        let gap = Gap::new("capacity", Why::Distrusted { because }).about(store.entity());
        let listing = Listing {
            gaps: vec![gap].into(),
            ..Listing::whole(vec![store])
        };
        let snapshot = Snapshot::unseen(scene::now()).with_stores(Ok(listing));
        check(&rule(), &snapshot, Told::Unseen);
    }
}
