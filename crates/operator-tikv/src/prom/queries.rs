//! Every query that is sent, in one table: what it asks, what it feeds in which unit, what it relies on and
//! what it costs. All are for the whole cluster at once, by instance.

use std::time::Duration;

/// How often something happened within ten minutes. A counter is born with its first event, which `increase`
/// does not see: what was not there ten minutes ago counts as a whole.
macro_rules! first_seen {
    ($by:literal, $family:literal) => {
        concat!(
            "sum by (",
            $by,
            ") ((increase(",
            $family,
            "{$S}[10m]) > 0) or (",
            $family,
            "{$S} unless ",
            $family,
            "{$S} offset 10m))"
        )
    };
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Query {
    Up,
    UpAt,
    Gauges,
    Requests,
    Writes,
    Reads,
    Cpu,
    LogLag,
    AsyncWrites,
    Critical,
    Storage,
    SchedulerBusy,
    ChannelFull,
    Stalls,
    LeaderMissing,
}

/// What readings of how a store does need, beside [`Query::Up`], which is asked first.
pub(super) const FOR_METRICS: [Query; 7] = [
    Query::UpAt,
    Query::Gauges,
    Query::Requests,
    Query::Writes,
    Query::Reads,
    Query::Cpu,
    Query::LogLag,
];

/// What readings of a store's strain need, beside [`Query::Up`], which is asked first.
pub(super) const FOR_STRAINS: [Query; 9] = [
    Query::UpAt,
    Query::Gauges,
    Query::AsyncWrites,
    Query::Critical,
    Query::Storage,
    Query::SchedulerBusy,
    Query::ChannelFull,
    Query::Stalls,
    Query::LeaderMissing,
];

/// One query.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) query: Query,
    /// What it is called, as in `query/writes`.
    pub(super) name: &'static str,
    /// Its text: `$S` stands for the scope, `$W` for the window, `$V` for the values it relies on.
    text: &'static str,
    /// Which readings come of it, and their units.
    pub(super) feeds: &'static [(&'static str, &'static str)],
    /// What must be there for it to mean anything.
    pub(super) needs: &'static [Need],
    /// How long a server took for 300 stores of 8.5, where it is not next to nothing.
    pub(super) cost: &'static str,
}

/// A family of series that a query relies on.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) family: &'static str,
    pub(super) born: Born,
    /// The first version that has it.
    pub(super) since: Version,
    /// The label whose values are relied on, and those.
    pub(super) values: Option<(&'static str, &'static [Word])>,
}

/// When a healthy store first exports a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Born {
    /// From its start. Only such a family can be missing.
    AtStart,
    /// When there is first something to count. Until then its absence is a zero.
    AtFirstEvent,
}

/// A version: major and minor.
pub(super) type Version = (u32, u32);

/// A label's value, and the first version that has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: &'static str,
    pub(super) since: Version,
}

/// From before the versions that are supported.
const ALWAYS: Version = (0, 0);

const fn word(text: &'static str) -> Word {
    Word {
        text,
        since: ALWAYS,
    }
}

const fn need(family: &'static str) -> Need {
    Need {
        family,
        born: Born::AtStart,
        since: ALWAYS,
        values: None,
    }
}

const fn with_values(family: &'static str, label: &'static str, values: &'static [Word]) -> Need {
    Need {
        values: Some((label, values)),
        ..need(family)
    }
}

const fn at_first_event(family: &'static str) -> Need {
    Need {
        born: Born::AtFirstEvent,
        ..need(family)
    }
}

const GRPC: &str = "tikv_grpc_msg_duration_seconds_bucket";

/// Locks that wait, coprocessor scans and garbage collection are neither: they take as long as they take.
const WRITES: &[Word] = &[
    word("kv_prewrite"),
    word("kv_commit"),
    Word {
        text: "kv_flush",
        since: (8, 0),
    },
    word("raw_put"),
    word("raw_batch_put"),
    word("raw_delete"),
    word("raw_batch_delete"),
    word("raw_compare_and_swap"),
];
const READS: &[Word] = &[
    word("kv_get"),
    word("kv_batch_get"),
    word("kv_batch_get_command"),
    word("kv_scan"),
    word("raw_get"),
    word("raw_batch_get"),
    word("raw_batch_get_command"),
    word("raw_scan"),
];

/// The gauges, all in one query. Whether a store exports anything at all is told by `tikv_server_info`.
const GAUGES: &[Need] = &[
    need("tikv_server_info"),
    need("process_start_time_seconds"),
    need("process_resident_memory_bytes"),
    need("tikv_server_cpu_cores_quota"),
    Need {
        since: (8, 0),
        ..need("tikv_server_memory_quota_bytes")
    },
    with_values(
        "tikv_store_size_bytes",
        "type",
        &[word("capacity"), word("available"), word("used")],
    ),
    with_values(
        "tikv_raftstore_region_count",
        "type",
        &[word("leader"), word("region")],
    ),
    need("tikv_raftstore_slow_score"),
    at_first_event("tikv_scheduler_discard_ratio"),
    at_first_event("tikv_scheduler_l0_avg"),
];

