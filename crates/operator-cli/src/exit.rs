//! Exit statuses: what a script reads first.

use std::process::ExitCode;

use operator_core::Severity;

use crate::findings::Findings;

/// What the exit status says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything that is configured was seen, and nothing is broken.
    Healthy,
    /// Something is broken, nothing of it critical.
    Warning,
    /// Something critical is broken.
    Critical,
    /// Nothing is broken as far as was seen, and that was not everything.
    Blind,
    /// The command line is wrong.
    Usage,
}

impl Exit {
    /// What a look found, as one status. Findings about our sight are blindness, never brokenness.
    pub(crate) fn of(findings: &Findings) -> Self {
        match findings.worst() {
            Some(Severity::Critical) => Self::Critical,
            Some(Severity::Warning) => Self::Warning,
            Some(Severity::Info) | None => match findings.is_blind() {
                true => Self::Blind,
                false => Self::Healthy,
            },
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Healthy => 0,
            Exit::Warning => 1,
            Exit::Critical => 2,
            Exit::Blind => 3,
            Exit::Usage => 64,
        })
    }
}
