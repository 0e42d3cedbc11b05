//! The binary, and a PD that says what the test makes it say.

#![allow(dead_code, reason = "each test binary uses its share")]

pub(crate) mod schema;
pub(crate) mod sim;

use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

use httpmock::MockServer;
use serde_json::{Value, json};

pub(crate) fn operator(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_operator"))
        .args(args)
        .env_remove("OPERATOR_PD")
        .env_remove("OPERATOR_PROMETHEUS")
        .env_remove("OPERATOR_CONFIG")
        .output()
        .expect("the binary runs")
}

/// A member of PD that has said which cluster it is of, and nothing else.
pub(crate) fn member() -> MockServer {
    let server = MockServer::start();
    server.mock(|when, then| {
        when.path("/pd/api/v1/cluster");
        then.status(200)
            .json_body(json!({ "id": 7, "max_peer_count": 3 }));
    });
    server
}

pub(crate) fn pd(stores: &Value) -> MockServer {
    let server = member();
    server.mock(|when, then| {
        when.path("/pd/api/v1/stores");
        then.status(200).json_body(stores.clone());
    });
    server
}

/// A store that PD last heard from that many seconds ago.
pub(crate) fn store(id: u64, state: &str, heartbeat_age: u64) -> Value {
    #[expect(
        clippy::disallowed_methods,
        reason = "the binary under test asks the real clock"
    )]
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    json!({
        "store": {
            "id": id, "address": format!("10.0.0.{id}:20160"), "version": "8.5.7", "state_name": state,
            "start_timestamp": now - 86_400, "last_heartbeat": (now - heartbeat_age) * 1_000_000_000,
        },
        "status": { "capacity": "100GiB", "available": "50GiB", "leader_count": 3, "region_count": 9 },
    })
}

pub(crate) fn stores(stores: &[Value]) -> Value {
    json!({ "count": stores.len(), "stores": stores })
}

/// Runs the check; gives its status and what it printed, the target and all times made alike.
pub(crate) fn check(server: &MockServer, flags: &[&str]) -> (Option<i32>, String) {
    let url = server.base_url();
    let output = operator(&[&["check", "--pd", &url], flags].concat());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("text");
    (
        output.status.code(),
        without_times(&text.replace(&url, "http://pd")),
    )
}

pub(crate) fn without_times(text: &str) -> String {
    let is_moment = |word: &str| word.len() > 15 && word.starts_with("20") && word.contains("T");
    let words = |line: &str| {
        let words = line.split(' ').map(|word| match is_moment(word) {
            true if word.ends_with(')') => "MOMENT)",
            true => "MOMENT",
            false => word,
        });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(|line| words(line) + "\n").collect()
}
