//! Regions that split because they grow, and that are merged because they are empty.

use std::time::Duration;

use operator_sim::{Cluster, EventKind, LogFile, Outcome, Request, Shape};
use serde_json::Value;

fn cluster(shape: Shape) -> Cluster {
    Cluster::new(shape).expect("the shape is sound")
}

fn pd(cluster: &mut Cluster, target: &str) -> Value {
    match cluster.pd(0, &Request::get(&format!("/pd/api/v1/{target}"))) {
        Outcome::Reply(reply) if reply.status == 200 => {
            serde_json::from_slice(&reply.body).expect("PD answers in JSON")
        }
        other => panic!("PD answers {other:?} to {target}"),
    }
}

fn regions(cluster: &mut Cluster) -> Vec<Value> {
    let mut answer = pd(cluster, "regions");
    match answer["regions"].take() {
        Value::Array(regions) => regions,
        other => panic!("no regions: {other}"),
    }
}

fn tail(cluster: &mut Cluster) -> Value {
    regions(cluster).pop().expect("there is a region")
}

fn messages(cluster: &Cluster, part: &str) -> usize {
    let lines = cluster.log_lines();
    lines.iter().filter(|line| line.text.contains(part)).count()
}

const MINUTES: fn(u64) -> Duration = |minutes| Duration::from_secs(60 * minutes);

#[test]
fn a_hot_tail_leaves_full_regions_behind() {
    let mut cluster = cluster(Shape::default());
    let before = tail(&mut cluster);
    cluster
        .inject("hot-write region=last")
        .expect("it is known");
    cluster.advance(MINUTES(20));
    let after = tail(&mut cluster);
    assert_eq!(after["id"], before["id"], "the tail keeps its id");
    assert_ne!(after["start_key"], before["start_key"]);
    // A MiB a second, and 96 of them stay behind each time.
    let all = regions(&mut cluster);
    let more = all.len() - 45;
    assert!((11..=13).contains(&more), "{more} more regions");
    for region in &all[44..all.len() - 1] {
        assert_eq!(region["approximate_size"], 96);
        assert_eq!(region["peers"].as_array().map(Vec::len), Some(3));
    }
    let version = |region: &Value| region["epoch"]["version"].as_u64().expect("it has one");
    assert_eq!(version(&after), version(&before) + more as u64);
    let hot = pd(&mut cluster, "hotspot/regions/write");
    assert!(
        hot.to_string()
            .contains(&format!("\"region_id\":{}", after["id"]))
    );
    let stores = pd(&mut cluster, "stores");
    let peers: u64 = stores["stores"]
        .as_array()
        .expect("there are stores")
        .iter()
        .filter_map(|store| store["status"]["region_count"].as_u64())
        .sum();
    assert_eq!(peers, 3 * all.len() as u64);
}

#[test]
fn a_hot_key_does_not_grow() {
    let mut cluster = cluster(Shape::default());
    cluster.inject("hot-write region=4").expect("it is known");
    cluster.advance(MINUTES(30));
    assert_eq!(regions(&mut cluster).len(), 45);
}

#[test]
fn growth_everywhere_splits_regions_in_the_middle() {
    let mut cluster = cluster(Shape::default());
    cluster
        .inject("data-grows mib=4 for=30m")
        .expect("it is known");
    cluster.advance(MINUTES(40));
    let all = regions(&mut cluster);
    assert!(all.len() > 80, "{} regions", all.len());
    let mut key = Value::from("");
    for region in &all {
        assert_eq!(region["start_key"], key);
        key = region["end_key"].clone();
        assert!(
            region["approximate_size"]
                .as_u64()
                .is_some_and(|mib| mib <= 144)
        );
        // What PD finds by a key and by an id is the same region.
        let id = pd(&mut cluster, &format!("region/id/{}", region["id"]));
        assert_eq!(id["start_key"], region["start_key"]);
    }
    let page = pd(&mut cluster, "regions/key?limit=7");
    let ids =
        |regions: &[Value]| -> Vec<Value> { regions.iter().map(|r| r["id"].clone()).collect() };
    assert_eq!(
        ids(page["regions"].as_array().expect("a page")),
        ids(&all[..7])
    );
    let count = pd(&mut cluster, "stats/region");
    assert_eq!(count["count"].as_u64(), Some(all.len() as u64));
}

