//! What is remembered of one log.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::super::stamp::Stamp;

/// The grain in which a log's own activity is remembered.
const GRAIN_MS: i64 = 10_000;

/// A process that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProcessEnd {
    /// Its last event.
    pub(super) last: Stamp,
    /// When it was told to stop.
    pub(super) told_to_stop: Option<Stamp>,
    /// When the next one began to write.
    pub(super) restarted: Option<Stamp>,
}

/// A log says that a store cannot be reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
    pub(super) store: u64,
    pub(super) by: usize,
    pub(super) at: Stamp,
    /// Whether the connection ended as that of a process that died (or hung), where it was said.
    pub(super) died: Option<bool>,
}

/// What is known of one log.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) name: Arc<str>,
    pub(super) store: Option<u64>,
    pub(super) is_pd: bool,
    pub(super) ends: Vec<ProcessEnd>,
    pub(super) last: Option<Stamp>,
    pub(super) stop: Option<Stamp>,
    /// The first event of each ten seconds.
    pub(super) active: BTreeMap<i64, Stamp>,
    /// When it lost quorums or campaigned, in the same grain.
    pub(super) in_trouble: BTreeSet<i64>,
    pub(super) leading: HashMap<u64, usize>,
    pub(super) made: HashMap<u64, Stamp>,
    pub(super) stepped_down: HashMap<u64, Stamp>,
}

impl Log {
    pub(super) fn new(name: &str) -> Self {
        Log {
            name: Arc::from(name),
            store: None,
            is_pd: false,
            ends: Vec::new(),
            last: None,
            stop: None,
            active: BTreeMap::new(),
            in_trouble: BTreeSet::new(),
            leading: HashMap::new(),
            made: HashMap::new(),
            stepped_down: HashMap::new(),
        }
    }

    /// It wrote an event.
    pub(super) fn was_active(&mut self, at: Stamp) {
        self.active
            .entry(at.utc_ms.div_euclid(GRAIN_MS))
            .or_insert(at);
    }

    /// It stepped down or campaigned.
    pub(super) fn was_in_trouble(&mut self, at: Stamp) {
        self.in_trouble.insert(at.utc_ms.div_euclid(GRAIN_MS));
    }

    /// Whether it stepped down or campaigned about when others reported it, and until when.
    pub(super) fn trouble_near(&self, at: Stamp) -> Option<Stamp> {
        let grain = at.utc_ms.div_euclid(GRAIN_MS);
        let mut last = *self.in_trouble.range(grain - 1..=grain + 3).next()?;
        // Each region campaigns again after at most twenty seconds.
        for &next in self.in_trouble.range(last..) {
            if next - last > 3 {
                break;
            }
            last = next;
        }
        Some(Stamp::utc((last + 1) * GRAIN_MS))
    }

    /// Its first event after it had been silent from this moment on.
    pub(super) fn heard_again(&self, from: Stamp) -> Option<Stamp> {
        let grain = from.utc_ms.div_euclid(GRAIN_MS);
        self.active.range(grain + 1..).next().map(|(_, &at)| at)
    }
}
