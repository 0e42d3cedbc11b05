//! What faults do to the cluster, as one value. Faults write it, the model reacts to its changes.
//!
//! All conditions are rebuilt from nothing whenever a fault begins, changes or ends. So faults combine (a store that
//! two faults kill starts again when both have ended), and none has to know how to undo itself.

use crate::num::Millis;

use super::event::Ending;

/// What holds for one store.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct StoreCondition {
    pub(crate) ended: Option<Ended>,
    pub(crate) cut_from_pd: bool,
    /// It and the other stores do not reach each other.
    pub(crate) parted: bool,
    /// Milliseconds that messages between it and the others take more.
    pub(crate) network_ms: Option<f64>,
    /// The part of the time in which writes stand still.
    pub(crate) stalled: Option<f64>,
    /// What is wrong with the replicas on it.
    pub(crate) replicas: Option<Replicas>,
    /// How many times slower its disk is.
    pub(crate) disk_slow: Option<f64>,
    pub(crate) read_slow: Option<f64>,
    /// The part of the disk that is to be filled, and the time that takes.
    pub(crate) fill: Option<(f64, Millis)>,
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<f64>,
    /// The part of requests that are answered "server is busy".
    pub(crate) busy: Option<f64>,
    /// The part of writes that flow control discards.
    pub(crate) discard: Option<f64>,
    pub(crate) log_lag: Option<f64>,
    pub(crate) leader_missing: bool,
    pub(crate) critical_errors: Option<f64>,
    pub(crate) pending_stuck: bool,
    pub(crate) unscraped: bool,
    pub(crate) evict_leader: bool,
    pub(crate) removing: bool,
    pub(crate) version: Option<String>,
    /// Extra weight of leaders that is drawn to it, as a number of leaders.
    pub(crate) leader_skew: Option<f64>,
}

/// What can be wrong with the replicas of a tenth of the regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replicas {
    /// They have none on this store any more.
    Missing,
    /// They have one more, on this store.
    Surplus,
    /// They have a learner on this store that never votes.
    Learner,
}

/// How a store is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) how: Ending,
}

/// What holds for one member of PD.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct MemberCondition {
    pub(crate) dead: bool,
    pub(crate) frozen: bool,
    /// Other members cannot reach it, though it answers its clients.
    pub(crate) unhealthy: bool,
}

/// How PD's answers are spoiled.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PdCondition {
    pub(crate) slow: Option<Millis>,
    pub(crate) fails: bool,
    pub(crate) truncates: bool,
    pub(crate) other_cluster: bool,
    pub(crate) clock_ahead: i64,
    pub(crate) halted: bool,
    pub(crate) removed: Vec<String>,
    pub(crate) paused: Vec<String>,
    pub(crate) no_target: bool,
    /// The schedule limits are 0.
    pub(crate) no_limits: bool,
    /// Answers have keys that nobody knows.
    pub(crate) unknown_keys: bool,
    pub(crate) never_reported: bool,
}

/// What ails Prometheus.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PrometheusCondition {
    pub(crate) down: bool,
    pub(crate) stale: bool,
    pub(crate) renamed: bool,
    pub(crate) clock_ahead: i64,
}

/// Which flow of a region is hot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Write,
    Read,
}

/// Heat on one region.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Heat {
    pub(crate) region: u32,
    pub(crate) flow: Flow,
    pub(crate) per_second: f64,
    pub(crate) since: Millis,
    /// What is written there is new, so the region grows.
    pub(crate) grows: bool,
}

/// Everything that faults have to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Conditions {
    pub(crate) stores: Vec<StoreCondition>,
    pub(crate) members: Vec<MemberCondition>,
    pub(crate) pd: PdCondition,
    pub(crate) prometheus: PrometheusCondition,
    pub(crate) heat: Vec<Heat>,
    /// How many times slower every store is.
    pub(crate) all_slow: Option<f64>,
    /// MiB per second by which the data of all regions grow together.
    pub(crate) growth_mib: f64,
    /// The part of the key space whose tables were dropped.
    pub(crate) dropped: f64,
}

impl Conditions {
    pub(crate) fn none(stores: usize, members: usize) -> Self {
        Self {
            stores: vec![StoreCondition::default(); stores],
            members: vec![MemberCondition::default(); members],
            ..Self::default()
        }
    }
}
