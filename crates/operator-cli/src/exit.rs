//! Exit statuses: what a script reads first.

use std::process::ExitCode;

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
    /// The command line, a code or a file is wrong.
    Usage,
}

impl Exit {
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Blind => 3,
            Self::Usage => 64,
        }
    }

    /// What a command that only looks ends with.
    pub(crate) fn of_look(whole: bool) -> Self {
        match whole {
            true => Self::Healthy,
            false => Self::Blind,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.status())
    }
}
