//! How far a long reading has come, for whoever waits at a terminal.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use operator_core::{Clock, Timestamp};

use super::inputs::Log;
use crate::units::bytes;

/// What takes no longer is not spoken of.
const PATIENCE: Duration = Duration::from_millis(700);
/// How often it is said anew.
const PAUSE: Duration = Duration::from_millis(200);

/// Says on standard error how far a reading has come, where that is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    clock: Clock,
    /// When it began; none where nobody is to be told.
    began: Option<Timestamp>,
    said: Option<Timestamp>,
    total: Option<u64>,
}

impl Progress {
    /// For one that writes to standard output as it reads: lines that come are progress enough.
    pub(super) fn beside_output(clock: &Clock, total: Option<u64>) -> Self {
        Self::new(clock, total, !io::stdout().is_terminal())
    }

    /// For one that writes at its end.
    pub(super) fn before_output(clock: &Clock, total: Option<u64>) -> Self {
        Self::new(clock, total, true)
    }

    fn new(clock: &Clock, total: Option<u64>, wanted: bool) -> Self {
        let dumb = std::env::var("TERM").map_or(true, |term| term.is_empty() || term == "dumb");
        let wanted = wanted && io::stderr().is_terminal() && !dumb;
        Self {
            clock: clock.clone(),
            began: wanted.then(|| clock.now()),
            said: None,
            total,
        }
    }

    /// Says it, where it is time to.
    pub(super) fn look(&mut self, done: u64) {
        let Some(began) = self.began else { return };
        let now = self.clock.now();
        let due = match self.said {
            None => now.since(began) >= PATIENCE,
            Some(said) => now.since(said) >= PAUSE,
        };
        if due {
            self.said = Some(now);
            let text = said(done, self.total);
            // Who cannot be told does without.
            let _ = write!(io::stderr(), "\r{text}\x1b[K");
        }
    }

    /// Takes it off the screen.
    pub(super) fn clear(&mut self) {
        if self.said.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

fn said(done: u64, total: Option<u64>) -> String {
    match total.filter(|total| *total >= done && *total > 0) {
        Some(total) => format!(
            "reading: {} of {} ({} %)",
            bytes(done),
            bytes(total),
            done * 100 / total
        ),
        None => format!("reading: {}", bytes(done)),
    }
}

/// Bytes of text in these logs, where all of them are plain files that are read whole.
pub(super) fn total(logs: &[Log]) -> Option<u64> {
    let files = logs.iter().flat_map(|log| &log.files);
    let sizes = files.map(|file| {
        let plain = file.extension().is_none_or(|end| end != "gz");
        let metadata = fs::metadata(file)
            .ok()
            .filter(|metadata| plain && metadata.is_file());
        metadata.map(|metadata| metadata.len())
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_the_part_where_the_whole_is_known() {
        assert_eq!(
            said(5 << 20, Some(20 << 20)),
            "reading: 5 MiB of 20 MiB (25 %)"
        );
        assert_eq!(said(1 << 31, None), "reading: 2 GiB");
        assert_eq!(
            said(3 << 20, Some(1 << 20)),
            "reading: 3 MiB",
            "the file has grown"
        );
    }
}
