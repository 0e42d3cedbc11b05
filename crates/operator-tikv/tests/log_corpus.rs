//! Real lines with hand-checked labels: every label is met.

use std::collections::BTreeMap;
use std::fs;

use operator_tikv::log_parser::{
    Ballot, Damage, EventKind, JsonRecord, Level, LogEvent, LogLine, Record, parse_lenient,
    parse_line, region_in_text, region_of, term_of,
};
use serde_json::Value;

mod common;

struct Row {
    line: String,
    label: Value,
}

fn rows() -> Option<Vec<Row>> {
    let folder = common::shared("corpus")?;
    let read = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(name)).expect("the corpus is readable");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON lines"))
            .collect()
    };
    let mut lines: BTreeMap<u64, String> = read("log-lines.jsonl")
        .into_iter()
        .map(|row| {
            (
                row["n"].as_u64().expect("n"),
                row["line"].as_str().expect("line").to_owned(),
            )
        })
        .collect();
    let rows: Vec<Row> = read("log-labels.jsonl")
        .into_iter()
        .map(|label| Row {
            line: lines
                .remove(&label["n"].as_u64().expect("n"))
                .expect("a line for the label"),
            label,
        })
        .collect();
    assert!(rows.len() > 300, "the corpus is whole");
    Some(rows)
}

fn text(value: Option<impl ToString>) -> Value {
    value.map_or(Value::Null, |text| Value::String(text.to_string()))
}

fn number(value: Option<u64>) -> Value {
    value.map_or(Value::Null, Value::from)
}

/// The corpus' word for an event.
fn word(event: Option<&LogEvent>) -> &'static str {
    let Some(event) = event else { return "none" };
    match event.kind {
        EventKind::BecameLeader => "became_leader",
        EventKind::BecameFollower => "became_follower",
        EventKind::BecameCandidate => "became_candidate",
        EventKind::BecamePreCandidate => "became_pre_candidate",
        EventKind::ElectionStarted => "election_started",
        EventKind::VoteRequested
        | EventKind::VoteAnswered
        | EventKind::VoteCast
        | EventKind::VoteRejected
        | EventKind::VoteIgnored => "vote",
        EventKind::HigherTerm | EventKind::LowerTerm if event.ballot != Some(Ballot::Other) => {
            "vote"
        }
        EventKind::TransferOrdered
        | EventKind::TransferTried
        | EventKind::TransferProposed
        | EventKind::TransferAcked
        | EventKind::TransferStarted
        | EventKind::TimeoutNowSent
        | EventKind::TimeoutNowReceived
        | EventKind::TransferRefused
        | EventKind::TransferRepeated
        | EventKind::TransferAborted
        | EventKind::PdTransfer => "leader_transfer",
        EventKind::SteppedDown | EventKind::ForcedStepDown | EventKind::PdSteppedDown => {
            "stepped_down"
        }
        _ => "none",
    }
}

/// The corpus' word for what it labels beside its events.
fn extra_word(event: Option<&LogEvent>) -> Option<&'static str> {
    Some(match event?.kind {
        EventKind::RegionLeaderChanged => "pd_region_leader_changed",
        EventKind::PdCampaign => "pd_campaign",
        EventKind::LeaderMissing => "leader_missing",
        EventKind::EtcdLeader => "etcd_lost_leader",
        _ => return None,
    })
}

fn level(parsed: Option<&LogLine<'_>>) -> Value {
    text(
        parsed
            .and_then(LogLine::level)
            .filter(|&level| level != Level::Unknown),
    )
}

fn fields(parsed: Option<&LogLine<'_>>) -> Value {
    let mut map = serde_json::Map::new();
    for field in parsed.into_iter().flat_map(LogLine::fields) {
        map.insert(
            field.key.to_string(),
            Value::String(field.value.to_string()),
        );
    }
    Value::Object(map)
}

