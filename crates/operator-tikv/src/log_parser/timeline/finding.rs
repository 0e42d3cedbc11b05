//! What the elections of a cluster come to, in sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::super::kind::EventKind;
use super::super::stamp::Stamp;
use super::Timeline;
use super::builder::ProcessEnd;
use super::election::{Election, ElectionKind, Peer};
use super::outage::{Outage, OutageKind};
use super::restart::{Eviction, Restart};

/// From which counts on something has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Regions that elect by timeout, one soon after the other, and are called a storm.
    pub storm_regions: usize,
    /// A storm ends when no election follows for so long.
    pub storm_pause_ms: i64,
    /// Elections of one region within the time below that are called flapping.
    pub flapping_elections: usize,
    /// The time in which they are counted.
    pub flapping_ms: i64,
    /// Campaigns of one peer for one term that are called hopeless.
    pub hopeless_tries: u32,
    /// Restarts no further apart than this are one rolling restart.
    pub rolling_ms: i64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            storm_regions: 5,
            storm_pause_ms: 60_000,
            flapping_elections: 5,
            flapping_ms: 600_000,
            hopeless_tries: 3,
            rolling_ms: 3_600_000,
        }
    }
}

/// Many regions that elect by timeout because one store was lost.
#[derive(Clone, Debug)]
pub struct Storm {
    /// Who led before; `None` where the logs do not say.
    pub lost: Option<Peer>,
    /// How that store was gone, where that is known.
    pub outage: Option<Outage>,
    /// Regions.
    pub regions: usize,
    /// Their elections.
    pub elections: usize,
    /// The first new leader.
    pub first: Stamp,
    /// The last new leader.
    pub last: Stamp,
}

/// A region whose leader changes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// The region.
    pub region: u64,
    /// Elections won.
    pub elections: usize,
    /// The first.
    pub first: Stamp,
    /// The last.
    pub last: Stamp,
}

/// A peer that campaigns for one term again and again.
#[derive(Clone, Debug)]
pub struct Hopeless {
    /// The region.
    pub region: u64,
    /// The term.
    pub term: u64,
    /// Who.
    pub candidate: Peer,
    /// How often.
    pub tries: u32,
    /// The first campaign.
    pub first: Stamp,
    /// The last.
    pub last: Stamp,
    /// Who led the region meanwhile: then the candidate is cut off, and no leader is missing.
    pub leader: Option<Peer>,
}

/// What happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Finding {
    /// A store was gone.
    StoreLost(Outage),
    /// Its regions elected new leaders.
    Storm(Storm),
    /// PD took the leaders off a store.
    Evicted(Eviction),
    /// A store was restarted in good order.
    Restarted(Restart),
    /// Stores were restarted one after the other.
    RollingRestart {
        /// The restarts in order.
        restarts: Vec<Restart>,
    },
    /// A store's followers are cut off: they campaign in vain while their leaders live.
    CutOff {
        /// The store.
        candidate: Peer,
        /// Its candidates.
        candidates: Vec<Hopeless>,
    },
    /// Regions have no quorum: candidates campaign in vain and nobody leads.
    NoQuorum {
        /// Who tries.
        candidate: Peer,
        /// Its candidates.
        candidates: Vec<Hopeless>,
    },
    /// A region's leader changes again and again.
    Flapping(Flapping),
    /// Regions were born and elected their first leader.
    Births {
        /// How many.
        regions: usize,
        /// The first.
        first: Stamp,
        /// The last.
        last: Stamp,
    },
    /// A log tells of pressure, a panic or a clock jump.
    Told {
        /// Whose.
        log: Peer,
        /// What.
        kind: EventKind,
        /// How many lines.
        lines: u64,
        /// The first.
        first: Stamp,
        /// The last.
        last: Stamp,
    },
    /// A PD member leads.
    PdLeads {
        /// Which.
        member: Peer,
        /// Since when.
        at: Stamp,
    },
    /// A PD member was restarted or stopped.
    PdGone {
        /// Which.
        member: Peer,
        /// Whether it was told to stop.
        told_to_stop: bool,
        /// Its last event.
        from: Stamp,
        /// When it came back.
        until: Option<Stamp>,
    },
}

