//! What a cluster is made of, in words that every subject shares.
//!
//! Plain values: no behaviour beyond reading them, no wire format, no clock. What a server may leave
//! unsaid is an `Option`; what is measured is a [`Reading`], which also says when and from where.

mod entity;
mod ids;
mod metrics;
mod reading;
mod region;
mod store;

pub use entity::{Entity, Name, ParseEntityError};
pub use ids::{PeerId, RegionId, StoreId};
pub use metrics::{ClusterMetrics, StoreMetrics};
pub use reading::{Cursor, Listing, Measured, Reading, Source};
pub use region::{DownPeer, Epoch, KeyRange, Peer, PeerRole, Region, RegionFlow};
pub use store::{Store, StoreState};
