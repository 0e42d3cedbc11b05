//! Every query that is sent, in one table: what it asks, what it feeds in which unit, what it relies on and
//! what it costs. All are for the whole cluster at once, by instance.

use std::time::Duration;

use super::PromOptions;

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
    Regions,
    RegionsCounted,
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

/// Whose series a query is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Stores,
    Pd,
}

/// What tells how regions do.
pub(super) const FOR_REGIONS: [Query; 2] = [Query::Regions, Query::RegionsCounted];

/// One query.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) query: Query,
    /// Whose jobs the scope names.
    pub(super) of: Of,
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
        of: Of::Stores,
        name: "up",
        text: "up{$S}",
        feeds: &[("up", "")],
        needs: &[need("up")],
        cost: "",
    },
    Row {
        query: Query::UpAt,
        of: Of::Stores,
        name: "up_at",
        // Of a target that is no more, when it last was. The marker of its end is one scrape after that.
        text: "max by (instance) (timestamp(up{$S}) or max_over_time(timestamp(up{$S})[10m:$E]))",
        feeds: &[],
        needs: &[need("up")],
        cost: "",
    },
    Row {
        query: Query::Gauges,
        of: Of::Stores,
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
        of: Of::Stores,
        name: "requests",
        text: r#"sum by (instance) (rate(tikv_grpc_msg_duration_seconds_count{$S,type!="kv_gc"}[$W]))"#,
        feeds: &[("queries_per_second", "1/s")],
        needs: &[need("tikv_grpc_msg_duration_seconds_count")],
        cost: "4 series of each of 50 types",
    },
    Row {
        query: Query::Writes,
        of: Of::Stores,
        name: "writes",
        text: r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{$S,type=~"$V"}[$W]))"#,
        feeds: &[("write_p95_seconds", "s"), ("write_p99_seconds", "s")],
        needs: &[with_values(GRPC, "type", WRITES)],
        cost: "92 series of each of 8 types: the dearest, with the next",
    },
    Row {
        query: Query::Reads,
        of: Of::Stores,
        name: "reads",
        text: r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{$S,type=~"$V"}[$W]))"#,
        feeds: &[("read_p95_seconds", "s"), ("read_p99_seconds", "s")],
        needs: &[with_values(GRPC, "type", READS)],
        cost: "92 series of each of 8 types",
    },
    Row {
        query: Query::Cpu,
        of: Of::Stores,
        name: "cpu",
        text: "sum by (instance) (rate(process_cpu_seconds_total{$S}[$W]))",
        feeds: &[("cpu_used_cores", "cores")],
        needs: &[need("process_cpu_seconds_total")],
        cost: "",
    },
    Row {
        query: Query::LogLag,
        of: Of::Stores,
        name: "log_lag",
        // Version 3 of the server writes whole bounds with a fraction.
        text: r#"sum by (instance,le) (rate(tikv_raftstore_log_lag_bucket{$S,le=~"1024(\\.0)?|\\+Inf"}[$W]))"#,
        feeds: &[("raft_log_lag_ratio", "")],
        needs: &[need("tikv_raftstore_log_lag_bucket")],
        cost: "",
    },
    Row {
        query: Query::AsyncWrites,
        of: Of::Stores,
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
        of: Of::Stores,
        name: "critical_errors",
        text: first_seen!("instance,type", "tikv_critical_error_total"),
        feeds: &[("critical_errors", "")],
        needs: &[at_first_event("tikv_critical_error_total")],
        cost: "",
    },
    Row {
        query: Query::Storage,
        of: Of::Stores,
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
        of: Of::Stores,
        name: "scheduler_busy",
        text: first_seen!("instance", "tikv_scheduler_too_busy_total"),
        feeds: &[("scheduler_busy_count", "")],
        needs: &[at_first_event("tikv_scheduler_too_busy_total")],
        cost: "",
    },
    Row {
        query: Query::ChannelFull,
        of: Of::Stores,
        name: "channel_full",
        text: first_seen!("instance", "tikv_channel_full_total"),
        feeds: &[("channel_full_count", "")],
        needs: &[at_first_event("tikv_channel_full_total")],
        cost: "",
    },
    Row {
        query: Query::Stalls,
        of: Of::Stores,
        name: "stalls",
        text: r#"sum by (instance) (rate(tikv_engine_stall_micro_seconds{$S,db="kv"}[$W])) / 1e6"#,
        feeds: &[("stalled_ratio", "")],
        needs: &[need("tikv_engine_stall_micro_seconds")],
        cost: "",
    },
    Row {
        query: Query::LeaderMissing,
        of: Of::Stores,
        name: "leader_missing",
        text: "max by (instance) (max_over_time(tikv_raftstore_leader_missing{$S}[10m]))",
        feeds: &[("leader_missing", "")],
        needs: &[need("tikv_raftstore_leader_missing")],
        cost: "",
    },
    Row {
        query: Query::Regions,
        of: Of::Pd,
        name: "regions",
        text: "max by (instance,type) (pd_regions_status{$S})",
        feeds: &[
            ("miss_peer_count", ""),
            ("extra_peer_count", ""),
            ("down_peer_count", ""),
            ("pending_peer_count", ""),
            ("learner_peer_count", ""),
            ("offline_peer_count", ""),
            ("empty_count", ""),
            ("oversized_count", ""),
            ("undersized_count", ""),
        ],
        needs: &[with_values(
            "pd_regions_status",
            "type",
            &[
                word("miss-peer-region-count"),
                word("extra-peer-region-count"),
                word("down-peer-region-count"),
                word("pending-peer-region-count"),
                word("learner-peer-region-count"),
                word("empty-region-count"),
            ],
        )],
        cost: "",
    },
    Row {
        query: Query::RegionsCounted,
        of: Of::Pd,
        name: "regions_counted",
        // Only the leader counts: the others export zeros, and one that has just begun to lead does so too.
        text: "max by (instance) (timestamp(etcd_server_is_leader{$S}) and on (instance) (etcd_server_is_leader{$S} == 1) and on (instance) pd_cluster_status{$S})",
        feeds: &[],
        needs: &[need("etcd_server_is_leader"), need("pd_cluster_status")],
        cost: "",
    },
];

