//! Scrapes: what Prometheus holds. A scrape keeps the compact state of its target, not its series; a query makes
//! series of it. So a scrape costs a copy, however many series it stands for.

use std::collections::VecDeque;

use crate::cluster::condition::Flow;
use crate::cluster::pd::MemberProcess;
use crate::cluster::schedule::SLOW;
use crate::cluster::store::{Meta, Process, Seen};
use crate::cluster::traffic::Counted;
use crate::cluster::{CORES, Cluster, ms};
use crate::num::{self, Millis};
use crate::prng;
use crate::shape::{Release, Shape};

/// What is scraped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Store(u16),
    /// A store of TiFlash, which is a job of its own.
    Tiflash(u16),
    Member(usize),
}

impl Target {
    /// What Prometheus' jobs call such targets.
    pub(crate) fn component(self) -> &'static str {
        match self {
            Self::Store(_) => "tikv",
            Self::Tiflash(_) => "tiflash",
            Self::Member(_) => "pd",
        }
    }
}

/// What a store shows at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StorePage {
    pub(crate) release: Release,
    pub(crate) version: String,
    pub(crate) counted: Counted,
    pub(crate) start_unix: i64,
    pub(crate) resident_bytes: f64,
    pub(crate) capacity: u64,
    pub(crate) available: u64,
    pub(crate) used: u64,
    pub(crate) regions: u32,
    pub(crate) leaders: u32,
    pub(crate) slow_score: f64,
    pub(crate) leader_missing: f64,
    pub(crate) discard: f64,
    pub(crate) write_flow: f64,
}

/// What the PD leader counts of one store.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PdStoreRow {
    pub(crate) id: u64,
    pub(crate) engine: &'static str,
    pub(crate) learners: u32,
    pub(crate) witnesses: u32,
    pub(crate) address: String,
    pub(crate) seen: Seen,
    pub(crate) unhealthy: bool,
    pub(crate) slow: bool,
    pub(crate) leaders: u32,
    pub(crate) peers: u32,
    pub(crate) leader_mib: u64,
    pub(crate) region_mib: u64,
    pub(crate) capacity: u64,
    pub(crate) available: u64,
    pub(crate) used: u64,
    pub(crate) low_space: bool,
}

/// What a member of PD shows at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PdPage {
    pub(crate) release: Release,
    pub(crate) start_unix: i64,
    pub(crate) leads: bool,
    /// The rows per store; empty on members that do not lead.
    pub(crate) stores: Vec<PdStoreRow>,
    /// Regions with an ailment, one number each.
    pub(crate) pending: u32,
    pub(crate) down: u32,
    pub(crate) learner: u32,
    pub(crate) offline: u32,
    pub(crate) missing: u32,
    pub(crate) extra: u32,
    pub(crate) empty: u32,
    pub(crate) oversized: u32,
    pub(crate) undersized: u32,
    pub(crate) health: Vec<(String, bool)>,
    pub(crate) schedulers: Vec<(String, bool)>,
    /// (address, store id, flow is write, bytes per second) of hot leaders.
    pub(crate) hot: Vec<(String, u64, bool, f64)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Page {
    Store(Box<StorePage>),
    /// TiFlash has none of TiKV's series: that it is up is all there is of it.
    Tiflash,
    Pd(Box<PdPage>),
}

/// The outcome of one scrape.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Up(Page),
    Down,
    /// The target is no target any more: every series of it ends.
    Gone,
}

#[derive(Debug, Clone)]
pub(crate) struct Scrape {
    /// The time that its samples carry.
    pub(crate) at: Millis,
    /// When they can be read: a hanging target is given up on only at the time-out.
    pub(crate) visible: Millis,
    pub(crate) outcome: Outcome,
}

#[derive(Debug, Clone)]
pub(crate) struct Scraped {
    pub(crate) target: Target,
    phase: Millis,
    /// Oldest first, bounded by the retention.
    pub(crate) scrapes: VecDeque<Scrape>,
}

/// Everything that Prometheus holds.
#[derive(Debug, Clone)]
pub(crate) struct Scrapes {
    pub(crate) targets: Vec<Scraped>,
    keep: usize,
    seed: u64,
    interval: Millis,
}

