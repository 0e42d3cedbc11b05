//! Which measurements of a store a rule goes by: to show them where there is no finding to show them.

/// Codes, and the measurements that they go by.
const READ: &[(&str, &[&str])] = &[
    ("store_down", &["up"]),
    ("store_disconnected", &["up"]),
    ("store_restarted", &["process_started_at"]),
    ("critical_error", &["critical_errors"]),
    ("leaderless_regions", &["leader_missing"]),
    (
        "low_disk_space",
        &["disk_used_bytes", "disk_available_bytes", "disk_capacity_bytes"],
    ),
    ("high_latency", &["write_p99_seconds", "queries_per_second"]),
    ("high_read_latency", &["read_p99_seconds", "queries_per_second"]),
    ("high_cpu", &["cpu_used_cores", "cpu_quota_cores"]),
    ("high_memory", &["memory_used_bytes", "memory_quota_bytes"]),
    ("slow_store", &["slow_score", "async_write_p99_seconds"]),
    ("raft_log_lag", &["raft_log_lag_ratio"]),
    (
        "server_busy",
        &[
            "busy_per_second",
            "storage_requests_per_second",
            "scheduler_busy_count",
            "channel_full_count",
        ],
    ),
    (
        "write_pressure",
        &["flow_discard_ratio", "l0_files_average", "stalled_ratio"],
    ),
];

/// The measurements that a rule goes by; none where it goes by none of a store.
pub(super) fn of(code: &str) -> &'static [&'static str] {
    let known = READ.iter().find(|(known, _)| *known == code);
    known.map_or(&[], |(_, names)| names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::reading;
    use operator_core::{Gap, StoreId, StoreMetrics, Why};
    use operator_tikv::StoreStrain;

    #[test]
    fn every_code_is_a_rule_and_every_name_a_measurement() {
        let codes = crate::rulebook::codes();
        let gap = Gap::new("anything", Why::NotAsked);
        let mut measures = reading::of_metrics(&StoreMetrics::blind(StoreId(1), &gap));
        measures.extend(reading::of_strain(&StoreStrain::blind(StoreId(1), &gap)));
        for (code, names) in READ {
            assert!(codes.contains(code), "{code}");
            for name in *names {
                assert!(measures.iter().any(|measure| measure.name == *name), "{code}: {name}");
            }
        }
    }
}
