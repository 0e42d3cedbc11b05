//! Whole real logs through incidents: every line is a record, and the story is the one that
//! happened.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use operator_tikv::log_parser::{
    EventScanner, Finding, OutageKind, Record, Stamp, Timeline, TimelineBuilder, parse_line,
};
use serde_json::Value;

mod common;

const BLOCK: usize = 512;

/// The files of a tar archive: as much of the format as plain files need.
fn untar(archive: &[u8]) -> Vec<(String, &[u8])> {
    let mut files = Vec::new();
    let mut at = 0;
    while let Some(header) = archive.get(at..at + BLOCK) {
        let text = |from: usize, len: usize| {
            let field = &header[from..from + len];
            let end = field.iter().position(|&byte| byte == 0).unwrap_or(len);
            String::from_utf8_lossy(&field[..end]).trim().to_owned()
        };
        if header[0] == 0 {
            break;
        }
        let size = usize::from_str_radix(&text(124, 12), 8).expect("a size in octal");
        let body = &archive[at + BLOCK..at + BLOCK + size];
        if header[156] == b'0' || header[156] == 0 {
            files.push((text(0, 100), body));
        }
        at += BLOCK + size.div_ceil(BLOCK) * BLOCK;
    }
    files
}

struct Recording {
    name: String,
    archive: Vec<u8>,
    truth: Value,
    regions_end: Value,
}

impl Recording {
    fn read(folder: &Path) -> Recording {
        let json = |name: &str| -> Value {
            serde_json::from_reader(File::open(folder.join(name)).expect(name)).expect("JSON")
        };
        let mut archive = Vec::new();
        let packed = File::open(folder.join("logs.tar.gz")).expect("logs");
        GzDecoder::new(packed)
            .read_to_end(&mut archive)
            .expect("gzip");
        Recording {
            name: folder
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned(),
            archive,
            truth: json("truth.json"),
            regions_end: json("regions-end.json"),
        }
    }

    fn logs(&self) -> Vec<(String, &[u8])> {
        let logs = untar(&self.archive);
        assert!(logs.len() >= 4, "{}: {} logs", self.name, logs.len());
        logs
    }

    fn timeline(&self) -> Timeline {
        let mut builder = TimelineBuilder::default();
        for (name, text) in self.logs() {
            let log = builder.add_log(
                name.rsplit('/')
                    .next()
                    .unwrap_or(&name)
                    .trim_end_matches(".log"),
            );
            EventScanner::new().scan(text, |found| builder.push(log, &found.event));
        }
        builder.finish()
    }

    /// The moment of the first thing that was done whose words begin so.
    fn when(&self, what: &str) -> Stamp {
        let events = self.truth["events"].as_array().expect("events");
        let found = events.iter().find(|event| {
            event["event"]
                .as_str()
                .is_some_and(|text| text.contains(what))
        });
        let seconds = found.unwrap_or_else(|| panic!("{}: {what}", self.name))["t"]
            .as_f64()
            .expect("seconds");
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time of this century in milliseconds"
        )]
        Stamp::utc((seconds * 1000.0) as i64)
    }

    fn store(&self, name: &str) -> u64 {
        self.truth["store_ids"][name].as_u64().expect("a store id")
    }
}

fn recordings() -> Vec<Recording> {
    let Some(folder) = common::shared("recordings") else {
        return Vec::new();
    };
    let folders = fs::read_dir(folder)
        .expect("readable")
        .map(|entry| entry.expect("readable").path());
    folders
        .filter(|path| path.join("logs.tar.gz").exists())
        .map(|path| Recording::read(&path))
        .collect()
}

fn recording(name: &str) -> Option<Recording> {
    let folder = common::shared("recordings")?.join(name);
    assert!(folder.is_dir(), "the recordings are whole");
    Some(Recording::read(&folder))
}

fn print(timeline: &Timeline) -> String {
    let lines: Vec<String> = timeline
        .findings()
        .iter()
        .map(ToString::to_string)
        .collect();
    lines.join("\n")
}

#[test]
fn every_line_is_a_strict_record_and_is_written_back() {
    for recording in recordings() {
        let mut lines = 0;
        for (name, text) in recording.logs() {
            for line in text
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let parsed = parse_line(line).unwrap_or_else(|fault| {
                    panic!("{name}: {fault}: {}", String::from_utf8_lossy(line))
                });
                lines += 1;
                if memchr::memmem::find(line, b"\\ufffd").is_some() {
                    continue;
                }
                let record = Record::of(&parsed).expect("unified text");
                let written = record.write(record.dialect()).expect("writable");
                assert_eq!(
                    written.as_bytes(),
                    line,
                    "{name}: {written}\n{}",
                    String::from_utf8_lossy(line)
                );
            }
        }
        println!("{}: {lines} lines", recording.name);
        assert!(lines > 1_000);
    }
}

