//! Whole real logs through incidents: every line is a record, and the story is the one that
//! happened.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use operator_tikv::log_parser::{
    EventScanner, Finding, OutageKind, Record, Stamp, Timeline, TimelineBuilder, parse_line,
};
use serde_json::Value;

mod common;

const BLOCK: usize = 512;

/// The files of a tar archive: as much of the format as plain files need.
fn untar(archive: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(header) = archive.get(at..at + BLOCK) {
        let text = |from: usize, len: usize| {
            let field = &header[from..from + len];
            let end = field.iter().position(|&byte| byte == 0).unwrap_or(len);
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        if header[0] == 0 {
            break;
        }
        let size = usize::from_str_radix(&text(124, 12), 8).expect("a size in octal");
        let body = &archive[at + BLOCK..at + BLOCK + size];
        if header[156] == b'0' || header[156] == 0 {
            files.push((text(0, 100), body));
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    files
}

struct Recording {
    name: String,
    archive: Vec<u8>,
    truth: Value,
    regions_end: Value,
}

impl Recording {
    fn read(folder: &Path) -> Recording {
        let json = |name: &str| -> Value {
            serde_json::from_reader(File::open(folder.join(name)).expect(name)).expect("JSON")
        };
        let mut archive = Vec::new();
        let packed = File::open(folder.join("logs.tar.gz")).expect("logs");
        GzDecoder::new(packed)
            .read_to_end(&mut archive)
            .expect("gzip");
        Recording {
            name: folder
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            archive,
            truth: json("truth.json"),
            regions_end: json("regions-end.json"),
        }
    }

    fn logs(&self) -> Vec<(String, &[u8])> {
        let logs = untar(&self.archive);
        assert!(logs.len() >= 4, "{}: {} logs", self.name, logs.len());
        logs
    }

    fn timeline(&self) -> Timeline {
        let mut builder = TimelineBuilder::default();
        for (name, text) in self.logs() {
            let log = builder.add_log(
                name.rsplit('/')
                    .next()
                    .unwrap_or(&name)
                    .trim_end_matches(".log"),
            );
            EventScanner::new().scan(text, |found| builder.push(log, &found.event));
        }
        builder.finish()
    }

    /// The moment of the first thing that was done whose words begin so.
    fn when(&self, what: &str) -> Stamp {
        let events = self.truth["events"].as_array().expect("events");
        let found = events.iter().find(|event| {
            event["event"]
                .as_str()
                .is_some_and(|text| text.contains(what))
        });
        let seconds = found.unwrap_or_else(|| panic!("{}: {what}", self.name))["t"]
            .as_f64()
            .expect("seconds");
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time of this century in milliseconds"
        )]
        Stamp::utc((seconds * 1000.0) as i64)
    }

    fn store(&self, name: &str) -> u64 {
        self.truth["store_ids"][name].as_u64().expect("a store id")
    }
}

fn recordings() -> Vec<Recording> {
    let Some(folder) = common::shared("recordings") else {
        return Vec::new();
    };
    let folders = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("readable").path());
    folders
        .filter(|path| path.join("logs.tar.gz").exists())
        .map(|path| Recording::read(&path))
        .collect()
}

fn recording(name: &str) -> Option<Recording> {
    let folder = common::shared("recordings")?.join(name);
    assert!(folder.is_dir(), "the recordings are whole");
    Some(Recording::read(&folder))
}

fn print(timeline: &Timeline) -> String {
    let lines: Vec<String> = timeline
        .findings()
        .iter()
        .map(ToString::to_string)
        .collect();
    lines.join("\n")
}

#[test]
fn every_line_is_a_strict_record_and_is_written_back() {
    for recording in recordings() {
        let mut lines = 0;
        for (name, text) in recording.logs() {
            for line in text
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let parsed = parse_line(line).unwrap_or_else(|fault| {
                    panic!("{name}: {fault}: {}", String::from_utf8_lossy(line))
                });
                lines += 1;
                if memchr::memmem::find(line, b"\\ufffd").is_some() {
                    continue;
                }
                let record = Record::of(&parsed).expect("unified text");
                let written = record.write(record.dialect()).expect("writable");
                assert_eq!(
                    written.as_bytes(),
                    line,
                    "{name}: {written}\n{}",
                    String::from_utf8_lossy(line)
                );
            }
        }
        println!("{}: {lines} lines", recording.name);
        assert!(lines > 1_000);
    }
}

#[test]
fn the_leaders_at_the_end_are_those_of_pd() {
    for recording in recordings() {
        let timeline = recording.timeline();
        let end = recording.when("recording ends");
        let mut wrong = Vec::new();
        let regions = recording.regions_end["regions"]
            .as_array()
            .expect("regions");
        assert!(regions.len() > 40);
        for region in regions {
            let id = region["id"].as_u64().expect("id");
            let pd = region["leader"]["store_id"].as_u64();
            let ours = timeline
                .leader_at(id, end)
                .and_then(|reign| reign.leader.store);
            if pd != ours {
                wrong.push(format!(
                    "{id}: PD {pd:?}, logs {ours:?} {:?}",
                    timeline.reigns_of(id)
                ));
            }
        }
        println!(
            "{}\n{}\n{:?}",
            recording.name,
            print(&timeline),
            timeline.missing()
        );
        assert!(
            wrong.is_empty(),
            "{}: {} of {}:\n{}",
            recording.name,
            wrong.len(),
            regions.len(),
            wrong.join("\n")
        );
    }
}

#[test]
fn no_region_has_two_winners_in_one_term() {
    for recording in recordings() {
        let timeline = recording.timeline();
        let mut winners = BTreeMap::new();
        for reign in timeline
            .regions()
            .flat_map(|region| timeline.reigns_of(region))
        {
            let other = winners.insert((reign.region, reign.term), reign.leader.clone());
            assert!(
                other.is_none(),
                "{}: {reign:?} and {other:?}",
                recording.name
            );
        }
    }
}
