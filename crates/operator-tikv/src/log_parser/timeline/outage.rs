//! Stores that were gone: what their own logs say, and what the others' say of them.

use std::fmt;

use super::super::stamp::Stamp;
use super::log::{Log, Report};

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
    /// Which ones, by their place.
    by: Vec<usize>,
}

impl Outage {
    fn new(
        store: u64,
        kind: OutageKind,
        from: Stamp,
        until: Option<Stamp>,
        by: Vec<usize>,
    ) -> Self {
        Outage {
            store,
            kind,
            from,
            until,
            witnesses: by.len(),
            by,
        }
    }

    /// Whether the store was gone then, or had just come back.
    fn covers(&self, at: Stamp) -> bool {
        self.from.utc_ms <= at.utc_ms + LATE_MS
            && self
                .until
                .is_none_or(|until| at.utc_ms <= until.utc_ms + LATE_MS)
    }
}

/// Every outage that the logs show.
pub(super) fn outages(logs: &[Log], reports: &[Report]) -> Vec<Outage> {
    let mut reports: Vec<Report> = reports.to_vec();
    reports.sort_by_key(|report| (report.store, report.at));
    let ended = logs.iter().flat_map(|log| ends_of(log, &reports)).collect();
    let mut found = with_reported(logs, &reports, ended);
    found.sort_by_key(|outage| (outage.from, outage.store));
    found
}

/// The outages that a store's own log shows: its process ended and began again, or was told to.
fn ends_of<'a>(log: &'a Log, reports: &'a [Report]) -> impl Iterator<Item = Outage> + 'a {
    let told = log
        .ends
        .iter()
        .filter(|end| end.restarted.is_some() || end.told_to_stop.is_some());
    told.filter_map(move |end| {
        let store = log.store?;
        let until = end.restarted.map_or(i64::MAX, |at| at.utc_ms);
        let near = |report: &&Report| {
            report.store == store
                && report.at.utc_ms >= end.last.utc_ms - 1_000
                && report.at.utc_ms <= until
        };
        let near: Vec<Report> = reports.iter().filter(near).copied().collect();
        // Of one that was told to stop its own log knows best, of one that died the others'.
        let (kind, from) = if let Some(stop) = end.told_to_stop {
            (OutageKind::Stopped, stop)
        } else {
            (
                OutageKind::Killed,
                near.first().map_or(end.last, |report| report.at),
            )
        };
        Some(Outage::new(
            store,
            kind,
            from,
            end.restarted,
            witnesses(&near),
        ))
    })
}

/// Adds the outages that only the other stores' logs show.
fn with_reported(logs: &[Log], reports: &[Report], mut found: Vec<Outage>) -> Vec<Outage> {
    let reported: Vec<Outage> = losses(reports)
        .filter_map(|group| {
            let first = group.first()?;
            let known = found
                .iter()
                .any(|outage| outage.store == first.store && outage.covers(first.at));
            (!known).then(|| from_reports(logs, first, group))
        })
        .collect();
    found.extend(reported);
    // Who is itself gone, stopping or thawing reports everybody else: that is no news.
    let believed = |outage: &Outage| {
        let own = |by: &usize| {
            let gone = |other: &Outage| {
                Some(other.store) == logs[*by].store
                    && other.covers(outage.from)
                    && (matches!(other.kind, OutageKind::Killed | OutageKind::Stopped)
                        || other.by.len() > outage.by.len())
            };
            found.iter().any(gone)
        };
        matches!(outage.kind, OutageKind::Killed | OutageKind::Stopped)
            || !outage.by.iter().all(own)
    };
    let kept: Vec<bool> = found.iter().map(believed).collect();
    let mut kept = kept.into_iter();
    found.retain(|_| kept.next().unwrap_or(true));
    found
}

fn from_reports(logs: &[Log], first: &Report, group: &[Report]) -> Outage {
    let own = logs.iter().find(|log| log.store == Some(first.store));
    let (kind, until) = match own {
        None => (OutageKind::Unknown, None),
        Some(log) => match log.trouble_near(first.at) {
            Some(until) => (OutageKind::CutOff, Some(until)),
            None => {
                let heard = log.heard_again(first.at);
                let died = heard.is_none() && group.iter().any(|report| report.died == Some(true));
                (
                    if died {
                        OutageKind::Killed
                    } else {
                        OutageKind::Hung
                    },
                    heard,
                )
            }
        },
    };
    Outage::new(first.store, kind, first.at, until, witnesses(group))
}

fn witnesses(reports: &[Report]) -> Vec<usize> {
    let mut by: Vec<usize> = reports.iter().map(|report| report.by).collect();
    by.sort_unstable();
    by.dedup();
    by
}

/// Sorted reports in groups, each about one loss of one store.
fn losses(reports: &[Report]) -> impl Iterator<Item = &[Report]> {
    reports.chunk_by(|a, b| a.store == b.store && b.at.utc_ms - a.at.utc_ms <= SAME_LOSS_MS)
}
