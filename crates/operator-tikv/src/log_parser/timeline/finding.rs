//! What the elections of a cluster come to, in sentences.

use std::fmt;

use super::super::kind::EventKind;
use super::super::stamp::Stamp;
use super::election::Server;
use super::outage::Outage;
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
    pub lost: Option<Server>,
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
    pub candidate: Server,
    /// How often.
    pub tries: u32,
    /// The first campaign.
    pub first: Stamp,
    /// The last.
    pub last: Stamp,
    /// Who led the region meanwhile: then the candidate is cut off, and no leader is missing.
    pub leader: Option<Server>,
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
        candidate: Server,
        /// Its candidates.
        candidates: Vec<Hopeless>,
    },
    /// Regions have no quorum: candidates campaign in vain and nobody leads.
    NoQuorum {
        /// Who tries.
        candidate: Server,
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
        log: Server,
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
        member: Server,
        /// Since when.
        at: Stamp,
    },
    /// A PD member was restarted or stopped.
    PdGone {
        /// Which.
        member: Server,
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
