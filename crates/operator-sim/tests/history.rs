//! One seed, one history: byte for byte, in one process and in two.

use std::process::Command;
use std::time::Duration;

use operator_sim::{Cluster, Outcome, Request, Shape};

/// Everything that a course of events shows, as one text.
fn history(seed: u64) -> String {
    let mut cluster = Cluster::new(Shape {
        seed,
        stores: 6,
        regions: 200,
        ..Shape::default()
    })
    .expect("the shape is sound");
    for fault in [
        "store-flapping store=2 every=40s at=1m for=10m",
        "store-killed store=3 at=5m",
        "pd-killed member=leader at=8m for=2m",
        "store-removed store=6 at=12m",
        "disk-slow store=1 factor=50 at=15m for=5m",
        "hot-write region=4 at=3m",
    ] {
        cluster.inject(fault).expect("the fault is known");
    }
    let mut text = String::new();
    for _ in 0..12 {
        cluster.advance(Duration::from_secs(240));
        for target in [
            "stores",
            "regions",
            "schedulers",
            "hotspot/regions/write",
            "operators",
            "trend",
        ] {
            for member in 0..3 {
                let outcome = cluster.pd(member, &Request::get(&format!("/pd/api/v1/{target}")));
                text.push_str(&said(&outcome));
            }
        }
        for query in [
            "up",
            "rate(tikv_storage_command_total%5B1m%5D)",
            "pd_cluster_status",
        ] {
            let request = Request::get(&format!("/api/v1/query?query={query}"));
            text.push_str(&said(&cluster.prometheus(&request)));
        }
    }
    for line in cluster.log_lines() {
        text.push_str(&format!("{}: {}\n", line.file, line.text));
    }
    text
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Reply(reply) => format!(
            "{} {}\n",
            reply.status,
            String::from_utf8_lossy(&reply.body)
        ),
        other => format!("{other:?}\n"),
    }
}

/// A digest that needs no library (FNV-1a).
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

const MARK: &str = "digest of the history:";

#[test]
fn a_digest_is_printed_for_another_process() {
    println!("{MARK} {:016x}", digest(&history(7)));
}

#[test]
fn equal_seeds_have_equal_bytes_in_one_process() {
    let first = history(7);
    assert!(
        first.len() > 100_000,
        "the history says next to nothing: {} bytes",
        first.len()
    );
    assert!(first == history(7), "two runs of one seed differ");
    assert!(first != history(8), "the seed means nothing");
}

#[test]
fn equal_seeds_have_equal_bytes_in_two_processes() {
    let own = format!("{MARK} {:016x}", digest(&history(7)));
    let program = std::env::current_exe().expect("this test has a path");
    let output = Command::new(program)
        .args([
            "--exact",
            "a_digest_is_printed_for_another_process",
            "--nocapture",
        ])
        .output()
        .expect("this test can be run");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(printed.contains(&own), "expected `{own}` in: {printed}");
}

#[test]
fn looking_changes_nothing() {
    let run = |look: bool| {
        let mut cluster = Cluster::new(Shape::default()).expect("the shape is sound");
        cluster
            .inject("store-killed store=2 at=30s for=60s")
            .expect("the fault is known");
        for _ in 0..30 {
            cluster.advance(Duration::from_secs(7));
            if look {
                cluster.pd(0, &Request::get("/pd/api/v1/stores"));
                said(&cluster.prometheus(&Request::get("/api/v1/query?query=up")));
            }
        }
        let last = cluster.prometheus(&Request::get(
            "/api/v1/query?query=tikv_storage_command_total",
        ));
        (said(&last), cluster.log_lines())
    };
    assert!(run(false) == run(true));
}
