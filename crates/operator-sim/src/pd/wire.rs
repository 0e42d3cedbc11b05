//! The two objects that PD sends in numbers: stores and regions. Their fields are in PD's order.

use serde::Serialize;
use serde_json::Value;

fn not(flag: &bool) -> bool {
    !flag
}

fn zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Serialize)]
pub(super) struct Store {
    pub(super) store: Meta,
    pub(super) status: Status,
}

#[derive(Serialize)]
pub(super) struct Meta {
    pub(super) id: u64,
    pub(super) address: String,
    #[serde(skip_serializing_if = "zero")]
    pub(super) state: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) labels: Vec<Label>,
    pub(super) version: String,
    pub(super) peer_address: String,
    pub(super) status_address: String,
    pub(super) git_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) start_timestamp: Option<i64>,
    pub(super) deploy_path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_heartbeat: Option<i64>,
    #[serde(skip_serializing_if = "not")]
    pub(super) physically_destroyed: bool,
    #[serde(skip_serializing_if = "zero")]
    pub(super) node_state: u64,
    pub(super) state_name: &'static str,
}

#[derive(Serialize, Clone)]
pub(super) struct Label {
    pub(super) key: &'static str,
    pub(super) value: String,
}

#[derive(Serialize)]
pub(super) struct Status {
    pub(super) capacity: String,
    pub(super) available: String,
    pub(super) used_size: String,
    pub(super) leader_count: u64,
    pub(super) leader_weight: Value,
    pub(super) leader_score: Value,
    pub(super) leader_size: u64,
    pub(super) region_count: u64,
    pub(super) region_weight: Value,
    pub(super) region_score: Value,
    pub(super) region_size: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) learner_count: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) witness_count: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) pending_peer_count: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) slow_score: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slow_trend: Option<SlowTrend>,
    #[serde(skip_serializing_if = "zero")]
    pub(super) sending_snap_count: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) receiving_snap_count: u64,
    #[serde(skip_serializing_if = "not")]
    pub(super) is_busy: bool,
    pub(super) start_ts: String,
    pub(super) last_heartbeat_ts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uptime: Option<String>,
}

#[derive(Serialize)]
pub(super) struct SlowTrend {
    pub(super) cause_value: Value,
    pub(super) cause_rate: Value,
    pub(super) result_value: Value,
    pub(super) result_rate: Value,
}

#[derive(Serialize)]
pub(super) struct Region {
    pub(super) id: u64,
    pub(super) start_key: String,
    pub(super) end_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epoch: Option<Epoch>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) peers: Vec<Peer>,
    pub(super) leader: Peer,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) down_peers: Vec<DownPeer>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) pending_peers: Vec<Peer>,
    pub(super) cpu_usage: u64,
    pub(super) written_bytes: u64,
    pub(super) read_bytes: u64,
    pub(super) written_keys: u64,
    pub(super) read_keys: u64,
    pub(super) approximate_size: u64,
    pub(super) approximate_keys: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approximate_kv_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) approximate_columnar_kv_size: Option<u64>,
}

#[derive(Serialize)]
pub(super) struct Epoch {
    pub(super) conf_ver: u32,
    pub(super) version: u32,
}

/// A peer; with nothing but its role's name where there is none.
#[derive(Serialize, Clone, Default)]
pub(super) struct Peer {
    pub(super) role_name: &'static str,
    #[serde(skip_serializing_if = "not")]
    pub(super) is_learner: bool,
    #[serde(skip_serializing_if = "zero")]
    pub(super) id: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) store_id: u64,
    #[serde(skip_serializing_if = "zero")]
    pub(super) role: u64,
    #[serde(skip_serializing_if = "not")]
    pub(super) is_witness: bool,
}

#[derive(Serialize)]
pub(super) struct DownPeer {
    pub(super) peer: Peer,
    #[serde(skip_serializing_if = "zero")]
    pub(super) down_seconds: u64,
}

#[derive(Serialize)]
pub(super) struct RegionList {
    pub(super) count: usize,
    pub(super) regions: Vec<Region>,
}
