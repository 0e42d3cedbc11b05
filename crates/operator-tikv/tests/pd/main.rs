//! The PD client against servers that behave, misbehave and die.

mod failover;
mod misbehaviour;
mod stores;
mod support;
