//! A region: one range of keys and the peers that hold it.

use std::fmt;

use super::{Entity, PeerId, RegionId, StoreId};

/// One region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Its identity.
    pub id: RegionId,
    /// The keys it holds.
    pub range: KeyRange,
    /// Which version of its range and membership this is; absent when the server does not know.
    pub epoch: Option<Epoch>,
    /// Its replicas.
    pub peers: Vec<Peer>,
    /// The peer that leads, if one is known.
    pub leader: Option<Peer>,
    /// Peers that the leader has not heard from.
    pub down_peers: Vec<DownPeer>,
    /// Peers that are still catching up.
    pub pending_peers: Vec<Peer>,
    /// About how much it holds; absent until a leader has reported it.
    pub size_bytes: Option<u64>,
    /// About how many keys it holds; absent until a leader has reported it.
    pub keys: Option<u64>,
    /// What went in and out within its last reporting interval.
    pub flow: RegionFlow,
}

impl Region {
    /// The entity that verdicts about this region name.
    pub fn entity(&self) -> Entity {
        Entity::Region(self.id)
    }
}

/// A range of keys: from `start` up to, and without, `end`. An empty `end` means no upper bound.
///
/// ```
/// use operator_core::KeyRange;
///
/// let range = KeyRange { start: b"a".to_vec(), end: b"m".to_vec() };
/// assert!(range.contains(b"a") && !range.contains(b"m"));
/// assert_eq!(range.to_string(), "[61, 6D)");
/// assert_eq!(KeyRange::ALL.to_string(), "[, )");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyRange {
    /// The first key that belongs to it; empty is the very first.
    pub start: Vec<u8>,
    /// The first key that no longer belongs to it; empty is none.
    pub end: Vec<u8>,
}

impl KeyRange {
    /// Every key there is.
    pub const ALL: Self = Self {
        start: Vec::new(),
        end: Vec::new(),
    };

    /// Whether the range holds this key.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start.as_slice() <= key && (self.end.is_empty() || key < self.end.as_slice())
    }
}

impl fmt::Display for KeyRange {
    /// Keys are bytes: they print as upper-case hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        write_hex(f, &self.start)?;
        f.write_str(", ")?;
        write_hex(f, &self.end)?;
        f.write_str(")")
    }
}

pub(super) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
}

/// Versions of a region: `conf_ver` grows when its peers change, `version` when its range does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch {
    /// Grows with each change of peers.
    pub conf_ver: u64,
    /// Grows with each split and merge.
    pub version: u64,
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Peer {
    /// Its identity.
    pub id: PeerId,
    /// The store it lives on.
    pub store: StoreId,
    /// Whether it votes.
    pub role: PeerRole,
    /// Whether it keeps only the log and no data.
    pub witness: bool,
}

/// Whether and how a peer votes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PeerRole {
    /// It votes.
    Voter,
    /// It follows without a vote.
    Learner,
    /// It votes in the new half of a membership change that is under way.
    IncomingVoter,
    /// It votes in the old half of a membership change that is under way.
    DemotingVoter,
    /// A role this version does not know, kept as it came.
    Unknown(String),
}

impl PeerRole {
    /// Whether it votes now. Of an unknown role nobody can tell.
    pub fn votes(&self) -> Option<bool> {
        match self {
            Self::Voter | Self::IncomingVoter | Self::DemotingVoter => Some(true),
            Self::Learner => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

/// A peer that its leader has not heard from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DownPeer {
    /// The peer.
    pub peer: Peer,
    /// How long the leader has waited for it.
    pub down_seconds: u64,
}

/// What went through a region within its last reporting interval: amounts, not rates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RegionFlow {
    /// Bytes written.
    pub written_bytes: Option<u64>,
    /// Keys written.
    pub written_keys: Option<u64>,
    /// Bytes read.
    pub read_bytes: Option<u64>,
    /// Keys read.
    pub read_keys: Option<u64>,
}
