//! `operator watch`: what it tells, what it keeps, and that it goes on.

mod support;

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;
use support::operator;
use support::schema::Schema;
use support::scratch::Scratch;
use support::sim::Sim;
use support::watching::{Watching, until_there};

fn changes(text: &str) -> Vec<Value> {
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("one object a line"))
        .collect()
}

fn told(changes: &[Value], code: &str) -> Vec<String> {
    let own = changes.iter().filter(|change| change["code"] == code);
    own.map(|change| {
        format!(
            "{} {}",
            change["change"].as_str().unwrap_or("?"),
            change["entity"].as_str().unwrap_or("?")
        )
    })
    .collect()
}

const FAST: [&str; 6] = ["--speed", "40", "--interval", "5s", "--output", "json"];

#[test]
fn a_death_is_raised_and_resolved_once_each_in_lines_that_are_as_documented() {
    let schema = Schema::read();
    let output = operator(&[&["watch", "--sim=store-killed", "--for", "320s"], &FAST[..]].concat());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let changes = changes(&String::from_utf8_lossy(&output.stdout));
    assert_eq!(
        told(&changes, "store_down"),
        ["raised store/2", "resolved store/2"]
    );
    for change in &changes {
        let faults = schema.faults("change", change);
        assert!(faults.is_empty(), "{change}: {faults:#?}");
    }
}

#[test]
fn a_restart_goes_on_from_the_file_and_tells_nothing_twice() {
    let scratch = Scratch::new("watch-restart");
    let state = scratch.path_of("state.json");
    let sim = Sim::store_dead(120);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    // What is to be told is waited for; and then two looks more, which tell nothing.
    let run = |awaited: Option<&str>| {
        let whom = ["--pd", &pd, "--prometheus", &prometheus, "--state", &state];
        let how = [
            "--interval",
            "500ms",
            "--output",
            "json",
            "--only",
            "store_down",
        ];
        let mut watching = Watching::start(&[&whom[..], &how].concat());
        if let Some(awaited) = awaited {
            watching.until(&[awaited]);
        }
        watching.written(&state, 3);
        watching.interrupt()
    };
    // What is raised inside of maintenance is expected; when that is ended, it is as bad as it is.
    let declare = [
        "maintenance",
        "declare",
        "store/2",
        "--for",
        "1h",
        "--why",
        "new disk",
        "--state",
        &state,
    ];
    assert_eq!(operator(&declare).status.code(), Some(0));
    let list = operator(&["maintenance", "list", "--state", &state]);
    assert!(String::from_utf8_lossy(&list.stdout).contains("new disk"));
    let first = run(Some("store_down"));
    let raised = changes(&first.out);
    assert_eq!(told(&raised, "store_down"), ["raised store/2"]);
    assert_eq!(
        (&raised[0]["severity"], &raised[0]["expected"]["why"]),
        (&"info".into(), &"new disk".into())
    );
    assert_eq!(first.status, Some(0), "{}", first.err);

    let end = ["maintenance", "end", "store/2", "--state", &state];
    assert_eq!(operator(&end).status.code(), Some(0));
    assert_eq!(
        operator(&end).status.code(),
        Some(64),
        "there is none any more"
    );
    let second = run(Some("store_down"));
    assert_eq!(second.status, Some(2));
    let moved = changes(&second.out);
    assert_eq!(told(&moved, "store_down"), ["moved store/2"]);
    assert_eq!(
        (&moved[0]["severity"], &moved[0]["from"]),
        (&"critical".into(), &"info".into())
    );

    let third = run(None);
    assert_eq!(third.status, Some(2));
    assert_eq!(
        told(&changes(&third.out), "store_down"),
        Vec::<String>::new()
    );
}

#[test]
fn a_file_that_is_no_state_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new("watch-refused");
    let state = scratch.path_of("state.json");
    for text in ["{\"schema\":\"operator-st", "", "[1]"] {
        std::fs::write(&state, text).expect("it can be written");
        for args in [
            &["watch", "--sim", "--for", "1s", "--state", &state][..],
            &["status", "--sim", "--state", &state],
            &["maintenance", "list", "--state", &state],
        ] {
            let output = operator(args);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(64), "{args:?}: {said}");
            assert!(said.contains("is no state file"), "{said}");
        }
        assert_eq!(std::fs::read_to_string(&state).expect("it is there"), text);
    }
}

