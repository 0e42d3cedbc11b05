//! What can be counted over a whole recording, and is the same over the simulated incident.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operator_sim::{Cluster, Shape};
use serde_json::Value;

use super::milestones::cluster_like_the_recorded;
use super::polls::{Poll, recorded, simulated};

/// The rows of one store, with their times.
fn of_store(polls: &[Poll], id: u64) -> impl Iterator<Item = (f64, &Value)> {
    let lists = polls
        .iter()
        .filter(|poll| poll.path == "/stores" && poll.status == 200);
    lists.flat_map(move |poll| {
        let stores = poll.body["stores"].as_array().into_iter().flatten();
        stores
            .filter(move |store| store["store"]["id"] == id)
            .map(move |store| (poll.at, store))
    })
}

/// How many starts a store had, and the names of the states it was in.
fn course(polls: &[Poll], id: u64) -> (usize, BTreeSet<String>) {
    let starts: BTreeSet<i64> = of_store(polls, id)
        .filter_map(|(_, store)| store["store"]["start_timestamp"].as_i64())
        .collect();
    let states = of_store(polls, id)
        .filter_map(|(_, store)| store["store"]["state_name"].as_str().map(str::to_owned))
        .collect();
    (starts.len(), states)
}

fn courses(polls: &[Poll], ids: &[u64]) -> Vec<(usize, BTreeSet<String>)> {
    ids.iter().map(|id| course(polls, *id)).collect()
}

fn recorded_ids(truth: &Value, names: &[&str]) -> Vec<u64> {
    let ids = names.iter().map(|name| truth["store_ids"][name].as_u64());
    ids.map(|id| id.expect("the truth knows the store"))
        .collect()
}

fn warm(seed: u64) -> Cluster {
    let mut cluster = cluster_like_the_recorded(seed, 1);
    cluster.advance(Duration::from_secs(400));
    cluster
}

#[test]
fn a_crash_loop_shows_as_many_starts() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let (theirs, _, truth) = recorded(&recordings.join("crash-loop"));
    let ids = recorded_ids(&truth, &["tikv-2", "tikv-0", "tikv-1"]);
    let theirs = courses(&theirs, &ids);
    let mut cluster = warm(1);
    for kill in 0..4 {
        let fault = format!("store-restarted store=2 away=5s at={}s", 60 + kill * 40);
        cluster.inject(&fault).expect("the fault is known");
    }
    let ours = courses(&simulated(&mut cluster, 1, 220), &[2, 1, 3]);
    let starts = |courses: &[(usize, BTreeSet<String>)]| {
        courses
            .iter()
            .map(|(starts, _)| *starts)
            .collect::<Vec<_>>()
    };
    assert_eq!(starts(&ours), starts(&theirs));
    assert_eq!(starts(&theirs), [5, 1, 1]);
}

#[test]
fn a_rolling_restart_starts_every_store_once_and_loses_none() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let (theirs, _, truth) = recorded(&recordings.join("rolling-restart"));
    let ids = recorded_ids(&truth, &["tikv-0", "tikv-1", "tikv-2"]);
    let mut cluster = warm(1);
    for (turn, store) in [1, 2, 3].into_iter().enumerate() {
        let at = 60 + 36 * turn;
        let evict = format!("evict-leader-left store={store} at={at}s for=21s");
        let stop = format!(
            "store-stopped store={store} at={}ms for=10ms",
            at * 1000 + 1500
        );
        for fault in [evict, stop] {
            cluster.inject(&fault).expect("the fault is known");
        }
    }
    let ours = simulated(&mut cluster, 1, 140);
    assert_eq!(courses(&ours, &[1, 2, 3]), courses(&theirs, &ids));
    let led_nothing = |polls: &[Poll], id| {
        of_store(polls, id).any(|(_, store)| store["status"]["leader_count"] == 0)
    };
    for (our, their) in [1, 2, 3].into_iter().zip(ids) {
        assert!(
            led_nothing(&ours, our) && led_nothing(&theirs, their),
            "store {our}"
        );
    }
    // All elections of a good restart are transfers.
    let timeouts = cluster
        .log_lines()
        .iter()
        .filter(|line| line.text.contains("became pre-candidate"))
        .count();
    assert_eq!(timeouts, 0);
}

/// Bytes of PD's size strings.
fn bytes(size: &Value) -> f64 {
    let text = size.as_str().unwrap_or_default();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = ["B", "KiB", "MiB", "GiB", "TiB"].iter().position(|unit| {
        text.ends_with(&format!("{digits}{unit}")[digits.len()..])
            && text == format!("{digits}{unit}")
    });
    let power = i32::try_from(unit.unwrap_or(0)).unwrap_or(0);
    digits.parse::<f64>().unwrap_or(0.0) * 1024_f64.powi(power)
}

#[test]
fn a_filling_disk_passes_its_marks_in_time() {
    let Some(recordings) = super::recordings() else {
        return;
    };
    let (theirs, _, truth) = recorded(&recordings.join("disk-fills"));
    let their_id = recorded_ids(&truth, &["tikv-0"])[0];
    let fill = |polls: &[Poll], id| -> Vec<(f64, f64)> {
        of_store(polls, id)
            .map(|(at, store)| {
                (
                    at,
                    1.0 - bytes(&store["status"]["available"])
                        / bytes(&store["status"]["capacity"]),
                )
            })
            .collect()
    };
    let theirs = fill(&theirs, their_id);
    let full = |course: &[(f64, f64)]| course.last().map_or(0.0, |(_, fill)| *fill);
    let mut cluster = Cluster::new(Shape {
        members: 1,
        capacity_bytes: 430 << 20,
        region_mib: 1,
        fill: 0.55,
        ..Shape::default()
    })
    .expect("the shape is sound");
    cluster.advance(Duration::from_secs(400));
    let fault = format!(
        "disk-fills store=1 level={:.3} over=330s at=60s",
        full(&theirs)
    );
    cluster.inject(&fault).expect("the fault is known");
    let ours = fill(&simulated(&mut cluster, 1, 340), 1);
    assert!(
        (full(&ours) - full(&theirs)).abs() < 0.02,
        "{} and {}",
        full(&ours),
        full(&theirs)
    );
    let passed = |course: &[(f64, f64)], mark: f64| {
        course
            .iter()
            .find(|(at, fill)| *at >= 0.0 && *fill >= mark)
            .map(|(at, _)| *at)
    };
    let marks: BTreeMap<&str, f64> = [("0.75", 0.75), ("0.80", 0.8), ("0.85", 0.85)].into();
    for (name, mark) in marks {
        let (our, their) = (passed(&ours, mark), passed(&theirs, mark));
        let both = our
            .zip(their)
            .unwrap_or_else(|| panic!("{name}: {our:?}, recorded {their:?}"));
        assert!(
            (both.0 - both.1).abs() <= 90.0,
            "{name} at {}, recorded at {}",
            both.0,
            both.1
        );
    }
}
