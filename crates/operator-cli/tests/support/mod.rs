//! The binary, and a PD that says what the test makes it say.

#![allow(dead_code, reason = "each test binary uses its share")]

pub(crate) mod schema;
pub(crate) mod scratch;
pub(crate) mod sim;
pub(crate) mod watching;

use std::path::Path;
use std::process::{Command, Output};

use httpmock::{HttpMockResponse, MockServer};
use serde_json::{Value, json};

pub(crate) fn operator(args: &[&str]) -> Output {
    command(args).output().expect("the binary runs")
}

/// The binary, patient: how fast the machine is decides nothing.
pub(crate) fn command(args: &[&str]) -> Command {
    let patient = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/patient.toml");
    let mut command = Command::new(env!("CARGO_BIN_EXE_operator"));
    command
        .args(args)
        .args(patience(args))
        .env_remove("OPERATOR_PD")
        .env_remove("OPERATOR_PROMETHEUS")
        .env("OPERATOR_CONFIG", patient);
    command
}

/// What a single look has to be told on the command line.
fn patience(args: &[&str]) -> &'static [&'static str] {
    match args.first() {
        Some(&("check" | "status" | "why")) => &["--deadline", "60s"],
        _ => &[],
    }
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
        let stores = stores.clone();
        then.respond_with(move |_| answer(&heard_of(stores.clone())));
    });
    quiet(&server);
    server
}

/// What else is read of PD at a look: one member, which leads and is well, and nothing of note.
pub(crate) fn quiet(server: &MockServer) {
    let me = json!({ "name": "pd-0", "member_id": 1, "client_urls": [server.base_url()] });
    let members = json!({ "header": { "cluster_id": 7 }, "members": [me], "leader": me });
    let regions = json!({ "count": 0, "regions": [] });
    let hot = json!({ "as_peer": {}, "as_leader": {} });
    let balancing = json!([
        "balance-hot-region-scheduler",
        "balance-leader-scheduler",
        "balance-region-scheduler"
    ]);
    let limits = json!({
        "leader-schedule-limit": 4, "region-schedule-limit": 2048, "replica-schedule-limit": 64,
        "merge-schedule-limit": 8, "hot-region-schedule-limit": 4, "low-space-ratio": 0.8,
        "high-space-ratio": 0.7, "max-store-down-time": "30m0s",
    });
    for (path, body) in [
        ("/pd/api/v1/leader", me.clone()),
        ("/pd/api/v1/members", members),
        (
            "/pd/api/v1/health",
            json!([{ "name": "pd-0", "member_id": 1, "health": true }]),
        ),
        ("/pd/api/v1/schedulers", balancing),
        ("/pd/api/v1/config/schedule", limits),
        ("/pd/api/v1/config/replicate", json!({ "max-replicas": 3 })),
        ("/pd/api/v1/hotspot/regions/write", hot.clone()),
        ("/pd/api/v1/hotspot/regions/read", hot),
        ("/pd/api/v1/hotspot/stores", json!({})),
        ("/pd/api/v1/stats/region", json!({ "count": 9 })),
        ("/pd/api/v1/regions/check/miss-peer", regions.clone()),
        ("/pd/api/v1/regions/check/down-peer", regions.clone()),
        ("/pd/api/v1/regions/check/pending-peer", regions),
    ] {
        if path.ends_with("/schedulers") {
            server.mock(|when, then| {
                when.path(path).query_param("status", "paused");
                then.status(200).json_body(json!([]));
            });
        }
        server.mock(|when, then| {
            when.path(path);
            then.respond_with(move |_| answer(&body));
        });
    }
}

/// An answer, with the time at which it is given.
fn answer(body: &Value) -> HttpMockResponse {
    let now = jiff::Timestamp::from_second(i64::try_from(now()).expect("in our time"));
    let date = now.expect("a moment").strftime("%a, %d %b %Y %H:%M:%S GMT");
    HttpMockResponse::builder()
        .status(200)
        .header("date", date.to_string())
        .header("content-type", "application/json")
        .body(body.to_string())
        .build()
}

/// Seconds since 1970.
fn now() -> u64 {
    sim::now_ms() / 1000
}

/// A store that PD last heard from that many seconds ago, whenever it is asked. A look is dated before it asks, so that
/// it finds fewer seconds where it takes long.
pub(crate) fn store(id: u64, state: &str, heartbeat_age: u64) -> Value {
    let now = now();
    json!({
        "store": {
            "id": id, "address": format!("10.0.0.{id}:20160"), "version": "8.5.7", "state_name": state,
            "start_timestamp": now - 86_400, "last_heartbeat": { HEARD_AGO: heartbeat_age },
        },
        "status": { "capacity": "100GiB", "available": "50GiB", "leader_count": 3, "leader_weight": 1, "region_count": 9, "slow_score": 1 },
    })
}

const HEARD_AGO: &str = "seconds ago";

/// The same stores, heard from that many seconds before now.
fn heard_of(mut stores: Value) -> Value {
    for one in stores["stores"].as_array_mut().expect("a list of stores") {
        let heard = &mut one["store"]["last_heartbeat"];
        if let Some(ago) = heard[HEARD_AGO].as_u64() {
            *heard = json!((now() - ago) * 1_000_000_000);
        }
    }
    stores
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

/// What does not hang on the moment, nor on how many rules there are and what is not configured.
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
    let rules = regex::Regex::new("[0-9]+ rules?,").expect("a pattern");
    text.lines()
        .filter(|line| !line.starts_with("not configured "))
        .map(|line| rules.replace(&words(line), "RULES,").into_owned() + "\n")
        .collect()
}
