//! What programs are told is what the schema says.

mod support;

use serde_json::{Value, json};
use support::operator;
use support::schema::Schema;
use support::sim::{NOBODY, Sim};

const LOOKS: &[(&str, &[&str])] = &[
    ("check", &["check"]),
    ("check", &["check", "--no-grace"]),
    ("status", &["status"]),
    ("stores", &["stores"]),
    ("store", &["store", "2"]),
    ("metrics", &["metrics"]),
    ("regions", &["regions"]),
    ("regions", &["regions", "--all"]),
    ("regions", &["regions", "--ailing", "pending-peer"]),
    ("regions", &["regions", "--on", "2", "--limit", "2"]),
    ("regions", &["regions", "--from", "", "--limit", "2"]),
    ("region", &["region", "4"]),
    ("hot", &["hot"]),
    ("members", &["members"]),
    ("schedulers", &["schedulers"]),
    ("capabilities", &["capabilities"]),
    ("contract", &["contract"]),
    ("why", &["why", "store_down"]),
    ("why", &["why", "high_latency", "--store", "1"]),
];

#[track_caller]
fn checked(schema: &Schema, name: &str, args: &[&str]) -> Value {
    let args = [args, &["--output", "json"]].concat();
    let output = operator(&args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, "", "{args:?}");
    let value: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let faults = schema.faults(name, &value);
    assert!(faults.is_empty(), "{args:?}: {faults:#?}");
    assert_eq!(value["exit"], json!(output.status.code()), "{args:?}");
    value
}

#[test]
fn every_look_at_a_cluster_in_trouble_is_as_documented() {
    let schema = Schema::read();
    let sim = Sim::scenario("store-killed", 120);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    for (name, args) in LOOKS {
        let args = [args, &["--pd", &pd, "--prometheus", &prometheus][..]].concat();
        checked(&schema, name, &args);
    }
}

#[test]
fn every_look_in_the_dark_is_as_documented_and_never_0() {
    let schema = Schema::read();
    for (name, args) in LOOKS {
        let args = [args, &["--pd", NOBODY, "--prometheus", NOBODY][..]].concat();
        let value = checked(&schema, name, &args);
        if *name != "capabilities" {
            assert_eq!(value["exit"], json!(3), "{args:?}");
            assert_ne!(value["blind"], json!([]), "{args:?}");
        }
    }
}

#[test]
fn what_needs_no_cluster_is_as_documented() {
    let schema = Schema::read();
    checked(&schema, "rules", &["rules"]);
    checked(&schema, "explain", &["explain", "store_down"]);
    checked(&schema, "demo", &["demo", "--list"]);
}

#[test]
fn a_demonstration_tells_programs_its_changes_as_documented() {
    let schema = Schema::read();
    let output = operator(&["demo", "--speed", "60", "--output", "json"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("text");
    let changes: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect();
    for change in &changes {
        let faults = schema.faults("change", change);
        assert!(faults.is_empty(), "{change}: {faults:#?}");
    }
    for word in ["raised", "resolved"] {
        let is_told = |change: &Value| change["code"] == "store_down" && change["change"] == word;
        assert!(changes.iter().any(is_told), "{word}: {text}");
    }
}

#[test]
fn the_checker_finds_what_is_wrong() {
    let schema = Schema::read();
    let right = json!({ "code": "store_down", "entity": "store/1" });
    assert!(schema.faults("which", &right).is_empty());
    for wrong in [
        json!({ "code": "store_down" }),
        json!({ "code": 1, "entity": "store/1" }),
        json!({ "code": "store_down", "entity": "store/1", "more": 1 }),
        json!([]),
    ] {
        assert!(!schema.faults("which", &wrong).is_empty(), "{wrong}");
    }
}
