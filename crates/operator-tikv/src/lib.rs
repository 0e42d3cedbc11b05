//! TiKV as a subject of Operator: read over PD's HTTP API.

mod facts;
mod http;
mod pd;

pub use facts::*;
pub use http::{IdentityFiles, TlsFiles};
pub use pd::*;
