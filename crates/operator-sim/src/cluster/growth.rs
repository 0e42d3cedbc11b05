//! Data that grows, and the regions that split for it.

use std::collections::BTreeMap;

use crate::num::{self, MIB, Millis, SECOND};
use crate::prng::Prng;

use super::Cluster;
use super::condition::Flow;
use super::event::EventKind;
use super::keyspace::WIDTH;
use super::queue::Planned;
use super::traffic::BYTES_PER_KEY;

/// TiKV looks for regions to split this often.
const TICK: Millis = 10 * SECOND;
/// A region above this is split (region-max-size),
pub(crate) const MAX_MIB: u16 = 144;
/// into parts of this size and a rest (region-split-size).
const PART_MIB: u16 = 96;
/// Data that grows everywhere falls on regions in pieces of this size.
const PIECE_MIB: f64 = 8.0;
/// As many regions as a shape may have.
const MOST_REGIONS: usize = 10_000_000;

/// What has grown and is not counted yet.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    awake: bool,
    /// Parts of a MiB, by slot.
    rest: BTreeMap<u32, f64>,
    /// MiB that fall on no region yet.
    owed: f64,
    chance: Prng,
}

impl Growth {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            awake: false,
            rest: BTreeMap::new(),
            owed: 0.0,
            chance: Prng::new(seed, 5),
        }
    }
}

impl Cluster {
    /// Conditions changed: data may begin to grow.
    pub(super) fn wake_growth(&mut self) {
        if self.grows() && !self.growth.awake {
            self.growth.awake = true;
            self.queue.plan(self.now + TICK, Planned::Grow);
        }
    }

    fn grows(&self) -> bool {
        self.conditions.growth_mib > 0.0 || self.conditions.heat.iter().any(|heat| heat.grows)
    }

    /// What was written since the last look is there now, and regions that are too large are split.
    pub(super) fn grow(&mut self) {
        self.growth.awake = false;
        let seconds = num::seconds(TICK);
        let tails: Vec<(u32, f64)> = self
            .conditions
            .heat
            .iter()
            .filter(|heat| heat.grows && heat.flow == Flow::Write)
            .map(|heat| (heat.region, heat.per_second * BYTES_PER_KEY / MIB as f64))
            .collect();
        for (slot, mib_per_second) in tails {
            self.fill(slot, mib_per_second * seconds);
        }
        self.growth.owed += self.conditions.growth_mib * seconds;
        while self.growth.owed >= PIECE_MIB {
            self.growth.owed -= PIECE_MIB;
            let place = self.growth.chance.below(self.regions.len() as u64);
            if let Some(slot) = self.regions.keys().at(num::place(place)) {
                self.fill(slot, PIECE_MIB);
            }
        }
        self.wake_growth();
    }

    /// Writes new data into a region, if it takes writes, and splits it where that is too much.
    fn fill(&mut self, slot: u32, mib: f64) {
        let Some(row) = self.regions.get(slot).filter(|row| self.can_change(row)) else {
            return;
        };
        let size = row.size_mib;
        let rest = self.growth.rest.entry(slot).or_default();
        *rest += mib;
        let whole = num::whole(*rest);
        *rest -= whole as f64;
        let grown = u64::from(size).saturating_add(whole);
        self.regions
            .resize(slot, u16::try_from(grown).unwrap_or(u16::MAX));
        while self.split_if_large(slot) {}
        self.wake_schedulers();
    }

    /// Splits a region that is too large and can be split now: PD must name the new one, and no peer be on its way.
    fn split_if_large(&mut self, slot: u32) -> bool {
        let room = self.regions.len() < MOST_REGIONS && self.pd.serving().is_some();
        let large = self.regions.get(slot).filter(|row| {
            let ready = !row.is_moving() && self.can_change(row);
            room && ready && row.size_mib > MAX_MIB
        });
        let Some(row) = large else {
            return false;
        };
        let (size, stores) = (row.size_mib, row.peers().map(|peer| peer.store));
        let stores: Vec<u16> = stores.collect();
        let keys = self.regions.keys();
        let start = keys.start(slot);
        // The tail grows at its end: what it was when it was full stays behind.
        let at = keys.end(slot).map_or(start + WIDTH, |end| {
            start + (end - start) * u64::from(PART_MIB) / u64::from(size)
        });
        let before = self.region_ref(slot);
        for store in stores {
            self.accrue(store);
        }
        let Some(born) = self.regions.split(slot, at, PART_MIB) else {
            return false;
        };
        if let (Some(parent), Some(born)) = (before, self.region_ref(born)) {
            self.record(EventKind::Split { parent, born });
        }
        true
    }
}
