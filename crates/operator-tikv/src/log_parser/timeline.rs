//! What happened to the leaders of a cluster, told from its logs.
//!
//! Give [`TimelineBuilder`] the events of every log that there is, one log after the other or
//! mixed; then ask the [`Timeline`] for elections, for who led when, and for what it comes to:
//! stores lost, storms, restarts, candidates without hope. Within a log the order of its lines
//! counts, between logs the order of terms: clocks and late writers make a vote precede its
//! candidate. What the logs do not show is said in [`Timeline::missing`], never made up.
//!
//! Memory grows with elections and changes of leader, and by some bytes for every ten seconds in
//! which a log says something; never with lines.

mod builder;
mod election;
mod finding;
mod findings;
mod finish;
mod log;
mod outage;
mod reign;
mod restart;

use std::collections::BTreeMap;

pub use builder::{LogId, TimelineBuilder};
pub use election::{Election, ElectionKind, Rejection, Server};
pub use finding::{Finding, Flapping, Hopeless, Storm, Thresholds};
pub use outage::{Outage, OutageKind};
pub use reign::{Reign, ReignEnd};
pub use restart::{Eviction, Restart};

use super::kind::EventKind;
use super::stamp::Stamp;

/// A leader seen by PD on another store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PdMove {
    /// The region.
    pub region: u64,
    /// The store that led.
    pub from: Option<u64>,
    /// The store that leads.
    pub to: Option<u64>,
    /// When PD wrote it: some milliseconds off the stores' own lines, in either direction.
    pub at: Option<Stamp>,
}

/// How often something was said in a log, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// Lines.
    pub lines: u64,
    /// The first.
    pub first: Option<Stamp>,
    /// The last.
    pub last: Option<Stamp>,
}

/// What the logs do not show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// No log of this store was given; what it led and tried is known from others only.
    StoreLog(u64),
    /// A log does not say which store it is of; its lines carry its name.
    StoreId(String),
    /// PD's log was not given: its orders and evictions cannot be told.
    PdLog,
    /// Elections whose start is in no log: who began them and how long they took is not known.
    Starts(u64),
    /// Regions whose leader before their first election here is in no log.
    FirstLeaders(u64),
    /// Events without a time or zone, which no timeline can hold.
    Times(u64),
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Missing::StoreLog(store) => write!(f, "no log of store {store} was given"),
            Missing::StoreId(name) => write!(f, "the log {name} does not say which store it is of"),
            Missing::PdLog => f.write_str("no log of PD was given"),
            Missing::Starts(n) => write!(f, "{n} elections have no line about their start"),
            Missing::FirstLeaders(n) => {
                write!(f, "{n} regions had a leader before that is in no log")
            }
            Missing::Times(n) => write!(f, "{n} events have no time"),
        }
    }
}

/// The elections of a cluster and what they come to.
#[derive(Clone, Debug)]
pub struct Timeline {
    pub(super) elections: Vec<Election>,
    pub(super) reigns: BTreeMap<u64, Vec<Reign>>,
    pub(super) pd_moves: Vec<PdMove>,
    pub(super) told: BTreeMap<(Server, EventKind), Told>,
    pub(super) outages: Vec<Outage>,
    pub(super) restarts: Vec<Restart>,
    pub(super) evictions: Vec<Eviction>,
    pub(super) findings: Vec<Finding>,
    pub(super) missing: Vec<Missing>,
}

impl Timeline {
    /// Every election by region and term.
    #[must_use]
    pub fn elections(&self) -> &[Election] {
        &self.elections
    }

    /// The elections of a region in the order of their terms.
    pub fn elections_of(&self, region: u64) -> impl Iterator<Item = &Election> {
        self.elections
            .iter()
            .filter(move |election| election.region == region)
    }

    /// The regions that had a leader in these logs.
    pub fn regions(&self) -> impl Iterator<Item = u64> {
        self.reigns.keys().copied()
    }

    /// Who led a region and when, in the order of terms.
    #[must_use]
    pub fn reigns_of(&self, region: u64) -> &[Reign] {
        self.reigns.get(&region).map_or(&[], Vec::as_slice)
    }

    /// The stretches in which a region had no leader between two that it had: from, until.
    pub fn gaps_of(&self, region: u64) -> impl Iterator<Item = (Stamp, Stamp)> {
        let reigns = self.reigns_of(region);
        reigns
            .iter()
            .zip(reigns.iter().skip(1))
            .filter_map(|(before, after)| {
                let from = before.until?;
                (from < after.from).then_some((from, after.from))
            })
    }

    /// Who led a region at a moment; `None` in a gap, and before what the logs show.
    #[must_use]
    pub fn leader_at(&self, region: u64, at: Stamp) -> Option<&Reign> {
        let reigns = self.reigns_of(region);
        reigns
            .iter()
            .rev()
            .find(|reign| reign.from <= at && reign.until.is_none_or(|until| at < until))
    }

    /// The moves of leaders as PD saw them.
    #[must_use]
    pub fn pd_moves(&self) -> &[PdMove] {
        &self.pd_moves
    }

    /// How often each log told of pressure, panics and clock jumps.
    pub fn told(&self) -> impl Iterator<Item = (&Server, EventKind, &Told)> {
        self.told
            .iter()
            .map(|((log, kind), told)| (log, *kind, told))
    }

    /// The stores that were gone, in order.
    #[must_use]
    pub fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// The stores that were stopped and started in good order.
    #[must_use]
    pub fn restarts(&self) -> &[Restart] {
        &self.restarts
    }

    /// The stores from which PD took the leaders.
    #[must_use]
    pub fn evictions(&self) -> &[Eviction] {
        &self.evictions
    }

    /// What it comes to, in the order of time.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What the logs do not show.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }
}
