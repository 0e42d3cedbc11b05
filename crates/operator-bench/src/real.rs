//! Real servers, where their programs are at hand: found, started on loopback addresses of their own, and
//! ended by their own ids.

mod address;
mod load;
mod pd;
mod plain;
mod program;
mod server;

pub use address::loopback;
pub use load::Load;
pub use pd::{PdFiles, PdMembers};
pub use plain::{Said, ask};
pub use program::find;
pub use server::{Server, eventually};
