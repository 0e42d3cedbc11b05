//! TiKV as a subject of Operator: read over the HTTP APIs of PD and Prometheus, and from the logs.

mod facts;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
pub mod invariants;
pub mod log_parser;
mod pd;
mod prom;
mod subject;

pub use facts::*;
pub use http::{IdentityFiles, TlsFiles};
pub use pd::*;
pub use prom::*;
pub use subject::{TikvBuilder, TikvSubject};
