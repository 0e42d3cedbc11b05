//! What is known of how stores do: what Prometheus measured, and where it did not, what PD knows.

use operator_core::{
    Gap, Listing, Measured, Reading, Result, Store, StoreId, StoreMetrics, StoreState, Why,
};

use super::PD_STORES;
use crate::facts::is_tiflash;

/// One item for each store that belongs to the cluster: what was measured of it, or why it was not, and in
/// either case what it told PD.
pub(super) fn with_what_pd_knows(
    stores: &[Store],
    measured: Result<Listing<StoreMetrics>>,
) -> Listing<StoreMetrics> {
    let (mut items, gaps) = match measured {
        Ok(listing) => {
            let named = |metrics: StoreMetrics| (metrics.store, metrics);
            let items: std::collections::BTreeMap<StoreId, _> =
                listing.items.into_iter().map(named).collect();
            (items, Ok(listing.gaps))
        }
        Err(error) => (Default::default(), Err(Why::from(error))),
    };
    let why_not = |store: &Store| match &gaps {
        // Its own servers' metrics have other names: nobody said where to look for them.
        _ if is_tiflash(store) => Gap::new("metrics", Why::NotConfigured).about(store.entity()),
        Ok(gaps) => gaps
            .about(&store.entity())
            .next()
            .cloned()
            .unwrap_or_else(|| Gap::new("metrics", Why::Unsaid).about(store.entity())),
        Err(why) => Gap::new("metrics", why.clone()).about(store.entity()),
    };
    let belongs = |store: &&Store| store.state != Some(StoreState::Tombstone);
    let of = |store: &Store| {
        let metrics = items.remove(&store.id);
        let metrics = metrics.unwrap_or_else(|| StoreMetrics::blind(store.id, &why_not(store)));
        completed(store, metrics)
    };
    Listing::whole(stores.iter().filter(belongs).map(of).collect())
}

/// What was not measured, but told to PD.
fn completed(store: &Store, metrics: StoreMetrics) -> StoreMetrics {
    let or_told = |reading: Reading<u64>, told: Option<u64>| match (reading, told) {
        (Reading::Blind(gap), Some(told)) => match store.last_heartbeat {
            Some(at) => Reading::Seen(Measured::new(told, at, PD_STORES)),
            None => Reading::Blind(gap),
        },
        (reading, _) => reading,
    };
    StoreMetrics {
        disk_capacity_bytes: or_told(metrics.disk_capacity_bytes, store.capacity_bytes),
        disk_available_bytes: or_told(metrics.disk_available_bytes, store.available_bytes),
        leader_count: or_told(metrics.leader_count, store.leader_count),
        region_count: or_told(metrics.region_count, store.region_count),
        ..metrics
    }
}
