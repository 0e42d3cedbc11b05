//! The conformance kit: what [`Subject`] promises, as checks that any implementation can
//! be put through.
//!
//! ```
//! use operator_core::conformance::{self, Probe};
//! use operator_core::ScriptedSubject;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let subject = ScriptedSubject::new("scripted");
//! conformance::all(&subject, &Probe::default()).await.expect("it conforms");
//! # }
//! ```
//!
//! Each check is also a function of its own, for narrowing down. They only read, save that
//! [`slots_answer`] does the actions that the probe names.

mod reads;
mod rules;
mod shape;

use std::fmt;
use std::time::Duration;

pub use reads::{cancelled_reads_leave_it_usable, errors_say_where, reads_agree};
pub use rules::{rules_are_well_formed, rules_tolerate_blindness};
pub use shape::{absent_ids_are_not_found, parts_are_named_and_bounded, slots_answer};

use crate::{Action, RegionId, Subject};

/// What a check needs to know of the subject that it is put to.
#[derive(Debug)]
pub struct Probe<'a> {
    /// How long one read may take.
    pub deadline: Duration,
    /// A region that does not exist.
    pub absent_region: RegionId,
    /// Actions that may be done for trying. Without any, no slot is tried.
    pub harmless: Vec<Action>,
    /// The same subject, made so that each of its reads fails: pointed at a port where nobody listens. Its
    /// actions are not tried.
    pub unreachable: Option<&'a dyn Subject>,
}

impl Default for Probe<'_> {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(10),
            absent_region: RegionId(u64::MAX),
            harmless: Vec::new(),
            unreachable: None,
        }
    }
}

/// A promise that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The check that found it.
    pub check: &'static str,
    /// What is wrong.
    pub what: String,
}

/// Every promise that was not kept; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Breaches(pub Vec<Breach>);

impl fmt::Display for Breaches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "promises that are not kept: {}", self.0.len())?;
        self.0
            .iter()
            .try_for_each(|Breach { check, what }| write!(f, "\n  {check}: {what}"))
    }
}

/// What a check comes to.
pub type Outcome = Result<(), Breaches>;

/// Puts a subject through every check.
///
/// # Errors
/// Every promise that it does not keep.
pub async fn all(subject: &dyn Subject, probe: &Probe<'_>) -> Outcome {
    let outcomes = [
        reads_agree(subject, probe).await,
        absent_ids_are_not_found(subject, probe).await,
        cancelled_reads_leave_it_usable(subject, probe).await,
        parts_are_named_and_bounded(subject, probe).await,
        slots_answer(subject, probe).await,
        errors_say_where(subject, probe).await,
        rules_are_well_formed(subject),
        rules_tolerate_blindness(subject, probe).await,
    ];
    let breaches = outcomes.into_iter().filter_map(Result::err);
    outcome(breaches.flat_map(|breaches| breaches.0).collect())
}

fn outcome(breaches: Vec<Breach>) -> Outcome {
    match breaches.is_empty() {
        true => Ok(()),
        false => Err(Breaches(breaches)),
    }
}

/// Collects what one check finds.
struct Check {
    name: &'static str,
    breaches: Vec<Breach>,
}

impl Check {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            breaches: Vec::new(),
        }
    }

    fn expect(&mut self, kept: bool, what: impl FnOnce() -> String) {
        if !kept {
            self.breaches.push(Breach {
                check: self.name,
                what: what(),
            });
        }
    }

    fn end(self) -> Outcome {
        outcome(self.breaches)
    }
}

/// The things that occur more than once.
fn repeated<T: Ord + Clone>(things: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut things: Vec<T> = things.into_iter().collect();
    things.sort();
    let mut repeated: Vec<T> = things
        .windows(2)
        .filter(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].clone())
        .collect();
    repeated.dedup();
    repeated
}
