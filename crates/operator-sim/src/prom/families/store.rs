//! What a store exports.

use crate::cluster::traffic::{ASYNC_BOUNDS, GRPC_BOUNDS, LAG_BOUNDS, async_bound, grpc_bound};
use crate::prom::series::{MEMORY, QUOTA, StorePage};
use crate::shape::Release;

use super::Kind::{Counter, Gauge, Histogram};
use super::{Family, Sink, family};

pub(crate) static STORE: &[Family<StorePage>] = &[
    family(
        "process_cpu_seconds_total",
        Counter,
        "CPU seconds of the process, whole.",
        |p, s| {
            s.value(&[], p.counted.cpu_seconds.floor());
        },
    ),
    family(
        "process_resident_memory_bytes",
        Gauge,
        "Resident memory.",
        |p, s| s.value(&[], p.resident_bytes),
    ),
    family(
        "process_start_time_seconds",
        Gauge,
        "Unix time of the process's start.",
        |p, s| {
            s.value(&[], p.start_unix as f64);
        },
    ),
    family(
        "tikv_critical_error_total",
        Counter,
        "Critical errors.",
        |p, s| {
            let errors = p.counted.critical.ceil();
            if errors > 0.0 {
                s.value(&[("type", "rocksdb get")], errors);
            }
        },
    ),
    family(
        "tikv_engine_stall_micro_seconds",
        Counter,
        "Microseconds that writes were stalled.",
        |p, s| {
            let stalled = (p.counted.stalled_seconds * 1e6).floor();
            for (db, micros) in [("kv", stalled), ("raft", 0.0)] {
                s.value(&[("db", db)], micros);
            }
        },
    ),
    family(
        "tikv_grpc_msg_duration_seconds",
        Histogram,
        "Duration of gRPC requests.",
        grpc,
    ),
    family(
        "tikv_pd_heartbeat_message_total",
        Counter,
        "Reports to PD.",
        |p, s| {
            s.value(&[("type", "send")], p.counted.heartbeats.floor());
        },
    ),
    family(
        "tikv_raftstore_leader_missing",
        Gauge,
        "Regions that have long had no leader.",
        |p, s| {
            s.value(&[], p.leader_missing);
        },
    ),
    family(
        "tikv_raftstore_log_lag",
        Histogram,
        "Entries that the slowest peer lags behind.",
        |p, s| {
            let bounds: Vec<String> = LAG_BOUNDS.iter().map(ToString::to_string).collect();
            s.histogram(
                &[],
                &bounds,
                &p.counted.log_lag.counts,
                p.counted.log_lag.sum,
            );
        },
    ),
    family(
        "tikv_raftstore_region_count",
        Gauge,
        "Regions and leaders on this store.",
        |p, s| {
            s.value(&[("type", "buckets")], p.regions.into());
            s.value(&[("type", "leader")], p.leaders.into());
            s.value(&[("type", "region")], p.regions.into());
        },
    ),
    family(
        "tikv_raftstore_slow_score",
        Gauge,
        "How slow the store finds itself, 1 to 100.",
        |p, s| {
            if p.release >= Release::V7_5 {
                s.value(&[("type", "raft")], p.slow_score.floor());
            } else {
                s.value(&[], p.slow_score.floor());
            }
        },
    ),
    family(
        "tikv_scheduler_contex_total",
        Gauge,
        "Commands that wait or run.",
        |_, s| s.value(&[], 0.0),
    ),
    family(
        "tikv_scheduler_discard_ratio",
        Gauge,
        "Part of writes that flow control discards, times ten million.",
        |p, s| {
            if p.counted.discarded {
                s.value(&[], (p.discard * 1e7).floor());
            }
        },
    ),
    family(
        "tikv_scheduler_l0_avg",
        Gauge,
        "Mean number of files at level 0.",
        |p, s| {
            if p.counted.discarded {
                for cf in ["default", "write"] {
                    s.value(
                        &[("cf", cf)],
                        if p.discard > 0.0 {
                            24.0 + 100.0 * p.discard
                        } else {
                            2.0
                        },
                    );
                }
            }
        },
    ),
    family(
        "tikv_scheduler_write_flow",
        Gauge,
        "Bytes written per second.",
        |p, s| s.value(&[], p.write_flow),
    ),
    family(
        "tikv_server_cpu_cores_quota",
        Gauge,
        "Cores that the process may use.",
        |_, s| s.value(&[], QUOTA),
    ),
    family(
        "tikv_server_info",
        Gauge,
        "Version; the value is the start time.",
        |p, s| {
            let version = format!("v{}", p.version);
            s.value(
                &[("hash", "None"), ("version", &version)],
                p.start_unix as f64,
            );
        },
    ),
    family(
        "tikv_server_memory_quota_bytes",
        Gauge,
        "Memory that the process may use.",
        |p, s| {
            if p.release >= Release::V8_5 {
                s.value(&[], MEMORY as f64);
            }
        },
    ),
    family(
        "tikv_server_report_failure_msg_total",
        Counter,
        "Peers that could not be reached.",
        |p, s| {
            for (store, count) in &p.counted.unreachable {
                let id = store.to_string();
                s.value(&[("store_id", &id), ("type", "unreachable")], count.ceil());
            }
        },
    ),
    family(
        "tikv_storage_command_total",
        Counter,
        "Storage commands.",
        |p, s| {
            let (writes, reads) = (
                total(&p.counted.write.counts),
                total(&p.counted.read.counts),
            );
            for (kind, count) in [
                ("commit", writes / 2.0),
                ("get", reads * GETS),
                ("prewrite", writes / 2.0),
                ("scan", 0.0),
            ] {
                s.value(&[("type", kind)], count.floor());
            }
        },
    ),
    family(
        "tikv_storage_engine_async_request_duration_seconds",
        Histogram,
        "Duration of writes and snapshots.",
        |p, s| {
            let bounds: Vec<String> = (0..ASYNC_BOUNDS)
                .map(|place| bound(async_bound(place)))
                .collect();
            let (apply, snapshot) = (&p.counted.apply, &p.counted.snapshot);
            s.histogram(
                &[("type", "snapshot")],
                &bounds,
                &snapshot.counts,
                snapshot.sum,
            );
            s.histogram(&[("type", "write")], &bounds, &apply.counts, apply.sum);
        },
    ),
    family(
        "tikv_storage_engine_async_request_total",
        Counter,
        "Outcomes of writes and snapshots.",
        |p, s| {
            let (writes, snapshots) = (
                total(&p.counted.apply.counts),
                total(&p.counted.snapshot.counts),
            );
            let (busy, strangers) = (p.counted.busy, p.counted.not_leader);
            for (kind, status, count) in [
                ("snapshot", "all", snapshots),
                ("snapshot", "success", snapshots),
                ("write", "all", writes + busy + strangers),
                ("write", "err_not_leader", strangers),
                ("write", "err_server_is_busy", busy),
                ("write", "success", writes),
            ] {
                s.value(&[("status", status), ("type", kind)], count.floor());
            }
        },
    ),
    family(
        "tikv_store_size_bytes",
        Gauge,
        "Sizes of the disk and of the store's files.",
        |p, s| {
            let used = p.used as f64;
            let mut sizes = vec![
                ("available", p.available as f64),
                ("capacity", p.capacity as f64),
                ("used", used),
            ];
            if p.release >= Release::V7_5 {
                sizes.extend([
                    ("import_size", 0.0),
                    ("kv_size", (used * 0.9).floor()),
                    ("raft_size", (used * 0.1).floor()),
                    ("snap_size", 0.0),
                ]);
            }
            for (kind, bytes) in sizes {
                s.value(&[("type", kind)], bytes);
            }
        },
    ),
];