pub(super) const TABLE: &[Row] = &[
    Row {
        query: Query::Up,
        name: "up",
        text: "up{$S}",
        feeds: &[("up", "")],
        needs: &[need("up")],
        cost: "",
    },
    Row {
        query: Query::UpAt,
        name: "up_at",
        text: "timestamp(up{$S})",
        feeds: &[],
        needs: &[need("up")],
        cost: "",
    },
    Row {
        query: Query::Gauges,
        name: "gauges",
        text: r#"max by (instance,__name__,type) ({__name__=~"$F",$S})"#,
        feeds: &[
            ("process_started_at", "s"),
            ("memory_used_bytes", "bytes"),
            ("memory_quota_bytes", "bytes"),
            ("cpu_quota_cores", "cores"),
            ("disk_used_bytes", "bytes"),
            ("disk_available_bytes", "bytes"),
            ("disk_capacity_bytes", "bytes"),
            ("leader_count", ""),
            ("region_count", ""),
            ("slow_score", ""),
            ("flow_discard_ratio", ""),
            ("l0_files_average", ""),
        ],
        needs: GAUGES,
        cost: "6 ms",
    },
    Row {
        query: Query::Requests,
        name: "requests",
        text: r#"sum by (instance) (rate(tikv_grpc_msg_duration_seconds_count{$S,type!="kv_gc"}[$W]))"#,
        feeds: &[("queries_per_second", "1/s")],
        needs: &[need("tikv_grpc_msg_duration_seconds_count")],
        cost: "4 series of each of 50 types",
    },
    Row {
        query: Query::Writes,
        name: "writes",
        text: r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{$S,type=~"$V"}[$W]))"#,
        feeds: &[("write_p95_seconds", "s"), ("write_p99_seconds", "s")],
        needs: &[with_values(GRPC, "type", WRITES)],
        cost: "92 series of each of 8 types: the dearest, with the next",
    },
    Row {
        query: Query::Reads,
        name: "reads",
        text: r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{$S,type=~"$V"}[$W]))"#,
        feeds: &[("read_p95_seconds", "s"), ("read_p99_seconds", "s")],
        needs: &[with_values(GRPC, "type", READS)],
        cost: "92 series of each of 8 types",
    },
    Row {
        query: Query::Cpu,
        name: "cpu",
        text: "sum by (instance) (rate(process_cpu_seconds_total{$S}[$W]))",
        feeds: &[("cpu_used_cores", "cores")],
        needs: &[need("process_cpu_seconds_total")],
        cost: "",
    },
    Row {
        query: Query::LogLag,
        name: "log_lag",
        // Version 3 of the server writes whole bounds with a fraction.
        text: r#"sum by (instance,le) (rate(tikv_raftstore_log_lag_bucket{$S,le=~"1024(\\.0)?|\\+Inf"}[$W]))"#,
        feeds: &[("raft_log_lag_ratio", "")],
        needs: &[need("tikv_raftstore_log_lag_bucket")],
        cost: "",
    },
    Row {
        query: Query::AsyncWrites,
        name: "async_writes",
        text: r#"sum by (instance,le) (rate(tikv_storage_engine_async_request_duration_seconds_bucket{$S,type=~"$V"}[$W]))"#,
        feeds: &[("async_write_p99_seconds", "s")],
        needs: &[with_values(
            "tikv_storage_engine_async_request_duration_seconds_bucket",
            "type",
            &[word("write")],
        )],
        cost: "33 series of a store",
    },
    Row {
        query: Query::Critical,
        name: "critical_errors",
        text: first_seen!("instance,type", "tikv_critical_error_total"),
        feeds: &[("critical_errors", "")],
        needs: &[at_first_event("tikv_critical_error_total")],
        cost: "",
    },
    Row {
        query: Query::Storage,
        name: "storage_requests",
        text: r#"sum by (instance,status) (rate(tikv_storage_engine_async_request_total{$S,status=~"$V"}[$W]))"#,
        feeds: &[
            ("storage_requests_per_second", "1/s"),
            ("busy_per_second", "1/s"),
            ("not_leader_per_second", "1/s"),
        ],
        needs: &[with_values(
            "tikv_storage_engine_async_request_total",
            "status",
            &[
                word("all"),
                word("err_server_is_busy"),
                word("err_not_leader"),
            ],
        )],
        cost: "",
    },
    Row {
        query: Query::SchedulerBusy,
        name: "scheduler_busy",
        text: first_seen!("instance", "tikv_scheduler_too_busy_total"),
        feeds: &[("scheduler_busy_count", "")],
        needs: &[at_first_event("tikv_scheduler_too_busy_total")],
        cost: "",
    },
    Row {
        query: Query::ChannelFull,
        name: "channel_full",
        text: first_seen!("instance", "tikv_channel_full_total"),
        feeds: &[("channel_full_count", "")],
        needs: &[at_first_event("tikv_channel_full_total")],
        cost: "",
    },
    Row {
        query: Query::Stalls,
        name: "stalls",
        text: r#"sum by (instance) (rate(tikv_engine_stall_micro_seconds{$S,db="kv"}[$W])) / 1e6"#,
        feeds: &[("stalled_ratio", "")],
        needs: &[need("tikv_engine_stall_micro_seconds")],
        cost: "",
    },
    Row {
        query: Query::LeaderMissing,
        name: "leader_missing",
        text: "max by (instance) (max_over_time(tikv_raftstore_leader_missing{$S}[10m]))",
        feeds: &[("leader_missing", "")],
        needs: &[need("tikv_raftstore_leader_missing")],
        cost: "",
    },
];

