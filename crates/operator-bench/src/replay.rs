//! Plays a recording of a real cluster: what PD and Prometheus said then, at the time they said it.
//!
//! A recording is a folder: what every member of PD answered, polled every two seconds; a block of
//! Prometheus' own storage; and the servers' logs. PD is played from its answers, on free ports of
//! loopback. Prometheus is a real one over a copy of the block, behind a proxy that makes the moment
//! played its now. So the client, the subject, the rules and the engine are what they always are, and
//! only the clock is held by hand: minutes pass as fast as questions are answered.
//!
//! Nothing here knows what was done to the cluster.

mod archive;
mod asked;
mod book;
mod derived;
mod door;
mod driver;
mod http;
mod members;
mod prometheus;
mod proxy;
mod recording;
mod story;

pub use archive::unpack;
pub use asked::{Asked, Tally};
pub use book::{Answer, Book};
pub use driver::{Looks, Player, Sources};
pub use prometheus::{Prometheus, StartError, is_installed};
pub use recording::{Recording, RecordingError};
pub use story::{Moment, Story};
