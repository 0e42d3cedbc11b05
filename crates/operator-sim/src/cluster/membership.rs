//! PD's members: who leads them, what is forgotten with a leader, and when nobody can.

use crate::num::{self, SECOND};

use super::event::EventKind;
use super::pd::MemberProcess;
use super::queue::Planned;
use super::{Cluster, ms, range};

impl Cluster {
    /// A member is in another state than before.
    pub(super) fn set_member(&mut self, place: usize, process: MemberProcess) {
        let now = num::signed(self.now);
        let Some(member) = self.pd.members.get_mut(place) else {
            return;
        };
        let before = std::mem::replace(&mut member.process, process);
        if before == process {
            return;
        }
        let running = process == MemberProcess::Running;
        if running && before == MemberProcess::Dead {
            member.started = now;
        }
        let name = member.name.clone();
        self.record(EventKind::Member { name, running });
        if running && self.pd.leader == Some(place) && before == MemberProcess::Dead {
            // It comes back without its leadership, which only lives in memory and in its lease.
            self.pd.leader = None;
        }
        if self.pd.serving().is_none() || !self.pd.quorum() {
            self.plan_pd_election();
        }
    }

    /// Without a serving leader, one is chosen after a while; without a quorum the leader loses its lease.
    fn plan_pd_election(&mut self) {
        if self.pd.electing {
            return;
        }
        self.pd.electing = true;
        self.pd.round += 1;
        let timing = &self.shape.timing;
        let wait = if self.pd.leader.is_none() {
            self.chance.timing.between((SECOND, 2 * SECOND))
        } else if self.pd.quorum() {
            self.chance.timing.between(range(timing.pd_election))
        } else {
            ms(timing.pd_lease)
        };
        let round = self.pd.round;
        self.queue.plan(self.now + wait, Planned::PdElect { round });
    }

    pub(super) fn pd_elect(&mut self, round: u32) {
        if self.pd.round != round {
            return;
        }
        self.pd.electing = false;
        if !self.pd.quorum() {
            // Nobody can renew a lease; the members stop believing in whoever led.
            if self.pd.leader.take().is_some() {
                self.record(EventKind::PdLeader { name: None });
            }
            return;
        }
        if self.pd.serving().is_some() {
            return;
        }
        let able: Vec<usize> = (0..self.pd.members.len())
            .filter(|member| self.pd.running(*member) && self.pd.leader != Some(*member))
            .collect();
        let choice = self.chance.timing.below(able.len() as u64);
        if let Some(leader) = able.get(num::place(choice)) {
            let cold = !self.pd.members.iter().any(|member| {
                member.process == MemberProcess::Running && member.started < self.pd.leader_since
            });
            self.enthrone(*leader, cold);
        }
    }

    /// A member leads from now on, without its predecessor's memory.
    pub(super) fn enthrone(&mut self, leader: usize, cold: bool) {
        self.pd.leader = Some(leader);
        self.pd.leader_since = num::signed(self.now);
        if cold {
            self.pd.cold_until = self.now + ms(self.shape.timing.pd_refill);
        }
        self.pd.paused.clear();
        self.forget_operators();
        for store in &mut self.stores {
            store.reports.sized = false;
            store.reports.slow_score = 0;
            store.reports.busy = false;
            store.reports.last = store.reports.persisted;
        }
        let name = self
            .pd
            .members
            .get(leader)
            .map(|member| member.name.clone());
        self.record(EventKind::PdLeader { name });
        self.wake_schedulers();
    }

    /// Whether PD's present leader still gathers what it counts.
    pub(crate) fn pd_is_cold(&self) -> bool {
        self.now < self.pd.cold_until
    }

    /// Milliseconds that the present leader has led.
    pub(crate) fn led_for(&self) -> u64 {
        num::since(self.now, self.pd.leader_since)
    }
}
