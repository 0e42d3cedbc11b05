//! What is going to happen, in order of time; ties in the order in which they were planned.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::num::Millis;

/// One thing that will happen to the model.
///
/// `life` is the incarnation of a store: what was planned for an earlier life is dropped when it comes up.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Planned {
    /// A store reports to PD, and plans its next report.
    Heartbeat { store: u16, life: u32 },
    /// A store that started registers with PD, before its first report.
    Register { store: u16, life: u32 },
    /// A part of a store's peers has caught up after a start or a thaw.
    CaughtUp { store: u16, life: u32, part: u8 },
    /// Peers of a store have been silent for long enough to be called down.
    PeersDown { store: u16, life: u32 },
    /// A store has been silent for max-store-down-time.
    StoreDown { store: u16, life: u32 },
    /// A region whose leader went silent holds an election.
    Elect { region: u32 },
    /// A leader of this term notices that it has lost its quorum.
    StepDown { region: u32, term: u32 },
    /// PD moves leaders.
    MoveLeaders,
    /// Something that kept the schedulers from work has ended.
    Wake,
    /// PD moves peers.
    MovePeers,
    /// A peer that was being copied is there.
    PeerMoved { slot: u32 },
    /// A region whose voters were changed can leave joint consensus.
    PeerSettled { slot: u32 },
    /// PD's leader writes down what is hot.
    HotHistory,
    /// Data has grown, and regions may be too large.
    Grow,
    /// PD merges regions.
    MergeRegions,
    /// PD looks at the stores being removed.
    Removals,
    /// PD's members choose a leader.
    PdElect { round: u32 },
    /// Prometheus scrapes a target.
    Scrape { target: u32 },
    /// A fault begins, ends or changes.
    Faults,
}

#[derive(Debug, Clone)]
struct Entry {
    at: Millis,
    turn: u64,
    planned: Planned,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Entry {}
impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.turn).cmp(&(other.at, other.turn))
    }
}

/// The plan. Bounded by construction: one entry per store, target, moving peer and leaderless region.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    turn: u64,
}

impl Queue {
    pub(crate) fn plan(&mut self, at: Millis, planned: Planned) {
        self.turn += 1;
        self.heap.push(Reverse(Entry {
            at,
            turn: self.turn,
            planned,
        }));
    }

    /// The next thing that is due by `until`, with its time.
    pub(crate) fn due(&mut self, until: Millis) -> Option<(Millis, Planned)> {
        if self.heap.peek()?.0.at > until {
            return None;
        }
        self.heap
            .pop()
            .map(|Reverse(entry)| (entry.at, entry.planned))
    }

    /// How many things are planned.
    pub(crate) fn len(&self) -> usize {
        self.heap.len()
    }
}
