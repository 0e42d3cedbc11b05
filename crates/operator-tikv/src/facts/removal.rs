//! Stores on their way out, and regions that may have lost their quorum.

use operator_core::{Listing, Region, StoreId, Timestamp};

use super::MoveProgress;

/// The stores that are being removed, and how far that has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Removals {
    /// Each of them; a bounded number, the first by id.
    pub list: Listing<Removal>,
}

/// A store that is being removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Removal {
    /// The store.
    pub store: StoreId,
    /// How far it has come; absent where PD keeps no account of it.
    pub progress: Option<MoveProgress>,
    /// What holds its regions where they are, looked at while none of them moves.
    pub held: Option<Held>,
}

/// Of the regions on a store that do not move away, those that cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// So many were looked at.
    pub looked_at: u64,
    /// So many of those have no leader: nobody could move them.
    pub leaderless: u64,
    /// So many have a peer that is down or behind: PD moves nothing of a region until that is mended.
    pub ailing: u64,
    /// When that was.
    pub at: Timestamp,
}

/// Regions on the stores that show no sign of life, where there are two or more such stores. With fewer no
/// quorum can be lost, and nothing is read.
#[derive(Debug, Clone, PartialEq)]
pub struct SilentRegions {
    /// The stores that PD has not heard from.
    pub silent: Vec<StoreId>,
    /// Regions that have a peer on one of them, each once. A `next` says that there are more.
    pub regions: Listing<Region>,
    /// When they were read.
    pub read_at: Timestamp,
}
