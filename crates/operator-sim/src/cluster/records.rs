//! What PD's leader remembers of what it did and saw: finished operators, and hot regions of the past.

use std::collections::VecDeque;

use crate::num::{MINUTE, Millis};

use super::Cluster;
use super::condition::Flow;
use super::queue::Planned;
use super::schedule::Move;

/// PD forgets finished operators after ten minutes.
const KEPT_FOR: Millis = 10 * MINUTE;
/// And no more than this many are kept here.
const MOST_RECORDS: usize = 2_000;
/// PD's leader writes down what is hot this often,
const HISTORY_EVERY: Millis = 10 * MINUTE;
/// and keeps it for a week of one hundred hot peers.
const MOST_HISTORY: usize = 7 * 144 * 100;

/// What was done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Done {
    Moved(Move),
    /// Stores by id.
    Led {
        region: u32,
        from: u64,
        to: u64,
    },
}

/// A finished operator, with its region as it was when it was finished.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) at: Millis,
    pub(crate) took: Millis,
    pub(crate) done: Done,
    pub(crate) region: u64,
    pub(crate) version: u32,
    pub(crate) conf_ver: u32,
    pub(crate) size_mib: u16,
}

/// A region that was hot, as the PD leader of that moment wrote it down.
#[derive(Debug, Clone)]
pub(crate) struct WasHot {
    pub(crate) at: Millis,
    pub(crate) member: usize,
    pub(crate) region: u64,
    pub(crate) slot: u32,
    pub(crate) peer: u64,
    pub(crate) store: u64,
    pub(crate) leader: bool,
    pub(crate) learner: bool,
    pub(crate) flow: Flow,
    pub(crate) degree: u64,
    pub(crate) per_second: f64,
}

/// Both memories, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Records {
    pub(crate) finished: VecDeque<Record>,
    pub(crate) hot: VecDeque<WasHot>,
}

impl Cluster {
    /// PD's leader finished an operator.
    pub(super) fn finished(&mut self, done: Done) {
        let now = self.now;
        let (slot, took) = match done {
            Done::Moved(moving) => (moving.region, now.saturating_sub(moving.since)),
            Done::Led { region, .. } => (region, 8),
        };
        let Some(row) = self.regions.get(slot) else {
            return;
        };
        let record = Record {
            at: now,
            took,
            done,
            region: row.id.into(),
            version: row.version,
            conf_ver: row.conf_ver,
            size_mib: row.size_mib,
        };
        let finished = &mut self.records.finished;
        while finished.len() >= MOST_RECORDS
            || finished.front().is_some_and(|old| old.at + KEPT_FOR < now)
        {
            finished.pop_front();
        }
        finished.push_back(record);
    }

    /// The operators that were finished within the last ten minutes, oldest first.
    pub(crate) fn finished_operators(&self) -> impl Iterator<Item = &Record> {
        let now = self.now;
        let records = self.records.finished.iter();
        records.filter(move |record| record.at + KEPT_FOR >= now)
    }

    /// A new PD leader knows nothing of what its predecessor finished.
    pub(super) fn forget_operators(&mut self) {
        self.records.finished.clear();
    }

    /// What is hot now is written down by the leader, in a memory of its own.
    pub(super) fn write_hot_history(&mut self) {
        self.queue
            .plan(self.now + HISTORY_EVERY, Planned::HotHistory);
        let Some(member) = self.pd.serving() else {
            return;
        };
        let mut hot = Vec::new();
        for (heat, row) in self.listed_heat() {
            let listed = self.now.saturating_sub(self.listed_at(heat));
            let seen = row
                .peers()
                .filter(|peer| heat.flow == Flow::Write || peer.leader);
            hot.extend(seen.map(|peer| WasHot {
                at: self.now,
                member,
                region: row.id.into(),
                slot: heat.region,
                peer: peer.id.into(),
                store: self.store(peer.store).map_or(0, |store| store.id),
                leader: peer.leader,
                learner: peer.learner,
                flow: heat.flow,
                degree: 3 + listed / MINUTE,
                per_second: heat.per_second,
            }));
        }
        self.records.hot.extend(hot);
        let over = self.records.hot.len().saturating_sub(MOST_HISTORY);
        self.records.hot.drain(..over);
    }

    /// What a member wrote down, oldest first.
    pub(crate) fn hot_history(&self, member: usize) -> impl Iterator<Item = &WasHot> {
        let all = self.records.hot.iter();
        all.filter(move |was| was.member == member)
    }
}
