//! `/config/schedule`, `/config/replicate` and `/config/rules`. Which items there are, and whether a
//! truth is `true` or `"true"`, differs by version.

use std::collections::BTreeMap;

use operator_core::{Fault, KeyRange, Listing};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{json, listing, or_empty};
use crate::facts::{LabelConstraint, PlacementRule, ReplicationConfig, ScheduleConfig};
use crate::pd::units;

struct Items(BTreeMap<String, Value>);

impl Items {
    fn of(body: &[u8], expected: &str) -> Result<Self, Fault> {
        json(body, expected).map(Self)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }
}

/// How much PD may do at once.
pub(crate) fn schedule_config(body: &[u8]) -> Result<ScheduleConfig, Fault> {
    let items = Items::of(body, "the configuration of scheduling")?;
    let down_time = items.text("max-store-down-time");
    let mut texts = BTreeMap::new();
    for name in items.0.keys() {
        texts.extend(items.text(name).map(|text| (name.clone(), text)));
    }
    Ok(ScheduleConfig {
        leader_schedule_limit: items.parsed("leader-schedule-limit"),
        region_schedule_limit: items.parsed("region-schedule-limit"),
        replica_schedule_limit: items.parsed("replica-schedule-limit"),
        merge_schedule_limit: items.parsed("merge-schedule-limit"),
        hot_region_schedule_limit: items.parsed("hot-region-schedule-limit"),
        low_space_ratio: items.parsed("low-space-ratio"),
        high_space_ratio: items.parsed("high-space-ratio"),
        max_store_down_time: down_time.as_deref().and_then(units::duration),
        max_merge_region_size_mib: items.parsed("max-merge-region-size"),
        halted: items.parsed("halt-scheduling"),
        items: texts,
    })
}

/// How many replicas there are, and where.
pub(crate) fn replication_config(body: &[u8]) -> Result<ReplicationConfig, Fault> {
    let items = Items::of(body, "the configuration of replication")?;
    Ok(ReplicationConfig {
        max_replicas: items.parsed("max-replicas"),
        location_labels: location_labels(items.0.get("location-labels")),
        isolation_level: items
            .text("isolation-level")
            .filter(|level| !level.is_empty()),
        placement_rules: items.parsed("enable-placement-rules"),
        strictly_match_label: items.parsed("strictly-match-label"),
    })
}

/// One text with commas, or a list.
fn location_labels(value: Option<&Value>) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Some(Value::String(text)) => text.split(',').collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let labels = texts.into_iter().map(str::trim);
    labels
        .filter(|label| !label.is_empty())
        .map(str::to_owned)
        .collect()
}

#[derive(Deserialize)]
struct WireRule {
    group_id: String,
    id: String,
    /// Hexadecimal, as its author wrote it: in either case.
    #[serde(default)]
    start_key: String,
    #[serde(default)]
    end_key: String,
    role: String,
    count: u64,
    #[serde(default, deserialize_with = "or_empty")]
    label_constraints: Vec<WireConstraint>,
    #[serde(default, deserialize_with = "or_empty")]
    location_labels: Vec<String>,
}

#[derive(Deserialize)]
struct WireConstraint {
    key: String,
    op: String,
    #[serde(default, deserialize_with = "or_empty")]
    values: Vec<String>,
}

/// Where replicas shall be.
pub(crate) fn placement_rules(body: &[u8]) -> Result<Listing<PlacementRule>, Fault> {
    let items: Option<Vec<&RawValue>> = json(body, "a list of placement rules")?;
    let items = items.unwrap_or_default();
    listing(
        &items,
        "placement rule",
        |_| None,
        |wire: WireRule, _| rule(wire),
    )
}

fn rule(wire: WireRule) -> Option<PlacementRule> {
    let constraint = |wire: WireConstraint| LabelConstraint {
        key: wire.key,
        op: wire.op,
        values: wire.values,
    };
    Some(PlacementRule {
        group: wire.group_id,
        id: wire.id,
        range: KeyRange {
            start: units::key(&wire.start_key)?,
            end: units::key(&wire.end_key)?,
        },
        role: wire.role,
        count: wire.count,
        constraints: wire.label_constraints.into_iter().map(constraint).collect(),
        location_labels: wire.location_labels,
    })
}
