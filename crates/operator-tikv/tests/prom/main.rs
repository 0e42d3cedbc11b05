//! The Prometheus client against answers of every form, servers that lie, and a real server.

mod cluster;
#[path = "../common/mod.rs"]
mod common;
mod forms;
mod lies;
mod look;
mod moments;
mod real;
mod recordings;
mod samples;
mod secured;
mod support;
#[expect(
    dead_code,
    reason = "the server that demands certificates is a real one here"
)]
#[path = "../pd/support/tls.rs"]
mod tls;
