//! A line as one JSON object: what it says, and how it was read.

use std::borrow::Cow;
use std::collections::HashMap;

use operator_tikv::log_parser::{
    Ballot, Damage, EventKind, Fault, Field, Format, Level, LogEvent, LogLine, Text,
    region_in_text, region_of, term_of,
};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// The label keys of a line, in their order, and how it was read.
#[derive(Debug, Serialize)]
pub(super) struct Labels<'a> {
    parses: bool,
    level: Option<LevelWord>,
    ts_utc: Option<String>,
    source: Option<Cow<'a, str>>,
    message: Option<Cow<'a, str>>,
    fields: Fields<'a>,
    event: &'static str,
    region_id: Option<u64>,
    term: Option<u64>,
    /// Whether a record could be read in it at all.
    lenient: bool,
    /// Why it is not one whole record.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What had to be put up with to read it all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    damage: Option<String>,
    format: Option<&'static str>,
    /// What the line is in the catalogue, where that says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_event: Option<&'static str>,
    /// The time as it stands there, where it has no zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    ts_local: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logger: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trailing: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "is_none")]
    empty_fields: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    message_truncated: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl<'a> Labels<'a> {
    /// Of a line, by how it was read strictly and leniently.
    pub(super) fn of(bytes: &'a [u8], fault: Option<Fault>, read: Option<&'a LogLine<'a>>) -> Self {
        let event = read.and_then(LogEvent::of);
        let event = event.as_ref();
        let text = |text: Option<Cow<'a, str>>| text.filter(|text| !text.is_empty());
        let damage = read.map(LogLine::damage);
        let has = |what| damage.is_some_and(|damage| damage.has(what));
        let time = read.and_then(LogLine::time);
        Self {
            parses: fault.is_none(),
            level: read
                .and_then(LogLine::level)
                .filter(|level| *level != Level::Unknown)
                .map(LevelWord),
            ts_utc: time.map(|time| time.to_string()),
            source: read.and_then(LogLine::source),
            message: read.and_then(LogLine::message).map(|text| text.to_str()),
            fields: Fields::of(read),
            event: word(event),
            region_id: read.map_or_else(|| region_in_text(bytes), region_of),
            term: read.and_then(term_of),
            lenient: read.is_some(),
            reason: fault.map(|fault| format!("{} at byte {}", fault.reason, fault.at)),
            damage: damage
                .filter(|damage| !damage.is_none())
                .map(|damage| damage.to_string()),
            format: read.map(|read| format_name(read.format())),
            kind: event.map(|event| event.kind.as_str()),
            extra_event: event.and_then(|event| extra_word(event, read)),
            ts_local: match time {
                None => read.and_then(LogLine::time_text),
                Some(_) => None,
            },
            logger: read.and_then(LogLine::logger),
            prefix: match has(Damage::DOCKER) {
                true => Some(Cow::Borrowed(DOCKER_PREFIX)),
                false => text(read.map(LogLine::prefix)),
            },
            trailing: text(read.map(LogLine::trailing)),
            empty_fields: read.map_or(0, |read| read.sections().filter(Option::is_none).count()),
            message_truncated: has(Damage::CUT_MESSAGE),
        }
    }
}

/// What stands before a record that a container's log holds.
const DOCKER_PREFIX: &str = "{\"log\":";

fn format_name(format: Format) -> &'static str {
    match format {
        Format::Unified => "unified",
        Format::Json => "unified_json",
        Format::Legacy21 => "legacy_tikv_2_1",
        Format::Legacy20 => "legacy_2_0",
        Format::Legacy2016 => "legacy_2016",
        Format::RocksDb => "rocksdb",
    }
}

