//! `operator logs timeline` on logs of which it is known what happened.

#[path = "support/scratch.rs"]
mod scratch;

use operator_sim::logs::{Shape, generate};
use scratch::{Scratch, golden};
use serde_json::Value;

/// The logs of an incident, with regions that were born before it in them.
fn logs(name: &str, shape: &Shape) -> Scratch {
    let scratch = Scratch::new(name);
    for log in generate(shape, 7).logs {
        scratch.file(&format!("{}.log", log.name), log.text());
    }
    scratch
}

const LOST: Shape = Shape::StoreFailure { leaders: 12 };

#[test]
fn the_story_of_a_lost_store_for_people() {
    let scratch = logs("timeline-lost", &LOST);
    golden(
        "logs-timeline-store-lost.txt",
        &scratch.run(&["logs", "timeline", "."]).well(),
    );
}

#[test]
fn the_story_of_a_rolling_restart_for_people() {
    let scratch = Scratch::new("timeline-rolling");
    scratch.logs_of("rolling-restart", 200);
    let names = ["pd-0.log", "1=tikv-1.log", "2=tikv-2.log", "3=tikv-3.log"];
    let out = scratch
        .run(&[&["logs", "timeline"], &names[..]].concat())
        .well();
    assert!(out.contains("rolling restart of stores 1"), "{out}");
    golden("logs-timeline-rolling-restart.txt", &out);
}

#[test]
fn a_store_is_known_by_the_name_that_it_is_given_where_its_log_does_not_say() {
    let scratch = Scratch::new("timeline-named");
    scratch.logs_of("quorum-lost", 300);
    let unnamed = scratch.run(&["logs", "timeline", "."]).well();
    assert!(
        unnamed.contains("the log tikv-2 does not say which store it is of\n"),
        "{unnamed}"
    );
    let names = [
        "pd-0.log",
        "1=tikv-1.log",
        "store-2=tikv-2.log",
        "store/3=tikv-3.log",
    ];
    let named = scratch
        .run(&[&["logs", "timeline"], &names[..]].concat())
        .well();
    assert!(
        named.contains("regions without a leader: store 2 began "),
        "{named}"
    );
    assert!(
        !named.contains("does not say which store it is of"),
        "{named}"
    );
}

fn json(scratch: &Scratch, args: &[&str]) -> Value {
    let out = scratch
        .run(&[&["logs", "timeline", ".", "-o", "json"], args].concat())
        .well();
    serde_json::from_str(&out).expect("one JSON object")
}

fn findings(story: &Value) -> &[Value] {
    story["findings"].as_array().expect("findings")
}

#[track_caller]
fn found<'a>(story: &'a Value, name: &str) -> &'a Value {
    let mut found = findings(story)
        .iter()
        .filter(|finding| finding["finding"] == name);
    found
        .next()
        .unwrap_or_else(|| panic!("{name} is not among {:#}", story["findings"]))
}

#[test]
fn the_story_for_programs_has_the_numbers() {
    let story = json(&logs("timeline-json", &LOST), &[]);
    assert_eq!(story["schema"], "operator/1");
    assert_eq!(story["logs"].as_array().map(Vec::len), Some(4));
    let lost = found(&story, "store_lost");
    assert_eq!(
        (&lost["how"], &lost["weight"]),
        (&"killed or crashed".into(), &"bad".into())
    );
    let storm = found(&story, "election_storm");
    assert_eq!(storm["server"]["store_id"], lost["store_id"]);
    assert_eq!(storm["regions"], 12);
    let gaps = story["gaps"].as_array().expect("gaps");
    assert_eq!(gaps.len(), 12, "each was without a leader for a while");
    assert!(gaps.iter().all(
        |gap| gap["before"]["store_id"] == lost["store_id"] && gap["ms"].as_u64() > Some(5_000)
    ));
    let timeouts = story["elections"].as_array().expect("elections").iter();
    assert_eq!(
        timeouts
            .filter(|election| election["why"] == "timeout")
            .count(),
        12
    );
    assert!(story["read"]["lines"].as_u64() > Some(100));
    assert_eq!(story["read"]["failed"], serde_json::json!([]));
}

