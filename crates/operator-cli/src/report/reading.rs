//! Measurements: raw for programs, in human units for people, and why where there is none.

use operator_core::{Gap, Reading, StoreMetrics, Timestamp};
use operator_tikv::StoreStrain;
use serde::Serialize;
use serde_json::Value;

use crate::findings::is_configured;
use crate::text::{Cell, Tone};
use crate::units;

/// One measurement.
#[derive(Debug, Clone)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    pub(crate) is: Is,
}

/// What a number is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    Ratio,
    PerSecond,
    Cores,
    Plain,
}

/// How a measurement stands.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum Is {
    Seen {
        value: Value,
        sampled_at: String,
        source: String,
        #[serde(skip)]
        at: Timestamp,
    },
    Idle {
        idle: bool,
    },
    Blind {
        blind: String,
        #[serde(skip)]
        gap: Gap,
    },
}

fn is<T: Clone>(reading: &Reading<T>, value: impl FnOnce(&T) -> Value) -> Is {
    match reading {
        Reading::Seen(measured) => Is::Seen {
            value: value(&measured.value),
            sampled_at: measured.sampled_at.to_string(),
            source: measured.source.to_string(),
            at: measured.sampled_at,
        },
        Reading::Idle => Is::Idle { idle: true },
        Reading::Blind(gap) => Is::Blind {
            blind: gap.why().to_string(),
            gap: gap.clone(),
        },
    }
}

macro_rules! measures {
    ($of:expr, $($field:ident $unit:ident,)*) => {
        vec![$(Measure {
            name: stringify!($field),
            unit: Unit::$unit,
            is: is(&$of.$field, |value| Value::from(value.clone())),
        },)*]
    };
}

/// What is measured of a store.
pub(crate) fn of_metrics(metrics: &StoreMetrics) -> Vec<Measure> {
    let mut measures = measures!(
        metrics,
        up Plain,
        queries_per_second PerSecond,
        write_p95_seconds Seconds,
        write_p99_seconds Seconds,
        read_p95_seconds Seconds,
        read_p99_seconds Seconds,
        cpu_used_cores Cores,
        cpu_quota_cores Cores,
        memory_used_bytes Bytes,
        memory_quota_bytes Bytes,
        disk_used_bytes Bytes,
        disk_available_bytes Bytes,
        disk_capacity_bytes Bytes,
        raft_log_lag_ratio Ratio,
        leader_count Plain,
        region_count Plain,
    );
    measures.insert(
        1,
        Measure {
            name: "process_started_at",
            unit: Unit::Plain,
            is: is(&metrics.process_started_at, |at| at.to_string().into()),
        },
    );
    measures
}

/// Under which strain a store is.
pub(crate) fn of_strain(strain: &StoreStrain) -> Vec<Measure> {
    let mut measures = measures!(
        strain,
        storage_requests_per_second PerSecond,
        busy_per_second PerSecond,
        not_leader_per_second PerSecond,
        scheduler_busy_count Plain,
        channel_full_count Plain,
        flow_discard_ratio Ratio,
        l0_files_average Plain,
        stalled_ratio Ratio,
        slow_score Plain,
        async_write_p99_seconds Seconds,
        leader_missing Plain,
    );
    measures.push(Measure {
        name: "critical_errors",
        unit: Unit::Plain,
        is: is(&strain.critical_errors, |errors| {
            let errors = errors
                .iter()
                .map(|(kind, count)| (kind.clone(), Value::from(*count)));
            Value::Object(errors.collect())
        }),
    });
    measures
}

impl Measure {
    /// Why it could not be seen, where somebody was asked to see it.
    pub(crate) fn gap(&self) -> Option<&Gap> {
        match &self.is {
            Is::Blind { gap, .. } => Some(gap).filter(|gap| is_configured(gap)),
            _ => None,
        }
    }

    /// When it was sampled.
    pub(crate) fn at(&self) -> Option<Timestamp> {
        match &self.is {
            Is::Seen { at, .. } => Some(*at),
            _ => None,
        }
    }

    /// As a cell of a table.
    pub(crate) fn cell(&self) -> Cell {
        match &self.is {
            Is::Seen { value, .. } => match value.as_f64() {
                Some(number) => Cell::number(number, self.text()),
                None => Cell::text(self.text()),
            },
            Is::Idle { .. } => Cell::none("idle"),
            Is::Blind { .. } => match self.gap() {
                Some(_) => Cell::none("?").tone(Tone::Warn),
                None => Cell::none("-"),
            },
        }
    }

    /// In human units.
    pub(crate) fn text(&self) -> String {
        let Is::Seen { value, .. } = &self.is else {
            return match (&self.is, self.gap()) {
                (Is::Idle { .. }, _) => "idle".to_owned(),
                (_, Some(gap)) => format!("not seen: {}", gap.why()),
                _ => "not configured".to_owned(),
            };
        };
        let Some(number) = value.as_f64() else {
            return match value {
                Value::String(text) => text.clone(),
                Value::Bool(true) => "yes".to_owned(),
                Value::Bool(false) => "no".to_owned(),
                Value::Object(map) if map.is_empty() => "none".to_owned(),
                Value::Object(map) => {
                    let all = map.iter().map(|(key, value)| format!("{key} {value}"));
                    all.collect::<Vec<_>>().join(", ")
                }
                other => other.to_string(),
            };
        };
        match self.unit {
            Unit::Seconds => units::seconds(number),
            Unit::Bytes => value
                .as_u64()
                .map_or_else(|| units::amount(number), units::bytes),
            Unit::Ratio => units::percent(number),
            Unit::PerSecond => format!("{}/s", units::amount(number)),
            Unit::Cores => units::amount(number),
            Unit::Plain => value
                .as_u64()
                .map_or_else(|| units::amount(number), |count| count.to_string()),
        }
    }
}

/// The measure with a name.
pub(crate) fn named<'a>(measures: &'a [Measure], name: &str) -> Option<&'a Measure> {
    measures.iter().find(|measure| measure.name == name)
}

/// How long ago something was, where it was.
pub(crate) fn age(at: Option<Timestamp>, now: Timestamp) -> String {
    at.map_or_else(|| "-".to_owned(), |at| crate::span::lasts(now.since(at)))
}

/// A span of so many seconds, as people say it.
pub(crate) fn lasts_of(seconds: f64) -> String {
    std::time::Duration::try_from_secs_f64(seconds)
        .map_or_else(|_| format!("{seconds} s"), crate::span::lasts)
}
