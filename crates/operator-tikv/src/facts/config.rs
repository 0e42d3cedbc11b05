//! How PD is told to place and to move data. Versions differ in what they have: all is optional.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::KeyRange;

/// How much PD may do at once, and when it does it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScheduleConfig {
    /// How many leaders are moved at once.
    pub leader_schedule_limit: Option<u64>,
    /// How many regions are moved at once.
    pub region_schedule_limit: Option<u64>,
    /// How many replicas are made or removed at once.
    pub replica_schedule_limit: Option<u64>,
    /// How many regions are merged at once.
    pub merge_schedule_limit: Option<u64>,
    /// How many hot regions are moved at once.
    pub hot_region_schedule_limit: Option<u64>,
    /// A store that is fuller than this share gets nothing more.
    pub low_space_ratio: Option<f64>,
    /// Up to this share of fill, space left does not matter for balance.
    pub high_space_ratio: Option<f64>,
    /// How long a store is silent before PD calls it Down.
    pub max_store_down_time: Option<Duration>,
    /// Regions smaller than this are merged.
    pub max_merge_region_size_mib: Option<u64>,
    /// Whether all scheduling is halted; absent where it never was.
    pub halted: Option<bool>,
    /// Every item as PD wrote it, those that are not named above among them.
    pub items: BTreeMap<String, String>,
}

/// How many replicas there are, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReplicationConfig {
    /// How many replicas a region has.
    pub max_replicas: Option<u64>,
    /// The labels that tell places apart, widest first.
    pub location_labels: Vec<String>,
    /// The label across which replicas must be apart; none where nothing must.
    pub isolation_level: Option<String>,
    /// Whether placement rules decide, and not the two above.
    pub placement_rules: Option<bool>,
    /// Whether a store must have all location labels.
    pub strictly_match_label: Option<bool>,
}

/// Where the replicas of a range of keys shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacementRule {
    /// Its group.
    pub group: String,
    /// Its name in the group.
    pub id: String,
    /// The keys.
    pub range: KeyRange,
    /// Whether it is about a `leader`, `voter`, `follower` or `learner`.
    pub role: String,
    /// How many.
    pub count: u64,
    /// Which stores may hold them.
    pub constraints: Vec<LabelConstraint>,
    /// The labels that tell places apart, widest first.
    pub location_labels: Vec<String>,
}

/// What a store's label must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelConstraint {
    /// The label.
    pub key: String,
    /// `in`, `notIn`, `exists` or `notExists`.
    pub op: String,
    /// What it is compared with.
    pub values: Vec<String>,
}
