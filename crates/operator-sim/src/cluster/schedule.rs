//! What PD does on its own: leaders leave, leaders and peers are balanced, lost replicas are made up, stores emptied.
//!
//! Schedulers sleep. Something that may give them work wakes them, and they go on for as long as they find any.

use crate::num::{self, MINUTE, Millis, SECOND};

use super::Cluster;
use super::event::{Cause, EventKind};
use super::queue::Planned;
use super::region::Peer;
use super::store::{Meta, Removal, Seen, Store};

/// Leaders and peers further apart than this are balanced: PD tolerates five a side.
const TOLERANCE: u32 = 10;
const LEADER_TICK: Millis = 250;
const PEER_TICK: Millis = SECOND;
/// Looks at a removal that its speed is taken over.
const LOOKS: usize = 6;

/// A peer on its way from one store to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) region: u32,
    pub(crate) from: u16,
    pub(crate) to: u16,
}

/// Peers on their way. Slots are used again; their number is bounded by PD's schedule limits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves {
    slots: Vec<Option<Move>>,
    leaders_awake: bool,
    peers_awake: bool,
    removals_awake: bool,
}

impl Moves {
    pub(crate) fn running(&self) -> impl Iterator<Item = &Move> {
        self.slots.iter().flatten()
    }

    fn add(&mut self, moving: Move) -> u32 {
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(place) => *place = Some(moving),
            None => self.slots.push(Some(moving)),
        }
        num::row(slot)
    }

    fn take(&mut self, slot: u32) -> Option<Move> {
        self.slots.get_mut(num::place(slot.into()))?.take()
    }
}

impl Cluster {
    /// Something may have given the schedulers work.
    pub(super) fn wake_schedulers(&mut self) {
        if !std::mem::replace(&mut self.moves.leaders_awake, true) {
            self.queue
                .plan(self.now + LEADER_TICK, Planned::MoveLeaders);
        }
        if !std::mem::replace(&mut self.moves.peers_awake, true) {
            self.queue.plan(self.now + PEER_TICK, Planned::MovePeers);
        }
        let removing = self.stores.iter().any(|store| store.meta == Meta::Offline);
        if removing && !std::mem::replace(&mut self.moves.removals_awake, true) {
            self.queue.plan(self.now + 10 * SECOND, Planned::Removals);
        }
    }

    pub(crate) fn halted(&self) -> bool {
        self.pd.config.halt_scheduling || self.conditions.pd.halted
    }

    /// Whether a scheduler of this name exists and works.
    pub(crate) fn scheduler_works(&self, name: &str) -> bool {
        let pd = &self.conditions.pd;
        self.pd.works(name, self.now)
            && !pd.removed.iter().any(|gone| gone == name)
            && !pd.paused.iter().any(|paused| paused == name)
    }

