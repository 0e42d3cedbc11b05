//! One election: everything in any log about one region and one term.

use std::collections::BTreeMap;
use std::fmt;

use super::super::stamp::Stamp;

/// Whose log it is: the store where it is known, and the name that the log was given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// The store; `None` for PD, and where the log does not say.
    pub store: Option<u64>,
    /// The name of the log.
    pub log: std::sync::Arc<str>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.store {
            Some(store) => write!(f, "store {store}"),
            None => write!(f, "{}", self.log),
        }
    }
}

/// Why there was an election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElectionKind {
    /// The first of a region that a split or the bootstrap made.
    Birth,
    /// The leader handed over.
    Transfer,
    /// A follower did not hear from its leader.
    Timeout,
    /// Unsafe recovery.
    Forced,
    /// The logs do not say.
    Unknown,
}

impl fmt::Display for ElectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            ElectionKind::Birth => "birth",
            ElectionKind::Transfer => "transfer",
            ElectionKind::Timeout => "timeout",
            ElectionKind::Forced => "forced",
            ElectionKind::Unknown => "unknown",
        })
    }
}

/// Why a vote was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rejection {
    /// The voter believes the leader alive.
    LeaseNotExpired,
    /// The candidate's log is behind, or the voter has voted.
    LogBehindOrVoted,
    /// A membership change is pending.
    PendingConfChange,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Rejection::LeaseNotExpired => "lease not expired",
            Rejection::LogBehindOrVoted => "log behind or voted already",
            Rejection::PendingConfChange => "pending membership change",
        })
    }
}

/// One election.
#[derive(Clone, Debug)]
pub struct Election {
    /// The region.
    pub region: u64,
    /// The term that it is for.
    pub term: u64,
    /// Why.
    pub kind: ElectionKind,
    /// Who began the last campaign: its log and its raft peer.
    pub starter: Option<(Server, Option<u64>)>,
    /// The first line about it.
    pub first_seen: Stamp,
    /// When the last campaign began.
    pub started: Option<Stamp>,
    /// Campaigns by every peer.
    pub tries: u32,
    /// Who won and when.
    pub leader: Option<(Server, Option<u64>, Stamp)>,
    /// Votes granted, as the voters' logs say.
    pub votes: u32,
    /// Votes not given, by reason.
    pub rejections: BTreeMap<Rejection, u32>,
    /// Who led before: the winner of the last lower term.
    pub previous: Option<Server>,
}

impl Election {
    /// Milliseconds from the start of the campaign that won to its leader.
    ///
    /// `None` where nobody won, the start is in no log, or clocks disagree so far that the
    /// difference says nothing.
    #[must_use]
    pub fn took_ms(&self) -> Option<u64> {
        let ((_, _, won), started) = (self.leader.as_ref()?, self.started?);
        u64::try_from(won.utc_ms - started.utc_ms).ok()
    }
}
