//! The rules that TiKV is judged by: one struct per rule, its test beneath. They know the domain and the
//! facts, and nothing of how those were read.

mod clock_skew;
mod common;
mod critical_error;
mod death;
mod handbook;
mod high_cpu;
mod high_latency;
mod high_memory;
mod high_read_latency;
mod latency;
mod leaderless_regions;
mod low_disk_space;
mod metrics_incomplete;
mod page;
mod pd_member_unhealthy;
mod pd_no_leader;
mod pd_unreachable;
mod prometheus_unreachable;
mod quota;
mod raft_log_lag;
mod registry;
#[cfg(test)]
mod scene;
mod server_busy;
mod settings;
mod sight;
mod slow_store;
mod store_disconnected;
mod store_down;
mod store_never_reported;
mod store_offline_stuck;
mod store_restarted;
mod tiers;
#[cfg(test)]
mod trial;
mod version_mix;
mod write_pressure;

pub use handbook::handbook;
pub use page::{Knob, Page, Unit};
pub use registry::{pages, standard};
pub use settings::{SettingError, Settings, page};
