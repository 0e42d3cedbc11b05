//! One region, as PD writes it.

use std::borrow::Cow;
use std::fmt;

use operator_core::{
    DownPeer, Entity, Epoch, Gap, KeyRange, Peer, PeerId, PeerRole, Region, RegionFlow, RegionId,
    StoreId, Why,
};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::or_empty;
use crate::pd::units;

const MIB: u64 = 1 << 20;
/// As many peers as a region usually has, so that their list is allocated once.
const USUAL_PEERS: usize = 3;

/// Zeros and empty lists are left out.
#[derive(Deserialize)]
pub(super) struct WireRegion<'a> {
    #[serde(default)]
    id: u64,
    #[serde(borrow, default)]
    start_key: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) end_key: Cow<'a, str>,
    epoch: Option<WireEpoch>,
    #[serde(default, deserialize_with = "peers")]
    peers: Vec<Peer>,
    /// Always there: `{"role_name":""}` when nobody leads.
    #[serde(borrow)]
    leader: Option<WirePeer<'a>>,
    #[serde(default, borrow, deserialize_with = "or_empty")]
    down_peers: Vec<WireDownPeer<'a>>,
    #[serde(default, deserialize_with = "peers")]
    pending_peers: Vec<Peer>,
    written_bytes: Option<u64>,
    written_keys: Option<u64>,
    read_bytes: Option<u64>,
    read_keys: Option<u64>,
    /// MiB.
    #[serde(default)]
    approximate_size: u64,
    #[serde(default)]
    approximate_keys: u64,
}

#[derive(Deserialize)]
struct WireEpoch {
    #[serde(default)]
    conf_ver: u64,
    #[serde(default)]
    version: u64,
}

#[derive(Deserialize)]
struct WirePeer<'a> {
    #[serde(borrow, default)]
    role_name: Cow<'a, str>,
    #[serde(default)]
    id: u64,
    #[serde(default)]
    store_id: u64,
    #[serde(default)]
    is_witness: bool,
}

#[derive(Deserialize)]
struct WireDownPeer<'a> {
    #[serde(borrow)]
    peer: WirePeer<'a>,
    #[serde(default)]
    down_seconds: u64,
}

/// What a region that is not there looks like in some versions: all zeros.
pub(super) fn is_nothing(wire: &WireRegion<'_>) -> bool {
    wire.id == 0 && wire.peers.is_empty()
}

/// A region, or why it is none.
pub(super) fn region(wire: WireRegion<'_>) -> Result<Region, Gap> {
    let entity = Entity::Region(RegionId(wire.id));
    let unusable = |expected: &'static str, found: String| {
        let why = Why::Unusable {
            expected: expected.into(),
            found,
        };
        Gap::new("region", why).about(entity.clone())
    };
    if wire.id == 0 {
        return Err(unusable("an id", "none".into()));
    }
    let key = |hex: &str| {
        units::key(hex).ok_or_else(|| {
            let found = super::beginning(hex.as_bytes());
            unusable("a key in hexadecimal", found)
        })
    };
    // PD knows a size of at least 1 as soon as a leader has reported, and nothing else before that.
    let reported = wire.approximate_size > 0;
    Ok(Region {
        id: RegionId(wire.id),
        range: KeyRange {
            start: key(&wire.start_key)?,
            end: key(&wire.end_key)?,
        },
        epoch: wire.epoch.map(|epoch| Epoch {
            conf_ver: epoch.conf_ver,
            version: epoch.version,
        }),
        peers: wire.peers,
        leader: wire
            .leader
            .filter(|leader| leader.store_id != 0)
            .map(Into::into),
        down_peers: wire.down_peers.into_iter().map(Into::into).collect(),
        pending_peers: wire.pending_peers,
        size_bytes: reported.then(|| wire.approximate_size.saturating_mul(MIB)),
        keys: reported.then_some(wire.approximate_keys),
        flow: RegionFlow {
            written_bytes: wire.written_bytes.filter(|_| reported),
            written_keys: wire.written_keys.filter(|_| reported),
            read_bytes: wire.read_bytes.filter(|_| reported),
            read_keys: wire.read_keys.filter(|_| reported),
        },
    })
}

impl From<WirePeer<'_>> for Peer {
    fn from(wire: WirePeer<'_>) -> Self {
        Self {
            id: PeerId(wire.id),
            store: StoreId(wire.store_id),
            role: match wire.role_name.as_ref() {
                "Voter" => PeerRole::Voter,
                "Learner" => PeerRole::Learner,
                "IncomingVoter" => PeerRole::IncomingVoter,
                "DemotingVoter" => PeerRole::DemotingVoter,
                other => PeerRole::Unknown(other.to_owned()),
            },
            witness: wire.is_witness,
        }
    }
}

impl From<WireDownPeer<'_>> for DownPeer {
    fn from(wire: WireDownPeer<'_>) -> Self {
        Self {
            peer: wire.peer.into(),
            down_seconds: wire.down_seconds,
        }
    }
}

/// Peers, without a list of their wire shapes in between.
fn peers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Peer>, D::Error> {
    struct Peers;

    impl<'de> Visitor<'de> for Peers {
        type Value = Vec<Peer>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of peers")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut peers = Vec::new();
            while let Some(wire) = items.next_element::<WirePeer<'de>>()? {
                if peers.is_empty() {
                    peers.reserve_exact(USUAL_PEERS);
                }
                peers.push(wire.into());
            }
            Ok(peers)
        }
    }

    deserializer.deserialize_any(Peers)
}