#[test]
fn a_window_narrows_what_is_told_and_not_what_is_known() {
    let scratch = logs("timeline-window", &LOST);
    let all = json(&scratch, &[]);
    let storm = found(&all, "election_storm");
    let (from, until) = (&storm["at"], &storm["until"]);
    let (from, until) = (
        from.as_str().expect("a moment"),
        until.as_str().expect("a moment"),
    );
    let story = json(&scratch, &["--since", from, "--until", until]);
    assert_eq!(
        found(&story, "election_storm"),
        storm,
        "who led before is known from before the window"
    );
    assert!(findings(&story).len() < findings(&all).len());
    let none = json(&scratch, &["--since", "2040-01-01"]);
    assert!(
        findings(&none)
            .iter()
            .all(|finding| finding["until"].is_null()),
        "{none:#}"
    );
    let text = scratch
        .run(&["logs", "timeline", ".", "--since", "2040-01-01"])
        .well();
    assert!(
        text.contains("the logs do not reach into that stretch of time"),
        "{text}"
    );
}

#[test]
fn a_region_is_told_of_in_full() {
    let scratch = logs("timeline-region", &LOST);
    let gap = json(&scratch, &[])["gaps"][0].clone();
    let region = gap["region_id"].as_u64().expect("a region").to_string();
    let story = json(&scratch, &["--region", &region]);
    for list in ["elections", "gaps", "leaders"] {
        let list = story[list].as_array().expect("a list");
        assert!(!list.is_empty() && list.iter().all(|one| one["region_id"] == gap["region_id"]));
    }
    let text = scratch
        .run(&["logs", "timeline", ".", "--region", &region])
        .well();
    assert!(
        text.contains(&format!("Leaders of region {region}\n")),
        "{text}"
    );
    assert!(text.contains("when its process died\n"), "{text}");
}

#[test]
fn a_region_that_has_no_leader_when_the_logs_end_is_told_so() {
    let scratch = Scratch::new("timeline-open");
    let line = |at: &str, rest: &str| format!("[2026/03/04 {at}.000 +00:00] [INFO] {rest}\n");
    let one = line(
        "05:00:00",
        "[node.rs:198] [\"start raft store thread\"] [store_id=1]",
    ) + &line(
        "05:00:01",
        "[raft.rs:1177] [\"became leader at term 6\"] [term=6] [raft_id=21] [region_id=20]",
    ) + &line(
        "05:01:00",
        "[signal_handler.rs:19] [\"receive signal 15, stopping server...\"]",
    );
    let two = line(
        "05:00:00",
        "[node.rs:198] [\"start raft store thread\"] [store_id=2]",
    ) + &line(
        "05:00:02",
        "[raft.rs:1121] [\"became follower at term 6\"] [term=6] [raft_id=22] [region_id=20]",
    ) + &line("05:02:00", "[server.rs:1] [\"still here\"]");
    scratch.file("tikv-1.log", one);
    scratch.file("tikv-2.log", two);
    let text = scratch.run(&["logs", "timeline", "."]).well();
    assert!(
        text.contains("1 region has none when the logs end\n"),
        "{text}"
    );
    let story = json(&scratch, &[]);
    assert_eq!(story["gaps"][0]["region_id"], 20);
    assert_eq!(
        (&story["gaps"][0]["until"], &story["gaps"][0]["ms"]),
        (&Value::Null, &60_000.into())
    );
}

#[test]
fn of_more_than_are_shown_the_weightiest_are() {
    let scratch = logs("timeline-limit", &LOST);
    let story = json(&scratch, &["-n", "2"]);
    let weights: Vec<&Value> = findings(&story)
        .iter()
        .map(|finding| &finding["weight"])
        .collect();
    assert_eq!(weights, ["bad", "bad"], "{:#}", story["findings"]);
    let text = scratch.run(&["logs", "timeline", ".", "-n", "2"]).well();
    assert!(text.contains(" more: --limit "), "{text}");
}
