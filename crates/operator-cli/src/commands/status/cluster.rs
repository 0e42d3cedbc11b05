//! The cluster as a whole, in a few lines.

use std::collections::BTreeMap;

use operator_core::{Listing, Maintenance, Snapshot, Store, StoreMetrics, StoreState};
use operator_tikv::{
    Ailments, HotReads, HotSpots, HotWrites, PdHealth, PdLeadership, ScheduleConfig, Schedulers,
};
use serde::Serialize;

use crate::report::MaintenanceForm;
use crate::text::{Line, Page, Tone};
use crate::units;

/// The cluster. What could not be seen is null, and is listed in `blind`.
#[derive(Debug, Serialize)]
pub(super) struct ClusterForm {
    stores: Option<usize>,
    stores_by_state: BTreeMap<String, usize>,
    versions: BTreeMap<String, usize>,
    capacity_bytes: Option<u64>,
    available_bytes: Option<u64>,
    region_count: Option<u64>,
    leader_count: Option<u64>,
    ailing: BTreeMap<&'static str, Count>,
    pd_leader: Option<String>,
    #[serde(skip)]
    is_leader_seen: bool,
    pd_members: Option<usize>,
    pd_members_healthy: Option<usize>,
    scheduling_halted: Option<bool>,
    schedulers_missing: Option<Vec<&'static str>>,
    schedulers_paused: Option<Vec<String>>,
    evicting: Option<Vec<u64>>,
    queries_per_second: Option<f64>,
    worst_write_p99_seconds: Option<Worst>,
    worst_read_p99_seconds: Option<Worst>,
    hot_write_regions: Option<usize>,
    hot_read_regions: Option<usize>,
    maintenance: Vec<MaintenanceForm>,
}

/// So many, or more.
#[derive(Debug, Clone, Copy, Serialize)]
struct Count {
    count: u64,
    at_least: bool,
}

/// The worst of all stores.
#[derive(Debug, Clone, Serialize)]
struct Worst {
    store: u64,
    value: f64,
}

impl ClusterForm {
    pub(super) fn of(snapshot: &Snapshot, expected: &[Maintenance]) -> Self {
        let stores = snapshot.stores().ok();
        let members: Option<&Listing<PdHealth>> = snapshot
            .part::<Listing<PdHealth>>()
            .ok()
            .map(|part| &part.value);
        let leadership = snapshot.part::<PdLeadership>().ok();
        let schedulers = snapshot.part::<Schedulers>().ok().map(|part| &part.value);
        let config = snapshot.part::<ScheduleConfig>().ok();
        let metrics = snapshot.metrics().ok();
        Self {
            stores: stores.map(|stores| stores.items.len()),
            stores_by_state: counted(stores, |store| {
                store.state.as_ref().map(StoreState::to_string)
            }),
            versions: counted(stores, |store| store.version.clone()),
            capacity_bytes: sum(stores, |store| store.capacity_bytes),
            available_bytes: sum(stores, |store| store.available_bytes),
            leader_count: sum(stores, |store| store.leader_count),
            region_count: snapshot
                .cluster()
                .ok()
                .and_then(|cluster| cluster.region_count.value().copied()),
            ailing: ailing(snapshot),
            pd_leader: leadership
                .and_then(|part| part.value.leader.as_ref())
                .map(|leader| leader.name.clone()),
            is_leader_seen: leadership.is_some(),
            pd_members: members.map(|members| members.items.len()),
            pd_members_healthy: members
                .map(|members| members.items.iter().filter(|member| member.healthy).count()),
            scheduling_halted: config.map(|part| part.value.halted.unwrap_or(false)),
            schedulers_missing: schedulers.map(|schedulers| schedulers.missing().collect()),
            schedulers_paused: schedulers.map(|schedulers| {
                schedulers
                    .paused
                    .iter()
                    .map(|paused| paused.name.clone())
                    .collect()
            }),
            evicting: schedulers
                .map(|schedulers| schedulers.evicting.iter().map(|store| store.0).collect()),
            queries_per_second: queries(metrics),
            worst_write_p99_seconds: worst(metrics, |one| one.write_p99_seconds.value().copied()),
            worst_read_p99_seconds: worst(metrics, |one| one.read_p99_seconds.value().copied()),
            hot_write_regions: snapshot
                .part::<HotWrites>()
                .ok()
                .map(|part| hot(&part.value.spots)),
            hot_read_regions: snapshot
                .part::<HotReads>()
                .ok()
                .map(|part| hot(&part.value.spots)),
            maintenance: expected.iter().map(MaintenanceForm::of).collect(),
        }
    }

