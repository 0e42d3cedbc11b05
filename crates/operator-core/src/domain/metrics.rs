//! What is measured, of a store and of the cluster.

use std::collections::BTreeMap;

use super::{Entity, Reading, StoreId};
use crate::{Gap, Timestamp};

macro_rules! store_metrics {
    ($($(#[$doc:meta])* $field:ident: $value:ty,)*) => {
        /// How one store does. Every field is a [`Reading`] with its unit in its name, so that what
        /// could not be measured can never pass for a healthy zero.
        #[derive(Debug, Clone, PartialEq)]
        pub struct StoreMetrics {
            /// The store.
            pub store: StoreId,
            $($(#[$doc])* pub $field: Reading<$value>,)*
        }

        impl StoreMetrics {
            /// Metrics of a store of which nothing could be seen, all for one reason.
            ///
            /// A subject starts from here and fills in what it has, so that what it does not have
            /// stays honestly unseen.
            pub fn blind(store: StoreId, gap: &Gap) -> Self {
                Self {
                    store,
                    $($field: Reading::Blind(gap.clone()),)*
                }
            }

            /// Whether none of the readings could be seen.
            pub fn is_blind(&self) -> bool {
                [$(self.$field.gap(),)*].iter().all(Option::is_some)
            }

            /// The gaps among the readings, each with its field's name.
            pub fn gaps(&self) -> impl Iterator<Item = (&'static str, &Gap)> {
                [$((stringify!($field), self.$field.gap()),)*]
                    .into_iter()
                    .filter_map(|(field, gap)| gap.map(|gap| (field, gap)))
            }
        }
    };
}

store_metrics! {
    /// Whether it answers those who measure it.
    up: bool,
    /// When its process started.
    process_started_at: Timestamp,
    /// Requests it serves.
    queries_per_second: f64,
    /// 95 of 100 writes are at most this slow.
    write_p95_seconds: f64,
    /// 99 of 100 writes are at most this slow.
    write_p99_seconds: f64,
    /// 95 of 100 reads are at most this slow.
    read_p95_seconds: f64,
    /// 99 of 100 reads are at most this slow.
    read_p99_seconds: f64,
    /// Processor time it uses.
    cpu_used_cores: f64,
    /// Processor time it may use.
    cpu_quota_cores: f64,
    /// Memory that it holds.
    memory_used_bytes: u64,
    /// Memory that it may hold.
    memory_quota_bytes: u64,
    /// Disk that its data takes.
    disk_used_bytes: u64,
    /// Disk that is left.
    disk_available_bytes: u64,
    /// Disk that it has in all.
    disk_capacity_bytes: u64,
    /// The share of samples, from 0 to 1, in which followers lag too far behind their leader's log.
    raft_log_lag_ratio: f64,
    /// Regions it leads.
    leader_count: u64,
    /// Peers it holds.
    region_count: u64,
}

impl StoreMetrics {
    /// The entity that verdicts about these metrics name.
    pub fn entity(&self) -> Entity {
        Entity::Store(self.store)
    }
}

macro_rules! cluster_metrics {
    ($($(#[$doc:meta])* $field:ident: $value:ty,)*) => {
        /// How the cluster does as a whole.
        #[derive(Debug, Clone, PartialEq)]
        pub struct ClusterMetrics {
            $($(#[$doc])* pub $field: Reading<$value>,)*
        }

        impl ClusterMetrics {
            /// Metrics of a cluster of which nothing could be seen, all for one reason.
            ///
            /// A subject starts from here, as it does with [`StoreMetrics::blind`].
            pub fn blind(gap: &Gap) -> Self {
                Self {
                    $($field: Reading::Blind(gap.clone()),)*
                }
            }

            /// The gaps among the readings, each with its field's name.
            pub fn gaps(&self) -> impl Iterator<Item = (&'static str, &Gap)> {
                [$((stringify!($field), self.$field.gap()),)*]
                    .into_iter()
                    .filter_map(|(field, gap)| gap.map(|gap| (field, gap)))
            }
        }
    };
}

cluster_metrics! {
    /// Stores that are part of the cluster.
    store_count: u64,
    /// Regions there are.
    region_count: u64,
    /// Regions that each store leads.
    leaders_per_store: BTreeMap<StoreId, u64>,
    /// Requests that all stores serve.
    queries_per_second: f64,
    /// 99 of 100 writes are at most this slow, whichever store they go to.
    write_p99_seconds: f64,
    /// 99 of 100 reads are at most this slow, whichever store they go to.
    read_p99_seconds: f64,
}
