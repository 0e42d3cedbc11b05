//! The PD client against servers that behave, misbehave and die.

#[path = "../common/mod.rs"]
mod common;
mod failover;
mod misbehaviour;
mod samples;
mod scan;
mod stores;
mod support;
mod traps;
