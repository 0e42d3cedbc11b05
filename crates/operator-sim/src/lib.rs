#![doc = include_str!("../README.md")]

mod cluster;
mod fault;
mod http;
mod log_lines;
pub mod logs;
mod num;
mod pd;
mod prng;
mod prom;
mod record;
mod scenario;
mod serve;
mod shape;
mod truth;

pub use cluster::Cluster;
pub use cluster::event::{Cause, Ending, Event, EventKind, PeerRef, RegionRef};
pub use fault::{Entity, Fault, FaultError, InjectionId, Param, ParamKind, faults};
pub use http::{Outcome, Reply, Request};
pub use log_lines::{LogFile, LogLine};
pub use pd::pd_endpoints;
pub use prom::{metric_families, promql_subset};
pub use scenario::{Scenario, ScenarioError, scenarios};
pub use serve::{Asked, HeldPort, Ports, ServeError, Served, Speed};
pub use shape::{LabelStyle, Load, Release, Shape, ShapeError, Timing};
pub use truth::Truth;
