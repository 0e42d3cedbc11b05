//! `operator watch`: what it tells, what it keeps, and that it goes on.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::operator;
use support::schema::Schema;
use support::sim::Sim;

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("operator-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn watching(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_operator"))
        .arg("watch")
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs")
}

fn changes(text: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(text);
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
    let changes = changes(&output.stdout);
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
    let folder = Folder::new("restart");
    let state = folder.file("state.json");
    let sim = Sim::scenario("store-killed", 100);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let run = || {
        let whom = [
            "watch",
            "--pd",
            &pd,
            "--prometheus",
            &prometheus,
            "--state",
            &state,
        ];
        let how = [
            "--interval",
            "1s",
            "--deadline",
            "8s",
            "--for",
            "6s",
            "--output",
            "json",
            "--only",
            "store_down",
        ];
        operator(&[&whom[..], &how].concat())
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
    let first = run();
    let raised = changes(&first.stdout);
    assert_eq!(told(&raised, "store_down"), ["raised store/2"]);
    assert_eq!(
        (&raised[0]["severity"], &raised[0]["expected"]["why"]),
        (&"info".into(), &"new disk".into())
    );
    assert_eq!(
        first.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&first.stderr)
    );

    let end = ["maintenance", "end", "store/2", "--state", &state];
    assert_eq!(operator(&end).status.code(), Some(0));
    assert_eq!(
        operator(&end).status.code(),
        Some(64),
        "there is none any more"
    );
    let second = run();
    assert_eq!(second.status.code(), Some(2));
    let moved = changes(&second.stdout);
    assert_eq!(told(&moved, "store_down"), ["moved store/2"]);
    assert_eq!(
        (&moved[0]["severity"], &moved[0]["from"]),
        (&"critical".into(), &"info".into())
    );

    let third = run();
    assert_eq!(third.status.code(), Some(2));
    assert_eq!(
        told(&changes(&third.stdout), "store_down"),
        Vec::<String>::new()
    );
}

#[test]
fn a_file_that_is_no_state_is_refused_and_left_as_it_is() {
    let folder = Folder::new("refused");
    let state = folder.file("state.json");
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
    let folder = Folder::new("another");
    let state = folder.file("state.json");
    let sim = Sim::scenario("store-killed", 100);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let own = ["--pd", &pd, "--prometheus", &prometheus, "--state", &state];
    let once = ["--interval", "1s", "--deadline", "8s", "--for", "3s"];
    let first = operator(&[&["watch"], &own[..], &once].concat());
    assert_eq!(first.status.code(), Some(2));
    let kept = std::fs::read(&state).expect("it is there");
    let another = support::pd(&support::stores(&[support::store(1, "Up", 3)]));
    let another = ["--pd", &another.base_url(), "--state", &state];
    for args in [
        [&["watch"], &another[..], &once].concat(),
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
    let mut child = watching(
        &[
            &whom[..],
            &["--interval", "1s", "--deadline", "5s", "--for", "180s"],
        ]
        .concat(),
    );
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut until = |words: &str| {
        let mut said = Vec::new();
        for line in lines.by_ref() {
            let line = line.expect("text");
            said.push(line);
            if said.last().is_some_and(|line| line.contains(words)) {
                return;
            }
        }
        panic!("`{words}` was not said: {said:#?}");
    };
    until("healthy: 3 stores");
    sim.inject("pd-killed member=all for=20s");
    sim.inject("prometheus-down for=20s");
    until(" not seen");
    until(" again");
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_it_with_the_status_of_its_last_look() {
    let sim = Sim::scenario("store-killed", 150);
    let (pd, prometheus) = (sim.pd(), sim.prometheus());
    let mut child = watching(&[
        "--pd",
        &pd,
        "--prometheus",
        &prometheus,
        "--interval",
        "500ms",
    ]);
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let found = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("store_down"));
    assert!(found);
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill runs")
            .success()
    );
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(2));
    let mut said = String::new();
    child
        .stderr
        .take()
        .expect("its errors")
        .read_to_string(&mut said)
        .expect("text");
    assert_eq!(said, "");
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
        let mut child = Command::new(env!("CARGO_BIN_EXE_operator"))
            .args(args)
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
    let folder = Folder::new("crash");
    let state = folder.file("state.json");
    for _ in 0..3 {
        let mut child = watching(&[
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
        while !Path::new(&state).exists() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        let _ = child.wait();
        let list = operator(&["maintenance", "list", "--state", &state]);
        assert_eq!(
            list.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&list.stderr)
        );
    }
}
