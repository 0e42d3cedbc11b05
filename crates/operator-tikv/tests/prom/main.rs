//! The Prometheus client against answers of every form, servers that lie, and a real server.

mod forms;
mod lies;
mod look;
mod real;
mod recordings;
mod samples;
mod support;
