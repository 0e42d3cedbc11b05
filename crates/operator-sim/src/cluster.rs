//! The model: stores, regions, leaders, PD and the scheduling that people see, in virtual time.
//!
//! It is driven by events. A step costs what it changes: reports of stores and scrapes are the only things that
//! happen by the clock, and a region costs nothing until something befalls it.

pub(crate) mod condition;
mod elections;
pub(crate) mod event;
pub(crate) mod growth;
pub(crate) mod keyspace;
mod leaders;
mod membership;
pub(crate) mod merges;
pub(crate) mod pd;
mod peers;
mod processes;
mod queue;
mod rates;
mod react;
pub(crate) mod records;
pub(crate) mod region;
mod removal;
mod replicas;
pub(crate) mod row;
pub(crate) mod schedule;
pub(crate) mod store;
pub(crate) mod tally;
pub(crate) mod traffic;

use std::collections::VecDeque;
use std::time::Duration;

use crate::fault::{FaultError, Injection, InjectionId, Plan};
use crate::num::{self, Millis};
use crate::prng::Prng;
use crate::prom::series::Scrapes;
use crate::shape::{Shape, ShapeError};

use condition::Conditions;
use event::{Event, EventKind};
use growth::Growth;
use merges::Merges;
use pd::Pd;
use queue::{Planned, Queue};
use records::Records;
use region::Regions;
use schedule::Moves;
use store::Store;

/// Streams of chance, one per concern.
#[derive(Debug, Clone)]
struct Chance {
    elections: Prng,
    scheduling: Prng,
    timing: Prng,
}

/// A simulated cluster.
///
/// It stands still until [`advance`](Self::advance) moves it. Two clusters of equal [`Shape`]s that are treated alike
/// have one history, byte for byte.
///
/// ```
/// use operator_sim::{Cluster, Shape};
/// use std::time::Duration;
///
/// let mut cluster = Cluster::new(Shape::default())?;
/// cluster.inject("store-killed store=2 at=10s")?;
/// cluster.advance(Duration::from_secs(60));
/// assert!(cluster.events().any(|event| event.at_ms >= 10_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Cluster {
    pub(crate) shape: Shape,
    pub(crate) now: Millis,
    pub(crate) regions: Regions,
    pub(crate) stores: Vec<Store>,
    pub(crate) pd: Pd,
    pub(crate) conditions: Conditions,
    pub(crate) plan: Plan,
    pub(crate) scrapes: Scrapes,
    queue: Queue,
    moves: Moves,
    growth: Growth,
    merges: Merges,
    records: Records,
    spoilt: Vec<replicas::Spoilt>,
    /// Stores that reported once and are silent now.
    silent: Vec<u16>,
    chance: Chance,
    events: VecDeque<Event>,
    forgotten: u64,
    steps: u64,
}

impl Cluster {
    /// A healthy cluster at model time 0, a week after its stores were started.
    ///
    /// # Errors
    /// When no cluster can have that shape; the error says which part of it.
    pub fn new(shape: Shape) -> Result<Self, ShapeError> {
        shape.check()?;
        let mut chance = Chance {
            elections: Prng::new(shape.seed, 1),
            scheduling: Prng::new(shape.seed, 2),
            timing: Prng::new(shape.seed, 3),
        };
        let spread = ms(shape.timing.heartbeat_spread);
        let mut stores: Vec<Store> = (0..shape.stores)
            .map(|place| Store::new(place, &shape, chance.timing.between((0, spread))))
            .collect();
        let mut regions = Regions::new(
            shape.regions,
            shape.stores,
            shape.replicas,
            shape.region_mib,
            &mut Prng::new(shape.seed, 4),
        );
        for place in shape.stores..shape.stores + shape.tiflash {
            let phase = chance.timing.between((0, spread));
            let number = place - shape.stores;
            stores.push(Store::new(place, &shape, phase).tiflash(number, shape.labels));
            regions.add_store();
        }
        dress(&mut regions, &shape);
        let mut cluster = Self {
            now: 0,
            conditions: Conditions::none(stores.len(), usize::from(shape.members)),
            pd: Pd::new(shape.seed, shape.members, shape.replicas),
            scrapes: Scrapes::new(&shape),
            plan: Plan::default(),
            queue: Queue::default(),
            moves: Moves::default(),
            growth: Growth::new(shape.seed),
            merges: Merges::default(),
            records: Records::default(),
            spoilt: Vec::new(),
            silent: Vec::new(),
            events: VecDeque::new(),
            forgotten: 0,
            steps: 0,
            regions,
            stores,
            chance,
            shape,
        };
        cluster.begin();
        Ok(cluster)
    }