    pub(super) fn page(&self) -> Page {
        let mut page = Page::default();
        let unknown = || Line::default().tone(Tone::Warn, "?");
        page.fact(
            "stores",
            match self.stores {
                None => unknown(),
                Some(stores) => {
                    let mut line = Line::new(stores.to_string());
                    for (state, count) in &self.stores_by_state {
                        let tone = if state == "Up" {
                            Tone::Good
                        } else {
                            Tone::Warn
                        };
                        line = line.plain(", ").tone(tone, format!("{count} {state}"));
                    }
                    let versions: Vec<&str> = self.versions.keys().map(String::as_str).collect();
                    line.faint(format!("  {}", versions.join(", ")))
                }
            },
        );
        page.fact(
            "disk",
            match (self.capacity_bytes, self.available_bytes) {
                (Some(capacity), Some(available)) => {
                    #[expect(clippy::cast_precision_loss, reason = "a share is no exact number")]
                    let used = capacity.saturating_sub(available) as f64 / capacity.max(1) as f64;
                    let (used, free) = (units::percent(used), units::bytes(available));
                    Line::new(format!(
                        "{used} used, {free} of {} available",
                        units::bytes(capacity)
                    ))
                }
                _ => unknown(),
            },
        );
        page.fact(
            "regions",
            match self.region_count {
                None => unknown(),
                Some(count) => {
                    let mut line = Line::new(count.to_string());
                    if let Some(leaders) = self.leader_count {
                        line = line.plain(format!(", {leaders} led"));
                    }
                    for (ailment, Count { count, at_least }) in &self.ailing {
                        if *count > 0 {
                            let least = if *at_least { "at least " } else { "" };
                            let said = format!("{least}{count} {}", ailment.replace('_', " "));
                            line = line.plain(", ").tone(Tone::Warn, said);
                        }
                    }
                    line
                }
            },
        );
        page.fact(
            "PD",
            match (&self.pd_leader, self.pd_members_healthy, self.pd_members) {
                (leader, Some(healthy), Some(members)) => {
                    let tone = if healthy == members {
                        Tone::Good
                    } else {
                        Tone::Warn
                    };
                    let line =
                        Line::default().tone(tone, format!("{healthy} of {members} healthy"));
                    match leader {
                        Some(leader) => line.plain(format!(", {leader} leads")),
                        None if !self.is_leader_seen => {
                            line.plain(", ").tone(Tone::Warn, "leader not seen")
                        }
                        None => line.plain(", ").tone(Tone::Bad, "nobody leads"),
                    }
                }
                (Some(leader), ..) => Line::new(format!("{leader} leads")),
                _ => unknown(),
            },
        );
        if let Some(line) = self.scheduling() {
            page.fact("scheduling", line);
        }
        if let Some(queries) = self.queries_per_second {
            let mut line = Line::new(format!("{} queries/s", units::amount(queries)));
            let worst = [
                ("writes", &self.worst_write_p99_seconds),
                ("reads", &self.worst_read_p99_seconds),
            ];
            for (what, worst) in worst {
                if let Some(Worst { store, value }) = worst {
                    let p99 = units::seconds(*value);
                    line = line
                        .plain(format!(", {what} P99 {p99}"))
                        .faint(format!(" (store/{store})"));
                }
            }
            page.fact("traffic", line);
        }
        let hot = [
            ("write", self.hot_write_regions),
            ("read", self.hot_read_regions),
        ];
        let hot = hot.iter().filter_map(|(flow, count)| {
            count
                .filter(|count| *count > 0)
                .map(|count| format!("{count} in {flow}s"))
        });
        let hot: Vec<String> = hot.collect();
        if !hot.is_empty() {
            page.fact("hot regions", hot.join(", "));
        }
        for one in &self.maintenance {
            let line = format!("{} until {}: {}", one.entity, one.until, one.why);
            page.fact("maintenance", line);
        }
        page
    }

    /// What keeps PD from its work; nothing where nothing does.
    fn scheduling(&self) -> Option<Line> {
        let mut said = Vec::new();
        if self.scheduling_halted == Some(true) {
            said.push("halted".to_owned());
        }
        let missing = self.schedulers_missing.iter().flatten();
        said.extend(missing.map(|name| format!("{name} is missing")));
        let paused = self.schedulers_paused.iter().flatten();
        said.extend(paused.map(|name| format!("{name} is paused")));
        let evicting = self.evicting.iter().flatten();
        said.extend(evicting.map(|store| format!("leaders are kept off store/{store}")));
        (!said.is_empty()).then(|| Line::default().tone(Tone::Warn, said.join(", ")))
    }
}

fn counted(
    stores: Option<&Listing<Store>>,
    word: impl Fn(&Store) -> Option<String>,
) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for store in stores.iter().flat_map(|stores| &stores.items) {
        let word = word(store).unwrap_or_else(|| "unknown".to_owned());
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// The sum over all stores; none where one of them does not say, for a sum without it would be a wrong sum.
fn sum(stores: Option<&Listing<Store>>, of: impl Fn(&Store) -> Option<u64>) -> Option<u64> {
    let stores = stores?.items.iter();
    stores
        .map(of)
        .try_fold(0_u64, |sum, one| sum.checked_add(one?))
}

fn ailing(snapshot: &Snapshot) -> BTreeMap<&'static str, Count> {
    let Ok(part) = snapshot.part::<Ailments>() else {
        return BTreeMap::new();
    };
    let ailments = &part.value;
    let all = [
        ("missing_peer", &ailments.missing_peer),
        ("down_peer", &ailments.down_peer),
        ("pending_peer", &ailments.pending_peer),
    ];
    let seen = all.into_iter().filter_map(|(name, reading)| {
        let many = reading.value()?;
        let count = Count {
            count: many.counted,
            at_least: !many.exactly,
        };
        Some((name, count))
    });
    seen.collect()
}

fn queries(metrics: Option<&Listing<StoreMetrics>>) -> Option<f64> {
    let values = metrics?.items.iter();
    let values: Vec<f64> = values
        .filter_map(|one| one.queries_per_second.value().copied())
        .collect();
    (!values.is_empty()).then(|| values.iter().sum())
}

fn worst(
    metrics: Option<&Listing<StoreMetrics>>,
    of: impl Fn(&StoreMetrics) -> Option<f64>,
) -> Option<Worst> {
    let values = metrics?.items.iter();
    let values = values.filter_map(|one| {
        let value = of(one)?;
        Some(Worst {
            store: one.store.0,
            value,
        })
    });
    values.max_by(|a, b| a.value.total_cmp(&b.value))
}

fn hot(spots: &HotSpots) -> usize {
    let peers = spots.by_peer.values().chain(spots.by_leader.values());
    let regions = peers.flat_map(|on| on.peers.iter().map(|peer| peer.region));
    regions.collect::<std::collections::BTreeSet<_>>().len()
}
