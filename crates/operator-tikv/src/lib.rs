//! TiKV as a subject of Operator: read over PD's HTTP API.

mod facts;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
pub mod invariants;
mod pd;
mod subject;

pub use facts::*;
pub use http::{IdentityFiles, TlsFiles};
pub use pd::*;
pub use subject::TikvSubject;
