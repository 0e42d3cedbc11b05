//! The metric families that the simulator has, one table entry each: name, kind, help, and how a page fills it.
//!
//! A page for a real Prometheus and a query of the simulated one read the same table, so they cannot disagree.

use crate::cluster::store::Seen;
use crate::cluster::traffic::{ASYNC_BOUNDS, GRPC_BOUNDS, LAG_BOUNDS, async_bound, grpc_bound};
use crate::shape::Release;

use super::series::{MEMORY, PdPage, QUOTA, StorePage};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Labels of one series, without those of its target.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Where a family's series go.
pub(crate) trait Sink {
    fn value(&mut self, labels: Labels<'_>, value: f64);
    /// `counts` are per bucket, the last without a bound; `bounds` are the text of the finite ones.
    fn histogram(&mut self, labels: Labels<'_>, bounds: &[String], counts: &[f64], sum: f64);
}

type Fill<Page> = fn(&Page, &mut dyn Sink);

pub(crate) struct Family<Page: 'static> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) fill: Fill<Page>,
}

const fn family<Page>(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    fill: Fill<Page>,
) -> Family<Page> {
    Family {
        name,
        kind,
        help,
        fill,
    }
}

use Kind::{Counter, Gauge, Histogram};

/// What a store exports.
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
        |_, s| {
            for db in ["kv", "raft"] {
                s.value(&[("db", db)], 0.0);
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
        ("kv_scan", &nothing, 0.0, 1.0),
        ("raw_get", &nothing, 0.0, 1.0),
        ("raw_put", &nothing, 0.0, 1.0),
    ] {
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

fn total(counts: &[f64]) -> f64 {
    counts.iter().sum()
}

/// A bound as TiKV writes it: seven decimals at most, none that say nothing.
fn bound(seconds: f64) -> String {
    let text = format!("{seconds:.7}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What a member of PD exports.
pub(crate) static PD: &[Family<PdPage>] = &[
    family(
        "etcd_server_is_leader",
        Gauge,
        "Whether this member leads etcd.",
        |p, s| s.value(&[], flag(p.leads)),
    ),
    family(
        "pd_cluster_health_status",
        Gauge,
        "Health of the members.",
        |p, s| {
            for (name, healthy) in &p.health {
                s.value(&[("name", name)], flag(*healthy));
            }
        },
    ),
    family(
        "pd_cluster_status",
        Gauge,
        "The cluster in numbers.",
        cluster_status,
    ),
    family(
        "pd_hotspot_status",
        Gauge,
        "Hot regions per store.",
        |p, s| {
            for (address, id, write, rate) in &p.hot {
                let id = id.to_string();
                let (count, bytes) = if *write {
                    ("hot_write_region_as_leader", "total_write_bytes_as_leader")
                } else {
                    ("hot_read_region_as_leader", "total_read_bytes_as_leader")
                };
                for (kind, value) in [(count, 1.0), (bytes, *rate)] {
                    s.value(
                        &[("address", address), ("store", &id), ("type", kind)],
                        value,
                    );
                }
            }
        },
    ),
    family(
        "pd_regions_status",
        Gauge,
        "Regions with an ailment.",
        |p, s| {
            let mut ailments = vec![
                ("down-peer-region-count", p.down),
                ("empty-region-count", 0),
                ("extra-peer-region-count", 0),
                ("learner-peer-region-count", p.learner),
                ("miss-peer-region-count", 0),
                ("oversized-region-count", 0),
                ("pending-peer-region-count", p.pending),
                ("undersized-region-count", 0),
            ];
            if p.release >= Release::V7_5 {
                ailments.push(("offline-peer-region-count", p.offline));
            }
            for (kind, count) in ailments {
                s.value(&[("type", kind)], count.into());
            }
        },
    ),
    family(
        "pd_scheduler_status",
        Gauge,
        "Schedulers that may work.",
        |p, s| {
            for (name, works) in &p.schedulers {
                s.value(&[("kind", name), ("type", "allow")], flag(*works));
            }
        },
    ),
    family(
        "pd_scheduler_store_status",
        Gauge,
        "The stores as the schedulers see them.",
        |p, s| {
            for row in &p.stores {
                let id = row.id.to_string();
                for (kind, value) in [
                    ("leader_count", f64::from(row.leaders)),
                    ("leader_score", f64::from(row.leaders)),
                    ("leader_size", row.leader_mib as f64),
                    ("region_count", f64::from(row.peers)),
                    ("region_score", row.region_mib as f64),
                    ("region_size", row.region_mib as f64),
                    ("store_available", row.available as f64),
                    ("store_capacity", row.capacity as f64),
                    ("store_used", row.used as f64),
                ] {
                    s.value(
                        &[("address", &row.address), ("store", &id), ("type", kind)],
                        value,
                    );
                }
            }
        },
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
        "service_member_role",
        Gauge,
        "Whether this member leads.",
        |p, s| {
            if p.release >= Release::V7_5 {
                s.value(&[("service", "PD")], flag(p.leads));
            }
        },
    ),
];

fn flag(yes: bool) -> f64 {
    if yes { 1.0 } else { 0.0 }
}

type StoreCount = (&'static str, fn(&super::series::PdStoreRow) -> f64);

static CLUSTER_STATUS: &[StoreCount] = &[
    ("leader_count", |r| r.leaders.into()),
    ("learner_count", |_| 0.0),
    ("region_count", |r| r.peers.into()),
    ("storage_capacity", |r| r.capacity as f64),
    ("storage_size", |r| r.used as f64),
    ("store_disconnected_count", |r| {
        flag(r.seen == Seen::Disconnected)
    }),
    ("store_down_count", |r| flag(r.seen == Seen::Down)),
    ("store_low_space_count", |r| flag(r.low_space)),
    ("store_offline_count", |r| flag(r.seen == Seen::Offline)),
    ("store_slow_count", |r| flag(r.slow)),
    ("store_tombstone_count", |_| 0.0),
    ("store_unhealth_count", |r| flag(r.unhealthy)),
    ("store_up_count", |r| flag(r.seen == Seen::Up)),
];

/// Per store from 8.5.5 on, one number for the cluster before. The simulated 8.5 is 8.5.7.
fn cluster_status(p: &PdPage, s: &mut dyn Sink) {
    for (kind, of) in CLUSTER_STATUS {
        if p.release >= Release::V8_5 {
            for row in &p.stores {
                let id = row.id.to_string();
                s.value(
                    &[("engine", "tikv"), ("store", &id), ("type", kind)],
                    of(row),
                );
            }
        } else if !p.stores.is_empty() {
            s.value(&[("type", kind)], p.stores.iter().map(of).sum());
        }
    }
}
