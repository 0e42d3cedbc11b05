//! Who led, from when until when.

use super::super::stamp::Stamp;
use super::election::Server;

/// How a leadership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReignEnd {
    /// It followed a higher term: a transfer, or another's election.
    Followed,
    /// It lost its quorum.
    SteppedDown,
    /// Its process died without a word.
    Died,
    /// Its process was stopped.
    Stopped,
    /// It was out of reach, and others elected.
    OutOfReach,
    /// The region has another leader; its own log does not say how it ended.
    Replaced,
}

/// A leadership.
#[derive(Clone, Debug)]
pub struct Reign {
    /// The region.
    pub region: u64,
    /// Its term.
    pub term: u64,
    /// Whose.
    pub leader: Server,
    /// The raft peer.
    pub peer: Option<u64>,
    /// When it was won.
    pub from: Stamp,
    /// When it ended; `None` where it had not when the logs end.
    pub until: Option<Stamp>,
    /// How it ended.
    pub end: Option<ReignEnd>,
    /// The store stopped observing the region then, and did not begin again.
    pub(super) released: Option<Stamp>,
    /// Its place among the logs.
    pub(super) log: usize,
}

impl Reign {
    pub(super) fn close(&mut self, at: Stamp, end: ReignEnd) {
        if self.until.is_none() {
            self.until = Some(at.max(self.from));
            self.end = Some(end);
        }
    }
}

/// Ends what the leaders' own logs left open: a later term elsewhere ends an earlier one.
pub(super) fn close_open(reigns: &mut [Reign]) {
    reigns.sort_by_key(|reign| (reign.term, reign.from));
    for index in 1..reigns.len() {
        let next = reigns[index].from;
        let before = &mut reigns[index - 1];
        if before.until.is_none() {
            let at = before.released.map_or(next, |released| released.min(next));
            before.close(at, ReignEnd::Replaced);
        } else if before.until > Some(next)
            && matches!(
                before.end,
                Some(ReignEnd::Followed | ReignEnd::Stopped | ReignEnd::Died)
            )
        {
            // The old leader noticed late: the region's leader was the new one from its election.
            before.until = Some(next.max(before.from));
        }
    }
    if let Some(last) = reigns.last_mut()
        && last.until.is_none()
        && let Some(released) = last.released
    {
        last.close(released, ReignEnd::Followed);
    }
}
