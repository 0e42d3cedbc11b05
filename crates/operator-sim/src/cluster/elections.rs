//! Who leads a region: elections after silence, transfers, and the loss of a quorum.

use crate::num;
use crate::pd::keys;
use crate::prng;

use super::event::{Cause, EventKind, PeerRef, RegionRef};
use super::queue::Planned;
use super::records::Done;
use super::row::{Peer, Row};
use super::{Cluster, Millis, range};

/// How a store came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// As a new process.
    Anew,
    /// As the process that it was.
    Thawed,
}

impl Cluster {
    /// The regions that a silent store led will hold elections; those that lose their quorum with it lose their leader.
    pub(super) fn orphan_regions_of(&mut self, place: u16, campaign: (Millis, Millis)) {
        for region in 0..self.regions.slots() {
            let Some(row) = self.regions.get(region) else {
                continue;
            };
            if row.is_led_by(place) {
                // Whichever follower's timer runs out first.
                let wait = self
                    .chance
                    .elections
                    .between(campaign)
                    .min(self.chance.elections.between(campaign));
                self.plan_election(region, wait);
            } else if row.peer_on(place).is_some() && !self.has_quorum(row) && !row.is_headless() {
                let term = row.term;
                self.plan_step_down(region, term);
            }
        }
    }

    /// Plans an election, unless one is ahead: so the plan holds one per region at most.
    fn plan_election(&mut self, region: u32, wait: Millis) {
        if self.regions.begin_campaign(region) {
            self.queue.plan(self.now + wait, Planned::Elect { region });
        }
    }

    fn plan_step_down(&mut self, region: u32, term: u32) {
        // A region that hibernates never notices: one in ten.
        if prng::hash(self.shape.seed, u64::from(region), 0x51ee).is_multiple_of(10) {
            return;
        }
        let wait = self
            .chance
            .elections
            .between(range(self.shape.timing.step_down));
        self.queue
            .plan(self.now + wait, Planned::StepDown { region, term });
    }

    /// A store came back: regions that nobody leads, and that can elect again, will. A process that began anew leads
    /// nothing, whatever PD believes; one that was only frozen still leads what nobody took from it.
    pub(super) fn give_quorum_back(&mut self, place: u16, back: Return) {
        for region in 0..self.regions.slots() {
            let Some(row) = self.regions.get(region) else {
                continue;
            };
            let led = |leader: Peer| {
                self.takes_part(leader.store) && !(back == Return::Anew && leader.store == place)
            };
            let leaderless = row.is_headless() || !row.leader().is_some_and(led);
            if row.peer_on(place).is_some() && leaderless && self.has_quorum(row) {
                self.regions.behead(region);
                let wait = self
                    .chance
                    .elections
                    .between((10 * num::SECOND, 20 * num::SECOND));
                self.plan_election(region, wait);
            }
        }
    }

    pub(crate) fn has_quorum(&self, row: &Row) -> bool {
        row.has_majority(|store| self.takes_part(store))
    }

    /// A campaign in a region, if its leader is still gone.
    pub(super) fn elect(&mut self, region: u32) {
        self.regions.end_campaign(region);
        let Some(row) = self.regions.get(region) else {
            return;
        };
        let gone = row.is_headless()
            || row
                .leader()
                .is_none_or(|leader| !self.takes_part(leader.store));
        if !gone {
            return;
        }
        let able: Vec<Peer> = row
            .peers()
            .filter(|peer| !peer.learner && !peer.witness && self.takes_part(peer.store))
            .collect();
        let choice = self.chance.elections.below(able.len() as u64);
        let Some(winner) = able.get(num::place(choice)).copied() else {
            return;
        };
        if !self.has_quorum(row) {
            self.campaign_in_vain(region, winner);
            return;
        }
        self.install(region, winner, Cause::Timeout);
        self.wake_schedulers();
    }

