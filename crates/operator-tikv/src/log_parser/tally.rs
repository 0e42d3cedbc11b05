//! How a stream was read: nothing is left out of the account.

use std::collections::BTreeMap;
use std::fmt;

use super::fault::{Fault, Reason};
use super::line::{Damage, LogLine};

/// Counts of lines by how they were read.
///
/// Every line is in `lines` and in one of the other counts. A record that a container runtime cut
/// is counted once as recovered or unrecognised, and with its other lines among the `pieces`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Every line.
    pub lines: u64,
    /// Lines of which a look at the head sufficed to know that they are no event.
    pub skimmed: u64,
    /// Strict records.
    pub strict: u64,
    /// Recovered records by what they needed.
    pub recovered: BTreeMap<Damage, u64>,
    /// Lines that are no record, by reason.
    pub unrecognised: BTreeMap<Reason, u64>,
    /// Lines of which a later one completes the record, or may yet: a container runtime cut it.
    pub pieces: u64,
}

impl Tally {
    /// Counts what became of one line.
    pub fn count(&mut self, read: &Result<LogLine<'_>, Fault>) {
        self.lines += 1;
        self.tell(read);
    }

    /// Tells a line that is counted already by how it was read.
    pub(super) fn tell(&mut self, read: &Result<LogLine<'_>, Fault>) {
        match read {
            Ok(line) if line.damage().is_none() => self.strict += 1,
            Ok(line) => *self.recovered.entry(line.damage()).or_default() += 1,
            Err(fault) => *self.unrecognised.entry(fault.reason).or_default() += 1,
        }
    }

    /// Adds another account to this one.
    pub fn add(&mut self, other: &Tally) {
        self.lines += other.lines;
        self.skimmed += other.skimmed;
        self.strict += other.strict;
        self.pieces += other.pieces;
        for (&damage, &count) in &other.recovered {
            *self.recovered.entry(damage).or_default() += count;
        }
        for (&reason, &count) in &other.unrecognised {
            *self.unrecognised.entry(reason).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} lines: {} skimmed, {} strict",
            self.lines, self.skimmed, self.strict
        )?;
        for (damage, count) in &self.recovered {
            write!(f, ", {count} recovered ({damage})")?;
        }
        for (reason, count) in &self.unrecognised {
            write!(f, ", {count} not recognised ({reason})")?;
        }
        if self.pieces > 0 {
            write!(f, ", {} pieces of others", self.pieces)?;
        }
        Ok(())
    }
}
