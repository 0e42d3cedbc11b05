//! The rules as the command knows them before it knows a cluster.

use operator_core::Rule;
use operator_tikv::invariants::{self, Settings};

/// What is known of every rule without judging, under these settings.
pub(crate) fn rules(settings: &Settings) -> Vec<Rule> {
    let rules = invariants::standard(settings);
    rules
        .iter()
        .map(|invariant| invariant.rule().clone())
        .collect()
}

/// The codes of every rule.
pub(crate) fn codes() -> Vec<&'static str> {
    invariants::pages().map(|page| page.code).collect()
}
