//! What the last lines of the demonstration sum up.

use std::time::Duration;

use operator_core::{Change, Severity, Timestamp};

use crate::span::lasts;

/// What the last lines sum up.
#[derive(Debug, Default)]
pub(super) struct Tally {
    onset: Option<Timestamp>,
    /// The first finding after the onset, and when it was raised.
    found: Option<(String, Timestamp)>,
    raised: usize,
    resolved: usize,
    resolved_at: Option<Timestamp>,
    ended: Option<Timestamp>,
    interrupted: bool,
}

impl Tally {
    /// A fault has begun.
    pub(super) fn begun(&mut self, onset: Timestamp) {
        self.onset.get_or_insert(onset);
    }

    /// A fault has ended.
    pub(super) fn ended(&mut self, at: Option<Timestamp>) {
        self.ended = at;
    }

    pub(super) fn interrupted(&mut self) {
        self.interrupted = true;
    }

    /// Counts a change; gives how long after its onset the fault was found, if this is when.
    pub(super) fn count(&mut self, change: &Change, at: Timestamp) -> Option<Duration> {
        // What is merely worth knowing stays open for long: it is told, and not waited for.
        if change.severity() == Severity::Info {
            return None;
        }
        match change {
            Change::Raised(violation) => {
                self.raised += 1;
                let onset = self.onset.filter(|_| self.found.is_none())?;
                let what = format!("{} {}", violation.code(), violation.entity);
                self.found = Some((what, at));
                Some(at.since(onset))
            }
            Change::Resolved { .. } => {
                self.resolved += 1;
                self.resolved_at = Some(at);
                None
            }
            _ => None,
        }
    }

    /// The story in one sentence, of which so much was watched.
    pub(super) fn sum(&self, watched: Duration) -> String {
        let Tally {
            onset,
            found,
            raised,
            resolved,
            resolved_at,
            ended,
            interrupted,
        } = self;
        let mut said = match (onset, found) {
            (None, _) if *interrupted => "Ended before anything happened".to_owned(),
            (None, None) => {
                format!("Nothing is wrong in it, and nothing was found in {}", lasts(watched))
            }
            (_, None) => "Nothing was found: none of the rules has it as its own, or it was over within their grace".to_owned(),
            (Some(onset), Some((what, at))) => format!("Found {} after it began, by {what}", lasts(at.since(*onset))),
            (None, Some((what, _))) => format!("Found {what} though nothing was done"),
        };
        if let (Some(ended), Some(at)) = (ended, resolved_at) {
            said += &format!(
                "; the last finding was resolved {} after it ended",
                lasts(at.since(*ended))
            );
        }
        if raised > resolved {
            said += &format!("; {} still open", raised - resolved);
        }
        said + "."
    }
}
