//! Generated incidents: the timeline tells the right story of each.

use std::collections::BTreeSet;

use operator_sim::logs::{LogSet, Shape, generate};
use operator_tikv::log_parser::{
    ElectionKind, EventScanner, Finding, OutageKind, ReignEnd, Stamp, Timeline, TimelineBuilder,
    parse_line,
};

/// The store to which it happens in every generated incident.
const VICTIM: u64 = 1;

fn timeline(set: &LogSet) -> Timeline {
    let mut builder = TimelineBuilder::default();
    for log in &set.logs {
        let id = builder.add_log(&log.name);
        EventScanner::new().scan(log.text().as_bytes(), |found| {
            builder.push(id, &found.event);
        });
    }
    let timeline = builder.finish();
    let end = Stamp::utc(set.at_ms + 3_600_000);
    for (&region, &store) in &set.leaders {
        let leader = timeline
            .leader_at(region, end)
            .and_then(|reign| reign.leader.store);
        assert_eq!(
            leader,
            Some(store),
            "region {region}: {:?}",
            timeline.reigns_of(region)
        );
    }
    assert_eq!(timeline.regions().count(), set.leaders.len());
    timeline
}

fn print(timeline: &Timeline) -> String {
    timeline
        .findings()
        .iter()
        .map(|finding| format!("{finding}\n"))
        .collect()
}

/// Elections after everything was quiet, by kind.
fn elections(set: &LogSet, timeline: &Timeline, kind: ElectionKind) -> usize {
    let later = timeline
        .elections()
        .iter()
        .filter(|election| election.first_seen.utc_ms >= set.at_ms);
    later
        .filter(|election| election.kind == kind && election.leader.is_some())
        .count()
}

#[test]
fn every_generated_line_is_a_strict_record() {
    for shape in [
        Shape::StoreFailure { leaders: 3 },
        Shape::Partition { leaders: 3 },
        Shape::CutOffFollower {
            regions: 3,
            tries: 3,
        },
        Shape::RollingRestart {
            regions: 6,
            too_early: true,
        },
        Shape::Splits { births: 3 },
    ] {
        for log in &generate(&shape, 1).logs {
            for line in &log.lines {
                let parsed =
                    parse_line(&line.text).unwrap_or_else(|fault| panic!("{fault}: {}", line.text));
                assert_eq!(parsed.time(), Some(Stamp::utc(line.ms)), "{}", line.text);
            }
        }
    }
}

#[test]
fn the_death_of_a_store_with_ten_thousand_leaders_is_one_storm() {
    let set = generate(&Shape::StoreFailure { leaders: 10_000 }, 1);
    let timeline = timeline(&set);
    let lost = timeline.outages();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(
        (lost[0].store, lost[0].kind, lost[0].witnesses),
        (VICTIM, OutageKind::Killed, 2)
    );
    assert!((0..10).contains(&(lost[0].from.utc_ms - set.at_ms)));
    let storms: Vec<_> = timeline
        .findings()
        .iter()
        .filter_map(|finding| match finding {
            Finding::Storm(storm) => Some(storm),
            _ => None,
        })
        .collect();
    assert_eq!(storms.len(), 1, "{}", print(&timeline));
    assert_eq!((storms[0].regions, storms[0].elections), (10_000, 10_000));
    assert_eq!(
        storms[0].lost.as_ref().and_then(|peer| peer.store),
        Some(VICTIM)
    );
    let ended = timeline
        .regions()
        .flat_map(|region| timeline.reigns_of(region));
    assert_eq!(
        ended
            .filter(|reign| reign.end == Some(ReignEnd::Died))
            .count(),
        10_000
    );
    let took: Vec<u64> = timeline
        .elections()
        .iter()
        .filter_map(|election| election.took_ms())
        .collect();
    assert_eq!(took.len(), 40_000, "every election has its milliseconds");
    assert!(
        took.iter().all(|&ms| ms == 7),
        "as the generator wrote them"
    );
}

#[test]
fn a_partitioned_leader_steps_down_and_is_told_as_cut_off() {
    let set = generate(&Shape::Partition { leaders: 50 }, 2);
    let timeline = timeline(&set);
    let [lost] = timeline.outages() else {
        panic!("{:?}", timeline.outages())
    };
    assert_eq!((lost.store, lost.kind), (VICTIM, OutageKind::CutOff));
    let ended = timeline
        .regions()
        .flat_map(|region| timeline.reigns_of(region));
    assert_eq!(
        ended
            .filter(|reign| reign.end == Some(ReignEnd::SteppedDown))
            .count(),
        50
    );
    assert_eq!(elections(&set, &timeline, ElectionKind::Timeout), 50);
    let hopeless = timeline.findings().iter().any(|finding| match finding {
        Finding::CutOff {
            candidate,
            candidates,
        } => candidate.store == Some(VICTIM) && candidates.len() == 50,
        _ => false,
    });
    assert!(hopeless, "{}", print(&timeline));
}

