//! `operator logs parse` against real lines with labels made by hand.

#[path = "support/scratch.rs"]
mod scratch;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use scratch::Scratch;
use serde_json::Value;

/// The folder of labelled lines beside the project, or beside a folder above it.
fn corpus() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let places = root
        .ancestors()
        .skip(1)
        .map(|above| above.join("shared/corpus"));
    let found = places.into_iter().find(|path| path.is_dir());
    if found.is_none() {
        // Said also where what tests print is kept back.
        let _ = std::io::stderr().write_all(b"nothing to judge by: ../shared/corpus is absent\n");
    }
    found
}

fn rows(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("the corpus is readable");
    let rows = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON lines"));
    rows.collect()
}

/// Labels that say how the row came to be, not what is in it.
const ABOUT_THE_ROW: [&str; 8] = [
    "n",
    "format",
    "component",
    "error",
    "hand",
    "foreign",
    "has_real_cr",
    "has_real_tab",
];

#[test]
fn every_label_is_met_by_what_is_printed() {
    let Some(folder) = corpus() else { return };
    let scratch = Scratch::new("logs-labels");
    let lines = rows(&folder.join("log-lines.jsonl"));
    let text: String = lines
        .iter()
        .map(|row| row["line"].as_str().expect("a line").to_owned() + "\n")
        .collect();
    scratch.file("corpus.log", text);
    let said = scratch.run(&["logs", "parse", "corpus.log"]);
    assert_eq!(said.status, Some(0), "{}", said.err);
    let labels = rows(&folder.join("log-labels.jsonl"));
    let printed: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    assert_eq!(printed.len(), lines.len());
    assert!(labels.len() > 300, "the corpus is whole");
    let (mut judged, mut wrong) = (0, Vec::new());
    for ((row, label), n) in printed.iter().zip(&labels).zip(1_u64..) {
        assert_eq!(
            lines[usize::try_from(n - 1).expect("small")]["n"],
            label["n"],
            "lines and labels go together"
        );
        assert_eq!(row["n"], n);
        let legacy = label["format"]
            .as_str()
            .is_some_and(|format| format.contains("legacy"));
        let foreign = label["foreign"] == true;
        for (key, expected) in label.as_object().expect("an object") {
            let key = key.as_str();
            let excused = ABOUT_THE_ROW.contains(&key)
                || (legacy && key == "lenient")
                || (foreign && ["event", "region_id", "term", "extra_event"].contains(&key));
            if excused {
                continue;
            }
            judged += 1;
            if &row[key] != expected {
                wrong.push(format!(
                    "line {n} {key}: expected {expected}, found {}",
                    row[key]
                ));
            }
        }
        let strict = row["parses"] == true;
        assert_eq!(
            row["reason"].is_null(),
            strict,
            "line {n}: a reason where it is not strict"
        );
    }
    println!("{judged} labels of {} lines", labels.len());
    assert!(
        wrong.is_empty(),
        "{} of {judged}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn a_line_is_numbered_from_one_in_its_own_file_whatever_the_window() {
    let scratch = Scratch::new("logs-parse-numbers");
    let line = |second: u32| {
        format!("[2026/03/04 05:06:{second:02}.000 +00:00] [INFO] [a.rs:1] [x] [a=1]\n")
    };
    scratch.file("a.log", format!("{}\n{}", line(1), line(3)));
    scratch.file("b.log", line(2));
    let said = scratch.run(&["logs", "parse", "a.log", "b.log"]);
    let rows: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let places: Vec<String> = rows
        .iter()
        .map(|row| format!("{}{}", row["log"].as_str().expect("a log"), row["n"]))
        .collect();
    assert_eq!(places, ["a1", "a2", "b1", "a3"]);
    assert_eq!(rows[1]["reason"], "empty line at byte 0");
    let said = scratch
        .run(&["logs", "parse", "a.log", "--since", "2026-03-04 05:06:03"])
        .well();
    assert_eq!(
        said,
        "{\"n\":3,\"parses\":true,\"level\":\"INFO\",\"ts_utc\":\"2026-03-04T05:06:03.000Z\",\"source\":\"a.rs:1\",\
         \"message\":\"x\",\"fields\":{\"a\":\"1\"},\"event\":\"none\",\"region_id\":null,\"term\":null,\
         \"lenient\":true,\"format\":\"unified\"}\n"
    );
}
