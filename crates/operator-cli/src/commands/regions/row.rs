//! One region, in a row.

use operator_core::{Cursor, Peer, PeerRole, Region};
use serde::Serialize;

use crate::text::{Align, Cell, Table, Tone, column};
use crate::units;

/// One region. Keys are upper-case hexadecimal; what goes in and out is that of one reporting interval.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) id: u64,
    pub(super) start_key: String,
    pub(super) end_key: String,
    pub(super) conf_ver: Option<u64>,
    pub(super) version: Option<u64>,
    pub(super) leader: Option<PeerForm>,
    pub(super) peers: Vec<PeerForm>,
    pub(super) size_bytes: Option<u64>,
    pub(super) keys: Option<u64>,
    pub(super) written_bytes: Option<u64>,
    pub(super) written_keys: Option<u64>,
    pub(super) read_bytes: Option<u64>,
    pub(super) read_keys: Option<u64>,
}

/// One peer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PeerForm {
    pub(super) id: u64,
    pub(super) store: u64,
    pub(super) role: String,
    pub(super) witness: bool,
    pub(super) pending: bool,
    pub(super) down_seconds: Option<u64>,
}

impl Row {
    pub(super) fn of(region: &Region) -> Self {
        let peer = |peer: &Peer| PeerForm::of(peer, region);
        Self {
            id: region.id.0,
            start_key: Cursor::new(region.range.start.clone()).to_string(),
            end_key: Cursor::new(region.range.end.clone()).to_string(),
            conf_ver: region.epoch.map(|epoch| epoch.conf_ver),
            version: region.epoch.map(|epoch| epoch.version),
            leader: region.leader.as_ref().map(peer),
            peers: region.peers.iter().map(peer).collect(),
            size_bytes: region.size_bytes,
            keys: region.keys,
            written_bytes: region.flow.written_bytes,
            written_keys: region.flow.written_keys,
            read_bytes: region.flow.read_bytes,
            read_keys: region.flow.read_keys,
        }
    }

    /// The stores of its peers, with a mark for those that do badly.
    fn stores(&self) -> String {
        let stores = self.peers.iter().map(|peer| {
            let mark = match (peer.down_seconds, peer.pending) {
                (Some(_), _) => "!",
                (None, true) => "~",
                (None, false) => "",
            };
            format!("{}{mark}", peer.store)
        });
        stores.collect::<Vec<_>>().join(",")
    }
}

impl PeerForm {
    fn of(peer: &Peer, region: &Region) -> Self {
        let down = region
            .down_peers
            .iter()
            .find(|down| down.peer.id == peer.id);
        Self {
            id: peer.id.0,
            store: peer.store.0,
            role: match &peer.role {
                PeerRole::Voter => "voter".to_owned(),
                PeerRole::Learner => "learner".to_owned(),
                PeerRole::IncomingVoter => "incoming_voter".to_owned(),
                PeerRole::DemotingVoter => "demoting_voter".to_owned(),
                PeerRole::Unknown(word) => word.clone(),
            },
            witness: peer.witness,
            pending: region.pending_peers.iter().any(|other| other.id == peer.id),
            down_seconds: down.map(|down| down.down_seconds),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is for sorting")]
fn size(bytes: Option<u64>) -> Cell {
    bytes.map_or_else(
        || Cell::none("?"),
        |bytes| Cell::number(bytes as f64, units::bytes(bytes)),
    )
}

/// The columns of a list of regions.
pub(super) fn table() -> Table<Row> {
    use Align::{Left, Right};
    Table::new([
        column("id", Right, 0, |row: &Row| Cell::count(row.id)),
        column("leader", Right, 0, |row| match &row.leader {
            Some(leader) => Cell::count(leader.store),
            None => Cell::none("none").tone(Tone::Bad),
        }),
        column("stores", Left, 0, |row| Cell::text(row.stores())),
        column("size", Right, 1, |row| size(row.size_bytes)),
        column("keys", Right, 2, |row| {
            row.keys.map_or_else(|| Cell::none("?"), Cell::count)
        }),
        column("written", Right, 3, |row| size(row.written_bytes)),
        column("read", Right, 3, |row| size(row.read_bytes)),
        column("start", Left, 4, |row| Cell::text(&row.start_key)),
        column("end", Left, 5, |row| Cell::text(&row.end_key)),
    ])
}