    fn campaign_in_vain(&mut self, region: u32, by: Peer) {
        let Some(row) = self.regions.get(region) else {
            return;
        };
        let (id, term) = (u64::from(row.id), row.term);
        let asked = row
            .peers()
            .filter(|peer| peer.slot != by.slot && !peer.learner)
            .map(|peer| self.name(peer))
            .collect();
        let by = self.name(by);
        self.record(EventKind::Hopeless {
            region: id,
            term,
            by,
            asked,
        });
        // Each region retries with a period of its own.
        let (one, other) = range(self.shape.timing.step_down);
        let turn = prng::hash(self.shape.seed, u64::from(region), 0x7e) % (one.abs_diff(other) + 1);
        self.plan_election(region, one.min(other) + turn);
    }

    /// Makes a peer the leader, in the next term.
    pub(super) fn install(&mut self, region: u32, winner: Peer, cause: Cause) {
        let Some(row) = self.regions.get(region) else {
            return;
        };
        let (id, term, old) = (u64::from(row.id), row.term + 1, row.leader());
        let others: Vec<Peer> = row
            .peers()
            .filter(|peer| peer.slot != winner.slot)
            .collect();
        let old_store = old.map(|peer| peer.store);
        // Rates of both stores change.
        for store in old_store.into_iter().chain([winner.store]) {
            self.accrue(store);
        }
        self.regions.lead(region, winner.slot, term);
        for peer in &others {
            // A new leader has not heard from peers that are away: it reports them as pending.
            if !self.takes_part(peer.store) {
                self.regions.set_pending(region, peer.store, true);
            }
        }
        self.regions.set_pending(region, winner.store, false);
        let from = self.name(old.unwrap_or(winner));
        let to = self.name(winner);
        let voters = others
            .iter()
            .filter(|peer| !peer.learner && Some(peer.store) != old_store)
            .filter(|peer| self.takes_part(peer.store))
            .map(|peer| self.name(*peer))
            .collect();
        let log_index = self.log_index(id);
        if cause == Cause::Transfer {
            self.finished(Done::Led {
                region,
                from: from.store,
                to: to.store,
            });
        }
        self.record(EventKind::Elected {
            region: id,
            term,
            from,
            to,
            voters,
            cause,
            log_index,
        });
    }

    /// The length of a region's log: writes so far, spread evenly.
    fn log_index(&self, region: u64) -> u64 {
        let per_region = self.shape.load.writes_per_second * 2.0 / self.regions.len().max(1) as f64;
        100 + region % 40 + num::whole(num::seconds(self.now) * per_region)
    }

    /// A leader of that term notices that it is alone.
    pub(super) fn step_down(&mut self, region: u32, term: u32) {
        let Some(row) = self.regions.get(region).filter(|row| row.term == term) else {
            return;
        };
        let Some(leader) = row.leader().filter(|peer| self.takes_part(peer.store)) else {
            return;
        };
        if self.has_quorum(row) || row.is_headless() {
            return;
        }
        let id = u64::from(row.id);
        self.accrue(leader.store);
        self.regions.behead(region);
        let from = self.name(leader);
        self.record(EventKind::SteppedDown {
            region: id,
            term,
            from,
        });
        self.campaign_in_vain(region, leader);
    }

    fn name(&self, peer: Peer) -> PeerRef {
        PeerRef {
            peer: u64::from(peer.id),
            store: self.store(peer.store).map_or(0, |store| store.id),
        }
    }

    /// A region as events name it; `None` when it is none, or nobody leads it.
    pub(super) fn region_ref(&self, slot: u32) -> Option<RegionRef> {
        let row = self.regions.get(slot)?;
        let space = self.regions.keys();
        let key = |position| keys::hex(&keys::key_of(position));
        Some(RegionRef {
            region: row.id.into(),
            start_key: key(space.start(slot)),
            end_key: space.end(slot).map(key).unwrap_or_default(),
            conf_ver: row.conf_ver,
            version: row.version,
            peers: row.peers().map(|peer| self.name(peer)).collect(),
            leader: self.name(row.leader()?),
        })
    }
}
