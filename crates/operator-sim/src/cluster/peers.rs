//! PD moves peers: from stores that are down or being removed, and towards balance.

use crate::num::{self, MINUTE, Millis, SECOND};

use super::Cluster;
use super::event::{Cause, EventKind};
use super::merges::EMPTY_MIB;
use super::queue::Planned;
use super::records::Done;
use super::row::{Peer, Role, Row};
use super::schedule::{Move, PEER_TICK, TOLERANCE, ends};
use super::store::{Meta, Seen};

/// Why peers leave a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// It is to hold nothing any more.
    Empty,
    /// It holds more than others.
    Balance,
}

impl Cluster {
    /// One round of moving peers: from stores that are down or being removed, then balance.
    pub(super) fn move_peers(&mut self) {
        self.moves.peers_awake = false;
        if self.pd.serving().is_none() || self.halted() {
            return;
        }
        if self.pd_is_cold() {
            self.moves.peers_awake = true;
            self.queue.plan(self.pd.cold_until, Planned::MovePeers);
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
        if !backlog
            && self.scheduler_works("balance-region-scheduler")
            && let Some(source) = self.overfull()
        {
            backlog = true;
            begun += self.begin_moves(source, 4, Purpose::Balance);
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
            let lost = self.seen(store) == Seen::Down && store.reports.last.is_some();
            store.is_tikv() && (store.meta == Meta::Offline || lost)
        })
    }

    /// Begins to move peers off a store, as far as the limits let it.
    fn empty(&mut self, source: u16) -> u64 {
        let limit = self.config().replica_schedule_limit.min(1024);
        let running = self.moves.running().count() as u64;
        self.begin_moves(source, limit.saturating_sub(running), Purpose::Empty)
    }

    /// The store that balance would take peers from.
    fn overfull(&self) -> Option<u16> {
        let counts = (0..num::ordinal(self.stores.len()))
            .filter(|place| self.takes_peers(*place, None))
            .map(|place| (self.regions.tally(place).peers, place));
        let ((fewest, _), (most, source)) = ends(counts)?;
        let uneven = most > fewest + TOLERANCE.max(most / 20);
        (uneven && self.config().region_schedule_limit > 0).then_some(source)
    }

    fn begin_moves(&mut self, source: u16, room: u64, purpose: Purpose) -> u64 {
        let mut begun = 0;
        let rows = self.regions.slots();
        let first = u32::try_from(self.chance.scheduling.below(rows.into())).unwrap_or(0);
        let peers = self.regions.tally(source).peers;
        let fewer_than = (purpose == Purpose::Balance).then_some(peers);
        let mut targets = self.targets(source, fewer_than);
        for region in (first..rows).chain(0..first) {
            if begun >= room || targets.is_empty() {
                break;
            }
            let Some(row) = self.regions.get(region) else {
                continue;
            };
            if row.peer_on(source).is_none() || row.is_moving() || !self.can_change(row) {
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

    /// Whether the region's peers can be changed: somebody leads it, with a quorum.
    pub(super) fn can_change(&self, row: &Row) -> bool {
        let led = row
            .leader()
            .is_some_and(|leader| self.takes_part(leader.store));
        led && !row.is_headless() && self.has_quorum(row)
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
    pub(super) fn takes_peers(&self, place: u16, now: Option<Millis>) -> bool {
        let low = self.pd.config.low_space_ratio;
        !self.conditions.pd.no_target
            && self.store(place).is_some_and(|store| {
                let fill = 1.0 - store.reports.available as f64 / store.capacity.max(1) as f64;
                store.is_tikv()
                    && self.seen(store) == Seen::Up
                    && store.reports.sized
                    && fill < low
                    && now.is_none_or(|now| store.next_add <= now)
            })
    }

    pub(super) fn begin_move(&mut self, region: u32, from: u16, to: u16) {
        let size = self.regions.get(region).map_or(0, |row| row.size_mib);
        if !self.regions.add_learner(region, to) {
            return;
        }
        // PD's store limit counts small regions for a fifth, and empty ones not at all.
        let cost = match size {
            0..=EMPTY_MIB => 0.0,
            2..=20 => 0.2,
            _ => 1.0,
        };
        let between = num::whole(cost * MINUTE as f64 / self.pd.config.store_limit.max(0.001));
        let now = self.now;
        if let Some(target) = self.stores.get_mut(usize::from(to)) {
            target.next_add = now + between;
        }
        // A copy takes as long as its bytes, at a hundred MiB a second, and the steps around it.
        let takes = u64::from(size) * 10 + self.chance.scheduling.between((1_000, 4_000));
        let slot = self.moves.add(Move {
            region,
            from,
            to,
            since: now,
        });
        self.queue.plan(now + takes, Planned::PeerMoved { slot });
    }

    /// A copy is complete: both sets of voters decide from now on, and somebody else leads if the old peer did.
    pub(super) fn peer_moved(&mut self, slot: u32) {
        let Some(moving) = self.moves.get(slot) else {
            return;
        };
        self.accrue(moving.from);
        self.accrue(moving.to);
        let ready = self.regions.get(moving.region).is_some_and(|row| {
            self.takes_part(moving.to) && self.can_change(row) && row.peer_on(moving.from).is_some()
        });
        if !ready {
            self.regions.remove_peer(moving.region, moving.to);
            self.moves.take(slot);
            return;
        }
        self.give_lead_away(&moving);
        if self
            .regions
            .enter_joint(moving.region, moving.to, moving.from)
        {
            self.queue
                .plan(self.now + JOINT_LASTS, Planned::PeerSettled { slot });
        } else {
            self.regions.remove_peer(moving.region, moving.to);
            self.moves.take(slot);
        }
    }

    /// The old peer may not lead when it goes; where nobody else can, the new one does.
    fn give_lead_away(&mut self, moving: &Move) {
        let heir = self.regions.get(moving.region).and_then(|row| {
            let able = |peer: &Peer| {
                let well = !peer.pending && !peer.witness && peer.role != Role::Learner;
                well && peer.store != moving.from && self.takes_part(peer.store)
            };
            row.is_led_by(moving.from)
                .then(|| row.peers().find(able))
                .flatten()
        });
        if let Some(heir) = heir {
            self.install(moving.region, heir, Cause::Transfer);
        }
    }

    /// The region leaves joint consensus, and the old peer goes; later, where nobody can decide that now.
    pub(super) fn peer_settled(&mut self, slot: u32) {
        let Some(moving) = self.moves.get(slot) else {
            return;
        };
        self.give_lead_away(&moving);
        let settles = self.regions.get(moving.region).is_some_and(|row| {
            self.can_change(row) && !row.is_led_by(moving.from) && self.pd.serving().is_some()
        });
        if !settles {
            self.queue
                .plan(self.now + SECOND, Planned::PeerSettled { slot });
            return;
        }
        self.moves.take(slot);
        self.accrue(moving.from);
        self.accrue(moving.to);
        self.regions.leave_joint(moving.region);
        self.regions.remove_peer(moving.region, moving.from);
        let name = |place| self.store(place).map_or(0, |store| store.id);
        let (from, to) = (name(moving.from), name(moving.to));
        let region = self.regions.get(moving.region);
        let Some(region) = region.map(|row| u64::from(row.id)) else {
            return;
        };
        self.finished(Done::Moved(moving));
        self.record(EventKind::PeerMoved { region, from, to });
    }
}

/// From entering joint consensus to leaving it, where all is well.
const JOINT_LASTS: Millis = 40;
