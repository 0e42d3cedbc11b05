//! What a PD-like encoder writes is read back.

use std::time::Duration;

use operator_tikv::fuzzing;
use proptest::prelude::*;

/// A size as PD's library writes it: four digits, and the largest unit that leaves at least one before the point.
fn written_size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit < units.len() - 1 {
        value /= 1024.0;
        unit += 1;
    }
    let whole = value.trunc().to_string().len();
    let text = format!("{value:.*}", 4_usize.saturating_sub(whole));
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{}", units[unit])
}

/// A duration as Go writes it.
fn written_duration(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    let tail = |unit: &str, value: f64| format!("{value}{unit}");
    match (seconds, nanos) {
        (0, 0) => "0s".to_owned(),
        (0, nanos) if nanos < 1000 => format!("{nanos}ns"),
        (0, nanos) if nanos < 1_000_000 => tail("µs", f64::from(nanos) / 1e3),
        (0, nanos) => tail("ms", f64::from(nanos) / 1e6),
        (seconds, nanos) => {
            let rest = (seconds % 60) as f64 + f64::from(nanos) / 1e9;
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => format!("{rest}s"),
                (0, minutes) => format!("{minutes}m{rest}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{rest}s"),
            }
        }
    }
}

fn store_json(id: u64, label: &str, heartbeat: u64, leaders: u32) -> String {
    let heartbeat = match heartbeat {
        0 => String::new(),
        some => format!(r#""last_heartbeat":{some},"#),
    };
    let label = serde_json::to_string(label).unwrap();
    format!(
        r#"{{"store":{{"id":{id},"address":"tikv-{id}:20160","labels":[{{"key":"zone","value":{label}}}],{heartbeat}"state_name":"Up"}},"status":{{"capacity":"1GiB","leader_count":{leaders}}}}}"#
    )
}

proptest! {
    #[test]
    fn a_size_is_read_back_to_a_twentieth_of_a_percent(bytes in prop_oneof![0..5000_u64, any::<u64>().prop_map(|n| n >> (n % 60))]) {
        let text = written_size(bytes);
        let read = fuzzing::bytes(&text).unwrap_or_else(|| panic!("{text}"));
        let off = read.abs_diff(bytes) as f64;
        prop_assert!(off <= bytes as f64 * 0.0005 + 0.5, "{} -> {} -> {}", bytes, text, read);
    }

    #[test]
    fn a_duration_is_read_back(nanos in any::<u64>().prop_map(|n| n >> (n % 60))) {
        let duration = Duration::from_nanos(nanos);
        let text = written_duration(duration);
        let read = fuzzing::duration(&text).unwrap_or_else(|| panic!("{text}"));
        let off = read.abs_diff(duration);
        prop_assert!(off.as_secs_f64() <= duration.as_secs_f64() * 1e-9 + 1e-9, "{:?} -> {} -> {:?}", duration, text, read);
    }

    #[test]
    fn a_key_is_read_back_from_either_case(key in prop::collection::vec(any::<u8>(), 0..64)) {
        let hex: String = key.iter().map(|byte| format!("{byte:02X}")).collect();
        prop_assert_eq!(fuzzing::key(&hex), Some(key.clone()));
        prop_assert_eq!(fuzzing::key(&hex.to_lowercase()), Some(key));
    }

    #[test]
    fn stores_are_read_back(stores in prop::collection::btree_map(1..u64::MAX, (".*", 0..i64::MAX as u64, any::<u32>()), 0..20)) {
        let items: Vec<_> = stores.iter().map(|(id, (label, at, leaders))| store_json(*id, label, *at, *leaders)).collect();
        let body = format!(r#"{{"count":{},"stores":[{}]}}"#, items.len(), items.join(","));
        let listing = fuzzing::stores(body.as_bytes()).unwrap();
        prop_assert!(listing.gaps.is_empty());
        prop_assert_eq!(listing.items.len(), stores.len());
        for (store, (id, (label, at, leaders))) in listing.items.iter().zip(&stores) {
            prop_assert_eq!(store.id.0, *id);
            prop_assert_eq!(&store.labels["zone"], label);
            prop_assert_eq!(store.leader_count, Some(u64::from(*leaders)));
            let millis = store.last_heartbeat.map(|moment| moment.unix_millis().cast_unsigned());
            prop_assert_eq!(millis, (*at != 0).then_some(at / 1_000_000));
        }
    }

    #[test]
    fn regions_are_read_alike_however_their_bytes_are_cut(
        regions in prop::collection::vec((1..u64::MAX, prop::collection::vec(any::<u8>(), 0..9), 0_u64..3, 0_usize..5), 0..12),
        spaces in "[ \n]{0,3}",
        cuts in prop::collection::vec(1_usize..40, 1..40),
    ) {
        let items: Vec<_> = regions.iter().map(|(id, key, size, peers)| {
            let hex: String = key.iter().map(|byte| format!("{byte:02X}")).collect();
            let peers: Vec<_> = (1..=*peers).map(|n| format!(r#"{{"role_name":"Voter","id":{n},"store_id":{n}}}"#)).collect();
            format!(r#"{{"id":{id},"start_key":"{hex}","end_key":"","peers":[{}],"leader":{{"role_name":""}},"approximate_size":{size}}}"#, peers.join(","))
        }).collect();
        let body = format!(r#"{spaces}{{{spaces}"count":{}{spaces},{spaces}"regions":{spaces}[{}{spaces}]{spaces}}}{spaces}"#,
            items.len(), items.join(&format!("{spaces},{spaces}")));
        let whole = fuzzing::regions([body.as_bytes()]).unwrap();
        prop_assert!(whole.gaps.is_empty());
        prop_assert_eq!(whole.items.len(), regions.len());
        for (region, (id, key, size, peers)) in whole.items.iter().zip(&regions) {
            prop_assert_eq!(region.id.0, *id);
            prop_assert_eq!(&region.range.start, key);
            prop_assert_eq!(region.size_bytes, (*size > 0).then_some(size << 20));
            prop_assert_eq!(region.peers.len(), *peers);
        }
        let mut rest = body.as_bytes();
        let mut pieces = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = tail;
        }
        prop_assert_eq!(fuzzing::regions(pieces).unwrap(), whole);
    }
}