    /// Stores that give their leaders away.
    pub(crate) fn evicted(&self) -> impl Iterator<Item = u16> + '_ {
        (0..num::ordinal(self.stores.len())).filter(|place| self.is_evicted(*place))
    }

    pub(crate) fn is_evicted(&self, place: u16) -> bool {
        self.pd.evicting.contains(&place)
            || self.condition_of(place).is_some_and(|c| c.evict_leader)
    }

    fn may_lead(&self, place: u16) -> bool {
        self.store(place).is_some_and(|store| {
            self.seen(store) == Seen::Up
                && store.is_running()
                && !store.reports.busy
                && store.reports.sized
        }) && !self.is_evicted(place)
    }

    /// PD's name for a store's state now.
    pub(crate) fn seen(&self, store: &Store) -> Seen {
        store.seen(self.now, self.pd.config.max_store_down)
    }

    /// One round of moving leaders: evicted stores first, then balance.
    pub(super) fn move_leaders(&mut self) {
        self.moves.leaders_awake = false;
        if self.pd.serving().is_none() || self.pd_is_cold() || self.halted() {
            return;
        }
        let mut moved = 0;
        for place in 0..num::ordinal(self.stores.len()) {
            let leads = self.regions.tally(place).leaders > 0 && self.is_running(place);
            if leads && self.is_evicted(place) && self.scheduler_works("evict-leader-scheduler") {
                // Each round sends a batch; a round lasts as long as its transfers.
                moved += self.give_leaders_away(place, 8, 0);
            } else if let Some(wanted) = self.condition_of(place).and_then(|c| c.leader_skew) {
                moved += self.draw_leaders(place, wanted);
            }
        }
        if self.scheduler_works("balance-leader-scheduler") {
            moved += self.balance_leaders();
        }
        let waiting = self
            .stores
            .iter()
            .any(|store| store.is_running() && store.reports.busy);
        if moved > 0 || waiting {
            self.moves.leaders_awake = true;
            let tick = if moved > 0 { LEADER_TICK } else { 5 * SECOND };
            self.queue.plan(self.now + tick, Planned::MoveLeaders);
        }
    }

    fn balance_leaders(&mut self) -> u64 {
        let limit = self.pd.config.leader_schedule_limit.min(64);
        let mut moved = 0;
        for _ in 0..limit {
            let skewed = |place: &u16| {
                self.condition_of(*place)
                    .is_some_and(|condition| condition.leader_skew.is_some())
            };
            let counts = (0..num::ordinal(self.stores.len()))
                .filter(|place| self.may_lead(*place) && !skewed(place))
                .map(|place| (self.regions.tally(place).leaders, place));
            let Some(((fewest, _), (most, source))) = counts.fold(None, |ends, one| match ends {
                None => Some((one, one)),
                Some((low, high)) => Some((one.min(low), one.max(high))),
            }) else {
                return moved;
            };
            if most <= fewest + TOLERANCE || self.give_leaders_away(source, 1, TOLERANCE) == 0 {
                return moved;
            }
            moved += 1;
        }
        moved
    }

    /// Moves up to `batch` leaders from a store to followers that lead fewer by more than `margin`.
    fn give_leaders_away(&mut self, source: u16, batch: u64, margin: u32) -> u64 {
        let mut moved = 0;
        let rows = num::row(self.regions.len());
        let first = u32::try_from(self.chance.scheduling.below(rows.into())).unwrap_or(0);
        let most = self.regions.tally(source).leaders;
        for region in (first..rows).chain(0..first) {
            if moved >= batch {
                break;
            }
            if let Some(to) = self.follower_for(region, source, most, margin) {
                self.install(region, to, Cause::Transfer);
                moved += 1;
            }
        }
        moved
    }

    fn follower_for(&self, region: u32, source: u16, most: u32, margin: u32) -> Option<Peer> {
        let row = self.regions.get(region)?;
        if !row.is_led_by(source) || row.is_headless() {
            return None;
        }
        row.peers()
            .filter(|peer| {
                !peer.leader && !peer.learner && !peer.pending && self.may_lead(peer.store)
            })
            .map(|peer| (self.regions.tally(peer.store).leaders, peer))
            .filter(|(leaders, _)| margin == 0 || leaders + margin < most)
            .min_by_key(|(leaders, peer)| (*leaders, peer.slot))
            .map(|(_, peer)| peer)
    }

    /// Draws leaders to a store until it leads `wanted` times the mean.
    fn draw_leaders(&mut self, target: u16, wanted: f64) -> u64 {
        let mean = self.regions.len() as f64 / self.stores.len().max(1) as f64;
        let goal = num::whole(mean * wanted);
        let mut moved = 0;
        for region in 0..num::row(self.regions.len()) {
            if moved >= 8 || u64::from(self.regions.tally(target).leaders) >= goal {
                break;
            }
            let peer = self.regions.get(region).and_then(|row| row.peer_on(target));
            if let Some(peer) = peer.filter(|peer| !peer.leader && !peer.pending)
                && self.may_lead(target)
            {
                self.install(region, peer, Cause::Transfer);
                moved += 1;
            }
        }
        moved
    }

    /// One round of moving peers: from stores that are down or being removed, then balance.
    pub(super) fn move_peers(&mut self) {
        self.moves.peers_awake = false;
        if self.pd.serving().is_none() || self.pd_is_cold() || self.halted() {
            return;
        }
        let mut begun = 0;
        let mut backlog = false;
        for place in 0..num::ordinal(self.stores.len()) {
            if self.must_be_emptied(place) && self.regions.tally(place).peers > 0 {
                backlog = true;
                begun += self.empty(place);
            }
        }
        if !backlog && self.scheduler_works("balance-region-scheduler") {
            begun += self.balance_peers();
        }
        if begun > 0 || backlog || self.moves.running().next().is_some() {
            self.moves.peers_awake = true;
            // Where nothing could begin, nothing will before something changes: look again, but seldom.
            let busy = begun > 0 || self.moves.running().next().is_some();
            let tick = if busy { PEER_TICK } else { 5 * SECOND };
            self.queue.plan(self.now + tick, Planned::MovePeers);
        }
    }

    fn must_be_emptied(&self, place: u16) -> bool {
        self.store(place).is_some_and(|store| {
            store.meta == Meta::Offline
                || self.seen(store) == Seen::Down && store.reports.last.is_some()
        })
    }

    /// Begins to move peers off a store, as far as the limits let it.
    fn empty(&mut self, source: u16) -> u64 {
        let limit = self.pd.config.replica_schedule_limit.min(1024);
        let running = self.moves.running().count() as u64;
        self.begin_moves(source, limit.saturating_sub(running), false)
    }

    fn balance_peers(&mut self) -> u64 {
        let counts = (0..num::ordinal(self.stores.len()))
            .filter(|place| self.takes_peers(*place, None))
            .map(|place| (self.regions.tally(place).peers, place));
        let Some(((fewest, _), (most, source))) = counts.fold(None, |ends, one| match ends {
            None => Some((one, one)),
            Some((low, high)) => Some((one.min(low), one.max(high))),
        }) else {
            return 0;
        };
        if most <= fewest + TOLERANCE.max(most / 20) || self.pd.config.region_schedule_limit == 0 {
            return 0;
        }
        self.begin_moves(source, 4, true)
    }

    fn begin_moves(&mut self, source: u16, room: u64, balance: bool) -> u64 {
        let mut begun = 0;
        let rows = num::row(self.regions.len());
        let first = u32::try_from(self.chance.scheduling.below(rows.into())).unwrap_or(0);
        let fewer_than = balance.then(|| self.regions.tally(source).peers);
        let mut targets = self.targets(source, fewer_than);
        for region in (first..rows).chain(0..first) {
            if begun >= room || targets.is_empty() {
                break;
            }
            let Some(row) = self.regions.get(region) else {
                continue;
            };
            // A region that is being changed, or that nobody leads, cannot be changed.
            let led = row
                .leader()
                .is_some_and(|leader| self.is_running(leader.store));
            if row.peer_on(source).is_none()
                || row.has_learner()
                || row.is_headless()
                || !led
                || !self.has_quorum(row)
            {
                continue;
            }
            let free = targets.iter().find(|place| row.peer_on(**place).is_none());
            if let Some(target) = free.copied() {
                self.begin_move(region, source, target);
                targets = self.targets(source, fewer_than);
                begun += 1;
            }
        }
        begun
    }

    /// The stores that may take one more peer now, fewest peers first.
    fn targets(&self, source: u16, fewer_than: Option<u32>) -> Vec<u16> {
        let mut targets: Vec<(u32, u16)> = (0..num::ordinal(self.stores.len()))
            .filter(|place| *place != source && self.takes_peers(*place, Some(self.now)))
            .map(|place| (self.regions.tally(place).peers, place))
            .filter(|(peers, _)| fewer_than.is_none_or(|source| peers + TOLERANCE < source))
            .collect();
        targets.sort_unstable();
        targets.into_iter().map(|(_, place)| place).collect()
    }

    /// Whether PD may place a peer there; with a time, whether the store's limit lets it now.
    fn takes_peers(&self, place: u16, now: Option<Millis>) -> bool {
        let low = self.pd.config.low_space_ratio;
        !self.conditions.pd.no_target
            && self.store(place).is_some_and(|store| {
                let fill = 1.0 - store.reports.available as f64 / store.capacity.max(1) as f64;
                self.seen(store) == Seen::Up
                    && store.reports.sized
                    && fill < low
                    && now.is_none_or(|now| store.next_add <= now)
            })
    }

    fn begin_move(&mut self, region: u32, from: u16, to: u16) {
        let size = self.regions.get(region).map_or(0, |row| row.size_mib);
        if !self.regions.add_learner(region, to) {
            return;
        }
        let between = num::whole(MINUTE as f64 / self.pd.config.store_limit.max(0.001));
        let now = self.now;
        if let Some(target) = self.stores.get_mut(usize::from(to)) {
            target.next_add = now + between;
        }
        // A copy takes as long as its bytes, at a hundred MiB a second, and the steps around it.
        let takes = u64::from(size) * 10 + self.chance.scheduling.between((1_000, 4_000));
        let slot = self.moves.add(Move { region, from, to });
        self.queue.plan(now + takes, Planned::PeerMoved { slot });
    }

    /// A copy is complete: the new peer votes, the old one goes.
    pub(super) fn peer_moved(&mut self, slot: u32) {
        let Some(moving) = self.moves.take(slot) else {
            return;
        };
        self.accrue(moving.from);
        self.accrue(moving.to);
        if !self.is_running(moving.to) {
            self.regions.remove_peer(moving.region, moving.to);
            return;
        }
        let Some(row) = self.regions.get(moving.region) else {
            return;
        };
        let (id, led) = (u64::from(row.id), row.is_led_by(moving.from));
        self.regions.promote(moving.region, moving.to);
        if led {
            let heir = self.regions.get(moving.region).and_then(|row| {
                row.peers()
                    .find(|peer| !peer.leader && !peer.pending && self.is_running(peer.store))
            });
            if let Some(heir) = heir {
                self.install(moving.region, heir, Cause::Transfer);
            }
        }
        if !self.regions.remove_peer(moving.region, moving.from) {
            // The old peer cannot go: take the new one back, so that replicas are conserved.
            self.regions.remove_peer(moving.region, moving.to);
            return;
        }
        let name = |place| self.store(place).map_or(0, |store| store.id);
        let (from, to) = (name(moving.from), name(moving.to));
        self.record(EventKind::PeerMoved {
            region: id,
            from,
            to,
        });
    }

    /// PD's ten-second look at the stores being removed.
    pub(super) fn watch_removals(&mut self) {
        self.moves.removals_awake = false;
        let now = self.now;
        let serving = self.pd.serving().is_some();
        let mut left = false;
        for place in 0..num::ordinal(self.stores.len()) {
            let tally = self.regions.tally(place);
            let Some(store) = self.stores.get_mut(usize::from(place)) else {
                continue;
            };
            if store.meta != Meta::Offline {
                continue;
            }
            if tally.peers == 0 && serving {
                store.meta = Meta::Tombstone;
                store.removal = None;
                let id = store.id;
                self.record(EventKind::StoreState {
                    store: id,
                    state: Seen::Tombstone.name(),
                });
                continue;
            }
            left = true;
            if let Some(removal) = &mut store.removal {
                removal.look(now, tally.region_mib);
            }
        }
        if left {
            self.moves.removals_awake = true;
            self.queue.plan(now + 10 * SECOND, Planned::Removals);
        }
    }

    /// Begins the removal of a store, as PD's DELETE does.
    pub(crate) fn remove_store(&mut self, place: u16) {
        let (now, size) = (self.now, self.regions.tally(place).region_mib);
        if let Some(store) = self.stores.get_mut(usize::from(place))
            && store.meta == Meta::Up
        {
            store.meta = Meta::Offline;
            let mut removal = Removal {
                initial_mib: size,
                looks: Vec::new(),
                progress: 0.0,
            };
            removal.look(now, size);
            store.removal = Some(removal);
            let id = store.id;
            self.record(EventKind::StoreState {
                store: id,
                state: Seen::Offline.name(),
            });
        }
        self.wake_schedulers();
    }

    /// Ends the removal of a store that has not ended by itself.
    pub(crate) fn restore_store(&mut self, place: u16) {
        if let Some(store) = self.stores.get_mut(usize::from(place))
            && store.meta == Meta::Offline
            && !store.destroyed
        {
            store.meta = Meta::Up;
            store.removal = None;
        }
        self.wake_schedulers();
    }

    /// Hands a region to another of its voters, as PD's operator does. False where it cannot be.
    pub(crate) fn transfer_leader(&mut self, region: u32, to: u16) -> bool {
        let target = self
            .regions
            .get(region)
            .filter(|row| !row.is_headless())
            .and_then(|row| row.peer_on(to))
            .filter(|peer| !peer.leader && !peer.learner && !peer.pending);
        match target.filter(|_| self.may_lead(to)) {
            Some(peer) => {
                self.install(region, peer, Cause::Transfer);
                true
            }
            None => false,
        }
    }
}

impl Removal {
    fn look(&mut self, now: Millis, left_mib: u64) {
        let gone = self.initial_mib.saturating_sub(left_mib) as f64;
        let progress = gone / self.initial_mib.max(1) as f64;
        self.progress = self.progress.max(progress);
        self.looks.push((now, left_mib));
        if self.looks.len() > LOOKS {
            self.looks.remove(0);
        }
    }
}
