//! How the lines were read: what was not understood is said, and what could not be read.

use std::io::{self, Write};

use operator_tikv::log_parser::Tally;
use operator_tikv::log_parser::files::{FileError, Window};
use serde::Serialize;
use std::collections::BTreeMap;

use super::inputs::Log;
use super::{Manner, UNREAD};
use crate::exit::Exit;
use crate::text::visible;
use crate::units::counted;

/// Says on standard error what was not understood and what could not be read.
pub(super) fn close(tally: &Tally, failed: &[FileError], manner: &Manner) -> Exit {
    if let Some(text) = not_understood(tally) {
        complain(&text);
    }
    if manner.verbose {
        complain(&tally.to_string());
    }
    for error in failed {
        complain(&format!(
            "{error}: {}",
            super::inputs::reason(&error.source)
        ));
    }
    match failed.is_empty() {
        true => Exit::Healthy,
        false => UNREAD,
    }
}

/// Says why nothing was found in a stretch of time, where that may surprise.
pub(super) fn nothing_in(window: &Window, logs: &[Log], manner: &Manner) {
    if *window == Window::default() {
        return;
    }
    let zone = &manner.zone;
    if let Some((first, last)) = super::inputs::span(logs) {
        let (first, last) = (zone.moment(first), zone.moment(last));
        complain(&format!(
            "nothing in that stretch of time: the logs reach from {first} to {last}"
        ));
    }
}

/// A line on standard error.
pub(super) fn complain(text: &str) {
    // Who cannot be told does without.
    let _ = writeln!(io::stderr(), "operator: {}", visible(text));
}

fn not_understood(tally: &Tally) -> Option<String> {
    let total: u64 = tally.unrecognised.values().sum();
    let mut reasons: Vec<_> = tally.unrecognised.iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let reasons: Vec<String> = reasons
        .into_iter()
        .map(|(reason, count)| format!("{count} {reason}"))
        .collect();
    (total > 0).then(|| {
        let are = match total {
            1 => "is no record",
            _ => "are no records",
        };
        let lines = counted(
            usize::try_from(tally.lines).unwrap_or(usize::MAX),
            "line",
            "lines",
        );
        format!("{total} of {lines} {are}: {}", reasons.join(", "))
    })
}

/// The same for programs.
#[derive(Debug, Serialize)]
pub(super) struct Account {
    lines: u64,
    /// Of which a look at the head sufficed.
    skimmed: u64,
    strict: u64,
    recovered: BTreeMap<String, u64>,
    not_records: BTreeMap<&'static str, u64>,
    /// Lines that are pieces of records a container runtime cut, less one of each.
    pieces: u64,
    /// Files that could not be read, and why.
    failed: Vec<String>,
}

impl Account {
    pub(super) fn of(tally: &Tally, failed: &[FileError]) -> Self {
        let failed = failed
            .iter()
            .map(|error| format!("{error}: {}", super::inputs::reason(&error.source)));
        Self {
            lines: tally.lines,
            skimmed: tally.skimmed,
            strict: tally.strict,
            recovered: tally
                .recovered
                .iter()
                .map(|(damage, count)| (damage.to_string(), *count))
                .collect(),
            not_records: tally
                .unrecognised
                .iter()
                .map(|(reason, count)| (reason.as_str(), *count))
                .collect(),
            pieces: tally.pieces,
            failed: failed.collect(),
        }
    }
}

/// Several accounts as one.
pub(super) fn sum<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Tally {
    let mut sum = Tally::default();
    tallies.for_each(|tally| sum.add(tally));
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use operator_tikv::log_parser::Reason;

    #[test]
    fn what_was_not_understood_is_counted_by_reason_the_most_first() {
        let mut tally = Tally {
            lines: 20,
            ..Tally::default()
        };
        assert_eq!(not_understood(&tally), None);
        tally.unrecognised.insert(Reason::Empty, 1);
        tally.unrecognised.insert(Reason::NoHeader, 3);
        let said = not_understood(&tally).expect("something to say");
        assert_eq!(
            said,
            "4 of 20 lines are no records: 3 no header, 1 empty line"
        );
    }
}
