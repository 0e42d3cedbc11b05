//! The simulator's log lines beside recorded ones: each has a twin with its source, message and fields.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use operator_sim::{Cluster, Shape};

/// Lines that no recording holds, with the reason. Their form is that of another known occurrence.
const UNRECORDED: &[(&str, &str)] = &[
    (
        "store has been offline",
        "no store is removed in the recordings",
    ),
    (
        "store has been Tombstone",
        "no store is removed in the recordings",
    ),
    (
        "operator finish",
        "the text of the operator is that of a repair",
    ),
];

/// A line without what varies: its source, its message with numbers struck out, and the names of its fields.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Form {
    level: String,
    source: String,
    message: String,
    fields: Vec<String>,
}

/// The sections of a line, brackets and quotes undone as far as this test needs.
fn sections(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut text, mut inside, mut quoted, mut escaped) = (String::new(), false, false, false);
    for c in line.chars() {
        match c {
            _ if escaped => {
                text.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '[' if !inside => inside = true,
            ']' if inside && !quoted => {
                found.push(std::mem::take(&mut text));
                inside = false;
            }
            _ if inside => text.push(c),
            _ => {}
        }
    }
    found
}

fn form(line: &str) -> Option<Form> {
    let mut sections = sections(line).into_iter();
    let _time = sections.next()?;
    let (level, source, message) = (sections.next()?, sections.next()?, sections.next()?);
    let struck: String = message
        .chars()
        .map(|c| if c.is_ascii_digit() { '#' } else { c })
        .collect();
    let mut message = struck;
    while message.contains("##") {
        message = message.replace("##", "#");
    }
    let fields = sections
        .map(|field| field.split('=').next().unwrap_or_default().to_owned())
        .collect();
    Some(Form {
        level,
        source,
        message,
        fields,
    })
}

/// The files of a gzipped tar archive.
fn files(archive: &Path) -> BTreeMap<String, String> {
    let file = std::fs::File::open(archive).expect("a recording has its logs");
    let mut bytes = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut bytes)
        .expect("the logs are gzipped");
    let mut found = BTreeMap::new();
    let mut at = 0;
    while let Some(header) = bytes.get(at..at + 512).filter(|header| header[0] != 0) {
        let text = |from: usize, to: usize| -> String {
            String::from_utf8_lossy(&header[from..to])
                .trim_end_matches(['\0', ' '])
                .to_owned()
        };
        let size = usize::from_str_radix(&text(124, 136), 8).expect("a tar header has a size");
        let body = bytes
            .get(at + 512..at + 512 + size)
            .expect("a tar entry is whole");
        found.insert(text(0, 100), String::from_utf8_lossy(body).into_owned());
        at += 512 + size.div_ceil(512) * 512;
    }
    found
}

/// A course in which every kind of line has its occasion.
fn eventful() -> Cluster {
    let mut cluster = Cluster::new(Shape {
        stores: 4,
        regions: 60,
        ..Shape::default()
    })
    .expect("the shape is sound");
    for fault in [
        "store-killed store=2 at=30s for=100s",
        "store-frozen store=3 at=200s for=60s",
        "store-stopped store=1 at=300s for=20s",
        "store-killed store=1,2 at=400s for=120s",
        "pd-killed member=leader at=700s for=60s",
        "evict-leader-left store=3 at=800s for=60s",
        "store-removed store=4 at=900s",
    ] {
        cluster.inject(fault).expect("the fault is known");
    }
    cluster.advance(Duration::from_secs(1500));
    cluster
}

#[test]
fn every_line_has_a_recorded_twin() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let mut known: BTreeSet<Form> = BTreeSet::new();
    for recording in [
        "store-killed",
        "store-frozen",
        "rolling-restart",
        "quorum-lost",
        "pd-leader-killed",
        "evict-leader-left",
    ] {
        let files = files(&recordings.join(recording).join("logs.tar.gz"));
        known.extend(
            files
                .values()
                .flat_map(|text| text.lines())
                .filter_map(form),
        );
    }
    assert!(
        known.len() > 100,
        "the recordings hold {} forms of lines",
        known.len()
    );
    let mut strangers: BTreeSet<Form> = BTreeSet::new();
    for line in eventful().log_lines() {
        let ours = form(&line.text).unwrap_or_else(|| panic!("no record: {}", line.text));
        let excused = UNRECORDED
            .iter()
            .any(|(message, _)| ours.message == *message);
        if !excused && !known.contains(&ours) {
            strangers.insert(ours);
        }
    }
    assert!(strangers.is_empty(), "{strangers:#?}");
}

/// The messages that one region's winner writes, from the start of its campaign to its victory, in order.
fn campaign(lines: &[&str]) -> Vec<String> {
    let forms: Vec<Form> = lines.iter().filter_map(|line| form(line)).collect();
    let won = forms
        .iter()
        .position(|form| form.message.starts_with("became leader"));
    let Some(won) = won else {
        return Vec::new();
    };
    let began = forms[..won]
        .iter()
        .rposition(|form| form.message.starts_with("starting a new election"));
    forms[began.unwrap_or(0)..=won]
        .iter()
        .map(|form| form.message.clone())
        .collect()
}

#[test]
fn an_election_is_written_in_the_recorded_order() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let files = files(&recordings.join("store-killed").join("logs.tar.gz"));
    let mut theirs: BTreeSet<Vec<String>> = BTreeSet::new();
    for (_, text) in files.iter().filter(|(name, _)| name.contains("tikv-")) {
        let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for line in text.lines().filter(|line| line.contains("[raft.rs:")) {
            let region = line
                .split("[region_id=")
                .nth(1)
                .and_then(|rest| rest.split(']').next());
            if let Some(region) = region {
                regions.entry(region).or_default().push(line);
            }
        }
        theirs.extend(
            regions
                .values()
                .map(|lines| campaign(lines))
                .filter(|messages| messages.len() > 5),
        );
    }
    let mut cluster = Cluster::new(Shape::default()).expect("the shape is sound");
    cluster
        .inject("store-killed store=2")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(40));
    let event = cluster
        .events()
        .find(|event| matches!(event.kind, operator_sim::EventKind::Elected { .. }))
        .expect("a dead leader is replaced");
    let lines = cluster.lines_of(event);
    let winner = &lines.first().expect("an election is written").file;
    let written: Vec<&str> = lines
        .iter()
        .filter(|line| line.file == *winner && line.text.contains("[raft.rs:"))
        .map(|line| line.text.as_str())
        .collect();
    let ours = campaign(&written);
    assert!(theirs.contains(&ours), "{ours:#?} is none of {theirs:#?}");
}