impl Scrapes {
    pub(crate) fn new(shape: &Shape) -> Self {
        let interval = ms(shape.timing.scrape);
        let mut scrapes = Self {
            targets: Vec::new(),
            keep: num::place(ms(shape.timing.retention) / interval.max(1)).max(2),
            seed: shape.seed,
            interval,
        };
        for place in 0..shape.stores {
            scrapes.add_store(place);
        }
        for place in shape.stores..shape.stores + shape.tiflash {
            scrapes.add(Target::Tiflash(place));
        }
        for place in 0..usize::from(shape.members) {
            scrapes.add(Target::Member(place));
        }
        scrapes
    }

    pub(crate) fn add_store(&mut self, place: u16) -> u32 {
        self.add(Target::Store(place))
    }

    fn add(&mut self, target: Target) -> u32 {
        let number = num::row(self.targets.len());
        self.targets.push(Scraped {
            target,
            phase: prng::hash(self.seed, u64::from(number), 0x5c4a) % self.interval.max(1),
            scrapes: VecDeque::new(),
        });
        number
    }

    /// When each target is scraped for the first time.
    pub(crate) fn phases(&self) -> Vec<(u32, Millis)> {
        (0..)
            .zip(self.targets.iter().map(|target| target.phase))
            .collect()
    }

    fn push(&mut self, target: u32, scrape: Scrape) {
        let keep = self.keep;
        if let Some(scraped) = self.targets.get_mut(num::place(target.into())) {
            if scraped.scrapes.len() >= keep {
                scraped.scrapes.pop_front();
            }
            scraped.scrapes.push_back(scrape);
        }
    }
}

impl Cluster {
    /// Prometheus scrapes a target, and plans its next visit.
    pub(crate) fn scrape(&mut self, number: u32) {
        let prometheus = &self.conditions.prometheus;
        let blind = prometheus.down || prometheus.stale;
        let target = self
            .scrapes
            .targets
            .get(num::place(number.into()))
            .map(|scraped| scraped.target);
        if let Some(target) = target.filter(|_| !blind) {
            let scrape = self.visit(target);
            self.scrapes.push(number, scrape);
        }
        self.plan_scrape(number);
    }

    fn visit(&mut self, target: Target) -> Scrape {
        let now = self.now;
        let timeout = now + ms(self.shape.timing.scrape_timeout);
        let at = |visible, outcome| Scrape {
            at: now,
            visible,
            outcome,
        };
        match target {
            Target::Store(place) | Target::Tiflash(place) => {
                let gone = self
                    .conditions
                    .stores
                    .get(usize::from(place))
                    .is_some_and(|condition| condition.unscraped);
                let process = self.store(place).map(|store| (store.process, store.meta));
                match process {
                    _ if gone => at(now, Outcome::Gone),
                    None | Some((_, Meta::Tombstone)) => at(now, Outcome::Gone),
                    Some((Process::Dead, _)) => at(now, Outcome::Down),
                    Some((Process::Frozen, _)) => at(timeout, Outcome::Down),
                    Some((Process::Running, _)) if matches!(target, Target::Tiflash(_)) => {
                        at(now, Outcome::Up(Page::Tiflash))
                    }
                    Some((Process::Running, _)) => {
                        self.accrue(place);
                        let page = self
                            .store_page(place)
                            .map(|page| Page::Store(Box::new(page)));
                        at(now, page.map_or(Outcome::Down, Outcome::Up))
                    }
                }
            }
            Target::Member(place) => match self.pd.process(place) {
                Some(MemberProcess::Running) => {
                    at(now, Outcome::Up(Page::Pd(Box::new(self.pd_page(place)))))
                }
                Some(MemberProcess::Frozen) => at(timeout, Outcome::Down),
                Some(MemberProcess::Dead) | None => at(now, Outcome::Down),
            },
        }
    }

    /// What a store shows now; `None` for a store that is not there.
    pub(crate) fn store_page(&self, place: u16) -> Option<StorePage> {
        let store = self.store(place)?;
        let condition = self.conditions.stores.get(usize::from(place))?;
        let tally = self.regions.tally(place);
        let since_start = num::since(self.now, store.started);
        // Seen for some ten seconds in five minutes, as the flag is: one scrape meets it.
        let flagged = condition.leader_missing && self.now % (5 * num::MINUTE) < 15 * num::SECOND;
        let rates = self.rates(place);
        // Looking changes nothing: what was counted since the last scrape is added to a copy.
        let mut counters = store.counters.clone();
        if store.is_running() {
            counters.accrue(self.now, &rates);
        }
        let memory = condition
            .memory
            .unwrap_or(0.4 + 0.02 * prng::noise(self.shape.seed, place.into(), self.now / 60_000));
        Some(StorePage {
            release: self.shape.release,
            version: store.version.clone(),
            counted: counters.values,
            start_unix: self.unix_of(store.started).div_euclid(1000),
            resident_bytes: (MEMORY as f64 * memory).floor(),
            capacity: store.capacity,
            available: self.available_bytes(place),
            used: self.used_bytes(place),
            // The gauge is set by a ten-second timer.
            regions: if since_start < 10 * num::SECOND {
                0
            } else {
                tally.peers
            },
            leaders: if since_start < 10 * num::SECOND {
                0
            } else {
                tally.leaders.saturating_sub(tally.headless)
            },
            slow_score: store.probe_score,
            leader_missing: if flagged { 3.0 } else { 0.0 },
            discard: rates.discard,
            write_flow: (rates.writes * 256.0).floor(),
        })
    }

