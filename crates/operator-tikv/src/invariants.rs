//! The rules that TiKV is judged by: one struct per rule, its test beneath. They know the domain and the
//! facts, and nothing of how those were read.

mod ailing;
mod clock_skew;
mod common;
mod critical_error;
mod death;
mod down_peers;
mod handbook;
mod heat;
mod high_cpu;
mod high_latency;
mod high_memory;
mod high_read_latency;
mod hot_read_region;
mod hot_write_region;
mod latency;
mod leader_imbalance;
mod leaderless_regions;
mod leftover_evict_leader;
mod low_disk_space;
mod metrics_incomplete;
mod page;
mod pd_member_unhealthy;
mod pd_no_leader;
mod pd_unreachable;
mod pending_peers_stuck;
mod prometheus_unreachable;
mod quota;
mod raft_log_lag;
mod regions_without_quorum;
mod registry;
#[cfg(test)]
mod scene;
mod scheduling_halted;
mod server_busy;
mod settings;
mod sight;
mod slow_store;
mod store_disconnected;
mod store_down;
mod store_never_reported;
mod store_offline_stuck;
mod store_restarted;
mod table_key;
mod tiers;
#[cfg(test)]
mod told;
mod under_replicated_regions;
mod version_mix;
mod write_pressure;

pub use handbook::handbook;
pub use page::{Knob, Page, Unit};
pub use registry::{pages, standard};
pub use settings::{SettingError, Settings, page};
