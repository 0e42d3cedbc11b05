//! How fast the model runs and how much it holds: `cargo bench -p operator-sim`.
//!
//! Figures, not gates: each is printed with what it was measured on.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::time::{Duration, Instant};

use operator_sim::{Cluster, Outcome, Request, Shape};

fn main() {
    day("24 h, 30 stores, 30,000 regions, healthy", 30, 30_000, &[]);
    day(
        "24 h, 30 stores, 30,000 regions, a store lost for good and another removed",
        30,
        30_000,
        &["store-killed store=7 at=1h", "store-removed store=9 at=6h"],
    );
    day(
        "24 h, 30 stores, 30,000 regions, 4 MiB/s of new data and a hot tail",
        30,
        30_000,
        &["data-grows mib=4", "hot-write region=last at=1h"],
    );
    hour(
        "1 h, 1,000 stores, 1,000,000 regions, a store lost",
        1_000,
        1_000_000,
    );
    answers();
}

fn shape(stores: u16, regions: u32) -> Shape {
    Shape {
        stores,
        regions,
        ..Shape::default()
    }
}

fn day(name: &str, stores: u16, regions: u32, faults: &[&str]) {
    let mut cluster = Cluster::new(shape(stores, regions)).expect("the shape is sound");
    for fault in faults {
        cluster.inject(fault).expect("the fault is known");
    }
    let began = Instant::now();
    cluster.advance(Duration::from_secs(24 * 3600));
    report(name, &cluster, began.elapsed());
}

fn hour(name: &str, stores: u16, regions: u32) {
    let before = resident();
    let began = Instant::now();
    let mut cluster = Cluster::new(shape(stores, regions)).expect("the shape is sound");
    let built = began.elapsed();
    let grown = resident().saturating_sub(before);
    println!(
        "{name}: built in {built:.2?}, {:.1} bytes per region resident",
        grown as f64 / f64::from(regions)
    );
    cluster
        .inject("store-killed store=7 at=1m")
        .expect("the fault is known");
    let began = Instant::now();
    cluster.advance(Duration::from_secs(3600));
    report(name, &cluster, began.elapsed());
    cold(&mut cluster);
}

/// All of PD starts anew, and counts what its stores lead from nothing.
fn cold(cluster: &mut Cluster) {
    cluster
        .inject("pd-killed member=all for=10s")
        .expect("the fault is known");
    cluster.advance(Duration::from_secs(30));
    let stores = Request::get("/pd/api/v1/stores");
    let began = Instant::now();
    let bytes = body(&cluster.pd(0, &stores));
    let took = began.elapsed();
    println!("GET /pd/api/v1/stores while PD refills: {took:.2?}, {bytes} bytes");
    cluster.advance(Duration::from_secs(120));
    let began = Instant::now();
    let bytes = body(&cluster.pd(0, &stores));
    let took = began.elapsed();
    println!("GET /pd/api/v1/stores after it: {took:.2?}, {bytes} bytes");
}

fn report(name: &str, cluster: &Cluster, took: Duration) {
    let steps = cluster.steps() as f64;
    let regions = cluster.region_count();
    println!(
        "{name}: {took:.2?} for {steps} events, {:.0} events/s, {regions} regions, {} MiB resident",
        steps / took.as_secs_f64(),
        resident() >> 20
    );
}

/// What one answer costs.
fn answers() {
    let mut cluster = Cluster::new(shape(30, 30_000)).expect("the shape is sound");
    cluster.advance(Duration::from_secs(180));
    for target in [
        "/pd/api/v1/stores",
        "/pd/api/v1/regions/key?limit=1000",
        "/pd/api/v1/regions",
    ] {
        let began = Instant::now();
        let bytes = body(&cluster.pd(0, &Request::get(target)));
        println!("GET {target}: {:.2?}, {bytes} bytes", began.elapsed());
    }
    for query in [
        "up",
        "histogram_quantile(0.99,sum%20by(instance,le)(rate(tikv_grpc_msg_duration_seconds_bucket%5B1m%5D)))",
    ] {
        let began = Instant::now();
        let bytes =
            body(&cluster.prometheus(&Request::get(&format!("/api/v1/query?query={query}"))));
        println!("query {query}: {:.2?}, {bytes} bytes", began.elapsed());
    }
}

fn body(outcome: &Outcome) -> usize {
    match outcome {
        Outcome::Reply(reply) if reply.status == 200 => reply.body.len(),
        other => panic!("no answer: {other:?}"),
    }
}

/// Resident bytes of this process, where the system tells them.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
