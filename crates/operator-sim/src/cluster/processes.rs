//! Stores that report, fall silent and come back.

use crate::num::{self, MINUTE, Millis, SECOND};

use super::elections::Return;
use super::event::{Ending, EventKind};
use super::queue::Planned;
use super::row::Peer;
use super::schedule::SLOW;
use super::store::{Meta, Process, Seen};
use super::traffic::Counters;
use super::{Cluster, ms, range};

impl Cluster {
    /// A store's report to PD, if it can send one and PD can take it.
    pub(super) fn heartbeat(&mut self, place: u16, life: u32) {
        let Some(store) = self.stores.get(usize::from(place)) else {
            return;
        };
        if store.life != life || store.process == Process::Dead {
            return;
        }
        let cut = self.condition_of(place).is_some_and(|c| c.cut_from_pd);
        let mut again = self.now + ms(self.shape.timing.store_heartbeat);
        if store.is_running() && !cut && self.pd.serving().is_some() {
            let reconnect = ms(self.shape.timing.pd_reconnect);
            if self.led_for() >= reconnect {
                self.refresh_report(place);
            } else {
                // Sent to the old leader: the next goes to the new one, as soon as it is found.
                again = self.now + reconnect - self.led_for() + store.phase % SECOND;
            }
        }
        self.queue
            .plan(again, Planned::Heartbeat { store: place, life });
    }

    /// Writes what the store would report now into PD's memory of it.
    pub(super) fn refresh_report(&mut self, place: u16) {
        let now = self.now;
        let used = self.used_bytes(place);
        let available = self.available_bytes(place);
        let disk_slow = self.rates(place).disk_slow;
        let was = self.usable(place);
        let Some(store) = self.stores.get_mut(usize::from(place)) else {
            return;
        };
        if store.meta == Meta::Tombstone {
            return;
        }
        // The probe of the disk times out above half a second; ten reports of that make a store that PD calls slow.
        store.probe_score = if disk_slow >= PROBE_TIMES_OUT {
            (store.probe_score * 2.0).min(100.0)
        } else {
            (store.probe_score - 4.0).max(1.0)
        };
        store.counters.values.heartbeats += 1.0;
        let reports = &mut store.reports;
        reports.last = Some(num::signed(now));
        reports.start = store.started;
        reports.sized = true;
        reports.used = used;
        reports.available = available;
        reports.slow_score = u32::try_from(num::whole(store.probe_score)).unwrap_or(100);
        reports.busy = now < store.busy_until;
        if reports
            .persisted
            .is_none_or(|kept| num::since(now, kept) >= 5 * MINUTE)
        {
            reports.persisted = reports.last;
        }
        if was != self.usable(place) {
            self.wake_schedulers();
        }
    }

    /// Whether PD would place something on the store, by its last report.
    fn usable(&self, place: u16) -> bool {
        self.store(place).is_some_and(|store| {
            let reports = &store.reports;
            let well = reports.sized && !reports.busy && reports.slow_score < SLOW;
            well && self.seen(store) == Seen::Up
        })
    }

    /// Bytes of the store's own files.
    pub(crate) fn used_bytes(&self, place: u16) -> u64 {
        self.regions.tally(place).region_mib * num::MIB
    }

    /// Bytes that are free on the store's disk, by its own account.
    pub(crate) fn available_bytes(&self, place: u16) -> u64 {
        let Some(store) = self.store(place) else {
            return 0;
        };
        let taken = store
            .filled_by_others
            .saturating_add(self.used_bytes(place));
        let free = store.capacity.saturating_sub(taken);
        let Some((level, over)) = self.condition_of(place).and_then(|c| c.fill) else {
            return free;
        };
        let since = self.plan.fill_since(store.id, self.now).unwrap_or(self.now);
        let part = if over == 0 {
            1.0
        } else {
            num::seconds(self.now.saturating_sub(since)) / num::seconds(over)
        };
        let wanted = store.capacity as f64 * (1.0 - level);
        num::whole(free as f64 + (wanted - free as f64) * part.clamp(0.0, 1.0))
    }

    pub(super) fn condition_of(&self, place: u16) -> Option<&super::condition::StoreCondition> {
        self.conditions.stores.get(usize::from(place))
    }

