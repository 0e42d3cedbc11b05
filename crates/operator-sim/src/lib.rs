//! A simulated TiKV cluster.
#![doc = include_str!("../README.md")]

mod cluster;
mod fault;
mod http;
mod num;
mod pd;
mod prng;
mod prom;
mod shape;

pub use cluster::Cluster;
pub use cluster::event::{Cause, Ending, Event, EventKind, PeerRef};
pub use fault::{Entity, Fault, FaultError, InjectionId, Param, ParamKind, faults};
pub use http::{Outcome, Reply, Request};
pub use pd::pd_endpoints;
pub use shape::{LabelStyle, Load, Release, Shape, ShapeError, Timing};