impl Finding {
    /// When it began.
    #[must_use]
    pub fn at(&self) -> Stamp {
        match self {
            Finding::StoreLost(outage) => outage.from,
            Finding::Storm(storm) => storm.first,
            Finding::Evicted(eviction) => eviction.from,
            Finding::Restarted(restart) => restart.stopped,
            Finding::RollingRestart { restarts } => restarts
                .first()
                .map_or(Stamp::utc(0), |restart| restart.stopped),
            Finding::CutOff { candidates, .. } | Finding::NoQuorum { candidates, .. } => candidates
                .iter()
                .map(|one| one.first)
                .min()
                .unwrap_or(Stamp::utc(0)),
            Finding::Flapping(flapping) => flapping.first,
            Finding::Births { first, .. } | Finding::Told { first, .. } => *first,
            Finding::PdLeads { at, .. } => *at,
            Finding::PdGone { from, .. } => *from,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.at())?;
        match self {
            Finding::StoreLost(outage) => {
                write!(
                    f,
                    "store {} {}, seen by {} logs",
                    outage.store, outage.kind, outage.witnesses
                )?;
                back(f, outage.from, outage.until)
            }
            Finding::Storm(storm) => {
                let after = seconds(storm.first, storm.last);
                write!(
                    f,
                    "{} regions elected by timeout within {after}",
                    storm.regions
                )?;
                match (&storm.lost, &storm.outage) {
                    (Some(lost), Some(outage)) => write!(f, ": {lost} was lost ({})", outage.kind),
                    (Some(lost), None) => write!(f, ": {lost} led them before"),
                    (None, _) => f.write_str(": who led before is not known"),
                }
            }
            Finding::Evicted(eviction) => {
                write!(
                    f,
                    "PD took the leaders off store {}: {} moved",
                    eviction.store, eviction.moved
                )?;
                back(f, eviction.from, eviction.until)
            }
            Finding::Restarted(restart) => one_restart(f, restart),
            Finding::RollingRestart { restarts } => {
                let bad: u64 = restarts.iter().map(|restart| restart.timeouts).sum();
                let how = if bad == 0 {
                    "good, every leader was handed over".to_owned()
                } else {
                    format!("bad, {bad} regions had to time out")
                };
                let stores: Vec<String> = restarts
                    .iter()
                    .map(|restart| restart.store.to_string())
                    .collect();
                write!(f, "rolling restart of stores {}: {how}", stores.join(", "))
            }
            Finding::CutOff {
                candidate,
                candidates,
            } => {
                let tries: u32 = candidates.iter().map(|one| one.tries).sum();
                write!(
                    f,
                    "{candidate} is cut off from {} regions: {tries} campaigns in vain, no leader changed",
                    candidates.len()
                )
            }
            Finding::NoQuorum {
                candidate,
                candidates,
            } => {
                let tries: u32 = candidates.iter().map(|one| one.tries).sum();
                write!(
                    f,
                    "{} regions without a leader: {candidate} campaigned {tries} times in vain",
                    candidates.len()
                )
            }
            Finding::Flapping(flapping) => {
                let after = seconds(flapping.first, flapping.last);
                write!(
                    f,
                    "region {} changed its leader {} times within {after}",
                    flapping.region, flapping.elections
                )
            }
            Finding::Births {
                regions,
                first,
                last,
            } => write!(
                f,
                "{regions} regions were born within {}",
                seconds(*first, *last)
            ),
            Finding::Told {
                log,
                kind,
                lines,
                first,
                last,
            } => write!(
                f,
                "{log}: {lines} lines of {kind} within {}",
                seconds(*first, *last)
            ),
            Finding::PdLeads { member, .. } => write!(f, "PD member {member} leads"),
            Finding::PdGone {
                member,
                told_to_stop,
                from,
                until,
            } => {
                write!(
                    f,
                    "PD member {member} {} after this last event",
                    if *told_to_stop {
                        "stopped"
                    } else {
                        "killed or crashed"
                    }
                )?;
                back(f, *from, *until)
            }
        }
    }
}

fn one_restart(f: &mut fmt::Formatter<'_>, restart: &Restart) -> fmt::Result {
    write!(
        f,
        "store {} restarted in {}, {} leaders handed over before",
        restart.store,
        seconds(restart.stopped, restart.started),
        restart.evicted
    )?;
    if restart.is_good() {
        f.write_str(", none timed out")
    } else {
        write!(f, ", {} timed out", restart.timeouts)
    }
}

fn seconds(from: Stamp, until: Stamp) -> String {
    let ms = until.utc_ms - from.utc_ms;
    format!("{}.{} s", ms / 1000, ms.unsigned_abs() % 1000 / 100)
}

fn back(f: &mut fmt::Formatter<'_>, from: Stamp, until: Option<Stamp>) -> fmt::Result {
    match until {
        Some(until) => write!(f, ", until {} later", seconds(from, until)),
        None => f.write_str(", to the end of the logs"),
    }
}

pub(super) fn findings(
    timeline: &Timeline,
    thresholds: &Thresholds,
    hopeless: Vec<Hopeless>,
    pd_leaders: Vec<(Peer, Stamp)>,
    pd_ends: Vec<(Peer, ProcessEnd)>,
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
    let mut by_lost: BTreeMap<Option<Peer>, Vec<(Stamp, u64)>> = BTreeMap::new();
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
fn outage_before(outages: &[Outage], lost: Option<&Peer>, first: Stamp) -> Option<Outage> {
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
    let mut groups: BTreeMap<(Peer, bool), Vec<Hopeless>> = BTreeMap::new();
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
