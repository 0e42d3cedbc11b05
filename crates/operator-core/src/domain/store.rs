//! A store, as the cluster's own control plane describes it.

use std::collections::BTreeMap;
use std::fmt;

use super::{Entity, StoreId};
use crate::Timestamp;

/// One store.
///
/// Only the id and the address are always there; everything that a server may leave unsaid is an
/// `Option`, and a subject that left a field out because it could not be trusted adds a
/// [`Gap`](crate::Gap) about the store to its [`Listing`](crate::Listing).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its identity, unique in the cluster and never used again.
    pub id: StoreId,
    /// Where clients and other stores reach it, as `HOST:PORT`.
    pub address: String,
    /// Where its status server answers, as `HOST:PORT`.
    pub status_address: Option<String>,
    /// What the control plane thinks of it.
    pub state: Option<StoreState>,
    /// The version it runs, without a leading `v`.
    pub version: Option<String>,
    /// Where it stands: zone, rack, host, engine.
    pub labels: BTreeMap<String, String>,
    /// How much it could hold.
    pub capacity_bytes: Option<u64>,
    /// How much it can still take.
    pub available_bytes: Option<u64>,
    /// Regions it leads.
    pub leader_count: Option<u64>,
    /// How many leaders it is meant to have beside the other stores, in thousandths: 1000 is an ordinary
    /// store's share, with 0 it is meant to lead nothing.
    pub leader_weight_permille: Option<u64>,
    /// Peers it holds, leaders among them.
    pub region_count: Option<u64>,
    /// When it last reported to the control plane.
    pub last_heartbeat: Option<Timestamp>,
    /// When its process started.
    pub started_at: Option<Timestamp>,
    /// How slow it finds itself: 1 is well, 100 is worst.
    pub slow_score: Option<u64>,
    /// Whether it says that it is busy.
    pub busy: Option<bool>,
}

impl Store {
    /// A store of which nothing but its identity and address is known.
    pub fn new(id: StoreId, address: impl Into<String>) -> Self {
        Self {
            id,
            address: address.into(),
            status_address: None,
            state: None,
            version: None,
            labels: BTreeMap::new(),
            capacity_bytes: None,
            available_bytes: None,
            leader_count: None,
            leader_weight_permille: None,
            region_count: None,
            last_heartbeat: None,
            started_at: None,
            slow_score: None,
            busy: None,
        }
    }

    /// The entity that verdicts about this store name.
    pub fn entity(&self) -> Entity {
        Entity::Store(self.id)
    }
}

/// What the control plane thinks of a store. The words are PD's; another subject takes those that fit, and
/// leaves the state out where its control plane has no opinion. Whether a store answers those who measure
/// it is [`StoreMetrics::up`](crate::StoreMetrics::up).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum StoreState {
    /// Reporting, and part of the cluster.
    Up,
    /// Silent for some seconds.
    Disconnected,
    /// Silent for so long that its replicas are made anew elsewhere.
    Down,
    /// Being removed: it still serves while its data moves away. It says nothing about liveness.
    Offline,
    /// Removed.
    Tombstone,
    /// A word this version does not know, kept as it came.
    Unknown(String),
}

impl StoreState {
    /// The state that a control plane's word names.
    pub fn from_word(word: &str) -> Self {
        match word {
            "Up" => Self::Up,
            "Disconnected" => Self::Disconnected,
            "Down" => Self::Down,
            "Offline" => Self::Offline,
            "Tombstone" => Self::Tombstone,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

impl fmt::Display for StoreState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Up => "Up",
            Self::Disconnected => "Disconnected",
            Self::Down => "Down",
            Self::Offline => "Offline",
            Self::Tombstone => "Tombstone",
            Self::Unknown(word) => word,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_prints_as_the_word_it_came_from() {
        for word in [
            "Up",
            "Disconnected",
            "Down",
            "Offline",
            "Tombstone",
            "Serving?",
        ] {
            assert_eq!(StoreState::from_word(word).to_string(), word);
        }
        assert_eq!(
            StoreState::from_word("up"),
            StoreState::Unknown("up".into())
        );
    }
}
