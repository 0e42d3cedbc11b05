//! What people see, word for word. `UPDATE_GOLDEN=1` writes it anew: the diff is the point.

mod support;

use std::path::{Path, PathBuf};

use support::operator;
use support::sim::{NOBODY, Sim};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Compares with the file of that name.
#[track_caller]
fn golden(name: &str, text: &str) {
    let path = folder().join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(folder()).expect("a folder");
        std::fs::write(&path, text).expect("it can be written");
        return;
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, known, "{name}: UPDATE_GOLDEN=1 writes it anew");
}

/// What a command prints, whichever way, with its status.
fn printed(args: &[&str]) -> String {
    let output = operator(args);
    let shown: Vec<&str> = args
        .iter()
        .copied()
        .filter(|arg| !arg.starts_with("http"))
        .collect();
    format!(
        "$ operator {}\n{}{}[{}]\n",
        shown.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        output.status.code().unwrap_or(-1)
    )
}

/// Ports, moments and what hangs on the moment are made alike.
fn steady(text: &str) -> String {
    let port = regex(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text);
    let moment = regex(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "MOMENT", &port);
    let time = regex(r#""t": ?[0-9.]+"#, "\"t\": T", &moment);
    // PD has the start of a process in whole seconds.
    regex(r#"("uptime_seconds": \d+)\.\d+"#, "$1.PART", &time)
}

fn regex(pattern: &str, with: &str, text: &str) -> String {
    let pattern = regex::Regex::new(pattern).expect("a pattern");
    pattern.replace_all(text, with).into_owned()
}

#[test]
fn help() {
    let mut text = printed(&["--help"]);
    for command in [
        "demo",
        "status",
        "check",
        "watch",
        "why",
        "explain",
        "rules",
        "maintenance",
        "stores",
        "store",
        "regions",
        "region",
        "hot",
        "metrics",
        "members",
        "schedulers",
        "capabilities",
        "contract",
        "completions",
        "man",
    ] {
        text += &printed(&[command, "--help"]);
    }
    for command in ["declare", "list", "end"] {
        text += &printed(&["maintenance", command, "--help"]);
    }
    golden("help.txt", &text);
}

#[test]
fn errors() {
    let mut text = String::new();
    for args in [
        &["check"][..],
        &["chekc"],
        &["check", "--sim=stor-killed"],
        &["check", "--sim", "--only", "stor_down"],
        &["explain", "hihg_latency"],
        &["stores", "--sim", "--sort", "adress"],
        &["store", "99", "--sim"],
        &["contract", "--pd", NOBODY],
        &["region", "12", "--pd", NOBODY],
        &["check", "--pd", NOBODY],
        &["maintenance", "list"],
        &["check", "--config", "/nonexistent/operator.toml"],
    ] {
        text += &printed(args);
    }
    golden("errors.txt", &steady(&text));
}

#[test]
fn looks() {
    let sim = Sim::store_dead(90);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let mut text = String::new();
    for args in [
        &["members"][..],
        &["schedulers"],
        &["capabilities"],
        &["region", "4"],
        &["regions"],
        &["regions", "--all"],
        &["regions", "--on", "2", "--limit", "3"],
        &["regions", "--top", "size", "--limit", "3", "--sort", "id"],
        &["contract"],
    ] {
        text += &printed(&[args, &["--pd", &pd, "--prometheus", &prometheus]].concat());
    }
    golden("looks.txt", &steady(&text));
}

/// What is said of a cluster whose time stands still: only where it listens, and when it began, differ.
fn of_sim(scenario: &str, commands: &[&[&str]], flags: &[&str]) -> String {
    let sim = format!("--sim={scenario}");
    let said = commands
        .iter()
        .map(|args| printed(&[args, &[sim.as_str()][..], flags].concat()));
    steady(&said.collect::<String>())
}

const IN_TROUBLE: &[&[&str]] = &[
    &["status"],
    &["check"],
    &["stores"],
    &["store", "2"],
    &["hot"],
    &["metrics"],
    &["why", "store_down"],
];

#[test]
fn a_cluster_in_trouble() {
    golden("trouble.txt", &of_sim("store-killed", IN_TROUBLE, &[]));
}

#[test]
fn a_cluster_in_trouble_for_programs() {
    let json = ["--output", "json"];
    golden(
        "trouble-json.txt",
        &of_sim("store-killed", IN_TROUBLE, &json),
    );
}

#[test]
fn a_healthy_cluster() {
    golden(
        "healthy.txt",
        &of_sim("healthy", &[&["status"], &["check"], &["stores"]], &[]),
    );
}

#[test]
fn rules_that_were_named_do_not_miss_what_they_do_not_read() {
    let sim = Sim::scenario("healthy", 60);
    let pd = sim.pd();
    let mut text = String::new();
    for codes in ["store_down", "high_latency"] {
        let whom = ["--pd", &pd, "--prometheus", NOBODY];
        text += &printed(&[&["check", "--only", codes], &whom[..]].concat());
    }
    golden("only.txt", &steady(&text));
}

#[test]
fn rules() {
    let text = [
        printed(&["rules"]),
        printed(&["explain", "store_down"]),
        printed(&["demo", "--list"]),
        printed(&["explain", "store_down", "--output", "json"]),
    ];
    golden("rules.txt", &text.concat());
}

#[test]
fn json() {
    let sim = Sim::scenario("healthy", 60);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let whom = ["--pd", &pd, "--prometheus", &prometheus, "--output", "json"];
    let mut text = String::new();
    for args in [
        &["check", "--only", "store_down"][..],
        &["members"],
        &["schedulers"],
        &["region", "4"],
    ] {
        text += &printed(&[args, &whom].concat());
    }
    golden("json.txt", &steady(&text));
}
