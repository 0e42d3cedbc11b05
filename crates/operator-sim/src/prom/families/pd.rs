//! What a member of PD exports.

use crate::cluster::store::Seen;
use crate::prom::series::{PdPage, PdStoreRow};
use crate::shape::Release;

use super::Kind::Gauge;
use super::{Family, Sink, family};

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
                ("empty-region-count", p.empty),
                ("extra-peer-region-count", p.extra),
                ("learner-peer-region-count", p.learner),
                ("miss-peer-region-count", p.missing),
                ("oversized-region-count", p.oversized),
                ("pending-peer-region-count", p.pending),
                ("undersized-region-count", p.undersized),
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
                    ("learner_count", f64::from(row.learners)),
                    ("region_count", f64::from(row.peers)),
                    ("region_score", row.region_mib as f64),
                    ("region_size", row.region_mib as f64),
                    ("store_available", row.available as f64),
                    ("store_capacity", row.capacity as f64),
                    ("store_used", row.used as f64),
                    ("witness_count", f64::from(row.witnesses)),
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

type StoreCount = (&'static str, fn(&PdStoreRow) -> f64);

static CLUSTER_STATUS: &[StoreCount] = &[
    ("leader_count", |r| r.leaders.into()),
    ("learner_count", |r| r.learners.into()),
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
    ("witness_count", |r| r.witnesses.into()),
];

/// Per store from 8.5.5 on, one number for the cluster before. The simulated 8.5 is 8.5.7.
fn cluster_status(p: &PdPage, s: &mut dyn Sink) {
    for (kind, of) in CLUSTER_STATUS {
        if p.release >= Release::V8_5 {
            for row in &p.stores {
                let id = row.id.to_string();
                s.value(
                    &[("engine", row.engine), ("store", &id), ("type", kind)],
                    of(row),
                );
            }
        } else if !p.stores.is_empty() {
            s.value(&[("type", kind)], p.stores.iter().map(of).sum());
        }
    }
}
