//! `operator sim` as other tools see it.

#[path = "support/scratch.rs"]
mod scratch;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use scratch::{Scratch, golden};
use serde_json::{Value, json};

/// A running simulator, ended with the test.
struct Sim {
    child: Child,
    said: Value,
}

impl Sim {
    fn start(scratch: &Scratch, args: &[&str]) -> Self {
        let mut child = scratch
            .command(&[&["sim", "-o", "json"], args].concat())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut first = String::new();
        let out = child.stdout.as_mut().expect("a pipe");
        BufReader::new(out)
            .read_line(&mut first)
            .expect("where it serves");
        let said = serde_json::from_str(&first).expect("one JSON line");
        Self { child, said }
    }

    fn url(&self, what: &str) -> String {
        let url = self.said[what].as_str().or(self.said[what][0].as_str());
        url.expect("a URL").to_owned()
    }

    /// Ends it as Ctrl-C does; gives its status.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-INT", &id])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ask(url: &str, method: &str, path: &str, body: &str) -> Value {
    let host = url.strip_prefix("http://").expect("plain HTTP");
    let mut stream = TcpStream::connect(host).expect("somebody listens");
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the answer");
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    serde_json::from_str(body).expect("JSON")
}

#[test]
fn help_and_lists_are_what_they_are() {
    let scratch = Scratch::new("sim-help");
    golden("sim-help.txt", &scratch.run(&["sim", "--help"]).well());
    let scenarios = scratch.run(&["sim", "--list-scenarios"]).well();
    assert!(
        scenarios.contains("store-killed          a store dies and returns\n"),
        "{scenarios}"
    );
    let faults = scratch.run(&["sim", "--list-faults"]).well();
    assert!(faults.contains("(store=.. factor=30)"), "{faults}");
    let faults = scratch.run(&["sim", "--list-faults", "-o", "json"]).well();
    let faults: Value = serde_json::from_str(&faults).expect("one JSON line");
    assert_eq!(faults[0]["name"], "store-killed");
}

#[test]
fn it_serves_every_face_and_is_controlled_over_http() {
    let scratch = Scratch::new("sim-serves");
    let sim = Sim::start(
        &scratch,
        &[
            "healthy",
            "--speed",
            "0",
            "--seed",
            "7",
            "--fault",
            "disk-slow store=1",
            "--stores",
            "5",
            "--regions",
            "60",
        ],
    );
    assert_eq!(
        (&sim.said["scenario"], &sim.said["seed"]),
        (&json!("healthy"), &json!(7))
    );
    assert_eq!(sim.said["pd"].as_array().map(Vec::len), Some(3));
    let stores = ask(&sim.url("pd"), "GET", "/pd/api/v1/stores", "");
    assert_eq!(stores["count"], 5);
    let up = ask(
        &sim.url("prometheus"),
        "GET",
        "/api/v1/query?query=count(up==1)",
        "",
    );
    assert_eq!(up["status"], "success");
    let control = sim.url("control");
    let before = ask(&control, "GET", "/state", "");
    assert_eq!(before["regions"], 60);
    let after = ask(&control, "POST", "/step", "{\"seconds\": 60}");
    let moved = after["model_ms"].as_u64().expect("ms") - before["model_ms"].as_u64().expect("ms");
    assert_eq!(moved, 60_000, "at speed 0 it moves by the controls alone");
    let id = ask(
        &control,
        "POST",
        "/inject",
        "{\"fault\": \"store-killed store=2\"}",
    );
    assert_eq!(id, json!({"id": 2}));
    let truth = ask(&control, "GET", "/truth", "");
    assert_eq!(truth.as_array().map(Vec::len), Some(2));
    assert_eq!(sim.interrupt(), Some(0), "Ctrl-C is how it is ended");
}

#[test]
fn it_serves_on_the_ports_that_are_asked_for() {
    let scratch = Scratch::new("sim-ports");
    // Free a moment ago: who takes it in between makes the test begin again.
    let free = || {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    let served = (0..5).find_map(|_| {
        let port = free();
        let args = [
            "sim",
            "single-store",
            "--speed",
            "max",
            "-o",
            "json",
            "--control-port",
            &port.to_string(),
        ];
        let mut child = scratch
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let mut first = String::new();
        BufReader::new(child.stdout.as_mut()?)
            .read_line(&mut first)
            .ok()?;
        let said = serde_json::from_str(&first).ok()?;
        Some((Sim { child, said }, port))
    });
    let (sim, port) = served.expect("a port that was free");
    assert_eq!(sim.url("control"), format!("http://127.0.0.1:{port}"));
    assert_eq!(sim.said["speed"], "max");
    let first = ask(&sim.url("control"), "GET", "/state", "");
    let begun = first["model_ms"].as_u64().expect("ms");
    let ahead = (0..1000).any(|_| {
        let state = ask(&sim.url("control"), "GET", "/state", "");
        state["model_ms"].as_u64() > Some(begun + 10_000)
    });
    assert!(ahead, "as fast as the machine can");
}

#[test]
fn a_port_in_use_and_what_is_misspelled_are_64_and_clear() {
    let scratch = Scratch::new("sim-usage");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let in_use = format!(
        "operator: cannot serve Prometheus on 127.0.0.1:{port}: address already in use\n  try: another port, or 0 for a free one\n"
    );
    for (args, expected) in [
        (&["--prometheus-port", port.as_str()][..], in_use.as_str()),
        (
            &["store-kiled"],
            "there is no scenario `store-kiled`; did you mean `store-killed`?",
        ),
        (
            &["--fault", "store-kiled store=1"],
            "there is no fault `store-kiled`; did you mean `store-killed`?",
        ),
        (
            &["--fault", "store-killed store=9"],
            "operator: --fault 'store-killed store=9': cannot plan a fault: ",
        ),
        (
            &["--speed", "fast"],
            "expected a number up to 1000000, or `max`",
        ),
        (
            &["--speed", "-1"],
            "expected a number up to 1000000, or `max`",
        ),
        (
            &["--stores", "0"],
            "operator: scenario healthy: a cluster cannot have 0 stores: expected 1 to 10,000\n",
        ),
        (&["--pd-port", "70000"], "70000 is not in 0..=65535"),
        (&["--pd-port", "65535"], "a port behind 65535"),
    ] {
        let said = scratch.run(&[&["sim"], args].concat());
        assert_eq!(
            (said.status, said.out.as_str()),
            (Some(64), ""),
            "{args:?}: {}",
            said.err
        );
        assert!(said.err.contains(expected), "{args:?}: {}", said.err);
    }
}

#[test]
fn it_says_where_it_serves_and_how_to_look_at_it() {
    let scratch = Scratch::new("sim-text");
    let mut child = scratch
        .command(&["sim", "store-killed"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let out = BufReader::new(child.stdout.as_mut().expect("a pipe"));
    let mut text = String::new();
    for line in out.lines() {
        let line = line.expect("text");
        text += &line;
        text.push('\n');
        if line.starts_with("Ctrl-C") {
            break;
        }
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let mut shown = String::new();
    for (at, part) in text.split("127.0.0.1:").enumerate() {
        match at {
            0 => shown += part,
            _ => {
                shown += &format!(
                    "127.0.0.1:PORT{}",
                    part.trim_start_matches(|c: char| c.is_ascii_digit())
                )
            }
        }
    }
    golden("sim-serving.txt", &shown);
}
