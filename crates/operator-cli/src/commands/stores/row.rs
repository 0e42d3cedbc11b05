//! One store, in a row.

use std::collections::BTreeMap;

use operator_core::{Gap, Store, StoreState, Timestamp};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::report::reading::{Measure, named};
use crate::text::{Align, Cell, Table, Tone, column};
use crate::units;

/// One store. What is absent is null; of measurements it is said why.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) address: String,
    pub(crate) status_address: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) capacity_bytes: Option<u64>,
    pub(crate) available_bytes: Option<u64>,
    pub(crate) leader_count: Option<u64>,
    pub(crate) region_count: Option<u64>,
    pub(crate) last_heartbeat: Option<String>,
    pub(crate) heartbeat_age_seconds: Option<f64>,
    pub(crate) started_at: Option<String>,
    pub(crate) uptime_seconds: Option<f64>,
    pub(crate) slow_score: Option<u64>,
    pub(crate) busy: Option<bool>,
    #[serde(serialize_with = "by_name")]
    pub(crate) metrics: Vec<Measure>,
}

/// Measurements by their names.
pub(crate) fn by_name<S: Serializer>(
    measures: &[Measure],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(measures.len()))?;
    for measure in measures {
        map.serialize_entry(measure.name, &measure.is)?;
    }
    map.end()
}

impl Row {
    pub(crate) fn of(store: &Store, metrics: Vec<Measure>, now: Timestamp) -> Self {
        let age = |at: Option<Timestamp>| at.map(|at| now.since(at).as_secs_f64());
        Self {
            id: store.id.0,
            address: store.address.clone(),
            status_address: store.status_address.clone(),
            state: store.state.as_ref().map(StoreState::to_string),
            version: store.version.clone(),
            labels: store.labels.clone(),
            capacity_bytes: store.capacity_bytes,
            available_bytes: store.available_bytes,
            leader_count: store.leader_count,
            region_count: store.region_count,
            last_heartbeat: store.last_heartbeat.map(|at| at.to_string()),
            heartbeat_age_seconds: age(store.last_heartbeat),
            started_at: store.started_at.map(|at| at.to_string()),
            uptime_seconds: age(store.started_at),
            slow_score: store.slow_score,
            busy: store.busy,
            metrics,
        }
    }

    /// Why measurements could not be seen.
    pub(crate) fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.metrics.iter().filter_map(Measure::gap)
    }

    /// The share of the disk that is taken.
    #[expect(clippy::cast_precision_loss, reason = "a share is no exact number")]
    pub(crate) fn used_ratio(&self) -> Option<f64> {
        let (capacity, available) = (self.capacity_bytes?, self.available_bytes?);
        let used = capacity.checked_sub(available)?;
        (capacity > 0).then(|| used as f64 / capacity as f64)
    }

    fn measured(&self, name: &str) -> Cell {
        named(&self.metrics, name).map_or_else(|| Cell::none("?"), Measure::cell)
    }
}

/// How a store's state looks.
pub(crate) fn state_tone(state: &str) -> Tone {
    match state {
        "Up" => Tone::Good,
        "Disconnected" | "Offline" => Tone::Warn,
        "Down" => Tone::Bad,
        _ => Tone::Plain,
    }
}

fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell) -> Cell {
    value.map_or_else(|| Cell::none("?"), cell)
}

#[expect(clippy::cast_precision_loss, reason = "it is for sorting")]
fn size(bytes: u64) -> Cell {
    Cell::number(bytes as f64, units::bytes(bytes))
}

fn seconds(seconds: f64) -> Cell {
    Cell::number(seconds, units::seconds(seconds))
}

/// The columns of a list of stores.
pub(crate) fn table() -> Table<Row> {
    use Align::{Left, Right};
    Table::new([
        column("id", Right, 0, |row| Cell::count(row.id)),
        column("address", Left, 0, |row| Cell::text(&row.address)),
        column("state", Left, 0, |row| {
            maybe(row.state.as_ref(), |state| {
                Cell::text(state).tone(state_tone(state))
            })
        }),
        column("heartbeat", Right, 2, |row| {
            maybe(row.heartbeat_age_seconds, seconds)
        }),
        column("leaders", Right, 1, |row| {
            maybe(row.leader_count, Cell::count)
        }),
        column("regions", Right, 1, |row| {
            maybe(row.region_count, Cell::count)
        }),
        column("used", Right, 1, |row| {
            maybe(row.used_ratio(), |used| {
                Cell::number(used, units::percent(used))
            })
        }),
        column("capacity", Right, 6, |row| maybe(row.capacity_bytes, size)),
        column("available", Right, 8, |row| {
            maybe(row.available_bytes, size)
        }),
        column("qps", Right, 3, |row| row.measured("queries_per_second")),
        column("write_p99", Right, 3, |row| {
            row.measured("write_p99_seconds")
        }),
        column("read_p99", Right, 4, |row| row.measured("read_p99_seconds")),
        column("cpu", Right, 5, |row| row.measured("cpu_used_cores")),
        column("memory", Right, 7, |row| row.measured("memory_used_bytes")),
        column("slow_score", Right, 8, |row| {
            maybe(row.slow_score, Cell::count)
        }),
        column("uptime", Right, 7, |row| maybe(row.uptime_seconds, seconds)),
        column("version", Left, 5, |row| {
            maybe(row.version.as_ref(), Cell::text)
        }),
    ])
}