/// What is asked about: which series, over how long.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    matchers: String,
    window: Duration,
}

impl Scope {
    pub(super) fn new(job: &str, further: &str, window: Duration) -> Self {
        let job = job.replace('\\', r"\\").replace('"', r#"\""#);
        let further = further.trim().trim_start_matches('{').trim_end_matches('}');
        let further = further.trim_matches([',', ' ']);
        let comma = if further.is_empty() { "" } else { "," };
        Self {
            matchers: format!(r#"job=~"{job}"{comma}{further}"#),
            window,
        }
    }

    /// Over how long rates are taken. A sample that is older than that is of no use either.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// The matchers of every selector.
    pub(super) fn matchers(&self) -> &str {
        &self.matchers
    }

    /// The text of a query.
    pub(super) fn promql(&self, query: Query) -> String {
        let row = row(query);
        let families: Vec<&str> = row.needs.iter().map(|need| need.family).collect();
        let values = row.needs.iter().find_map(|need| need.values);
        let values: Vec<&str> = values
            .map(|(_, words)| words.iter().map(|word| word.text).collect())
            .unwrap_or_default();
        row.text
            .replace("$W", &format!("{}ms", self.window.as_millis()))
            .replace("$F", &families.join("|"))
            .replace("$V", &values.join("|"))
            .replace("$S", &self.matchers)
    }
}

/// The row of a query.
pub(super) fn row(query: Query) -> &'static Row {
    // A test holds that there is one for each.
    TABLE
        .iter()
        .find(|row| row.query == query)
        .unwrap_or(&TABLE[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreStrain;
    use operator_core::{Gap, StoreId, StoreMetrics, Why};

    #[test]
    fn every_query_has_a_row_and_every_row_is_asked() {
        let asked = FOR_METRICS.iter().chain(&FOR_STRAINS);
        for query in asked.copied().chain([Query::Up]) {
            assert_eq!(row(query).query, query);
        }
        for row in TABLE {
            let asked = FOR_METRICS.contains(&row.query) || FOR_STRAINS.contains(&row.query);
            assert!(asked || row.query == Query::Up, "{}", row.name);
        }
    }

    #[test]
    fn every_reading_is_fed_by_one_query() {
        let gap = Gap::new("metrics", Why::NotAsked);
        let metrics = StoreMetrics::blind(StoreId(1), &gap);
        let strain = StoreStrain::blind(StoreId(1), &gap);
        let mut fields: Vec<&str> = metrics.gaps().map(|(field, _)| field).collect();
        fields.extend(strain.gaps().map(|(field, _)| field));
        let mut fed: Vec<&str> = TABLE
            .iter()
            .flat_map(|row| row.feeds.iter().map(|(field, _)| *field))
            .collect();
        fields.sort_unstable();
        fed.sort_unstable();
        assert_eq!(fed, fields);
    }

    #[test]
    fn the_unit_is_in_the_name_of_the_reading() {
        let ends = [
            ("bytes", "_bytes"),
            ("cores", "_cores"),
            ("1/s", "_per_second"),
        ];
        for (field, unit) in TABLE.iter().flat_map(|row| row.feeds) {
            let seconds = *unit == "s" && (field.ends_with("_seconds") || field.ends_with("_at"));
            let named = ends
                .iter()
                .any(|(word, end)| unit == word && field.ends_with(end));
            assert!(seconds || named || unit.is_empty(), "{field} {unit}");
        }
    }

    #[test]
    fn every_selector_has_the_scope_and_nothing_stays_to_be_filled_in() {
        let scope = Scope::new(
            r"(a|b)\.tikv",
            r#"{tidb_cluster="x",}"#,
            Duration::from_secs(30),
        );
        for row in TABLE {
            let text = scope.promql(row.query);
            let selectors = text.matches('{').count();
            let scoped = text
                .matches(r#"job=~"(a|b)\\.tikv",tidb_cluster="x""#)
                .count();
            assert_eq!(selectors, scoped, "{text}");
            assert!(!text.contains('$'), "{text}");
        }
        assert!(scope.promql(Query::Cpu).contains("[30000ms]"));
    }
}
