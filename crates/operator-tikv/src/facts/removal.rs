//! Stores on their way out, and regions that may have lost their quorum.

use operator_core::{Listing, Region, StoreId};

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
}

/// Regions on the stores that show no sign of life, where there are two or more such stores. With fewer no
/// quorum can be lost, and nothing is read.
#[derive(Debug, Clone, PartialEq)]
pub struct SilentRegions {
    /// The stores that PD has not heard from.
    pub silent: Vec<StoreId>,
    /// Regions that have a peer on one of them, each once. A `next` says that there are more.
    pub regions: Listing<Region>,
}
