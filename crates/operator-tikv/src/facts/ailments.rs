//! How many regions ail.

use operator_core::Reading;

/// How many regions ail, by ailment. Regions are counted ten minutes after a peer went down: PD learns of
/// it from their leaders, and those wait so long.
#[derive(Debug, Clone, PartialEq)]
pub struct Ailments {
    /// Regions that want a peer.
    pub missing_peer: Reading<HowMany>,
    /// Regions with a peer that their leader has not heard from.
    pub down_peer: Reading<HowMany>,
    /// Regions with a peer that is catching up.
    pub pending_peer: Reading<HowMany>,
}

/// A count, which may be a part of a larger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HowMany {
    /// So many were counted.
    pub counted: u64,
    /// Whether there are no more.
    pub exactly: bool,
}
