//! The rules as the command knows them before it knows a cluster.

use operator_core::{Invariant, Rule};
use operator_tikv::invariants;

/// Every rule, as it is judged when nobody asks for less.
pub(crate) fn all() -> Vec<Box<dyn Invariant>> {
    invariants::standard()
}

/// What is known of every rule without judging.
pub(crate) fn rules() -> Vec<Rule> {
    all()
        .iter()
        .map(|invariant| invariant.rule().clone())
        .collect()
}

/// The codes of every rule.
pub(crate) fn codes() -> Vec<&'static str> {
    rules().iter().map(|rule| rule.code).collect()
}