    /// How many stores are TiKV's.
    pub(crate) fn tikv_stores(&self) -> usize {
        self.stores
            .len()
            .saturating_sub(usize::from(self.shape.tiflash))
    }

    fn begin(&mut self) {
        for place in 0..self.stores.len() {
            let store = num::ordinal(place);
            self.refresh_report(store);
            let phase = self.stores.get(place).map_or(0, |store| store.phase);
            self.queue
                .plan(phase, Planned::Heartbeat { store, life: 0 });
        }
        for (target, phase) in self.scrapes.phases() {
            self.queue.plan(phase, Planned::Scrape { target });
        }
        self.queue.plan(10 * num::MINUTE, Planned::HotHistory);
    }

    /// Moves model time on by `span`.
    pub fn advance(&mut self, span: Duration) {
        let until = self.now.saturating_add(ms(span));
        while let Some((at, planned)) = self.queue.due(until) {
            self.now = self.now.max(at);
            self.steps += 1;
            self.happen(planned);
        }
        self.now = until;
    }

    fn happen(&mut self, planned: Planned) {
        match planned {
            Planned::Heartbeat { store, life } => self.heartbeat(store, life),
            Planned::Register { store, life } => self.register(store, life),
            Planned::CaughtUp { store, life, part } => self.caught_up(store, life, part),
            Planned::PeersDown { store, life } => self.peers_down(store, life),
            Planned::StoreDown { store, life } => self.store_down(store, life),
            Planned::Elect { region } => self.elect(region),
            Planned::StepDown { region, term } => self.step_down(region, term),
            Planned::MoveLeaders => self.move_leaders(),
            Planned::Wake => self.wake_schedulers(),
            Planned::MovePeers => self.move_peers(),
            Planned::PeerMoved { slot } => self.peer_moved(slot),
            Planned::PeerSettled { slot } => self.peer_settled(slot),
            Planned::HotHistory => self.write_hot_history(),
            Planned::Grow => self.grow(),
            Planned::MergeRegions => self.merge_regions(),
            Planned::Removals => self.watch_removals(),
            Planned::PdElect { round } => self.pd_elect(round),
            Planned::Scrape { target } => self.scrape(target),
            Planned::Faults => self.reconsider(),
        }
    }

    /// Plans a fault from its text: a name of the fault table and its parameters, then `at` (from now) and `for`.
    ///
    /// # Errors
    /// When the text names no fault, or gives it parameters that it does not take; nothing is planned then.
    pub fn inject(&mut self, text: &str) -> Result<InjectionId, FaultError> {
        let injection = Injection::parse(text, self)?;
        let id = self.plan.add(injection);
        self.reconsider();
        Ok(id)
    }

    /// Ends a fault now. False when there is none with that id, or it has ended.
    pub fn clear(&mut self, id: InjectionId) -> bool {
        let cleared = self.plan.end(id, self.now);
        self.reconsider();
        cleared
    }

