//! The rules that TiKV is judged by: one struct per rule, its test beneath. They know the domain and the
//! facts, and nothing of how those were read.

mod common;
mod death;
mod handbook;
mod high_cpu;
mod high_latency;
mod high_memory;
mod high_read_latency;
mod latency;
mod leaderless_regions;
mod low_disk_space;
mod page;
mod quota;
mod raft_log_lag;
mod registry;
#[cfg(test)]
mod scene;
mod server_busy;
mod settings;
mod slow_store;
mod store_down;
mod tiers;
mod write_pressure;

pub use handbook::handbook;
pub use page::{Knob, Page, Unit};
pub use registry::{pages, standard};
pub use settings::{SettingError, Settings, page};