    /// A started store registers: PD shows its new start before its first report.
    pub(super) fn register(&mut self, place: u16, life: u32) {
        if self.pd.serving().is_none() {
            return;
        }
        if let Some(store) = self.stores.get_mut(usize::from(place))
            && store.life == life
            && store.is_running()
        {
            store.reports.start = store.started;
        }
    }

    /// A store goes silent.
    pub(super) fn end(&mut self, place: u16, how: Ending) {
        self.accrue_all();
        let (now, timing) = (self.now, self.shape.timing);
        let Some(store) = self.stores.get_mut(usize::from(place)) else {
            return;
        };
        let was_silent = store.silent_since.is_some();
        store.process = if how == Ending::Frozen {
            Process::Frozen
        } else {
            Process::Dead
        };
        if how != Ending::Frozen {
            store.life += 1;
        }
        store.silent_since.get_or_insert(now);
        let (id, life) = (store.id, store.life);
        if !was_silent {
            self.silent.push(place);
        }
        let noticed_by = self.running_ids();
        self.record(EventKind::StoreEnded {
            store: id,
            how,
            noticed_by,
        });
        let down = now + ms(timing.peers_down);
        self.queue
            .plan(down, Planned::PeersDown { store: place, life });
        let gone = now + self.pd.config.max_store_down + SECOND;
        self.queue
            .plan(gone, Planned::StoreDown { store: place, life });
        let campaign = range(if how == Ending::Frozen {
            timing.election_after_freeze
        } else {
            timing.election_after_death
        });
        self.orphan_regions_of(place, campaign);
        self.wake_schedulers();
    }

    fn running_ids(&self) -> Vec<u64> {
        self.stores
            .iter()
            .filter(|store| store.is_running() && store.is_tikv())
            .map(|store| store.id)
            .collect()
    }

    /// A store's process begins.
    pub(super) fn start(&mut self, place: u16) {
        self.accrue_all();
        let (now, timing) = (self.now, self.shape.timing);
        let Some(store) = self.stores.get_mut(usize::from(place)) else {
            return;
        };
        store.process = Process::Running;
        store.silent_since = None;
        store.life += 1;
        store.started = num::signed(now);
        store.counters = Counters::born(now);
        store.probe_score = 1.0;
        let first_report = now + ms(timing.first_report);
        store.busy_until = first_report + ms(timing.busy_after_start);
        let (id, life) = (store.id, store.life);
        self.silent.retain(|silent| *silent != place);
        let peers = self.regions.tally(place).peers;
        self.record(EventKind::StoreStarted { store: id, peers });
        let registered = now + ms(timing.register);
        self.queue
            .plan(registered, Planned::Register { store: place, life });
        self.queue
            .plan(first_report, Planned::Heartbeat { store: place, life });
        let (early, late) = range(timing.caught_up);
        for part in 0..CATCH_UP_PARTS {
            let at = early
                + late.saturating_sub(early) * Millis::from(part)
                    / Millis::from(CATCH_UP_PARTS - 1);
            self.queue.plan(
                now + at,
                Planned::CaughtUp {
                    store: place,
                    life,
                    part,
                },
            );
        }
        self.give_quorum_back(place, Return::Anew);
        self.part_if_cut(place);
    }

    /// A frozen store goes on where it stopped.
    pub(super) fn thaw(&mut self, place: u16) {
        self.accrue_all();
        let now = self.now;
        let Some(store) = self.stores.get_mut(usize::from(place)) else {
            return;
        };
        store.process = Process::Running;
        store.silent_since = None;
        store.counters.at = now;
        // What was planned for its silence must not come up.
        store.life += 1;
        let (id, life) = (store.id, store.life);
        self.silent.retain(|silent| *silent != place);
        self.record(EventKind::StoreThawed { store: id });
        self.queue
            .plan(now + SECOND, Planned::Heartbeat { store: place, life });
        for part in 0..CATCH_UP_PARTS {
            let at = now + Millis::from(part) * SECOND / 2;
            self.queue.plan(
                at,
                Planned::CaughtUp {
                    store: place,
                    life,
                    part,
                },
            );
        }
        self.give_quorum_back(place, Return::Thawed);
        self.part_if_cut(place);
        self.wake_schedulers();
    }

