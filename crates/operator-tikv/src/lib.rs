//! TiKV as a subject of Operator: read over PD's HTTP API.

mod http;
pub mod invariants;
mod pd;
mod subject;

pub use http::{IdentityFiles, TlsFiles};
pub use pd::*;
pub use subject::TikvSubject;
