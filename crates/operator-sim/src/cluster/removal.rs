//! The removal of a store: begun, watched, taken back, and done when nothing is left.

use crate::num::{Millis, SECOND};

use super::Cluster;
use super::event::EventKind;
use super::queue::Planned;
use super::store::{Meta, Removal, Seen};
use crate::num;

/// Looks at a removal that its speed is taken over.
const LOOKS: usize = 6;

impl Cluster {
    /// PD's ten-second look at the stores being removed.
    pub(super) fn watch_removals(&mut self) {
        self.moves.removals_awake = false;
        let now = self.now;
        let serving = self.pd.serving().is_some();
        let mut left = false;
        for place in 0..num::ordinal(self.stores.len()) {
            let tally = self.regions.tally(place);
            let Some(store) = self.stores.get_mut(usize::from(place)) else {
                continue;
            };
            if store.meta != Meta::Offline {
                continue;
            }
            if tally.peers == 0 && serving {
                store.meta = Meta::Tombstone;
                store.removal = None;
                let id = store.id;
                self.record(EventKind::StoreState {
                    store: id,
                    state: Seen::Tombstone.name(),
                });
                continue;
            }
            left = true;
            if let Some(removal) = &mut store.removal {
                removal.look(now, tally.region_mib);
            }
        }
        if left {
            self.moves.removals_awake = true;
            self.queue.plan(now + 10 * SECOND, Planned::Removals);
        }
    }

    /// Begins the removal of a store, as PD's DELETE does.
    pub(crate) fn remove_store(&mut self, place: u16) {
        let (now, size) = (self.now, self.regions.tally(place).region_mib);
        if let Some(store) = self.stores.get_mut(usize::from(place))
            && store.meta == Meta::Up
        {
            store.meta = Meta::Offline;
            let mut removal = Removal {
                initial_mib: size,
                looks: Vec::new(),
                progress: 0.0,
            };
            removal.look(now, size);
            store.removal = Some(removal);
            let id = store.id;
            self.record(EventKind::StoreState {
                store: id,
                state: Seen::Offline.name(),
            });
        }
        self.wake_schedulers();
    }

    /// Ends the removal of a store that has not ended by itself.
    pub(crate) fn restore_store(&mut self, place: u16) {
        if let Some(store) = self.stores.get_mut(usize::from(place))
            && store.meta == Meta::Offline
            && !store.destroyed
        {
            store.meta = Meta::Up;
            store.removal = None;
        }
        self.wake_schedulers();
    }
}

impl Removal {
    fn look(&mut self, now: Millis, left_mib: u64) {
        let gone = self.initial_mib.saturating_sub(left_mib) as f64;
        let progress = gone / self.initial_mib.max(1) as f64;
        self.progress = self.progress.max(progress);
        self.looks.push((now, left_mib));
        if self.looks.len() > LOOKS {
            self.looks.remove(0);
        }
    }
}