/// What is asked about: which series, over how long.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    stores: String,
    pd: String,
    window: Duration,
    scrape_every: Duration,
}

impl Scope {
    pub(super) fn new(options: &PromOptions) -> Self {
        let further = options.matchers.trim();
        let further = further.trim_start_matches('{').trim_end_matches('}');
        let further = further.trim_matches([',', ' ']);
        let comma = if further.is_empty() { "" } else { "," };
        let matchers = |job: &str| {
            let job = job.replace('\\', r"\\").replace('"', r#"\""#);
            format!(r#"job=~"{job}"{comma}{further}"#)
        };
        Self {
            stores: matchers(&options.job),
            pd: matchers(&options.pd_job),
            window: options.window.max(options.scrape_every.saturating_mul(4)),
            scrape_every: options.scrape_every,
        }
    }

    /// How often the server scrapes.
    pub(super) fn scrape_every(&self) -> Duration {
        self.scrape_every
    }

    /// Over how long rates are taken. A sample that is older than that is of no use either.
    pub(super) fn window(&self) -> Duration {
        self.window
    }

    /// The matchers of every selector.
    pub(super) fn matchers(&self, of: Of) -> &str {
        match of {
            Of::Stores => &self.stores,
            Of::Pd => &self.pd,
        }
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
            .replace(
                "$E",
                &format!("{}ms", self.scrape_every.as_millis().max(1000)),
            )
            .replace("$F", &families.join("|"))
            .replace("$V", &values.join("|"))
            .replace("$S", self.matchers(row.of))
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
    use crate::{RegionHealth, StoreStrain};
    use operator_core::{Gap, StoreId, StoreMetrics, Why};

    #[test]
    fn every_query_has_a_row_and_every_row_is_asked() {
        let asked = FOR_METRICS.iter().chain(&FOR_STRAINS).chain(&FOR_REGIONS);
        for query in asked.copied().chain([Query::Up]) {
            assert_eq!(row(query).query, query);
        }
        for row in TABLE {
            let asked = FOR_METRICS.contains(&row.query)
                || FOR_STRAINS.contains(&row.query)
                || FOR_REGIONS.contains(&row.query);
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
        let regions = RegionHealth::blind(&gap);
        fields.extend(regions.gaps().map(|(field, _)| field));
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
        let scope = Scope::new(&PromOptions {
            job: r"(a|b)\.tikv".into(),
            pd_job: r"(a|b)\.pd".into(),
            matchers: r#"{tidb_cluster="x",}"#.into(),
            scrape_every: Duration::from_secs(5),
            window: Duration::from_secs(30),
            ..PromOptions::default()
        });
        for row in TABLE {
            let text = scope.promql(row.query);
            let selectors = text.matches('{').count();
            let scoped = match row.of {
                Of::Stores => r#"job=~"(a|b)\\.tikv",tidb_cluster="x""#,
                Of::Pd => r#"job=~"(a|b)\\.pd",tidb_cluster="x""#,
            };
            let scoped = text.matches(scoped).count();
            assert_eq!(selectors, scoped, "{text}");
            assert!(!text.contains('$'), "{text}");
        }
        assert!(scope.promql(Query::Cpu).contains("[30000ms]"));
    }
}
