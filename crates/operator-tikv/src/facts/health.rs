//! How many regions want something, as PD counts them itself.

use operator_core::{Gap, Reading};

macro_rules! region_health {
    ($($(#[$doc:meta])* $field:ident,)*) => {
        /// How many regions want something: counts of PD's leader, which are some scrapes late. For 100 s
        /// after PD's leader changed they are too low, and none of them shows a lost quorum.
        #[derive(Debug, Clone, PartialEq)]
        pub struct RegionHealth {
            $($(#[$doc])* pub $field: Reading<u64>,)*
        }

        impl RegionHealth {
            /// The health of regions of which nothing could be seen, all for one reason.
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

region_health! {
    /// Regions with too few peers. Those of a dead store are not, until it is given up after half an hour.
    miss_peer_count,
    /// Regions with too many peers.
    extra_peer_count,
    /// Regions with a peer that has not been heard of for ten minutes.
    down_peer_count,
    /// Regions with a peer that is too far behind its leader.
    pending_peer_count,
    /// Regions with a peer that does not vote.
    learner_peer_count,
    /// Regions with a peer on a store that is being removed.
    offline_peer_count,
    /// Regions without data.
    empty_count,
    /// Regions that should have been split.
    oversized_count,
    /// Regions that could be merged.
    undersized_count,
}
