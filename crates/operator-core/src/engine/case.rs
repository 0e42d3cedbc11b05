//! One rule and one entity: from first seen broken to resolved.

use std::sync::Arc;
use std::time::Duration;

use super::violation::{Ending, Maintenance, Pending, Violation};
use crate::{Broken, Entity, Rule, Severity, Timestamp};

/// A case is pending, then open, then settling, then gone.
///
/// The time between two looks counts only if both saw it alike, so a case remembers what the look before
/// saw. Blind time counts for nothing: it neither raises nor resolves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    pub(super) stage: Stage,
    /// What will be told of it; complete from the moment it is open.
    pub(super) violation: Violation,
    /// How bad it was when last seen broken, whatever maintenance makes of it.
    pub(super) actual: Severity,
    /// Time seen broken while pending.
    pub(super) seen_broken: Duration,
    /// The grace that its last finding asked for.
    pub(super) grace: Duration,
    /// Time seen healthy while settling.
    pub(super) seen_healthy: Duration,
    /// What the look before this one saw, if it saw anything.
    before: Option<Look>,
    /// What this look sees, if it sees anything.
    last: Option<Look>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub(super) enum Stage {
    Pending,
    Open,
    Settling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    at: Timestamp,
    healthy: bool,
}

/// What a look did to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    Raised,
    Moved {
        from: Severity,
    },
    Resolved(Ending),
    /// It was pending, and is nothing any more.
    Dropped,
}

impl Case {
    /// A case that is seen broken for the first time. It has yet to be looked at.
    pub(super) fn new(rule: &Arc<Rule>, entity: Entity, at: Timestamp, broken: &Broken) -> Self {
        Self {
            stage: Stage::Pending,
            violation: Violation {
                rule: Arc::clone(rule),
                entity,
                severity: broken.severity,
                since: at,
                raised_at: at,
                last_seen: at,
                evidence: crate::Evidence::default(),
                flaps: 0,
                settling: false,
                expected: None,
            },
            actual: broken.severity,
            seen_broken: Duration::ZERO,
            grace: rule.grace,
            seen_healthy: Duration::ZERO,
            before: None,
            last: None,
        }
    }

    /// A new look begins. A case that it does not mention has thereby not been seen.
    pub(super) fn begin_look(&mut self) {
        self.before = self.last.take();
    }

    /// The look sees it broken, as of a moment that may be earlier.
    pub(super) fn broken(
        &mut self,
        at: Timestamp,
        seen_at: Timestamp,
        broken: Broken,
        maintenance: Option<&Maintenance>,
    ) -> Step {
        let elapsed = self.look(seen_at, false);
        let violation = &mut self.violation;
        if let Some(since) = broken.since {
            violation.since = violation.since.min(since);
        }
        violation.last_seen = at;
        violation.evidence = broken.evidence;
        self.actual = broken.severity;
        match self.stage {
            Stage::Pending => {
                let proved = broken.since.map_or(Duration::ZERO, |since| at.since(since));
                self.seen_broken = self.seen_broken.saturating_add(elapsed).max(proved);
                self.grace = broken.grace.unwrap_or(violation.rule.grace);
                if self.seen_broken < self.grace {
                    violation.severity = self.actual;
                    return Step::Nothing;
                }
                self.stage = Stage::Open;
                violation.raised_at = at;
                violation.expected = maintenance.cloned();
                self.violation.severity = self.effective_severity();
                Step::Raised
            }
            Stage::Open => self.move_severity(),
            Stage::Settling => {
                self.stage = Stage::Open;
                self.seen_healthy = Duration::ZERO;
                violation.settling = false;
                violation.flaps = violation.flaps.saturating_add(1);
                self.move_severity()
            }
        }
    }

    /// The look sees it healthy, as of a moment.
    pub(super) fn holds(&mut self, seen_at: Timestamp) -> Step {
        let elapsed = self.look(seen_at, true);
        match self.stage {
            Stage::Pending => return Step::Dropped,
            Stage::Open => {
                self.stage = Stage::Settling;
                self.violation.settling = true;
                self.seen_healthy = Duration::ZERO;
            }
            Stage::Settling => self.seen_healthy = self.seen_healthy.saturating_add(elapsed),
        }
        match self.seen_healthy >= self.violation.rule.settle {
            true => Step::Resolved(Ending::Healthy),
            false => Step::Nothing,
        }
    }

    /// The look sees that its entity is no more.
    pub(super) fn gone(&mut self) -> Step {
        match self.stage {
            Stage::Pending => Step::Dropped,
            Stage::Open | Stage::Settling => Step::Resolved(Ending::Gone),
        }
    }

    /// Time has passed over the maintenance that expected it: seen or not, it is as bad as it is. One that
    /// was last seen healthy is not bad any more; should it break again, it is reviewed then.
    pub(super) fn review_maintenance(&mut self, maintenance: Option<&Maintenance>) -> Step {
        if self.stage != Stage::Open || self.violation.expected.is_none() {
            return Step::Nothing;
        }
        self.violation.expected = maintenance.cloned();
        self.move_severity()
    }

    pub(super) fn pending(&self) -> Option<Pending<'_>> {
        (self.stage == Stage::Pending).then(|| Pending {
            rule: &self.violation.rule,
            entity: &self.violation.entity,
            severity: self.actual,
            since: self.violation.since,
            evidence: &self.violation.evidence,
            grace_left: self.grace.saturating_sub(self.seen_broken),
        })
    }

    pub(super) fn open(&self) -> Option<&Violation> {
        (self.stage != Stage::Pending).then_some(&self.violation)
    }

    /// Notes what this look sees; tells how long it has been so since the look before.
    fn look(&mut self, at: Timestamp, healthy: bool) -> Duration {
        // A look from the past adds no time, now or later.
        let at = self.before.map_or(at, |before| at.max(before.at));
        self.last = Some(Look { at, healthy });
        match self.before {
            Some(before) if before.healthy == healthy => at.since(before.at),
            _ => Duration::ZERO,
        }
    }

    fn effective_severity(&self) -> Severity {
        match self.violation.expected {
            Some(_) => Severity::Info,
            None => self.actual,
        }
    }

    fn move_severity(&mut self) -> Step {
        let from = self.violation.severity;
        self.violation.severity = self.effective_severity();
        match self.violation.severity == from {
            true => Step::Nothing,
            false => Step::Moved { from },
        }
    }
}
