//! Tables that are dropped, and the empty regions that PD merges into their neighbours.

use crate::num::{MINUTE, Millis, SECOND};

use super::Cluster;
use super::event::EventKind;
use super::queue::Planned;
use super::row::Row;
use crate::num;

/// PD's merge checker comes round this often.
const TICK: Millis = SECOND;
/// A PD leader merges nothing before it has led for this long (split-merge-interval).
const INTERVAL: Millis = 60 * MINUTE;
/// merge-schedule-limit.
const LIMIT: usize = 8;
/// PD calls a region empty up to this size.
pub(crate) const EMPTY_MIB: u16 = 1;

/// Where the merge checker is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Merges {
    /// There are regions that were emptied and not merged yet.
    wanted: bool,
    awake: bool,
}

/// What can be done about an empty region.
enum Step {
    /// Its peers are where its neighbour's are.
    Merge { into: u32 },
    /// One of its peers has to move first.
    Align { from: u16, to: u16 },
    /// It is on its way.
    Wait,
}

impl Cluster {
    /// Empties a part of the key space, from its beginning: tables are dropped.
    pub(super) fn drop_tables(&mut self, part: f64) {
        self.accrue_all();
        let count = num::place(num::whole(self.regions.len() as f64 * part.clamp(0.0, 1.0)));
        let dropped: Vec<u32> = self.regions.keys().from(0).take(count).collect();
        for slot in dropped {
            self.regions.resize(slot, 0);
        }
        self.merges.wanted = true;
        self.wake_merges();
    }

    pub(super) fn wake_merges(&mut self) {
        if self.merges.wanted && !self.merges.awake {
            self.merges.awake = true;
            self.queue.plan(self.now + TICK, Planned::MergeRegions);
        }
    }

    /// One round of merging: a few empty regions, in the order of their keys.
    pub(super) fn merge_regions(&mut self) {
        self.merges.awake = false;
        if self.pd.serving().is_none() || self.halted() || !self.merges.wanted {
            return;
        }
        let led = self.led_for();
        if led < INTERVAL {
            self.merges.awake = true;
            self.queue
                .plan(self.now + INTERVAL - led, Planned::MergeRegions);
            return;
        }
        let mut steps: Vec<(u32, Step)> = Vec::new();
        let mut ailing = false;
        for (slot, row) in self.regions.in_order(0) {
            if !row.is_empty() {
                continue;
            }
            let taken = |step: &(u32, Step)| {
                step.0 == slot || matches!(step.1, Step::Merge { into } if into == slot)
            };
            match self.step_for(slot, row) {
                Some(step) if !steps.iter().any(taken) => steps.push((slot, step)),
                _ => ailing = true,
            }
            if steps.len() >= LIMIT {
                break;
            }
        }
        self.merges.wanted = ailing || !steps.is_empty();
        let idle = steps.is_empty();
        for (slot, step) in steps {
            match step {
                Step::Merge { into } => self.merge(slot, into),
                Step::Align { from, to } => self.begin_move(slot, from, to),
                Step::Wait => {}
            }
        }
        if self.merges.wanted && self.regions.len() > 1 {
            self.merges.awake = true;
            let tick = if idle { MINUTE } else { TICK };
            self.queue.plan(self.now + tick, Planned::MergeRegions);
        }
    }

    /// What to do about an empty region; `None` where nothing can be done now.
    fn step_for(&self, slot: u32, row: &Row) -> Option<Step> {
        if row.is_moving() {
            return Some(Step::Wait);
        }
        let keys = self.regions.keys();
        let place = keys.place_of(slot)?;
        let left = place.checked_sub(1).and_then(|left| keys.at(left));
        // PD takes the later neighbour if it can.
        let neighbours = [keys.at(place + 1), left];
        let into = neighbours
            .into_iter()
            .flatten()
            .find(|other| self.may_merge(*other))
            .filter(|_| self.may_merge(slot))?;
        let other = self.regions.get(into)?;
        let lacks = |has: &Row, lacks: &Row| {
            has.peers()
                .map(|peer| peer.store)
                .find(|store| lacks.peer_on(*store).is_none())
        };
        match (lacks(row, other), lacks(other, row)) {
            (Some(from), Some(to)) => self
                .takes_peers(to, None)
                .then_some(Step::Align { from, to }),
            _ => Some(Step::Merge { into }),
        }
    }

    /// Whether PD merges this region with another: it is whole, somebody leads it, and it is not hot.
    fn may_merge(&self, slot: u32) -> bool {
        let whole = |row: &Row| {
            let replicas = usize::from(self.pd.config.max_replicas);
            let well = !row.has_pending() && !row.has_down() && !row.is_moving();
            well && row.len() == replicas && self.can_change(row)
        };
        let hot = self.conditions.heat.iter().any(|heat| heat.region == slot);
        !hot && self.regions.get(slot).is_some_and(whole)
    }

    fn merge(&mut self, slot: u32, into: u32) {
        let (Some(source), Some(target)) = (self.region_ref(slot), self.region_ref(into)) else {
            return;
        };
        let stores: Vec<u16> = self
            .regions
            .get(into)
            .map(|row| row.peers().map(|peer| peer.store).collect())
            .unwrap_or_default();
        for store in stores {
            self.accrue(store);
        }
        if self.regions.merge(slot, into) {
            self.record(EventKind::Merged { source, target });
        }
    }
}