/// The part of reads that are point gets.
const GETS: f64 = 0.8;

fn grpc(p: &StorePage, s: &mut dyn Sink) {
    let bounds: Vec<String> = (0..GRPC_BOUNDS)
        .map(|place| bound(grpc_bound(place)))
        .collect();
    let nothing = [0.0; GRPC_BOUNDS + 1];
    let mut checks = nothing;
    if let Some(second) = checks.get_mut(1) {
        *second = p.counted.check_leader;
    }
    let (write, read) = (&p.counted.write, &p.counted.read);
    for (kind, counts, sum, part) in [
        (
            "check_leader",
            &checks,
            p.counted.check_leader * 0.000_08,
            1.0,
        ),
        ("coprocessor", &read.counts, read.sum, 1.0 - GETS),
        ("kv_commit", &write.counts, write.sum, 0.5),
        ("kv_get", &read.counts, read.sum, GETS),
        ("kv_prewrite", &write.counts, write.sum, 0.5),
    ]
    .into_iter()
    .chain(unused(p.release).map(|kind| (kind, &nothing, 0.0, 1.0)))
    {
        let counts = counts.map(|count| count * part);
        if p.release >= Release::V8_5 {
            s.histogram(
                &[("priority", "unknown"), ("type", kind)],
                &bounds,
                &counts,
                sum * part,
            );
        } else {
            s.histogram(&[("type", kind)], &bounds, &counts, sum * part);
        }
    }
}

/// Requests that nobody sends, which TiKV counts from its start all the same.
fn unused(release: Release) -> impl Iterator<Item = &'static str> {
    let flush = (release >= Release::V8_5).then_some("kv_flush");
    let all = [
        "kv_batch_get",
        "kv_batch_get_command",
        "kv_scan",
        "raw_batch_delete",
        "raw_batch_get",
        "raw_batch_get_command",
        "raw_batch_put",
        "raw_compare_and_swap",
        "raw_delete",
        "raw_get",
        "raw_put",
        "raw_scan",
    ];
    flush.into_iter().chain(all)
}

fn total(counts: &[f64]) -> f64 {
    counts.iter().sum()
}

/// A bound as TiKV writes it: seven decimals at most, none that say nothing.
fn bound(seconds: f64) -> String {
    let text = format!("{seconds:.7}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
