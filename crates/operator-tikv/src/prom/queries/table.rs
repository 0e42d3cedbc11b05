//! The one table that ties reading, query, unit and cost to the server together.

use super::{Born, Need, Of, Query, Row, Version, Word};

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
pub(super) const WRITES: &[Word] = &[
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
pub(super) const READS: &[Word] = &[
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

pub(in crate::prom) const TABLE: &[Row] = &[
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
        query: Query::Traffic,
        of: Of::Stores,
        name: "traffic",
        text: r#"sum by (type,priority) (rate(tikv_grpc_msg_duration_seconds_count{$S,type=~"$T"}[$W]))"#,
        feeds: &[],
        needs: &[need("tikv_grpc_msg_duration_seconds_count")],
        cost: "4 series of each of 16 types",
    },
    Row {
        query: Query::Writes,
        of: Of::Stores,
        name: "writes",
        text: r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{$S,$V}[$W]))"#,
        feeds: &[("write_p95_seconds", "s"), ("write_p99_seconds", "s")],
        needs: &[with_values(GRPC, "type", WRITES)],
        cost: "23 series of each type and priority that there is traffic of",
    },
    Row {
        query: Query::Reads,
        of: Of::Stores,
        name: "reads",
        text: r#"sum by (instance,le) (rate(tikv_grpc_msg_duration_seconds_bucket{$S,$V}[$W]))"#,
        feeds: &[("read_p95_seconds", "s"), ("read_p99_seconds", "s")],
        needs: &[with_values(GRPC, "type", READS)],
        cost: "23 series of each type and priority that there is traffic of",
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
        text: r#"sum by (instance,le) (rate(tikv_storage_engine_async_request_duration_seconds_bucket{$S,$V}[$W]))"#,
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
        text: r#"sum by (instance,status) (rate(tikv_storage_engine_async_request_total{$S,$V}[$W]))"#,
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
