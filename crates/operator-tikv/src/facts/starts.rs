//! When stores started, as far as it was seen.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{Entity, Gap, Listing, Store, StoreId, Timestamp};

/// When stores were seen to start: their last start, and those of the last half hour that were seen.
///
/// The first start that is seen of a store is no restart: it may have been days before the first look.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStarts {
    of: BTreeMap<StoreId, Starts>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Starts {
    latest: Option<Timestamp>,
    seen: Vec<Timestamp>,
}

impl StoreStarts {
    /// For so long a restart is remembered.
    pub const REMEMBERED: Duration = Duration::from_secs(30 * 60);
    /// Two times of one start may be read this far apart.
    const SAME_START: Duration = Duration::from_secs(2);
    /// A store that starts over and over is known as one long before so many.
    const MOST: usize = 100;

    /// The same memory, with what is seen now. Only a store that is no more is forgotten, and not one that
    /// could not be read for once.
    #[must_use]
    pub fn and(&self, at: Timestamp, stores: &Listing<Store>) -> Self {
        let nameless = |gap: &Gap| gap.entity().is_none();
        let partial = stores.next.is_some() || stores.gaps.iter().any(nameless);
        let unread = |store: StoreId| stores.gap_about(&Entity::Store(store)).is_some();
        let mut of = self.of.clone();
        of.retain(|store, _| partial || unread(*store));
        for store in &stores.items {
            let mut starts = self.of.get(&store.id).cloned();
            if let Some(started) = store.started_at {
                let known = starts.get_or_insert_default();
                known.saw(started);
            }
            let Some(mut starts) = starts else { continue };
            starts
                .seen
                .retain(|start| at.since(*start) < Self::REMEMBERED);
            of.insert(store.id, starts);
        }
        Self { of }
    }

    /// The restarts of a store that were seen within the last `window`, oldest first.
    pub fn restarts(
        &self,
        store: StoreId,
        at: Timestamp,
        window: Duration,
    ) -> impl Iterator<Item = Timestamp> {
        let seen = self.of.get(&store).map(|starts| starts.seen.as_slice());
        let within = move |start: &&Timestamp| at.since(**start) < window;
        seen.unwrap_or_default().iter().filter(within).copied()
    }

    /// Whether anything is known of this store's starts.
    pub fn knows(&self, store: StoreId) -> bool {
        self.of.contains_key(&store)
    }
}

impl Starts {
    fn saw(&mut self, started: Timestamp) {
        let later = self
            .latest
            .is_some_and(|latest| started.since(latest) > StoreStarts::SAME_START);
        if later && self.seen.len() < StoreStarts::MOST {
            self.seen.push(started);
        }
        self.latest = self.latest.max(Some(started));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use operator_core::Why;

    fn seen(starts: &[i64]) -> StoreStarts {
        let mut memory = StoreStarts::default();
        for start in starts {
            let at = Timestamp::from_unix_seconds(*start + 5);
            let store = Store {
                started_at: Some(Timestamp::from_unix_seconds(*start)),
                ..Store::new(StoreId(1), "10.0.0.1:20160")
            };
            memory = memory.and(at, &Listing::whole(vec![store]));
        }
        memory
    }

    fn restarts(memory: &StoreStarts, at: i64, window: u64) -> usize {
        let at = Timestamp::from_unix_seconds(at);
        memory
            .restarts(StoreId(1), at, Duration::from_secs(window))
            .count()
    }

    #[test]
    fn the_first_start_that_is_seen_is_no_restart() {
        assert_eq!(restarts(&seen(&[1000]), 1010, 300), 0);
        assert_eq!(restarts(&seen(&[1000, 1100]), 1110, 300), 1);
    }

    #[test]
    fn one_start_that_is_read_twice_is_one() {
        assert_eq!(restarts(&seen(&[1000, 1002]), 1010, 300), 0);
        assert_eq!(restarts(&seen(&[1000, 1003]), 1010, 300), 1);
    }

    #[test]
    fn what_is_half_an_hour_old_is_forgotten() {
        let memory = seen(&[1000, 1100, 2000, 2950]);
        assert_eq!(restarts(&memory, 2960, 1800), 2);
        assert_eq!(restarts(&memory, 2960, 300), 1);
    }

    #[test]
    fn a_store_that_does_not_say_is_remembered_while_it_is_there() {
        let memory = seen(&[1000, 1100]);
        let silent = Store::new(StoreId(1), "10.0.0.1:20160");
        let at = Timestamp::from_unix_seconds(1200);
        let memory = memory.and(at, &Listing::whole(vec![silent]));
        assert_eq!(restarts(&memory, 1200, 300), 1);
        let unread = Gap::new("store", Why::Unsaid).about(Entity::Store(StoreId(1)));
        let unreadable = Listing {
            gaps: vec![unread].into(),
            ..Listing::whole(Vec::new())
        };
        let memory = memory.and(at, &unreadable);
        assert_eq!(restarts(&memory, 1200, 300), 1);
        let memory = memory.and(at, &Listing::whole(Vec::new()));
        assert!(!memory.knows(StoreId(1)));
    }
}
