//! The rules that TiKV is judged by: one struct per rule, its test beneath. They know the domain and the
//! facts, and nothing of how those were read.

mod clock_skew;
mod common;
mod critical_error;
mod death;
mod handbook;
mod metrics_incomplete;
mod page;
mod pd_member_unhealthy;
mod pd_no_leader;
mod pd_unreachable;
mod prometheus_unreachable;
mod registry;
mod settings;
mod sight;
mod store_disconnected;
mod store_down;
mod store_never_reported;
mod store_offline_stuck;
mod store_restarted;
#[cfg(test)]
mod trial;
mod version_mix;

pub use handbook::handbook;
pub use page::{Knob, Page, Unit};
pub use registry::{pages, standard};
pub use settings::{SettingError, Settings, page};
