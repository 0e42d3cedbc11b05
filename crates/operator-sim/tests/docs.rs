//! The lists of the guide are those of the code. `UPDATE_DOCS=1` rewrites them.

use std::fmt::Write as _;
use std::path::PathBuf;

use operator_sim::{ParamKind, faults, metric_families, pd_endpoints, promql_subset, scenarios};

fn kind(kind: ParamKind) -> String {
    match kind {
        ParamKind::Stores => "store ids".to_owned(),
        ParamKind::Region => "a region id, or `last`".to_owned(),
        ParamKind::Members => "names, `leader` or `all`".to_owned(),
        ParamKind::Number { low, high } => format!("{low} to {high}"),
        ParamKind::Span => "a span".to_owned(),
        ParamKind::Word { choices: [] } => "a word".to_owned(),
        ParamKind::Word { choices } => choices.join(", "),
    }
}

fn section(name: &str) -> String {
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("a String takes everything");
    match name {
        "faults" => {
            line("| fault | what happens | parameters |\n|---|---|---|".to_owned());
            for fault in faults() {
                let params: Vec<String> = fault
                    .params
                    .iter()
                    .map(|param| {
                        let default = param
                            .default
                            .map_or(", needed".to_owned(), |d| format!(", default {d}"));
                        format!("`{}`: {}{default}", param.name, kind(param.kind))
                    })
                    .collect();
                line(format!(
                    "| `{}` | {} | {} |",
                    fault.name,
                    fault.summary,
                    params.join("; ")
                ));
            }
        }
        "scenarios" => {
            line("| scenario | what happens |\n|---|---|".to_owned());
            for scenario in scenarios() {
                line(format!("| `{}` | {} |", scenario.name, scenario.summary));
            }
        }
        "endpoints" => {
            for (method, path) in pd_endpoints() {
                line(format!("- `{method} {path}`"));
            }
        }
        "promql" => {
            for (what, names) in promql_subset() {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                line(format!("- {what}: {}", names.join(", ")));
            }
        }
        "families" => {
            for (whose, families) in ["stores", "members of PD"].iter().zip(metric_families()) {
                let names: Vec<String> = families
                    .iter()
                    .map(|(name, kind)| format!("`{name}` ({kind})"))
                    .collect();
                line(format!("- {whose}: {}", names.join(", ")));
            }
        }
        _ => panic!("no such list: {name}"),
    }
    text
}

#[test]
fn the_guide_lists_what_there_is() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/SIMULATOR.md");
    let guide = std::fs::read_to_string(&path).expect("the guide is there");
    let mut fresh = guide.clone();
    for name in ["faults", "scenarios", "endpoints", "promql", "families"] {
        let (begin, end) = (
            format!("<!-- {name}: begin -->\n"),
            format!("<!-- {name}: end -->"),
        );
        let (before, rest) = fresh
            .split_once(&begin)
            .unwrap_or_else(|| panic!("the guide has no {begin}"));
        let (_, after) = rest
            .split_once(&end)
            .unwrap_or_else(|| panic!("the guide has no {end}"));
        fresh = format!("{before}{begin}{}{end}{after}", section(name));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, fresh).expect("the guide can be written");
    } else {
        assert!(
            fresh == guide,
            "docs/SIMULATOR.md is not what the code says: run this test with UPDATE_DOCS=1"
        );
    }
}

/// The README serves a cluster by name: it has to be one that there is.
#[test]
fn the_readme_serves_a_scenario_that_there_is() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).expect("the README is there");
    let command = "cargo run --release -- sim ";
    let (_, rest) = readme.split_once(command).expect("it serves one");
    let word = |letter: char| letter.is_alphanumeric() || letter == '-';
    let name = rest
        .split(|letter| !word(letter))
        .next()
        .unwrap_or_default();
    assert!(
        operator_sim::Scenario::named(name).is_some(),
        "no scenario {name}"
    );
}
