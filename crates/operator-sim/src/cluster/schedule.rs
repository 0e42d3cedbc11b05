//! What PD does on its own: who may lead and who may be given more, and when the schedulers work.
//!
//! Schedulers sleep. Something that may give them work wakes them, and they go on for as long as they find any.

use crate::num::{self, Millis, SECOND};

use crate::shape::Release;

use super::Cluster;
use super::queue::Planned;
use super::store::{Meta, Seen, Store};

/// Leaders and peers further apart than this are balanced: PD tolerates five a side.
pub(super) const TOLERANCE: u32 = 10;
/// From this score on PD calls a store slow.
pub(crate) const SLOW: u32 = 80;
pub(super) const LEADER_TICK: Millis = 250;
pub(super) const PEER_TICK: Millis = SECOND;

/// A peer on its way from one store to another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Move {
    pub(crate) region: u32,
    pub(crate) from: u16,
    pub(crate) to: u16,
    pub(crate) since: Millis,
}

/// Peers on their way. Slots are used again; their number is bounded by PD's schedule limits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves {
    slots: Vec<Option<Move>>,
    pub(super) leaders_awake: bool,
    pub(super) peers_awake: bool,
    pub(super) removals_awake: bool,
}

impl Moves {
    pub(crate) fn running(&self) -> impl Iterator<Item = &Move> {
        self.slots.iter().flatten()
    }

    pub(super) fn add(&mut self, moving: Move) -> u32 {
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.slots.len());
        match self.slots.get_mut(slot) {
            Some(place) => *place = Some(moving),
            None => self.slots.push(Some(moving)),
        }
        num::row(slot)
    }

    pub(super) fn get(&self, slot: u32) -> Option<Move> {
        self.slots.get(num::place(slot.into())).copied().flatten()
    }

    pub(super) fn take(&mut self, slot: u32) -> Option<Move> {
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
        self.wake_merges();
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

    /// Whether PD takes the leaders of a store away: it is evicted, or the one store that finds itself slow.
    pub(super) fn sheds_leaders(&self, place: u16) -> bool {
        let slow = |store: &Store| store.reports.slow_score >= SLOW && self.seen(store) == Seen::Up;
        let reached =
            self.condition_of(place).is_none_or(|c| !c.cut_from_pd) && self.is_running(place);
        let alone = || self.stores.iter().filter(|store| slow(store)).count() == 1;
        let too_slow =
            self.shape.release >= Release::V8_5 && self.store(place).is_some_and(slow) && alone();
        reached && (self.is_evicted(place) || too_slow)
    }

    pub(super) fn may_lead(&self, place: u16) -> bool {
        self.store(place).is_some_and(|store| {
            store.is_tikv()
                && self.seen(store) == Seen::Up
                && self.takes_part(place)
                && !store.reports.busy
                && store.reports.sized
        }) && !self.is_evicted(place)
            && !self.sheds_leaders(place)
    }

    /// PD's name for a store's state now.
    pub(crate) fn seen(&self, store: &Store) -> Seen {
        store.seen(self.now, self.pd.config.max_store_down)
    }
}

/// The least and the greatest of some counts, with whose they are.
pub(super) fn ends(counts: impl Iterator<Item = (u32, u16)>) -> Option<((u32, u16), (u32, u16))> {
    counts.fold(None, |ends, one| match ends {
        None => Some((one, one)),
        Some((low, high)) => Some((one.min(low), one.max(high))),
    })
}
