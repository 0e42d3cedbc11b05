//! The model's answer to a change of conditions: what is different now begins or ends.

use crate::num;

use super::Cluster;
use super::condition::{Conditions, StoreCondition};
use super::event::Ending;
use super::pd::MemberProcess;
use super::queue::Planned;
use super::store::{Meta, Process, Store};

impl Cluster {
    /// Rebuilds all conditions from the faults that are active now, and reacts to what is different.
    pub(super) fn reconsider(&mut self) {
        self.accrue_all();
        let mut wanted = Conditions::none(self.stores.len(), self.pd.members.len());
        self.plan.write(self.now, &mut wanted);
        if wanted.pd.never_reported && !self.conditions.pd.never_reported {
            self.add_silent_store();
            wanted.stores.push(StoreCondition::default());
        }
        let before = std::mem::replace(&mut self.conditions, wanted);
        let blank = StoreCondition::default();
        for place in 0..self.stores.len() {
            let was = before.stores.get(place).unwrap_or(&blank).clone();
            let is = self.conditions.stores.get(place).unwrap_or(&blank).clone();
            if was != is {
                self.react_store(num::ordinal(place), &was, &is);
            }
        }
        for place in 0..self.pd.members.len() {
            let Some(is) = self.conditions.members.get(place) else {
                continue;
            };
            let process = match (is.dead, is.frozen) {
                (true, _) => MemberProcess::Dead,
                (false, true) => MemberProcess::Frozen,
                (false, false) => MemberProcess::Running,
            };
            self.set_member(place, process);
        }
        if before.pd != self.conditions.pd || before.stores != self.conditions.stores {
            self.wake_schedulers();
        }
        if self.conditions.dropped > before.dropped {
            self.drop_tables(self.conditions.dropped);
        }
        self.wake_growth();
        if let Some(at) = self.plan.next_unplanned_edge(self.now) {
            self.queue.plan(at, Planned::Faults);
        }
    }

    fn react_store(&mut self, place: u16, was: &StoreCondition, is: &StoreCondition) {
        let ended = is.ended.map(|ended| ended.how);
        let process = self.store(place).map(|store| store.process);
        match (process, ended) {
            (Some(Process::Running), Some(how)) => self.end(place, how),
            (Some(Process::Frozen), Some(how)) if how != Ending::Frozen => self.end(place, how),
            (Some(Process::Frozen), None) => self.thaw(place),
            (Some(Process::Dead), None) if was.ended.is_some() => self.start(place),
            _ => {}
        }
        if is.cut_from_pd && !was.cut_from_pd {
            // PD gives it up in time, though it lives.
            self.wake_at(self.now + self.pd.config.max_store_down + 11 * num::SECOND);
        }
        match (was.parted, is.parted) {
            (false, true) => self.part(place),
            (true, false) => self.rejoin(place),
            _ => {}
        }
        if was.replicas != is.replicas {
            self.restore_replicas(place);
            if let Some(wrong) = is.replicas {
                self.spoil_replicas(place, wrong);
            }
        }
        if was.pending_stuck != is.pending_stuck {
            self.hold_peers(place, is.pending_stuck);
        }
        if let Some(version) = &is.version
            && let Some(store) = self.stores.get_mut(usize::from(place))
        {
            store.version.clone_from(version);
        }
        match (was.removing, is.removing) {
            (false, true) => self.remove_store(place),
            (true, false) => self.restore_store(place),
            _ => {}
        }
    }

    /// The store's followers stop, or go on, following their leaders.
    fn hold_peers(&mut self, place: u16, stuck: bool) {
        for region in 0..self.regions.slots() {
            let follows = self
                .regions
                .get(region)
                .and_then(|row| row.peer_on(place))
                .is_some_and(|peer| !peer.leader && !peer.learner);
            // One in ten: what sticks in practice is some of a store's peers.
            if follows && (!stuck || region.is_multiple_of(10)) {
                self.regions.set_pending(region, place, stuck);
            }
        }
    }

    /// PD learns of a store that will never report.
    fn add_silent_store(&mut self) {
        let place = num::ordinal(self.stores.len());
        let store = Store::new(place, &self.shape, 0).never_reported(self.now);
        self.stores.push(store);
        self.regions.add_store();
    }

    /// Adds a store that begins empty and is filled by balance: a scale-out. `None` where there are 10,000 already.
    pub fn add_store(&mut self) -> Option<u64> {
        if self.stores.len() >= 10_000 {
            return None;
        }
        let place = num::ordinal(self.stores.len());
        let mut store = Store::new(place, &self.shape, 0);
        store.started = num::signed(self.now);
        store.reports.start = store.started;
        store.reports.last = None;
        store.reports.persisted = None;
        store.reports.sized = false;
        store.counters = super::traffic::Counters::born(self.now);
        let id = store.id;
        let life = store.life;
        self.stores.push(store);
        self.regions.add_store();
        self.conditions.stores.push(StoreCondition::default());
        let target = self.scrapes.add_store(place);
        self.queue.plan(
            self.now + num::SECOND,
            Planned::Heartbeat { store: place, life },
        );
        self.queue
            .plan(self.now + num::SECOND, Planned::Scrape { target });
        self.wake_schedulers();
        Some(id)
    }

    /// Begins to remove a store for good, as PD's DELETE does. False where PD would refuse.
    pub fn scale_in(&mut self, store: u64) -> bool {
        let Some(place) = self.store_place(store) else {
            return false;
        };
        if self.refusal_of_removal(place).is_some() {
            return false;
        }
        self.remove_store(place);
        true
    }

    /// Why PD would not remove this store: how many stores would be left.
    pub(crate) fn refusal_of_removal(&self, place: u16) -> Option<usize> {
        let up = (0_u16..)
            .zip(&self.stores)
            .filter(|(other, store)| *other != place && store.meta == Meta::Up)
            .count();
        (up < usize::from(self.pd.config.max_replicas)).then_some(up)
    }
}
