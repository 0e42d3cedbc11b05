//! Every decoder against bytes that were never meant for it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use operator_tikv::fuzzing::{self, TARGETS};
use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// What is allocated is counted for the whole process: these tests run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bodies of the right shape, which mutations begin from.
const SEEDS: &[&str] = &[
    r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"instance":"a:1","le":"+Inf"},"value":[1795167270.143,"1e-07"]},{"metric":{},"values":[[1,"NaN"],[2,"-Inf"]]},{"metric":{"a":"\u00fc"},"histogram":[1,{"count":"3"}]}]},"warnings":["a"],"isPartial":true}"#,
    r#"{"count":1,"stores":[{"store":{"id":4,"address":"a:1","labels":[{"key":"zone","value":"a"}],"start_timestamp":1,"last_heartbeat":1700000600123456789,"state_name":"Up"},"status":{"capacity":"1.5GiB","available":"0B","leader_count":7,"slow_score":1,"is_busy":true}}]}"#,
    r#"{"count":2,"regions":[{"id":12,"start_key":"61","end_key":"","epoch":{"conf_ver":5},"peers":[{"role_name":"Voter","id":21,"store_id":1,"is_witness":true}],"leader":{"role_name":""},"down_peers":[{"peer":{"role_name":"Voter","id":21,"store_id":1},"down_seconds":9}],"pending_peers":[],"written_bytes":1,"approximate_size":96},{"id":13,"start_key":"61","end_key":"62"}]}"#,
    r#"{"id":12,"start_key":"6\u0031","end_key":"","leader":{"role_name":""},"approximate_size":18446744073709551615}"#,
    r#"{"header":{"cluster_id":7},"members":[{"name":"a","member_id":1,"client_urls":["http://a:1"]}],"leader":{"name":"a"}}"#,
    r#"[{"name":"a","member_id":1,"health":true}]"#,
    r#"{"as_leader":{"4":{"store_bytes":1.5,"statistics":[{"store_id":4,"region_id":12,"last_update_time":"2026-06-17T21:35:24.1+08:00"}]}},"as_peer":{"9":null}}"#,
    r#"{"bytes-write-rate":{"1":1e9},"query-read-rate":{"4":12}}"#,
    r#"["admin {x} (kind:admin,leader, region:12(7, 5), createAt:2026-06-17 21:35:24.5 +0800 CST m=+1, startAt:0001-01-01 00:00:00 +0000 UTC) finished (finishAt:2026-06-17 21:35:25 +0000 UTC, duration:1m7.5s)"]"#,
    r#"[{"name":"a","paused_at":"2026-06-17T21:35:24+08:00"}]"#,
    r#"{"store-id-ranges":{"1":[{"start-key":""}]},"batch":3}"#,
    r#"{"action":"removing","store_id":5,"progress":0.4,"current_speed":9,"left_seconds":1.7976931348623157e+308}"#,
    r#"{"max-replicas":3,"location-labels":"zone,host","enable-placement-rules":"true","max-store-down-time":"30m0s"}"#,
    r#"[{"group_id":"a","id":"b","start_key":"7a","end_key":"","role":"voter","count":3,"label_constraints":[{"key":"a","op":"in","values":["b"]}]}]"#,
    r#"[["61","62"]]"#,
    r#"{"store":{"id":4,"address":"a:1","state_name":"Down"},"status":{"capacity":"0B"}}"#,
    r#"{"name":"a","member_id":1,"client_urls":["http://a:1"]}"#,
    "1.819TiB",
    "172h35m23.123456789s",
    "2026-06-17T21:35:24.123456789+08:00",
    "7480000000000000FF",
    r#"{"raft_bootstrap_time":"2026-06-10T09:00:01.1+08:00","is_initialized":true}"#,
    r#"{"version":"v8.5.7","hash":""}"#,
    r#"{"id":7,"max_peer_count":3}"#,
    "null",
    "{}",
];

/// What JSON is made of, and what breaks it.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "1e-999",
    "18446744073709551616",
    "\"\\ud800\"",
    "\u{feff}",
    "\u{0}",
    "[[[[[[[[[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "\"regions\":[",
    "99999999999999999999EiB",
    "NaN",
    "ü",
    "  ",
];

fn mutated(rng: &mut TestRng) -> Vec<u8> {
    let pick = |rng: &mut TestRng, below: usize| {
        let any = usize::from_le_bytes(rng.next_u64().to_le_bytes());
        any % below
    };
    let mut data = SEEDS[pick(rng, SEEDS.len())].as_bytes().to_vec();
    for _ in 0..pick(rng, 8) {
        let at = pick(rng, data.len() + 1);
        let until = (at + pick(rng, 24)).min(data.len());
        match pick(rng, 6) {
            0 => data.truncate(at),
            1 => {
                data.drain(at..until);
            }
            2 => {
                let token = TOKENS[pick(rng, TOKENS.len())];
                data.splice(at..until, token.bytes());
            }
            3 => {
                let again = data[at..until].to_vec();
                data.splice(at..at, again);
            }
            4 if at < data.len() => data[at] = rng.next_u64().to_le_bytes()[0],
            _ => {
                let other = SEEDS[pick(rng, SEEDS.len())].as_bytes();
                let from = pick(rng, other.len() + 1);
                data.splice(at..until, other[from..].iter().copied());
            }
        }
    }
    data
}

#[test]
fn no_target_panics_or_hoards_whatever_it_is_given() {
    let _alone = alone();
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut read = vec![0; TARGETS.len()];
    for round in 0..8_000 {
        let data = mutated(&mut rng);
        for (position, (name, target)) in TARGETS.iter().enumerate() {
            ALLOCATED.reset_peak_usage();
            let before = ALLOCATED.current_usage();
            read[position] += usize::from(target(&data));
            let held = ALLOCATED.peak_usage().saturating_sub(before);
            let allowed = (64 << 10) + 64 * data.len();
            assert!(
                held <= allowed,
                "{name} held {held} bytes for {} in round {round}",
                data.len()
            );
        }
    }
    for ((name, _), read) in TARGETS.iter().zip(read) {
        assert!(
            read > 0,
            "nothing reached {name}: the seeds have no example for it"
        );
    }
}

#[test]
fn every_target_reads_a_seed_and_survives_each_of_its_beginnings() {
    let _alone = alone();
    for seed in SEEDS {
        for end in 0..=seed.len() {
            let Some(part) = seed.as_bytes().get(..end) else {
                continue;
            };
            for (_, target) in TARGETS {
                target(part);
            }
        }
    }
    for (name, target) in TARGETS {
        assert!(SEEDS.iter().any(|seed| target(seed.as_bytes())), "{name}");
    }
}

#[test]
fn deep_nesting_is_refused_and_does_not_overflow() {
    let _alone = alone();
    for open in [
        "[",
        "{\"a\":",
        "{\"regions\":[",
        "{\"regions\":[{\"peers\":[",
    ] {
        let deep = open.repeat(200_000);
        for (_, target) in TARGETS
            .iter()
            .filter(|(name, _)| !name.ends_with("by the byte"))
        {
            target(deep.as_bytes());
        }
    }
}

#[test]
fn an_item_in_a_hundred_thousand_pieces_takes_linear_work() {
    let _alone = alone();
    let long = format!(
        r#"{{"count":1,"regions":[{{"id":1,"start_key":"{}","end_key":""}}]}}"#,
        "61".repeat(400_000)
    );
    let listing = fuzzing::regions(long.as_bytes().chunks(8)).unwrap();
    assert_eq!(listing.items[0].range.start.len(), 400_000);
}