    /// Model time.
    #[must_use]
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.now)
    }

    /// Model time as Unix milliseconds, which is what the cluster's servers believe.
    #[must_use]
    pub fn unix_ms(&self) -> u64 {
        self.shape.began_unix_ms.saturating_add(self.now)
    }

    /// The shape it was built from.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The newest things that happened, oldest first; at most [`Shape::kept_events`].
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.events.iter()
    }

    /// How many events were dropped because only so many are kept.
    #[must_use]
    pub fn forgotten_events(&self) -> u64 {
        self.forgotten
    }

    /// How many planned things have come up: the model's own measure of work.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many regions there are now.
    #[must_use]
    pub fn region_count(&self) -> usize {
        self.regions.len()
    }

    /// How many things are planned now.
    #[must_use]
    pub fn planned(&self) -> usize {
        self.queue.len()
    }

    fn record(&mut self, kind: EventKind) {
        if self.events.len() >= self.shape.kept_events {
            self.events.pop_front();
            self.forgotten += 1;
        }
        if self.shape.kept_events > 0 {
            self.events.push_back(Event {
                at_ms: self.now,
                kind,
            });
        }
    }

    /// Model time as Unix milliseconds of a moment that may lie before the cluster began.
    pub(crate) fn unix_of(&self, moment: i64) -> i64 {
        num::signed(self.shape.began_unix_ms).saturating_add(moment)
    }

    /// The place of the store with this id.
    pub(crate) fn store_place(&self, id: u64) -> Option<u16> {
        let place = u16::try_from(id.checked_sub(1)?).ok()?;
        (usize::from(place) < self.stores.len()).then_some(place)
    }

    pub(crate) fn store(&self, place: u16) -> Option<&Store> {
        self.stores.get(usize::from(place))
    }

    pub(crate) fn is_running(&self, store: u16) -> bool {
        self.store(store).is_some_and(Store::is_running)
    }

    /// Whether a store lives and reaches the others, so that its peers vote.
    pub(crate) fn takes_part(&self, store: u16) -> bool {
        self.is_running(store) && self.condition_of(store).is_none_or(|c| !c.parted)
    }

    /// PD's configuration as it acts on it, faults included.
    pub(crate) fn config(&self) -> pd::Config {
        let mut config = self.pd.config.clone();
        if self.conditions.pd.no_limits {
            config.leader_schedule_limit = 0;
            config.region_schedule_limit = 0;
            config.replica_schedule_limit = 0;
        }
        config
    }

    /// Heat that PD lists by now, with its region.
    pub(crate) fn listed_heat(&self) -> impl Iterator<Item = (&condition::Heat, &row::Row)> {
        self.conditions
            .heat
            .iter()
            .filter(|heat| self.listed_at(heat) <= self.now)
            .filter_map(|heat| Some((heat, self.regions.get(heat.region)?)))
    }

    /// When PD lists a heat: regions report once a minute, each at a second of its own.
    pub(crate) fn listed_at(&self, heat: &condition::Heat) -> Millis {
        let phase = crate::prng::hash(self.shape.seed, heat.region.into(), 0x407) % num::MINUTE;
        heat.since + phase + ms(self.shape.timing.hot_after)
    }

    /// Peers on their way.
    pub(crate) fn running_moves(&self) -> impl Iterator<Item = &schedule::Move> {
        self.moves.running()
    }

    /// Another member of PD leads from now on, by hand.
    pub(crate) fn crown(&mut self, member: usize) {
        if self.pd.leader != Some(member) && self.pd.running(member) {
            self.enthrone(member, false);
        }
    }

    /// What keeps the schedulers from work will have ended by then.
    pub(crate) fn wake_at(&mut self, moment: Millis) {
        self.queue.plan(moment, Planned::Wake);
    }

    /// Somebody changed something through PD.
    pub(crate) fn something_changed(&mut self) {
        self.wake_schedulers();
    }

    /// Whether the other members of PD can reach this one.
    pub(crate) fn is_healthy(&self, member: usize) -> bool {
        let unhealthy = self
            .conditions
            .members
            .get(member)
            .is_some_and(|m| m.unhealthy);
        self.pd.running(member) && !unhealthy
    }

    /// The schedulers there are, in one fixed order.
    pub(crate) fn scheduler_names(&self) -> Vec<String> {
        let mut names = self.pd.schedulers(self.shape.release);
        names.retain(|name| !self.conditions.pd.removed.contains(name));
        if self.evicted().next().is_some()
            && !names.iter().any(|name| name == "evict-leader-scheduler")
        {
            names.push("evict-leader-scheduler".to_owned());
        }
        names
    }

    pub(crate) fn plan_scrape(&mut self, target: u32) {
        let next = self.now + ms(self.shape.timing.scrape);
        self.queue.plan(next, Planned::Scrape { target });
    }
}

/// Replicas beside the ordinary ones: the first half of the regions are also on TiFlash, and a voter of each may be a
/// witness.
fn dress(regions: &mut Regions, shape: &Shape) {
    for slot in 0..regions.slots() {
        if shape.witnesses {
            regions.make_witness(slot);
        }
        if shape.tiflash > 0 && slot < regions.slots().div_ceil(2) {
            let turn = u16::try_from(slot % u32::from(shape.tiflash)).unwrap_or(0);
            regions.add_columnar(slot, shape.stores + turn);
        }
    }
}

/// Cores that each store may use.
pub(crate) const CORES: f64 = 8.0;

pub(crate) fn ms(span: Duration) -> Millis {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn range(span: (Duration, Duration)) -> (Millis, Millis) {
    (ms(span.0), ms(span.1))
}
