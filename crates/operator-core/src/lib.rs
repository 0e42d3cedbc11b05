//! The core of Operator.

mod action;
mod domain;
mod error;
mod gap;
mod observer;
mod snapshot;
mod subject;
mod time;

pub use action::*;
pub use domain::*;
pub use error::{Error, Fault, Result};
pub use gap::{Gap, Why};
pub use observer::Observer;
pub use snapshot::Snapshot;
pub use subject::{Ailment, Flow, Part, Regions, Subject, Visit};
pub use time::{Clock, ManualClock, ParseTimestampError, SystemClock, Timestamp};

/// tmp
pub trait Invariant: Send + Sync + std::fmt::Debug {}