#[test]
fn the_cases_of_another_cluster_are_refused_and_left_as_they_are() {
    let scratch = Scratch::new("watch-another");
    let state = scratch.path_of("state.json");
    let sim = Sim::store_dead(120);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let own = ["--pd", &pd, "--prometheus", &prometheus, "--state", &state];
    let mut first = Watching::start(&own);
    // The first look ends with how the whole is, and with the file.
    first.until(&[": 3 stores, "]);
    assert_eq!(first.interrupt().status, Some(2));
    let kept = std::fs::read(&state).expect("it is there");
    let another = support::pd(&support::stores(&[support::store(1, "Up", 15)]));
    let another = ["--pd", &another.base_url(), "--state", &state];
    for args in [
        // It ends by itself, long before its time is over.
        [&["watch", "--for", "1h"], &another[..]].concat(),
        [&["status"], &another[..]].concat(),
        [&["why", "store_down"], &another[..]].concat(),
    ] {
        let output = operator(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(64), "{args:?}: {said}");
        assert!(said.contains("is about cluster 7000000"), "{said}");
        assert!(said.contains(" is cluster 7\n"), "{said}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("store_down"));
        assert!(std::fs::read(&state).expect("it is there") == kept);
    }
    // By whichever of its members the cluster is named, it is the same one.
    let member = pd.split(',').next_back().expect("three of them");
    let same = operator(&["status", "--pd", member, "--state", &state]);
    assert_eq!(same.status.code(), Some(2));
}

#[test]
fn it_goes_on_while_pd_and_prometheus_are_away_and_says_so() {
    let sim = Sim::scenario("healthy", 30);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let whom = ["--pd", &pd, "--prometheus", &prometheus];
    let mut watching = Watching::start(&[&whom[..], &["--interval", "1s"]].concat());
    watching.until(&["healthy: 3 stores"]);
    // Away until it was said, however long that takes.
    let faults = ["pd-killed member=all", "prometheus-down"].map(|fault| sim.inject(fault));
    watching.until(&[" not seen"]);
    for fault in faults {
        sim.clear(fault);
    }
    watching.until(&[" again"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_the_status_of_its_last_look() {
    let sim = Sim::store_dead(120);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let whom = ["--pd", &pd, "--prometheus", &prometheus];
    let mut watching = Watching::start(&[&whom[..], &["--interval", "500ms"]].concat());
    watching.until(&["critical store_down store/2"]);
    let ended = watching.interrupt();
    assert_eq!((ended.status, ended.err.as_str()), (Some(2), ""));
}

#[test]
fn a_reader_that_goes_away_has_seen_enough() {
    for args in [
        &[
            "watch",
            "--sim=store-killed",
            "--speed",
            "40",
            "--interval",
            "2s",
            "--heartbeat",
            "2s",
        ][..],
        &["demo", "--speed", "50"],
        &["metrics", "--sim"],
        &["--help"],
    ] {
        let mut child = support::command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("a line");
        drop(lines);
        let output = child.wait_with_output().expect("it ends by itself");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
        assert!(
            output.status.code().is_some_and(|code| code < 64),
            "{args:?}: {:?}",
            output.status
        );
    }
}

#[test]
fn a_crash_between_two_writes_leaves_a_file_that_can_be_read() {
    let scratch = Scratch::new("watch-crash");
    let state = scratch.path_of("state.json");
    for _ in 0..3 {
        let watching = Watching::start(&[
            "--sim=store-killed",
            "--speed",
            "200",
            "--interval",
            "1s",
            "--state",
            &state,
            "--output",
            "json",
        ]);
        until_there(&state);
        // As hard as a process can be ended.
        drop(watching);
        let list = operator(&["maintenance", "list", "--state", &state]);
        assert_eq!(
            list.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&list.stderr)
        );
    }
}