#[test]
fn the_leaders_at_the_end_are_those_of_pd() {
    for recording in recordings() {
        let timeline = recording.timeline();
        let end = recording.when("recording ends");
        let mut wrong = Vec::new();
        let regions = recording.regions_end["regions"]
            .as_array()
            .expect("regions");
        assert!(regions.len() > 40);
        for region in regions {
            let id = region["id"].as_u64().expect("id");
            let pd = region["leader"]["store_id"].as_u64();
            let ours = timeline
                .leader_at(id, end)
                .and_then(|reign| reign.leader.store);
            // A PD that was restarted does not know an idle region's leader until it reports.
            let pd_is_new = recording.name.starts_with("pd-");
            assert!(
                pd.is_some() || pd_is_new,
                "{}: PD names a leader of {id}",
                recording.name
            );
            if pd.is_some() && pd != ours {
                wrong.push(format!(
                    "{id}: PD {pd:?}, logs {ours:?} {:?}",
                    timeline.reigns_of(id)
                ));
            }
        }
        println!(
            "{}\n{}\n{:?}",
            recording.name,
            print(&timeline),
            timeline.missing()
        );
        assert!(
            wrong.is_empty(),
            "{}: {} of {}:\n{}",
            recording.name,
            wrong.len(),
            regions.len(),
            wrong.join("\n")
        );
    }
}

#[test]
fn no_region_has_two_winners_in_one_term() {
    for recording in recordings() {
        let timeline = recording.timeline();
        let mut winners = BTreeMap::new();
        for reign in timeline
            .regions()
            .flat_map(|region| timeline.reigns_of(region))
        {
            let other = winners.insert((reign.region, reign.term), reign.leader.clone());
            assert!(
                other.is_none(),
                "{}: {reign:?} and {other:?}",
                recording.name
            );
        }
    }
}

/// Milliseconds from one moment to another.
fn after(from: Stamp, to: Stamp) -> i64 {
    to.utc_ms - from.utc_ms
}

/// The stores that were gone while the recording lasted, as (store, how, since, until).
fn lost(
    recording: &Recording,
    timeline: &Timeline,
) -> Vec<(u64, OutageKind, Stamp, Option<Stamp>)> {
    let end = recording.when("recording ends");
    let findings = timeline.findings().iter();
    let lost = findings.filter_map(|finding| match finding {
        Finding::StoreLost(outage) if outage.from < end => {
            Some((outage.store, outage.kind, outage.from, outage.until))
        }
        _ => None,
    });
    lost.collect()
}

fn storms(timeline: &Timeline) -> usize {
    timeline
        .findings()
        .iter()
        .filter(|finding| matches!(finding, Finding::Storm(_)))
        .count()
}

#[test]
fn a_killed_store_is_told_as_killed() {
    let Some(recording) = recording("store-killed") else {
        return;
    };
    let (timeline, victim) = (recording.timeline(), recording.store("tikv-1"));
    let (killed, started) = (
        recording.when("tikv-1 killed"),
        recording.when("tikv-1 started"),
    );
    let lost = lost(&recording, &timeline);
    let [(store, OutageKind::Killed, from, Some(until))] = lost[..] else {
        panic!("{lost:?}")
    };
    assert_eq!(store, victim);
    assert!(after(killed, from).abs() < 1_000, "{from}");
    assert!(after(started, until).abs() < 3_000, "{until}");
    let storm = timeline
        .findings()
        .iter()
        .find_map(|finding| match finding {
            Finding::Storm(storm) => Some(storm),
            _ => None,
        });
    let storm = storm.expect("a storm");
    assert_eq!(
        storm.lost.as_ref().and_then(|peer| peer.store),
        Some(victim)
    );
    let before = Stamp::utc(killed.utc_ms - 1_000);
    let led = |at| {
        timeline
            .regions()
            .filter(|&region| {
                timeline
                    .leader_at(region, at)
                    .is_some_and(|reign| reign.leader.store == Some(victim))
            })
            .count()
    };
    assert_eq!(
        storm.regions,
        led(before),
        "every region that it led, and no other"
    );
    assert_eq!(
        led(Stamp::utc(killed.utc_ms + 1_000)),
        0,
        "its leaderships end with it"
    );
    let gap = timeline
        .regions()
        .flat_map(|region| timeline.gaps_of(region))
        .map(|(from, until)| after(from, until))
        .max();
    assert!(
        gap.is_some_and(|ms| (4_000..30_000).contains(&ms)),
        "{gap:?}"
    );
}

#[test]
fn a_frozen_store_is_told_as_out_of_reach_and_not_as_dead() {
    let Some(recording) = recording("store-frozen") else {
        return;
    };
    let timeline = recording.timeline();
    let lost = lost(&recording, &timeline);
    let [(store, OutageKind::Hung, from, Some(until))] = lost[..] else {
        panic!("{lost:?}")
    };
    assert_eq!(store, recording.store("tikv-2"));
    assert!(
        (0..15_000).contains(&after(recording.when("frozen"), from)),
        "{from}"
    );
    assert!(
        (0..15_000).contains(&after(recording.when("thawed"), until)),
        "{until}"
    );
    assert_eq!(storms(&timeline), 1);
}

