//! What was asked of the players.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Which cluster a member is of: what it is asked first on every connection.
const INTRODUCTION: &str = "/pd/api/v1/cluster";

/// Keeps count of what was asked. Clones count together.
#[derive(Debug, Clone, Default)]
pub struct Asked(Arc<Mutex<Tally>>);

/// How often what was asked.
///
/// Which of several connections a question goes over, and whether there must be one more for it, depends on
/// what comes first by a hair. So that one recording is told of in the same words each time, what is counted
/// here is at how many looks a thing was asked, however often, and not at how many of them a member was asked
/// on a new connection who it is; `requests` has the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Looks.
    pub looks: u64,
    /// Questions to PD by path, in looks.
    pub pd: BTreeMap<String, u64>,
    /// Questions to Prometheus by text, in looks.
    pub prometheus: BTreeMap<String, u64>,
    /// Paths of PD that were never recorded.
    pub not_recorded: BTreeMap<String, u64>,
    /// Paths of PD whose answers follow from others that were recorded, with where from.
    pub derived: BTreeMap<(String, &'static str), u64>,
    /// Every request, the repeated and the introductory ones among them.
    pub requests: u64,
    this_look: BTreeSet<(u8, String)>,
}

impl Asked {
    /// Begins a look.
    pub(super) fn look(&self) {
        let mut tally = self.lock();
        tally.looks += 1;
        tally.this_look.clear();
    }

    pub(super) fn pd(&self, path: &str) {
        let mut tally = self.lock();
        tally.requests += 1;
        if path != INTRODUCTION && tally.is_first(0, path) {
            *tally.pd.entry(path.to_owned()).or_default() += 1;
        }
    }

    pub(super) fn prometheus(&self, query: &str) {
        let mut tally = self.lock();
        tally.requests += 1;
        if tally.is_first(1, query) {
            *tally.prometheus.entry(query.to_owned()).or_default() += 1;
        }
    }

    pub(super) fn not_recorded(&self, path: &str) {
        let mut tally = self.lock();
        if tally.is_first(2, path) {
            *tally.not_recorded.entry(path.to_owned()).or_default() += 1;
        }
    }

    pub(super) fn derived(&self, path: &str, from: &'static str) {
        let mut tally = self.lock();
        if path != INTRODUCTION && tally.is_first(3, path) {
            let key = (path.to_owned(), from);
            *tally.derived.entry(key).or_default() += 1;
        }
    }

    /// What was asked so far.
    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally {
    fn is_first(&mut self, kind: u8, text: &str) -> bool {
        self.this_look.insert((kind, text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_counts_once_a_look_and_every_request_counts() {
        let asked = Asked::default();
        for _ in 0..2 {
            asked.look();
            asked.pd("/a");
            asked.pd("/a");
            asked.not_recorded("/a");
            asked.pd(INTRODUCTION);
            asked.derived(INTRODUCTION, "another answer");
            asked.prometheus("up");
        }
        let tally = asked.tally();
        assert_eq!((tally.looks, tally.requests), (2, 8));
        assert_eq!(tally.pd, BTreeMap::from([("/a".to_owned(), 2)]));
        assert!(tally.derived.is_empty());
        assert_eq!(tally.not_recorded["/a"], 2);
        assert_eq!(tally.prometheus["up"], 2);
    }
}
