//! Stores that were gone: what their own logs say, and what the others' say of them.

use std::fmt;

use super::super::stamp::Stamp;
use super::builder::{Log, Report};

/// Reports about a store this close together are about one loss.
const SAME_LOSS_MS: i64 = 60_000;

/// A process that dies is reported within milliseconds, one that hangs after ten seconds; lines
/// are written late under load.
const LATE_MS: i64 = 15_000;

/// How a store was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutageKind {
    /// Its process ended without being told to: killed, or crashed.
    Killed,
    /// Its process was stopped.
    Stopped,
    /// Its process lived and wrote that it lost its quorum, or campaigned in vain.
    CutOff,
    /// It was not reached and wrote nothing: it hung, or was cut off while idle.
    Hung,
    /// It was not reached; its own log is not there to say why.
    Unknown,
}

impl fmt::Display for OutageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            OutageKind::Killed => "killed or crashed",
            OutageKind::Stopped => "stopped",
            OutageKind::CutOff => "cut off",
            OutageKind::Hung => "hung or out of reach",
            OutageKind::Unknown => "out of reach",
        })
    }
}

/// A store that was gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The store.
    pub store: u64,
    /// How.
    pub kind: OutageKind,
    /// From when, as the first witness says.
    pub from: Stamp,
    /// Until it started again or was heard of again; `None` where no log says so.
    pub until: Option<Stamp>,
    /// The logs that reported it.
    pub witnesses: usize,
}

/// Every outage that the logs show.
pub(super) fn outages(logs: &[Log], reports: &[Report]) -> Vec<Outage> {
    let mut reports: Vec<Report> = reports.to_vec();
    reports.sort_by_key(|report| (report.store, report.at));
    let mut found = Vec::new();
    for log in logs {
        let Some(store) = log.store else { continue };
        for end in &log.ends {
            let near = |report: &&Report| {
                let until = end.restarted.map_or(i64::MAX, |at| at.utc_ms);
                report.store == store
                    && report.at.utc_ms >= end.last.utc_ms - 1_000
                    && report.at.utc_ms <= until
            };
            let told: Vec<&Report> = reports.iter().filter(near).collect();
            if end.restarted.is_none() && !end.told_to_stop {
                continue;
            }
            let from = match (end.told_to_stop, told.first()) {
                (false, Some(first)) => first.at,
                _ => end.last,
            };
            let kind = if end.told_to_stop {
                OutageKind::Stopped
            } else {
                OutageKind::Killed
            };
            found.push(Outage {
                store,
                kind,
                from,
                until: end.restarted,
                witnesses: witnesses(told.iter().copied()),
            });
        }
    }
    let by_process = found.len();
    for group in losses(&reports) {
        let Some(first) = group.first() else { continue };
        let covered = found[..by_process].iter().any(|outage| {
            let until = outage.until.map_or(i64::MAX, |at| at.utc_ms + LATE_MS);
            outage.store == first.store
                && first.at.utc_ms >= outage.from.utc_ms - LATE_MS
                && first.at.utc_ms <= until
        });
        // A store that is itself going or gone reports everybody as lost.
        let reporter_left = group
            .iter()
            .all(|report| logs[report.by].was_leaving(report.at));
        if !covered && !reporter_left {
            found.push(from_reports(logs, group));
        }
    }
    found.sort_by_key(|outage| (outage.from, outage.store));
    found
}

fn from_reports(logs: &[Log], group: &[Report]) -> Outage {
    let (store, from) = (group[0].store, group[0].at);
    let own = logs.iter().find(|log| log.store == Some(store));
    let kind = match own {
        None => OutageKind::Unknown,
        Some(log) if log.lost_quorum_near(from) => OutageKind::CutOff,
        Some(_) => OutageKind::Hung,
    };
    Outage {
        store,
        kind,
        from,
        until: own.and_then(|log| log.heard_again(from)),
        witnesses: witnesses(group.iter()),
    }
}

fn witnesses<'a>(reports: impl Iterator<Item = &'a Report>) -> usize {
    let mut by: Vec<usize> = reports.map(|report| report.by).collect();
    by.sort_unstable();
    by.dedup();
    by.len()
}

/// Sorted reports in groups, each about one loss of one store.
fn losses(reports: &[Report]) -> impl Iterator<Item = &[Report]> {
    reports.chunk_by(|a, b| a.store == b.store && b.at.utc_ms - a.at.utc_ms <= SAME_LOSS_MS)
}
