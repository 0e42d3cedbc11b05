//! What the servers' logs tell of the same time.

use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::Path;

use operator_core::Timestamp;
use operator_tikv::log_parser::{EventScanner, Timeline, TimelineBuilder};

use super::{Recording, archive};

/// The largest log that is read.
const MOST_BYTES: u64 = 1 << 30;

/// Elections, and what they come to, within the time of the recording.
#[derive(Debug)]
pub struct Story {
    timeline: Timeline,
    begins: Timestamp,
    ends: Timestamp,
}

/// Something that happened, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What.
    pub text: String,
}

impl Story {
    /// Reads every log of a recording; none where there are no logs.
    ///
    /// # Errors
    /// When the logs cannot be read.
    pub fn read(recording: &Recording) -> io::Result<Option<Self>> {
        let Some(logs) = recording.logs() else {
            return Ok(None);
        };
        let mut builder = TimelineBuilder::default();
        archive::read(&logs, |path, body| {
            let mut text = Vec::new();
            body.take(MOST_BYTES).read_to_end(&mut text)?;
            let log = builder.add_log(&name(path));
            EventScanner::new().scan(&text, |found| builder.push(log, &found.event));
            Ok(())
        })?;
        let book = recording.book();
        Ok(Some(Self {
            timeline: builder.finish(),
            begins: book.begins().unwrap_or(Timestamp::EPOCH),
            ends: book.ends().unwrap_or(Timestamp::EPOCH),
        }))
    }

    /// How many elections were won for which reason while the recording lasted.
    pub fn elections(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for election in self.timeline.elections() {
            let won = election.leader.as_ref().map(|(.., at)| moment(at.utc_ms));
            if won.is_some_and(|at| self.holds(at)) {
                *counts.entry(election.kind.to_string()).or_default() += 1;
            }
        }
        counts
    }

    /// What it comes to, in the order of time; what was before the recording began among it, because a
    /// log may have said nothing for long when its process ended.
    pub fn moments(&self) -> Vec<Moment> {
        let findings = self.timeline.findings().iter().map(|finding| {
            let text = finding.to_string();
            let sentence = text.split_once(' ').map(|(_, sentence)| sentence);
            Moment {
                at: moment(finding.at().utc_ms),
                text: sentence.unwrap_or(&text).to_owned(),
            }
        });
        findings.filter(|moment| moment.at <= self.ends).collect()
    }

    /// Every election while the recording lasted, in the order of time.
    pub fn each_election(&self) -> Vec<Moment> {
        let told = self.timeline.elections().iter().filter_map(|election| {
            let (leader, _, won) = election.leader.as_ref()?;
            let from = match &election.previous {
                Some(previous) => format!(" after {previous}"),
                None => String::new(),
            };
            let (region, term, kind) = (election.region, election.term, election.kind);
            let text = format!("region {region} term {term}: {leader}{from}, by {kind}");
            let at = moment(won.utc_ms);
            Some(Moment { at, text })
        });
        let mut told: Vec<Moment> = told.filter(|moment| self.holds(moment.at)).collect();
        told.sort_by(|a, b| (a.at, &a.text).cmp(&(b.at, &b.text)));
        told
    }

    /// What the logs do not show.
    pub fn missing(&self) -> Vec<String> {
        let missing = self.timeline.missing().iter();
        missing.map(ToString::to_string).collect()
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.begins <= at && at <= self.ends
    }
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}
