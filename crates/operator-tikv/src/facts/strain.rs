//! Signs that a store is under strain: errors, back-pressure, slowness.

use std::collections::BTreeMap;

use operator_core::{Entity, Gap, Reading, StoreId};

macro_rules! store_strain {
    ($($(#[$doc:meta])* $field:ident: $value:ty,)*) => {
        /// Errors, back-pressure and slowness of one store, as it counts them itself.
        #[derive(Debug, Clone, PartialEq)]
        pub struct StoreStrain {
            /// The store.
            pub store: StoreId,
            $($(#[$doc])* pub $field: Reading<$value>,)*
        }

        impl StoreStrain {
            /// The strain of a store of which nothing could be seen, all for one reason.
            pub fn blind(store: StoreId, gap: &Gap) -> Self {
                Self {
                    store,
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

store_strain! {
    /// Critical errors within ten minutes by type, the first ever among them. Empty when there was none.
    critical_errors: BTreeMap<String, f64>,
    /// Requests that its storage takes, those that it then refuses among them.
    storage_requests_per_second: f64,
    /// Requests refused because the server is busy.
    busy_per_second: f64,
    /// Requests refused because it does not lead. Many where a quorum is lost; some while leaders move.
    not_leader_per_second: f64,
    /// How often within ten minutes the scheduler was too busy to take a write.
    scheduler_busy_count: f64,
    /// How often within ten minutes a channel between its threads was full.
    channel_full_count: f64,
    /// The share of writes, from 0 to 1, that flow control turns away.
    flow_discard_ratio: f64,
    /// Files in the lowest level of its worst column family, averaged over time.
    l0_files_average: f64,
    /// The share of time, from 0 to 1, in which the engine held writes up.
    stalled_ratio: f64,
    /// How slow it finds itself: 1 is well, 100 is worst.
    slow_score: f64,
    /// 99 of 100 writes are replicated and applied within so long.
    async_write_p99_seconds: f64,
    /// Whether it had regions without a leader within ten minutes. A flag that is late, and no count.
    leader_missing: bool,
}

impl StoreStrain {
    /// The entity that verdicts about this strain name.
    pub fn entity(&self) -> Entity {
        Entity::Store(self.store)
    }
}