    /// What a member of PD shows now.
    pub(crate) fn pd_page(&self, member: usize) -> PdPage {
        let leads = self.pd.serving() == Some(member);
        let fresh = leads && self.led_for() >= ms(self.shape.timing.pd_metrics_gap);
        let offline: u32 = (0_u16..)
            .zip(&self.stores)
            .filter(|(_, store)| store.meta == Meta::Offline)
            .map(|(place, _)| self.regions.tally(place).peers)
            .sum();
        let ailing = self.regions.ailing();
        let count = |n: u32| if fresh { n } else { 0 };
        PdPage {
            release: self.shape.release,
            start_unix: self
                .pd
                .members
                .get(member)
                .map_or(0, |m| self.unix_of(m.started).div_euclid(1000)),
            leads,
            stores: if fresh {
                self.pd_store_rows()
            } else {
                Vec::new()
            },
            pending: count(ailing.pending),
            down: count(ailing.down),
            learner: count(ailing.learner),
            offline: count(offline),
            missing: count(ailing.missing(self.pd.config.max_replicas)),
            extra: count(ailing.extra(self.pd.config.max_replicas)),
            empty: count(ailing.empty),
            oversized: count(ailing.oversized),
            undersized: count(ailing.undersized),
            health: if leads {
                (0..self.pd.members.len())
                    .filter_map(|place| {
                        Some((
                            self.pd.members.get(place)?.name.clone(),
                            self.is_healthy(place),
                        ))
                    })
                    .collect()
            } else {
                Vec::new()
            },
            schedulers: if leads {
                let names = self.scheduler_names().into_iter();
                names
                    .map(|name| (self.scheduler_works(&name), name))
                    .map(|(works, name)| (name, works))
                    .collect()
            } else {
                Vec::new()
            },
            hot: if fresh { self.hot_rows() } else { Vec::new() },
        }
    }

    fn pd_store_rows(&self) -> Vec<PdStoreRow> {
        (0_u16..)
            .zip(&self.stores)
            .filter(|(_, store)| store.meta != Meta::Tombstone)
            .map(|(place, store)| {
                let tally = self.regions.tally(place);
                let reports = &store.reports;
                let sized = |bytes| if reports.sized { bytes } else { 0 };
                let silent = reports
                    .last
                    .map_or(Millis::MAX, |last| num::since(self.now, last));
                PdStoreRow {
                    id: store.id,
                    engine: store.engine.name(),
                    learners: tally.learners,
                    witnesses: tally.witnesses,
                    address: store.address(),
                    seen: self.seen(store),
                    unhealthy: silent > 10 * num::MINUTE,
                    slow: reports.slow_score >= SLOW,
                    leaders: tally.leaders,
                    peers: tally.peers,
                    leader_mib: tally.leader_mib,
                    region_mib: tally.region_mib,
                    capacity: sized(store.capacity),
                    available: sized(reports.available),
                    used: sized(reports.used),
                    low_space: reports.sized
                        && (reports.available as f64)
                            < store.capacity as f64 * (1.0 - self.pd.config.low_space_ratio),
                }
            })
            .collect()
    }

    fn hot_rows(&self) -> Vec<(String, u64, bool, f64)> {
        self.listed_heat()
            .filter_map(|(heat, row)| {
                let leader = self.store(row.leader()?.store)?;
                let write = heat.flow == Flow::Write;
                Some((leader.address(), leader.id, write, heat.per_second * 256.0))
            })
            .collect()
    }
}

/// Bytes that each store may use.
pub(crate) const MEMORY: u64 = 16 * num::GIB;
/// Cores as the page says them.
pub(crate) const QUOTA: f64 = CORES;
