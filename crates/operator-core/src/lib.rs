#![doc = include_str!("../README.md")]

mod action;
#[cfg(feature = "testing")]
pub mod conformance;
mod deadline;
mod domain;
mod engine;
mod error;
mod evidence;
mod gap;
mod incident;
mod invariant;
mod monitor;
mod observer;
#[cfg(feature = "testing")]
mod scripted;
mod slo;
mod snapshot;
mod subject;
mod time;

pub use action::*;
pub use deadline::within;
pub use domain::*;
pub use engine::{
    Blind, Change, DuplicateCode, Ending, Engine, Maintenance, Pending, RestoreError, State,
    Violation,
};
pub use error::{Error, Fault, Result};
pub use evidence::{Evidence, Quantity, Value};
pub use gap::{Gap, Gaps, Why};
pub use incident::{Incident, incidents};
pub use invariant::{Broken, Invariant, Kind, Rule, Scope, Severity, Slo, Verdict, Verdicts};
pub use monitor::{Beat, Monitor, Tick};
pub use observer::Observer;
#[cfg(feature = "testing")]
pub use scripted::{Answer, Script, ScriptedSubject};
pub use slo::{Objective, Spent};
pub use snapshot::Snapshot;
pub use subject::{Ailment, Due, Flow, Part, Regions, Subject, Visit};
pub use time::{Clock, ManualClock, ParseTimestampError, SystemClock, Timestamp};

/// The guide's subject is compiled, run and put through the conformance kit like any other example.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/WRITING_A_SUBJECT.md")]
mod writing_a_subject {}
