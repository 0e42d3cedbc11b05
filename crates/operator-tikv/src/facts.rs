//! What only TiKV has, as plain values: no behaviour beyond reading them, no wire format, no clock.

mod clock;
mod config;
mod health;
mod hot;
mod members;
mod regions;
mod schedule;
mod strain;
mod tally;

pub use clock::PromTime;
pub use config::{LabelConstraint, PlacementRule, ReplicationConfig, ScheduleConfig};
pub use health::RegionHealth;
pub use hot::{HotPeer, HotPeers, HotSpots, HotStore, StoreFlow};
pub use members::{ClusterStatus, PdHealth, PdMember, PdMembers};
pub use regions::RegionTop;
pub use schedule::{MoveKind, MoveProgress, PausedScheduler, PdOperator, Schedulers};
pub use strain::StoreStrain;
pub use tally::{StoreTally, Tally};
