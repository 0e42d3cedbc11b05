//! What only TiKV has, as plain values: no behaviour beyond reading them, no wire format, no clock.

mod ailments;
mod clocks;
mod config;
mod contract;
mod engine;
mod health;
mod hot;
mod leadership;
mod members;
mod regions;
mod removal;
mod schedule;
mod starts;
mod strain;
mod tally;

pub use ailments::{Ailments, HowMany};
pub use clocks::{ClockReading, PdClock, PromTime, PrometheusClock};
pub use config::{LabelConstraint, PlacementRule, ReplicationConfig, ScheduleConfig};
pub use contract::{Contract, ContractCheck, ContractStanding};
pub(crate) use engine::is_tiflash;
pub use health::RegionHealth;
pub use hot::{HotPeer, HotPeers, HotReads, HotSpots, HotStore, HotWrites, StoreFlow};
pub use leadership::PdLeadership;
pub use members::{ClusterStatus, PdHealth, PdMember, PdMembers};
pub use regions::RegionTop;
pub use removal::{Held, Removal, Removals, SilentRegions};
pub use schedule::{MoveKind, MoveProgress, PausedScheduler, PdOperator, Schedulers};
pub use starts::StoreStarts;
pub use strain::StoreStrain;
pub use tally::{StoreTally, Tally};
