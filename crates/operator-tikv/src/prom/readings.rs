//! From what was answered to what is known of each store. Pure.

use operator_core::{Listing, Measured, Reading, Store, StoreMetrics};

use super::PromLook;
use super::load::Load;
use super::own::whole;
use super::queries::Query;
use super::standing::{Given, Standing, gone, listing};
use crate::facts::StoreStrain;

/// The unit of flow control's gauge.
const DISCARD_UNIT: f64 = 1e7;

/// How these stores do, each and all together.
pub(super) fn look(stores: &[Store], given: &Given<'_>) -> PromLook {
    let mut load = Load::new();
    let stores = listing(stores, given, |store, seen| {
        let own = match seen {
            Standing::Up(own) => own,
            Standing::Down { since } => {
                let up = Measured::new(false, since, given.source(Query::Up));
                return StoreMetrics {
                    up: Reading::Seen(up),
                    ..StoreMetrics::blind(store.id, &gone(store, given))
                };
            }
        };
        load.add(&own);
        let disk = |what, kind| own.disk(what, kind);
        StoreMetrics {
            store: store.id,
            up: own.seen(true, Query::Up),
            process_started_at: own.start(),
            queries_per_second: own.rate("queries per second", Query::Requests),
            write_p95_seconds: own.quantile("write P95", Query::Writes, 0.95),
            write_p99_seconds: own.quantile("write P99", Query::Writes, 0.99),
            read_p95_seconds: own.quantile("read P95", Query::Reads, 0.95),
            read_p99_seconds: own.quantile("read P99", Query::Reads, 0.99),
            cpu_used_cores: own.rate("CPU used", Query::Cpu),
            cpu_quota_cores: own.quota("CPU quota", "tikv_server_cpu_cores_quota", |cores| cores),
            memory_used_bytes: own.count("memory used", "process_resident_memory_bytes", ""),
            memory_quota_bytes: own.quota("memory quota", "tikv_server_memory_quota_bytes", whole),
            disk_used_bytes: disk("disk used", "used"),
            disk_available_bytes: disk("disk available", "available"),
            disk_capacity_bytes: disk("disk capacity", "capacity"),
            raft_log_lag_ratio: own.log_lag(),
            leader_count: own.count("leader count", "tikv_raftstore_region_count", "leader"),
            region_count: own.count("region count", "tikv_raftstore_region_count", "region"),
        }
    });
    let cluster = load.metrics(stores.gaps.first(), given);
    PromLook { stores, cluster }
}

/// Under which strain these stores are.
pub(super) fn store_strains(stores: &[Store], given: &Given<'_>) -> Listing<StoreStrain> {
    listing(stores, given, |store, seen| {
        let Standing::Up(own) = seen else {
            return StoreStrain::blind(store.id, &gone(store, given));
        };
        let storage = |what, status| {
            let row = own.row(what, Query::Storage, &[("status", status)]);
            own.reading(row, Query::Storage)
        };
        let discarded = own.gauge_if_any("discard ratio", "tikv_scheduler_discard_ratio");
        let files = own.gauge_if_any("files in level 0", "tikv_scheduler_l0_avg");
        let missing = own.row("leader missing", Query::LeaderMissing, &[]);
        StoreStrain {
            store: store.id,
            critical_errors: own.critical_errors(),
            storage_requests_per_second: storage("storage requests", "all"),
            busy_per_second: storage("busy refusals", "err_server_is_busy"),
            not_leader_per_second: storage("refusals of a follower", "err_not_leader"),
            scheduler_busy_count: own.events("scheduler too busy", Query::SchedulerBusy),
            channel_full_count: own.events("channels full", Query::ChannelFull),
            flow_discard_ratio: own.reading(discarded.map(|n| n / DISCARD_UNIT), Query::Gauges),
            l0_files_average: own.reading(files, Query::Gauges),
            stalled_ratio: own.rate("stalled share", Query::Stalls),
            slow_score: own.reading(own.slow_score(), Query::Gauges),
            async_write_p99_seconds: own.quantile("async write P99", Query::AsyncWrites, 0.99),
            leader_missing: own.reading(missing.map(|flag| flag > 0.0), Query::LeaderMissing),
        }
    })
}
