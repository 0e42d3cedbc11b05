//! PD moves leaders: away from evicted stores, towards balance, and where somebody asks.

use crate::num::{self, SECOND};

use super::Cluster;
use super::event::Cause;
use super::queue::Planned;
use super::row::Peer;
use super::schedule::{LEADER_TICK, TOLERANCE, ends};

/// Leaders that an evicted store gives away in a round.
const EVICTED_AT_ONCE: u64 = 8;

impl Cluster {
    /// One round of moving leaders: evicted stores first, then balance.
    pub(super) fn move_leaders(&mut self) {
        self.moves.leaders_awake = false;
        if self.pd.serving().is_none() || self.halted() {
            return;
        }
        if self.pd_is_cold() {
            self.moves.leaders_awake = true;
            self.queue.plan(self.pd.cold_until, Planned::MoveLeaders);
            return;
        }
        let mut moved = 0;
        for place in 0..num::ordinal(self.stores.len()) {
            let leads = self.regions.tally(place).leaders > 0;
            if leads && self.sheds_leaders(place) && self.scheduler_works("evict-leader-scheduler")
            {
                // Each round sends a batch; a round lasts as long as its transfers.
                moved += self.give_leaders_away(place, EVICTED_AT_ONCE, 0);
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
        let limit = self.config().leader_schedule_limit.min(64);
        let mut moved = 0;
        for _ in 0..limit {
            let skewed = |place: &u16| {
                self.condition_of(*place)
                    .is_some_and(|condition| condition.leader_skew.is_some())
            };
            let counts = (0..num::ordinal(self.stores.len()))
                .filter(|place| self.may_lead(*place) && !skewed(place))
                .map(|place| (self.regions.tally(place).leaders, place));
            let Some(((fewest, _), (most, source))) = ends(counts) else {
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
        let rows = self.regions.slots();
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
                let well = !peer.learner && !peer.pending && !peer.witness;
                !peer.leader && well && self.may_lead(peer.store)
            })
            .map(|peer| (self.regions.tally(peer.store).leaders, peer))
            .filter(|(leaders, _)| margin == 0 || leaders + margin < most)
            .min_by_key(|(leaders, peer)| (*leaders, peer.slot))
            .map(|(_, peer)| peer)
    }

    /// Draws leaders to a store until it leads `wanted` times the mean.
    fn draw_leaders(&mut self, target: u16, wanted: f64) -> u64 {
        let mean = self.regions.len() as f64 / self.tikv_stores().max(1) as f64;
        let goal = num::whole(mean * wanted);
        let mut moved = 0;
        for region in 0..self.regions.slots() {
            if moved >= 8 || u64::from(self.regions.tally(target).leaders) >= goal {
                break;
            }
            let peer = self.regions.get(region).and_then(|row| row.peer_on(target));
            if let Some(peer) = peer.filter(|p| !p.leader && !p.pending && !p.learner && !p.witness)
                && self.may_lead(target)
            {
                self.install(region, peer, Cause::Transfer);
                moved += 1;
            }
        }
        moved
    }

    /// Hands a region to another of its voters, as PD's operator does. False where it cannot be.
    pub(crate) fn transfer_leader(&mut self, region: u32, to: u16) -> bool {
        let target = self
            .regions
            .get(region)
            .filter(|row| !row.is_headless())
            .and_then(|row| row.peer_on(to))
            .filter(|p| !p.leader && !p.learner && !p.pending && !p.witness);
        match target.filter(|_| self.may_lead(to)) {
            Some(peer) => {
                self.install(region, peer, Cause::Transfer);
                true
            }
            None => false,
        }
    }
}