#[test]
fn a_cut_off_follower_is_no_leader_change() {
    let set = generate(
        &Shape::CutOffFollower {
            regions: 40,
            tries: 6,
        },
        3,
    );
    let timeline = timeline(&set);
    assert!(
        timeline
            .elections()
            .iter()
            .all(|election| election.first_seen.utc_ms < set.at_ms || election.leader.is_none())
    );
    assert!(timeline.pd_moves().is_empty());
    assert!(timeline.regions().all(
        |region| timeline.reigns_of(region).len() == 1 && timeline.gaps_of(region).count() == 0
    ));
    let mut told = timeline
        .findings()
        .iter()
        .filter(|finding| !matches!(finding, Finding::Births { .. } | Finding::PdLeads { .. }));
    let (
        Some(Finding::CutOff {
            candidate,
            candidates,
        }),
        None,
    ) = (told.next(), told.next())
    else {
        panic!("{}", print(&timeline));
    };
    assert_eq!(candidate.store, Some(VICTIM));
    assert_eq!(
        candidates.len(),
        80,
        "two thirds of 120 regions are led elsewhere"
    );
    assert!(
        candidates
            .iter()
            .all(|one| one.tries == 6 && one.leader.is_some())
    );
}

#[test]
fn a_rolling_restart_is_good_where_all_is_handed_over_and_bad_where_not() {
    for too_early in [false, true] {
        let set = generate(
            &Shape::RollingRestart {
                regions: 60,
                too_early,
            },
            4,
        );
        let timeline = timeline(&set);
        let rolling = timeline
            .findings()
            .iter()
            .find_map(|finding| match finding {
                Finding::RollingRestart { restarts } => Some(restarts),
                _ => None,
            });
        let restarts = rolling.unwrap_or_else(|| panic!("{}", print(&timeline)));
        assert_eq!(
            restarts
                .iter()
                .map(|restart| restart.store)
                .collect::<Vec<_>>(),
            [1, 2, 3]
        );
        let timeouts: u64 = restarts.iter().map(|restart| restart.timeouts).sum();
        assert_eq!(
            timeouts,
            elections(&set, &timeline, ElectionKind::Timeout) as u64
        );
        assert_eq!(timeouts > 0, too_early);
        assert!(
            restarts
                .iter()
                .all(|restart| restart.is_good() != too_early),
            "{restarts:?}"
        );
        let handed_over: u64 = restarts.iter().map(|restart| restart.evicted).sum();
        assert_eq!(
            handed_over,
            elections(&set, &timeline, ElectionKind::Transfer) as u64
        );
        let lost = timeline
            .outages()
            .iter()
            .map(|outage| outage.kind)
            .collect::<Vec<_>>();
        assert_eq!(lost, [OutageKind::Stopped; 3]);
    }
}

#[test]
fn regions_born_of_splits_are_births_and_no_storm() {
    let set = generate(&Shape::Splits { births: 30 }, 5);
    let timeline = timeline(&set);
    let kinds: BTreeSet<ElectionKind> = timeline
        .elections()
        .iter()
        .skip(1)
        .map(|election| election.kind)
        .collect();
    assert_eq!(kinds, BTreeSet::from([ElectionKind::Birth]));
    assert!(!timeline.findings().iter().any(|finding| matches!(
        finding,
        Finding::Storm(_) | Finding::StoreLost(_) | Finding::Flapping(_)
    )));
}

#[test]
fn the_order_in_which_logs_are_given_changes_nothing() {
    let mut set = generate(&Shape::StoreFailure { leaders: 20 }, 6);
    let before = print(&timeline(&set));
    set.logs.reverse();
    assert_eq!(print(&timeline(&set)), before);
}

#[test]
fn without_a_log_its_store_is_named_as_missing() {
    let mut set = generate(&Shape::StoreFailure { leaders: 20 }, 7);
    set.logs
        .retain(|log| log.store != Some(VICTIM) && log.store.is_some());
    let mut builder = TimelineBuilder::default();
    for log in &set.logs {
        let id = builder.add_log(&log.name);
        EventScanner::new().scan(log.text().as_bytes(), |found| {
            builder.push(id, &found.event);
        });
    }
    let timeline = builder.finish();
    let missing: Vec<String> = timeline.missing().iter().map(ToString::to_string).collect();
    assert!(
        missing.contains(&"no log of store 1 was given".to_owned()),
        "{missing:?}"
    );
    assert!(
        missing.contains(&"no log of PD was given".to_owned()),
        "{missing:?}"
    );
    assert_eq!(
        timeline.outages().first().map(|outage| outage.kind),
        Some(OutageKind::Unknown)
    );
}

#[test]
fn a_store_that_never_came_back_leads_nothing() {
    let mut set = generate(&Shape::StoreFailure { leaders: 20 }, 8);
    for log in set.logs.iter_mut().filter(|log| log.store == Some(VICTIM)) {
        log.lines.retain(|line| line.ms < set.at_ms);
    }
    let timeline = timeline(&set);
    let [lost] = timeline.outages() else {
        panic!("{:?}", timeline.outages())
    };
    assert_eq!(
        (lost.store, lost.kind, lost.until),
        (VICTIM, OutageKind::Killed, None)
    );
    let victims = timeline
        .regions()
        .flat_map(|region| timeline.reigns_of(region))
        .filter(|reign| reign.leader.store == Some(VICTIM));
    let ends: Vec<_> = victims.map(|reign| (reign.end, reign.until)).collect();
    assert_eq!(ends, [(Some(ReignEnd::Died), Some(lost.from)); 20]);
}
