//! Whether a rule sees at all.

use std::time::Duration;

use crate::{Gap, Timestamp, Why};

/// How long a rule has been blind, and whether that has been said.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Blindness {
    pub(super) run: Option<Run>,
}

/// Blind looks without a seeing one between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Run {
    pub(super) since: Timestamp,
    pub(super) looks: u32,
    pub(super) announced: bool,
}

/// What a look means for what is said about blindness.
#[derive(Debug, PartialEq)]
pub(super) enum Sight {
    AsBefore,
    Blinded { since: Timestamp },
    Sighted { since: Timestamp },
}

impl Blindness {
    /// The rule could not judge anything.
    pub(super) fn blind(&mut self, at: Timestamp, gap: &Gap, grace: Duration) -> Sight {
        if *gap.why() == Why::NotConfigured {
            // Nobody asked it to see: that is listed; it is neither blindness nor the end of it.
            self.run = None;
            return Sight::AsBefore;
        }
        let run = self.run.get_or_insert(Run {
            since: at,
            looks: 0,
            announced: false,
        });
        run.looks = run.looks.saturating_add(1);
        if run.announced || run.looks < 2 || at.since(run.since) < grace {
            return Sight::AsBefore;
        }
        run.announced = true;
        Sight::Blinded { since: run.since }
    }

    /// The rule could judge something, or found that there was nothing to judge.
    pub(super) fn seen(&mut self) -> Sight {
        match self.run.take() {
            Some(Run {
                since,
                announced: true,
                ..
            }) => Sight::Sighted { since },
            _ => Sight::AsBefore,
        }
    }
}
