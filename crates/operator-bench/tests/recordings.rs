//! Real incidents, played again: what Operator must say of each, and that it says nothing else. They are
//! read from outside of the project; where the folder is absent, or Prometheus, that is said and nothing
//! is judged.

#[path = "recordings/incident.rs"]
mod incident;
#[path = "recordings/judge.rs"]
mod judge;
#[path = "recordings/played.rs"]
mod played;
#[path = "recordings/table.rs"]
mod table;

use std::collections::BTreeSet;
use std::io::Write as _;

use incident::{Incident, incidents};
use judge::judge;
use table::{AWAITED, ROWS, Row};

/// Phases of the looks against what happens: each window must hold for any.
const OFFSETS: [u32; 2] = [0, 5];

/// Judges every incident of a kind, and names all that is wrong with it.
fn check(scenario: &str) {
    let Some(row) = ROWS.iter().find(|row| row.scenario == scenario) else {
        panic!("there is no row for {scenario}");
    };
    let Some(incidents) = playable() else {
        return;
    };
    let of_kind = incidents
        .iter()
        .filter(|incident| incident.scenario == scenario);
    let wrong: Vec<String> = of_kind
        .flat_map(|incident| OFFSETS.map(|offset| (incident, offset)))
        .flat_map(|(incident, offset)| judge(row, incident, offset))
        .collect();
    assert!(wrong.is_empty(), "{scenario}:\n{}", wrong.join("\n"));
}

/// The incidents, where they and what they are played with are there.
fn playable() -> Option<Vec<Incident>> {
    let incidents = incidents()
        .map_err(|why| say(&format!("nothing was judged: {why}")))
        .ok()?;
    if !operator_bench::replay::is_installed() {
        say("nothing was judged: there is no `prometheus` on this machine");
        return None;
    }
    Some(incidents)
}

/// Says something to whoever runs the tests, also where what tests print is kept back.
fn say(text: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "recordings: {text}");
}

macro_rules! rows {
    ($($name:ident $scenario:literal,)*) => {
        $(#[test]
        fn $name() {
            check($scenario);
        })*

        const TESTED: &[&str] = &[$($scenario),*];
    };
}

rows! {
    of_a_healthy_cluster_nothing_is_said "healthy",
    a_killed_store_is_found_and_named "store-killed",
    a_frozen_store_is_found_and_named "store-frozen",
    a_slow_store_is_found_and_its_latency_laid_to_it "store-slow",
    a_store_that_crashes_again_and_again_is_a_warning "crash-loop",
    a_good_rolling_restart_is_no_more_than_information "rolling-restart",
    a_lost_quorum_is_found_with_both_stores "quorum-lost",
    a_leftover_evict_leader_is_pending_for_its_store "evict-leader-left",
    one_hot_key_is_one_hot_region "hot-key",
    a_disk_that_fills_is_found_at_once "disk-fills",
    a_killed_pd_leader_is_a_member_and_no_store "pd-leader-killed",
    with_every_pd_down_nothing_is_seen_and_no_store_is_blamed "pd-all-down",
}

#[test]
fn every_row_is_tested_and_every_recording_has_a_row() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.scenario).collect();
    assert_eq!(rows, TESTED.iter().copied().collect());
    let Some(incidents) = playable() else {
        return;
    };
    for incident in incidents {
        let (folder, scenario) = (&incident.folder, incident.scenario.as_str());
        assert!(rows.contains(scenario), "{}: {scenario}", folder.display());
    }
}

/// A row about a rule that does not exist would never be judged: it must be awaited, or fail.
#[test]
fn every_rule_that_a_row_names_is_there_or_awaited() {
    let rules =
        operator_tikv::invariants::standard(&operator_tikv::invariants::Settings::default());
    let rules: BTreeSet<&str> = rules.iter().map(|rule| rule.rule().code).collect();
    let named: BTreeSet<&str> = ROWS.iter().flat_map(Row::codes).collect();
    let awaited: BTreeSet<&str> = AWAITED.iter().copied().collect();
    let absent: BTreeSet<&str> = named.difference(&rules).copied().collect();
    assert_eq!(absent, awaited, "absent, and awaited");
}

#[test]
fn a_recording_is_told_in_the_same_words_each_time() {
    let Some(incidents) = playable() else {
        return;
    };
    let known = incidents
        .iter()
        .find(|incident| incident.scenario == "pd-leader-killed");
    let Some(incident) = known.or(incidents.first()) else {
        return;
    };
    let (once, again) = (incident.play(0, None), incident.play(0, None));
    assert_eq!(once.text, again.text);
}

#[test]
fn every_line_has_the_keys_that_others_read() {
    let Some(incidents) = playable() else {
        return;
    };
    for incident in incidents
        .iter()
        .filter(|incident| incident.scenario == "quorum-lost")
    {
        let played = incident.play(0, None);
        assert!(!played.changes.is_empty());
        for line in played.text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("a line is JSON");
            let keys: &[&str] = match line.get("change").is_some() {
                true => &[
                    "t", "at", "change", "code", "kind", "entity", "severity", "cause",
                ],
                false => &["open", "pending", "requests", "not_recorded"],
            };
            for key in keys {
                assert!(line.get(key).is_some(), "{key} in {line}");
            }
        }
    }
}
