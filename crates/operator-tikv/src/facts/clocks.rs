//! What time it is for those who are asked.

use operator_core::{Entity, Timestamp};
use std::time::Duration;

/// What time a server had when it answered, beside ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockReading {
    /// Which server, as `HOST:PORT`.
    pub host: String,
    /// What its answer said, to the second.
    pub theirs: Timestamp,
    /// What our clock said then.
    pub ours: Timestamp,
}

impl ClockReading {
    /// The entity that verdicts about this clock name.
    pub fn entity(&self) -> Entity {
        Entity::named("origin", self.host.as_str())
    }

    /// How far apart the two are.
    pub fn apart(&self) -> Duration {
        self.theirs
            .since(self.ours)
            .max(self.ours.since(self.theirs))
    }
}

/// The clock of PD, as whichever member answered shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdClock(pub ClockReading);

/// The clock of Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusClock(pub ClockReading);
