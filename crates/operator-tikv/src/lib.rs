//! TiKV as a subject of Operator: read over PD's HTTP API.

mod http;
mod pd;

pub use http::{IdentityFiles, TlsFiles};
pub use pd::*;