#[test]
fn a_crash_loop_is_four_deaths_of_one_store() {
    let Some(recording) = recording("crash-loop") else {
        return;
    };
    let timeline = recording.timeline();
    let lost = lost(&recording, &timeline);
    assert_eq!(lost.len(), 4, "{lost:?}");
    let victim = recording.store("tikv-2");
    assert!(
        lost.iter()
            .all(|&(store, kind, ..)| store == victim && kind == OutageKind::Killed)
    );
    assert_eq!(storms(&timeline), 4);
}

#[test]
fn a_rolling_restart_by_transfers_is_good() {
    let Some(recording) = recording("rolling-restart") else {
        return;
    };
    let timeline = recording.timeline();
    assert_eq!(
        lost(&recording, &timeline),
        [],
        "a store that was told to stop is not lost"
    );
    assert_eq!(storms(&timeline), 0);
    let rolling = timeline
        .findings()
        .iter()
        .find_map(|finding| match finding {
            Finding::RollingRestart { restarts } => Some(restarts),
            _ => None,
        });
    let restarts = rolling.expect("a rolling restart");
    let stores: Vec<u64> = restarts.iter().map(|restart| restart.store).collect();
    assert_eq!(
        stores,
        ["tikv-0", "tikv-1", "tikv-2"].map(|name| recording.store(name))
    );
    for restart in restarts {
        assert!(restart.is_good() && restart.evicted > 0, "{restart:?}");
    }
    assert_eq!(timeline.evictions().len(), 3);
}

#[test]
fn a_lost_quorum_is_two_deaths_and_campaigns_in_vain() {
    let Some(recording) = recording("quorum-lost") else {
        return;
    };
    let timeline = recording.timeline();
    let mut stores: Vec<u64> = lost(&recording, &timeline)
        .iter()
        .map(|&(store, kind, ..)| {
            assert_eq!(kind, OutageKind::Killed);
            store
        })
        .collect();
    stores.sort_unstable();
    assert_eq!(
        stores,
        [recording.store("tikv-0"), recording.store("tikv-2")]
    );
    let survivor = recording.store("tikv-1");
    let vain = timeline.findings().iter().any(|finding| match finding {
        Finding::NoQuorum {
            candidate,
            candidates,
        } => candidate.store == Some(survivor) && candidates.len() > 20,
        _ => false,
    });
    assert!(vain, "{}", print(&timeline));
}

#[test]
fn an_eviction_is_told_with_its_store_and_its_time() {
    let Some(recording) = recording("evict-leader-left") else {
        return;
    };
    let timeline = recording.timeline();
    assert_eq!(
        (lost(&recording, &timeline).len(), storms(&timeline)),
        (0, 0)
    );
    let [eviction] = timeline.evictions() else {
        panic!("{:?}", timeline.evictions())
    };
    assert_eq!(eviction.store, recording.store("tikv-0"));
    assert!(after(recording.when("evict-leader added"), eviction.from).abs() < 2_000);
    assert!(
        eviction
            .until
            .is_some_and(
                |until| after(recording.when("evict-leader removed"), until).abs() < 2_000
            )
    );
    assert!(eviction.moved >= 10, "{eviction:?}");
}

#[test]
fn where_no_store_was_gone_none_is_told() {
    for name in [
        "healthy",
        "hot-key",
        "disk-fills",
        "store-slow",
        "pd-leader-killed",
        "pd-all-down",
    ] {
        let Some(recording) = recording(name) else {
            return;
        };
        let timeline = recording.timeline();
        assert_eq!(lost(&recording, &timeline), [], "{name}");
        assert_eq!(storms(&timeline), 0, "{name}");
        assert!(
            timeline.restarts().is_empty() && timeline.evictions().is_empty(),
            "{name}"
        );
    }
}

#[test]
fn the_fall_and_the_move_of_pds_leader_are_told() {
    let Some(recording) = recording("pd-leader-killed") else {
        return;
    };
    let timeline = recording.timeline();
    let leads: Vec<(&str, Stamp)> = timeline
        .findings()
        .iter()
        .filter_map(|finding| match finding {
            Finding::PdLeads { member, at } => Some((&*member.log, *at)),
            _ => None,
        })
        .collect();
    let (killed, moved) = (recording.when("killed"), recording.when("moved"));
    assert!(
        leads
            .iter()
            .any(|&(member, at)| member == "pd-2" && (0..20_000).contains(&after(killed, at))),
        "{leads:?}"
    );
    assert!(
        leads
            .iter()
            .any(|&(member, at)| member == "pd-0" && after(moved, at).abs() < 2_000),
        "{leads:?}"
    );
    let gone = timeline.findings().iter().any(|finding| matches!(finding, Finding::PdGone { member, told_to_stop: false, .. } if &*member.log == "pd-0"));
    assert!(gone);
}
