//! What PD said, poll by poll: read from a recording, or asked of the simulator.

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use flate2::read::GzDecoder;
use operator_sim::{Cluster, Outcome, Request};
use serde_json::Value;

/// One answer that differs from the one before, of one member to one path.
#[derive(Debug)]
pub(crate) struct Poll {
    /// Seconds since the incident's first event.
    pub(crate) at: f64,
    pub(crate) member: usize,
    pub(crate) path: String,
    /// 0 where nobody answered.
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// What is polled. `/stores` is asked of every member, the rest of the first that answers.
pub(crate) const PATHS: [&str; 6] = [
    "/stores",
    "/health",
    "/schedulers",
    "/hotspot/regions/write",
    "/regions/check/pending-peer",
    "/regions/check/down-peer",
];

/// A recording's polls and its events, in seconds since its first event after the beginning.
pub(crate) fn recorded(folder: &Path) -> (Vec<Poll>, Vec<(f64, String)>, Value) {
    let truth = std::fs::read(folder.join("truth.json")).expect("a recording has its truth");
    let truth: Value = serde_json::from_slice(&truth).expect("the truth is JSON");
    let events: Vec<(f64, String)> = truth["events"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|event| Some((event["t"].as_f64()?, event["event"].as_str()?.to_owned())))
        .collect();
    let onset = events.get(1).or(events.first()).map_or(0.0, |(at, _)| *at);
    let file = std::fs::File::open(folder.join("pd.jsonl.gz")).expect("a recording has its polls");
    let mut text = String::new();
    GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("the polls are gzipped text");
    let polls = text.lines().filter_map(|line| {
        let row: Value = serde_json::from_str(line).expect("each poll is JSON");
        let body = match &row["body"] {
            Value::String(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            body => body.clone(),
        };
        (row["same"] != true).then(|| Poll {
            at: row["t"].as_f64().unwrap_or(0.0) - onset,
            member: usize::try_from(row["pd"].as_u64().unwrap_or(0)).unwrap_or(0),
            path: row["path"]
                .as_str()
                .unwrap_or_default()
                .replace("/pd/api/v1", ""),
            status: u16::try_from(row["status"].as_u64().unwrap_or(0)).unwrap_or(0),
            body,
        })
    });
    let polls = polls.collect();
    (
        polls,
        events
            .into_iter()
            .map(|(at, event)| (at - onset, event))
            .collect(),
        truth,
    )
}

/// The simulator's answers from 60 s before its incident to `until` seconds after it, polled every 2 s.
pub(crate) fn simulated(cluster: &mut Cluster, members: usize, until: u64) -> Vec<Poll> {
    let mut polls = Vec::new();
    for round in 0..(60 + until) / 2 {
        let at = round as f64 * 2.0 - 60.0;
        for path in PATHS {
            for member in 0..members {
                let (status, body) = ask(cluster, member, path);
                polls.push(Poll {
                    at,
                    member,
                    path: path.to_owned(),
                    status,
                    body,
                });
                if path != "/stores" && status == 200 {
                    break;
                }
            }
        }
        cluster.advance(Duration::from_secs(2));
    }
    polls
}

fn ask(cluster: &mut Cluster, member: usize, path: &str) -> (u16, Value) {
    match cluster.pd(member, &Request::get(&format!("/pd/api/v1{path}"))) {
        Outcome::Reply(reply) => {
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            (reply.status, body)
        }
        Outcome::Refused | Outcome::Silence => (0, Value::Null),
    }
}