#[test]
fn every_label_of_the_corpus_is_met() {
    let Some(rows) = rows() else { return };
    let mut wrong = Vec::new();
    let mut judged = 0;
    for Row { line, label } in &rows {
        let legacy = label["format"]
            .as_str()
            .is_some_and(|format| format.contains("legacy"));
        let foreign = label["foreign"] == true;
        let mut scratch = Vec::new();
        let strict = parse_line(line);
        let lenient = parse_lenient(line, &mut scratch).ok();
        let parsed = lenient.as_ref();
        let event = parsed.and_then(LogEvent::of);
        let mut expect = |key: &str, found: Value| {
            judged += 1;
            if label[key] != found {
                wrong.push(format!(
                    "{} {key}: expected {}, found {found}\n    {line}",
                    label["n"], label[key]
                ));
            }
        };
        expect("parses", Value::Bool(strict.is_ok()));
        expect("level", level(parsed));
        if !foreign {
            expect("event", Value::from(word(event.as_ref())));
            expect(
                "region_id",
                number(parsed.map_or_else(|| region_in_text(line.as_bytes()), region_of)),
            );
            expect("term", number(parsed.and_then(term_of)));
            if !label["extra_event"].is_null() {
                expect("extra_event", text(extra_word(event.as_ref())));
            }
        }
        if !legacy {
            expect("lenient", Value::Bool(parsed.is_some()));
        }
        expect("ts_utc", text(parsed.and_then(LogLine::time)));
        expect("source", text(parsed.and_then(LogLine::source)));
        expect("message", text(parsed.and_then(LogLine::message)));
        expect("fields", fields(parsed));
        if !label["ts_local"].is_null() {
            expect("ts_local", text(parsed.and_then(LogLine::time_text)));
        }
        if !label["logger"].is_null() {
            expect("logger", text(parsed.and_then(LogLine::logger)));
        }
        if !label["empty_fields"].is_null() {
            expect(
                "empty_fields",
                Value::from(
                    parsed.map_or(0, |line| line.sections().filter(Option::is_none).count()),
                ),
            );
        }
        if let Some(prefix) = label["prefix"].as_str() {
            let found = parsed.map(|line| {
                if line.damage().has(Damage::DOCKER) {
                    "{\"log\":".into()
                } else {
                    line.prefix()
                }
            });
            judged += 1;
            if found.as_deref() != Some(prefix) {
                wrong.push(format!(
                    "{} prefix: expected {prefix:?}, found {found:?}",
                    label["n"]
                ));
            }
        }
        if let Some(trailing) = label["trailing"].as_str() {
            judged += 1;
            let found = parsed.map(LogLine::trailing);
            if found.as_deref() != Some(trailing) {
                wrong.push(format!(
                    "{} trailing: expected {trailing:?}, found {found:?}",
                    label["n"]
                ));
            }
        }
        if label["message_truncated"] == true {
            judged += 1;
            if !parsed.is_some_and(|line| line.damage().has(Damage::CUT_MESSAGE)) {
                wrong.push(format!("{} the message is cut and not told", label["n"]));
            }
        }
    }
    println!("{judged} labels of {} rows", rows.len());
    assert!(
        wrong.is_empty(),
        "{} of {judged} labels are not met:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn every_strict_record_of_the_corpus_is_written_back() {
    let Some(rows) = rows() else { return };
    let (mut written, mut json) = (0, 0);
    for Row { line, .. } in rows.iter().filter(|row| !row.line.contains("\\ufffd")) {
        let Ok(parsed) = parse_line(line) else {
            continue;
        };
        if let Some(record) = JsonRecord::of(&parsed) {
            assert_eq!(&record.write(record.dialect()), line.trim());
            json += 1;
        }
        let Some(record) = Record::of(&parsed) else {
            continue;
        };
        assert_eq!(
            record.write(record.dialect()).as_deref().map(str::as_bytes),
            Ok(parsed.record()),
            "{line}"
        );
        written += 1;
    }
    assert!(written > 200 && json >= 6, "{written} {json}");
}

#[test]
fn the_formatters_own_edge_values_are_read() {
    let Some(folder) = common::shared("corpus") else {
        return;
    };
    let text = fs::read_to_string(folder.join("log-formatter-edge-output.txt")).expect("readable");
    let lines: Vec<&str> = text
        .split('\n')
        .filter(|line| !line.is_empty() && !line.starts_with("---"))
        .collect();
    assert!(lines.len() > 8);
    for line in lines {
        let parsed = parse_line(line).unwrap_or_else(|fault| panic!("{fault}: {line}"));
        if let Some(record) = Record::of(&parsed) {
            assert_eq!(
                record.write(record.dialect()).as_deref().map(str::as_bytes),
                Ok(line.as_bytes())
            );
        }
    }
}