#[test]
fn a_split_writes_the_lines_of_a_split() {
    let mut cluster = cluster(Shape::default());
    cluster
        .inject("hot-write region=last")
        .expect("it is known");
    cluster.advance(MINUTES(3));
    let splits: Vec<_> = cluster
        .events()
        .filter(|event| matches!(event.kind, EventKind::Split { .. }))
        .cloned()
        .collect();
    let (one, EventKind::Split { parent, born }) = (&splits[0], &splits[0].kind) else {
        panic!("a split is no split");
    };
    let lines = cluster.lines_of(one);
    let of = |store: u64| -> Vec<&str> {
        lines
            .iter()
            .filter(|line| line.file == LogFile::Store(store))
            .map(|line| line.text.as_str())
            .collect()
    };
    let leader = of(parent.leader.store);
    let order = [
        "[\"on split\"]",
        "try to batch split region",
        "execute admin command",
        "[\"split region\"]",
        "notify pd with split",
        "insert new region",
        "create peer",
        "became follower at term 5",
        "starting a new election",
        "became pre-candidate at term 5",
        "became leader at term 6",
        "register observe region",
    ];
    let mut at = 0;
    for expected in order {
        let found = leader[at..].iter().position(|line| line.contains(expected));
        at += found.unwrap_or_else(|| panic!("no {expected} after line {at}: {leader:#?}"));
    }
    for peer in parent.peers.iter().filter(|peer| **peer != parent.leader) {
        let text = of(peer.store).join("\n");
        assert!(
            text.contains("create peer") && text.contains("cast vote"),
            "{text}"
        );
        assert!(
            !text.contains("notify pd with split"),
            "only the leader tells PD"
        );
    }
    assert!(born.end_key > born.start_key && parent.end_key.is_empty());
    // About forty lines for each region that is born.
    assert!((35..=60).contains(&lines.len()), "{} lines", lines.len());
}

#[test]
fn dropped_tables_are_merged_away() {
    let mut cluster = cluster(Shape {
        stores: 5,
        regions: 100,
        ..Shape::default()
    });
    cluster
        .inject("tables-dropped part=0.3 at=1m")
        .expect("it is known");
    cluster.advance(MINUTES(2));
    let empty = pd(&mut cluster, "regions/check/empty-region")["count"].as_u64();
    assert!(empty > Some(10), "{empty:?} are left after a minute");
    cluster.advance(MINUTES(30));
    let all = regions(&mut cluster);
    assert_eq!(all.len(), 70, "each empty region found a neighbour");
    assert_eq!(all[0]["start_key"], "");
    assert_eq!(messages(&cluster, "notify pd with merge"), 30);
    assert!(
        all.iter()
            .all(|region| region["peers"].as_array().map(Vec::len) == Some(3))
    );
    let planned = cluster.planned();
    cluster.advance(MINUTES(30));
    assert!(cluster.planned() <= planned, "the merge checker sleeps");
}

#[test]
fn a_new_leader_of_pd_merges_nothing_for_an_hour() {
    let mut cluster = cluster(Shape::default());
    cluster
        .inject("pd-killed member=leader for=1m")
        .expect("it is known");
    cluster
        .inject("tables-dropped part=0.3 at=2m")
        .expect("it is known");
    cluster.advance(MINUTES(55));
    assert_eq!(regions(&mut cluster).len(), 45);
    cluster.advance(MINUTES(30));
    assert_eq!(regions(&mut cluster).len(), 45 - 13);
}
