//! Draws the findings out of elections, outages and restarts.

use std::collections::{BTreeMap, BTreeSet};

use super::super::stamp::Stamp;
use super::Timeline;
use super::election::{Election, ElectionKind, Server};
use super::finding::{Finding, Flapping, Hopeless, Storm, Thresholds};
use super::log::ProcessEnd;
use super::outage::{Outage, OutageKind};
use super::restart::Restart;

pub(super) fn findings(
    timeline: &Timeline,
    thresholds: &Thresholds,
    hopeless: Vec<Hopeless>,
    pd_leaders: Vec<(Server, Stamp)>,
    pd_ends: Vec<(Server, ProcessEnd)>,
) -> Vec<Finding> {
    let mut found: Vec<Finding> = timeline
        .outages
        .iter()
        .filter(|outage| outage.kind != OutageKind::Stopped)
        .cloned()
        .map(Finding::StoreLost)
        .collect();
    found.extend(storms(timeline, thresholds).into_iter().map(Finding::Storm));
    found.extend(timeline.evictions.iter().cloned().map(Finding::Evicted));
    found.extend(rolling(&timeline.restarts, thresholds));
    found.extend(candidates(hopeless));
    found.extend(
        flapping(&timeline.elections, thresholds)
            .into_iter()
            .map(Finding::Flapping),
    );
    found.extend(births(&timeline.elections, thresholds));
    found.extend(timeline.told.iter().filter_map(|((log, kind), told)| {
        Some(Finding::Told {
            log: log.clone(),
            kind: *kind,
            lines: told.lines,
            first: told.first?,
            last: told.last?,
        })
    }));
    found.extend(
        pd_leaders
            .into_iter()
            .map(|(member, at)| Finding::PdLeads { member, at }),
    );
    found.extend(pd_ends.into_iter().map(|(member, end)| Finding::PdGone {
        member,
        told_to_stop: end.told_to_stop.is_some(),
        from: end.last,
        until: end.restarted,
    }));
    found.sort_by_key(Finding::at);
    found
}

/// Elections by timeout in groups by who led before.
fn storms(timeline: &Timeline, thresholds: &Thresholds) -> Vec<Storm> {
    let mut by_lost: BTreeMap<Option<Server>, Vec<(Stamp, u64)>> = BTreeMap::new();
    for election in timeline
        .elections
        .iter()
        .filter(|election| election.kind == ElectionKind::Timeout)
    {
        if let Some((.., at)) = election.leader {
            by_lost
                .entry(election.previous.clone())
                .or_default()
                .push((at, election.region));
        }
    }
    let mut storms = Vec::new();
    for (lost, mut wins) in by_lost {
        wins.sort_unstable();
        let store = lost.as_ref().and_then(|peer| peer.store);
        // Each loss of a store is a storm of its own.
        let lost_between = |from: Stamp, until: Stamp| {
            let mut losses = timeline
                .outages
                .iter()
                .filter(|outage| Some(outage.store) == store);
            losses.any(|outage| from < outage.from && outage.from <= until)
        };
        let same = |a: &(Stamp, u64), b: &(Stamp, u64)| {
            b.0.utc_ms - a.0.utc_ms <= thresholds.storm_pause_ms && !lost_between(a.0, b.0)
        };
        for group in wins.chunk_by(same) {
            let regions = group
                .iter()
                .map(|(_, region)| region)
                .collect::<BTreeSet<_>>()
                .len();
            let (Some(&(first, _)), Some(&(last, _))) = (group.first(), group.last()) else {
                continue;
            };
            if regions >= thresholds.storm_regions {
                let outage = outage_before(&timeline.outages, lost.as_ref(), first);
                storms.push(Storm {
                    lost: lost.clone(),
                    outage,
                    regions,
                    elections: group.len(),
                    first,
                    last,
                });
            }
        }
    }
    storms
}

/// The outage of a store that a storm followed.
fn outage_before(outages: &[Outage], lost: Option<&Server>, first: Stamp) -> Option<Outage> {
    const SLACK_MS: i64 = 30_000;
    let store = lost?.store?;
    let begun = |outage: &&Outage| {
        outage.store == store
            && outage.from.utc_ms <= first.utc_ms + SLACK_MS
            && outage
                .until
                .is_none_or(|until| first.utc_ms <= until.utc_ms + 2 * SLACK_MS)
    };
    outages.iter().rev().find(begun).cloned()
}

fn rolling(restarts: &[Restart], thresholds: &Thresholds) -> Vec<Finding> {
    let groups = restarts.chunk_by(|a, b| {
        b.stopped >= a.started && b.stopped.utc_ms - a.started.utc_ms <= thresholds.rolling_ms
    });
    groups
        .flat_map(|group| {
            let stores: BTreeSet<u64> = group.iter().map(|restart| restart.store).collect();
            if stores.len() > 1 {
                vec![Finding::RollingRestart {
                    restarts: group.to_vec(),
                }]
            } else {
                group.iter().cloned().map(Finding::Restarted).collect()
            }
        })
        .collect()
}

/// Hopeless candidates by store, those with a living leader apart from those without.
fn candidates(hopeless: Vec<Hopeless>) -> Vec<Finding> {
    let mut groups: BTreeMap<(Server, bool), Vec<Hopeless>> = BTreeMap::new();
    for one in hopeless {
        groups
            .entry((one.candidate.clone(), one.leader.is_some()))
            .or_default()
            .push(one);
    }
    let group = |((candidate, led), candidates)| {
        if led {
            Finding::CutOff {
                candidate,
                candidates,
            }
        } else {
            Finding::NoQuorum {
                candidate,
                candidates,
            }
        }
    };
    groups.into_iter().map(group).collect()
}

fn flapping(elections: &[Election], thresholds: &Thresholds) -> Vec<Flapping> {
    let mut found = Vec::new();
    for of_region in elections.chunk_by(|a, b| a.region == b.region) {
        let won: Vec<Stamp> = of_region
            .iter()
            .filter(|election| election.kind != ElectionKind::Birth)
            .filter_map(|election| election.leader.as_ref().map(|(.., at)| *at))
            .collect();
        let dense = |wins: &&[Stamp]| {
            wins.first()
                .zip(wins.last())
                .is_some_and(|(first, last)| last.utc_ms - first.utc_ms <= thresholds.flapping_ms)
        };
        if won
            .windows(thresholds.flapping_elections.max(1))
            .any(|wins| dense(&wins))
            && let (Some(&first), Some(&last)) = (won.first(), won.last())
        {
            found.push(Flapping {
                region: of_region[0].region,
                elections: won.len(),
                first,
                last,
            });
        }
    }
    found
}

fn births(elections: &[Election], thresholds: &Thresholds) -> Vec<Finding> {
    let mut born: Vec<Stamp> = elections
        .iter()
        .filter(|election| election.kind == ElectionKind::Birth)
        .filter_map(|election| election.leader.as_ref().map(|(.., at)| *at))
        .collect();
    born.sort_unstable();
    let groups = born.chunk_by(|a, b| b.utc_ms - a.utc_ms <= thresholds.storm_pause_ms);
    groups
        .filter_map(|group| {
            Some(Finding::Births {
                regions: group.len(),
                first: *group.first()?,
                last: *group.last()?,
            })
        })
        .collect()
}
