//! The architecture invariants that reading the sources can enforce: docs/ARCHITECTURE.md has the reasons.

use std::fs;
use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every source file below a folder, with its path from `crates/` and its text.
fn sources(folder: &str) -> Vec<(String, String)> {
    fn visit(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match path.is_dir() {
                true => visit(&path, found),
                false => found.extend(
                    path.extension()
                        .is_some_and(|end| end == "rs")
                        .then_some(path),
                ),
            }
        }
    }
    let mut found = Vec::new();
    visit(&crates().join(folder), &mut found);
    let name = |path: &Path| {
        let name = path.strip_prefix(crates()).expect("below crates");
        name.to_string_lossy().into_owned()
    };
    found
        .iter()
        .map(|path| {
            (
                name(path),
                fs::read_to_string(path).expect("a source is text"),
            )
        })
        .collect()
}

/// No file below `folder` says any of `words`, except those that are named.
#[track_caller]
fn nobody_says(folder: &str, words: &[&str], except: &[&str]) {
    let sources = sources(folder);
    assert!(!sources.is_empty(), "there is nothing in {folder}");
    for (name, text) in sources
        .iter()
        .filter(|(name, _)| !except.contains(&name.as_str()))
    {
        for word in words {
            assert!(!text.contains(word), "{name} says `{word}`");
        }
    }
}

#[test]
fn rules_know_nothing_of_how_the_cluster_is_read() {
    let words = [
        "crate::pd",
        "crate::prom",
        "crate::http",
        "PdClient",
        "PromClient",
        "reqwest",
    ];
    nobody_says("operator-tikv/src/invariants", &words, &[]);
}

#[test]
fn only_the_clock_reads_the_time() {
    // The lint bans it; this keeps the exceptions where they are.
    let words = ["clippy::disallowed_methods"];
    nobody_says("operator-core/src", &words, &["operator-core/src/time.rs"]);
    nobody_says("operator-tikv/src", &words, &[]);
    nobody_says("operator-cli/src", &words, &[]);
}

#[test]
fn only_the_monitor_waits_for_the_next_look() {
    let words = ["time::sleep", "time::interval", "thread::sleep"];
    nobody_says(
        "operator-core/src",
        &words,
        &["operator-core/src/time.rs", "operator-core/src/monitor.rs"],
    );
    nobody_says("operator-tikv/src/invariants", &words, &[]);
}

#[test]
fn nothing_below_the_command_speaks_to_people() {
    let words = ["println!", "eprintln!", "print!(", "dbg!"];
    nobody_says("operator-core/src", &words, &[]);
    nobody_says("operator-tikv/src", &words, &[]);
}

#[test]
fn arrows_between_crates_point_one_way() {
    let manifest = |name: &str| {
        let path = crates().join(name).join("Cargo.toml");
        fs::read_to_string(path).unwrap_or_default()
    };
    // What a crate needs to be built, its tests apart.
    let needs = |name: &str, other: &str| {
        let manifest = manifest(name);
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        dependencies
            .split("\n[")
            .next()
            .unwrap_or_default()
            .contains(other)
    };
    assert!(needs("operator-cli", "operator-tikv") && needs("operator-tikv", "operator-core"));
    for (name, stranger) in [
        ("operator-core", "operator-"),
        ("operator-tikv", "operator-sim"),
        ("operator-tikv", "operator-cli"),
        ("operator-sim", "operator-"),
    ] {
        assert!(!needs(name, stranger), "{name} needs {stranger}");
    }
}