    /// A store that comes to life while it is cut off from the others is none of them yet.
    fn part_if_cut(&mut self, place: u16) {
        if self.condition_of(place).is_some_and(|c| c.parted) {
            self.part(place);
        }
    }

    /// A running store and the others do not reach each other any more; PD reaches all.
    pub(super) fn part(&mut self, place: u16) {
        self.accrue_all();
        let now = self.now;
        let Some(store) = self.stores.get_mut(usize::from(place)) else {
            return;
        };
        if !store.is_running() || store.silent_since.is_some() {
            return;
        }
        store.silent_since = Some(now);
        let (id, life) = (store.id, store.life);
        self.silent.push(place);
        let mut noticed_by = self.running_ids();
        noticed_by.retain(|other| *other != id);
        self.record(EventKind::StoreParted {
            store: id,
            noticed_by,
        });
        let timing = self.shape.timing;
        self.queue.plan(
            now + ms(timing.peers_down),
            Planned::PeersDown { store: place, life },
        );
        self.orphan_regions_of(place, range(timing.election_after_freeze));
    }

    /// A store reaches the others again.
    pub(super) fn rejoin(&mut self, place: u16) {
        self.accrue_all();
        let now = self.now;
        let Some(store) = self.stores.get_mut(usize::from(place)) else {
            return;
        };
        if !store.is_running() || store.silent_since.is_none() {
            return;
        }
        store.silent_since = None;
        let (id, life) = (store.id, store.life);
        self.silent.retain(|silent| *silent != place);
        self.record(EventKind::StoreThawed { store: id });
        for part in 0..CATCH_UP_PARTS {
            let at = now + SECOND + Millis::from(part) * SECOND / 2;
            self.queue.plan(
                at,
                Planned::CaughtUp {
                    store: place,
                    life,
                    part,
                },
            );
        }
        self.give_quorum_back(place, Return::Thawed);
        self.wake_schedulers();
    }

    /// A part of the store's peers follow their leaders again.
    pub(super) fn caught_up(&mut self, place: u16, life: u32, part: u8) {
        let stuck = self.condition_of(place).is_some_and(|c| c.pending_stuck);
        if !self.lives(place, life) || stuck {
            return;
        }
        for region in 0..self.regions.slots() {
            let ailing = self
                .regions
                .get(region)
                .filter(|row| row.has_pending() || row.has_down())
                .and_then(|row| row.peer_on(place));
            let turn = u8::try_from(region % u32::from(CATCH_UP_PARTS)).unwrap_or(0);
            let filled = |peer: &Peer| !peer.learner || peer.columnar;
            if ailing.is_some_and(|peer| turn == part && filled(&peer)) {
                self.regions.set_pending(region, place, false);
                self.regions.set_down(region, place, false);
            }
        }
        self.wake_schedulers();
    }

    /// The leaders of regions with a peer on a store that has long been silent call that peer down.
    pub(super) fn peers_down(&mut self, place: u16, life: u32) {
        if !self.is_silent(place, life) {
            return;
        }
        for region in 0..self.regions.slots() {
            let led = self.regions.get(region).is_some_and(|row| {
                row.peer_on(place).is_some_and(|peer| !peer.leader)
                    && !row.is_headless()
                    && row
                        .leader()
                        .is_some_and(|leader| self.is_running(leader.store))
            });
            if led {
                self.regions.set_down(region, place, true);
            }
        }
    }

    /// PD gives a store up and repairs its regions elsewhere.
    pub(super) fn store_down(&mut self, place: u16, life: u32) {
        if self.is_silent(place, life) {
            self.wake_schedulers();
        }
    }

    fn is_silent(&self, place: u16, life: u32) -> bool {
        self.store(place).is_some_and(|store| store.life == life) && !self.takes_part(place)
    }

    fn lives(&self, place: u16, life: u32) -> bool {
        self.store(place).is_some_and(|store| store.life == life) && self.takes_part(place)
    }
}

/// From this slowness on the disk probe of TiKV times out.
pub(crate) const PROBE_TIMES_OUT: f64 = 100.0;
const CATCH_UP_PARTS: u8 = 3;
