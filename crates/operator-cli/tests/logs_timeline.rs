//! `operator logs timeline` on the logs of simulated clusters.

#[path = "support/scratch.rs"]
mod scratch;

use scratch::{Scratch, golden};
use serde_json::Value;

#[test]
fn the_story_of_a_lost_store_for_people() {
    let scratch = Scratch::new("timeline-killed");
    scratch.logs_of("store-killed", 300);
    golden(
        "logs-timeline-store-killed.txt",
        &scratch.run(&["logs", "timeline", "."]).well(),
    );
}

#[test]
fn the_story_of_a_lost_quorum_for_people() {
    let scratch = Scratch::new("timeline-quorum");
    scratch.logs_of("quorum-lost", 300);
    golden(
        "logs-timeline-quorum-lost.txt",
        &scratch.run(&["logs", "timeline", "."]).well(),
    );
}

#[test]
fn the_story_of_a_rolling_restart_for_people() {
    let scratch = Scratch::new("timeline-rolling");
    scratch.logs_of("rolling-restart", 200);
    let out = scratch.run(&["logs", "timeline", "."]).well();
    assert!(out.contains("rolling restart of stores 1"), "{out}");
    golden("logs-timeline-rolling-restart.txt", &out);
}

fn json(scratch: &Scratch, args: &[&str]) -> Value {
    let out = scratch
        .run(&[&["logs", "timeline", ".", "-o", "json"], args].concat())
        .well();
    serde_json::from_str(&out).expect("one JSON object")
}

fn names(story: &Value) -> Vec<&str> {
    let findings = story["findings"].as_array().expect("findings");
    findings
        .iter()
        .filter_map(|finding| finding["finding"].as_str())
        .collect()
}

#[test]
fn the_story_for_programs_has_the_numbers() {
    let scratch = Scratch::new("timeline-json");
    scratch.logs_of("store-killed", 300);
    let story = json(&scratch, &[]);
    assert_eq!(story["schema"], "operator/1");
    assert_eq!(story["logs"].as_array().expect("logs").len(), 6);
    let found = |name: &str| {
        let findings = story["findings"].as_array().expect("findings");
        let mut found = findings.iter().filter(|finding| finding["finding"] == name);
        found
            .next()
            .unwrap_or_else(|| panic!("{name} is not among {:?}", names(&story)))
            .clone()
    };
    let lost = found("store_lost");
    assert_eq!(
        (&lost["store_id"], &lost["how"]),
        (&2.into(), &"killed or crashed".into())
    );
    assert_eq!(lost["weight"], "bad");
    let storm = found("election_storm");
    assert_eq!(storm["server"]["store_id"], 2);
    let regions = storm["regions"].as_u64().expect("a number");
    let gaps = story["gaps"].as_array().expect("gaps");
    assert_eq!(
        gaps.len() as u64,
        regions,
        "each was without a leader for a while"
    );
    assert!(
        gaps.iter()
            .all(|gap| gap["before"]["store_id"] == 2 && gap["ms"].as_u64() > Some(5_000))
    );
    let timeouts = story["elections"].as_array().expect("elections");
    let timeouts = timeouts
        .iter()
        .filter(|election| election["why"] == "timeout");
    assert_eq!(timeouts.count() as u64, regions);
    assert_eq!(story["read"]["not_records"], serde_json::json!({}));
}

#[test]
fn a_window_narrows_what_is_told_and_not_what_is_known() {
    let scratch = Scratch::new("timeline-window");
    scratch.logs_of("store-killed", 300);
    let all = json(&scratch, &[]);
    let storm = all["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .find(|finding| finding["finding"] == "election_storm");
    let storm = storm.expect("a storm");
    let (from, until) = (
        storm["at"].as_str().expect("a moment"),
        storm["until"].as_str().expect("a moment"),
    );
    let story = json(&scratch, &["--since", from, "--until", until]);
    assert!(names(&story).contains(&"election_storm"));
    assert!(
        names(&story).contains(&"store_lost"),
        "it was lost before, and is still"
    );
    let told = story["findings"].as_array().expect("findings");
    let told = told
        .iter()
        .find(|finding| finding["finding"] == "election_storm")
        .expect("a storm");
    assert_eq!(
        told, storm,
        "who led before is known from before the window"
    );
    let story = json(&scratch, &["--since", "2030-01-01"]);
    assert_eq!(names(&story), Vec::<&str>::new());
    let text = scratch
        .run(&["logs", "timeline", ".", "--since", "2030-01-01"])
        .well();
    assert!(
        text.contains("the logs do not reach into that stretch of time"),
        "{text}"
    );
}

#[test]
fn a_region_is_told_of_in_full() {
    let scratch = Scratch::new("timeline-region");
    scratch.logs_of("store-killed", 300);
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
    assert!(text.contains("store 2"), "{text}");
}

#[test]
fn a_region_without_a_leader_when_the_logs_end_is_told_first() {
    let scratch = Scratch::new("timeline-open");
    scratch.logs_of("quorum-lost", 120);
    let text = scratch.run(&["logs", "timeline", "."]).well();
    assert!(text.contains(" have none when the logs end\n"), "{text}");
    let story = json(&scratch, &[]);
    assert_eq!(story["gaps"][0]["until"], Value::Null);
    assert_eq!(story["gaps"][0]["after"], Value::Null);
}
