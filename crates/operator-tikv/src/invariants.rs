//! The rules that TiKV is judged by: one struct per rule, its test beneath. They know the domain and the
//! facts, and nothing of how those were read.

mod common;
mod death;
mod handbook;
mod page;
mod registry;
mod settings;
mod store_down;

pub use handbook::handbook;
pub use page::{Knob, Page, Unit};
pub use registry::{pages, standard};
pub use settings::{SettingError, Settings, page};