/// The word for an event among the labels: fewer than the catalogue has.
fn word(event: Option<&LogEvent>) -> &'static str {
    use EventKind as K;
    let Some(event) = event else { return "none" };
    match event.kind {
        K::BecameLeader
        | K::BecameFollower
        | K::BecameCandidate
        | K::BecamePreCandidate
        | K::ElectionStarted => event.kind.as_str(),
        K::VoteRequested | K::VoteAnswered | K::VoteCast | K::VoteRejected | K::VoteIgnored => {
            "vote"
        }
        K::HigherTerm | K::LowerTerm if event.ballot != Some(Ballot::Other) => "vote",
        K::TransferOrdered
        | K::TransferTried
        | K::TransferProposed
        | K::TransferAcked
        | K::TransferStarted
        | K::TimeoutNowSent
        | K::TimeoutNowReceived
        | K::TransferRefused
        | K::TransferRepeated
        | K::TransferAborted
        | K::PdTransfer => "leader_transfer",
        K::SteppedDown | K::ForcedStepDown | K::PdSteppedDown => "stepped_down",
        _ => "none",
    }
}

/// The word for what is labelled beside events.
fn extra_word(event: &LogEvent, read: Option<&LogLine<'_>>) -> Option<&'static str> {
    let message = || read.and_then(LogLine::message).map(Text::to_str);
    let lost = || message().is_some_and(|text| text.contains("lost leader"));
    Some(match event.kind {
        EventKind::RegionLeaderChanged => "pd_region_leader_changed",
        EventKind::PdCampaign => "pd_campaign",
        EventKind::LeaderMissing => "leader_missing",
        EventKind::EtcdLeader if lost() => "etcd_lost_leader",
        EventKind::EtcdLeader => "etcd_elected_leader",
        _ => return None,
    })
}

/// A level in the words of the logs.
#[derive(Debug)]
struct LevelWord(Level);

impl Serialize for LevelWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

/// Fields as an object: of a key that stands twice the last value counts.
#[derive(Debug)]
struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// So many fields are searched one by one: a table costs more to build than they do to compare.
const FEW: usize = 16;

impl<'a> Fields<'a> {
    fn of(read: Option<&LogLine<'a>>) -> Self {
        let mut fields: Vec<(Cow<'a, str>, Cow<'a, str>)> = Vec::new();
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for Field { key, value } in read.into_iter().flat_map(LogLine::fields) {
            let (key, value) = (key.to_str(), value.to_str());
            if fields.len() == FEW && places.is_empty() {
                let known = fields.iter().enumerate();
                places = known.map(|(at, (key, _))| (key.clone(), at)).collect();
            }
            let known = match fields.len() {
                ..FEW => fields.iter().position(|(known, _)| *known == key),
                _ => places.get(&key).copied(),
            };
            match known.and_then(|at| fields.get_mut(at)) {
                Some(known) => known.1 = value,
                None => {
                    if fields.len() >= FEW {
                        places.insert(key.clone(), fields.len());
                    }
                    fields.push((key, value));
                }
            }
        }
        Self(fields)
    }
}

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use operator_tikv::log_parser::parse_line;

    #[test]
    fn of_a_key_that_stands_twice_the_last_value_counts_among_few_fields_and_many() {
        for count in [1, FEW - 1, FEW, FEW + 1, 3 * FEW] {
            let fields: String = (0..count).map(|n| format!(" [k{n}={n}]")).collect();
            let line = format!(
                "[2026/03/04 05:06:07.000 +00:00] [INFO] [a.rs:1] [x]{fields} [k0=last] [k{}=end]",
                count - 1
            );
            let line = parse_line(&line).expect("a record");
            let found = Fields::of(Some(&line));
            assert_eq!(found.0.len(), count);
            let of = |key: String| {
                found
                    .0
                    .iter()
                    .find(|(known, _)| *known == key)
                    .map(|(_, value)| value.as_ref())
            };
            assert_eq!(of(format!("k{}", count - 1)), Some("end"));
            assert!(count == 1 || of("k0".to_owned()) == Some("last"));
        }
    }
}
