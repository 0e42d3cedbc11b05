//! TiKV as a subject of Operator: read over PD's HTTP API, and from the logs.

mod facts;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
pub mod invariants;
pub mod log_parser;
mod pd;
mod subject;

pub use facts::*;
pub use http::{IdentityFiles, TlsFiles};
pub use pd::*;
pub use subject::TikvSubject;
