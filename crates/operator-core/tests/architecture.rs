//! What the core is made of, and what it is not.

use std::path::Path;
use std::process::Command;

/// No HTTP and no JSON: whoever depends on the core gets neither, directly or not.
#[test]
fn the_dependency_tree_holds_no_http_and_no_json() {
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--locked",
            "--package",
            "operator-core",
            "--all-features",
        ])
        .args(["--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        tree.status.success(),
        "{}",
        String::from_utf8_lossy(&tree.stderr)
    );
    let tree = String::from_utf8(tree.stdout).expect("text");
    let mut names: Vec<&str> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert!(
        names.contains(&"operator-core") && names.contains(&"tokio"),
        "{names:?}"
    );
    let strangers = [
        "http",
        "hyper",
        "h2",
        "reqwest",
        "url",
        "rustls",
        "json",
        "axum",
        "prometheus",
    ];
    for name in &names {
        let stranger = strangers.iter().find(|stranger| name.contains(*stranger));
        assert!(stranger.is_none(), "{name} is in the tree of the core");
    }
}

/// The guide promises a complete subject in at most a hundred lines.
#[test]
fn the_guides_subject_has_at_most_a_hundred_lines() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/WRITING_A_SUBJECT.md");
    let guide = std::fs::read_to_string(guide).expect("the guide is there");
    let code = guide
        .split("```rust\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let lines = code.expect("a block of code").lines().count();
    assert!((50..=100).contains(&lines), "{lines} lines");
}
