//! TiKV as a subject: its reads put together.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures_util::future::join;
use operator_core::{
    Actions, ClusterMetrics, Gap, Invariant, Listing, Measured, Part, Reading, Regions, Result,
    Store, StoreId, StoreMetrics, Subject, Timestamp, Why,
};

use crate::{PdClient, invariants};

/// A TiKV cluster, read from PD.
///
/// Performance is measured by Prometheus, which is not configured: what PD knows of a store is there,
/// the rest is blind and says so.
#[derive(Debug)]
pub struct TikvSubject {
    pd: PdClient,
}

impl TikvSubject {
    /// The cluster that this client reads.
    pub fn new(pd: PdClient) -> Self {
        Self { pd }
    }
}

#[async_trait]
impl Subject for TikvSubject {
    fn name(&self) -> &str {
        "tikv"
    }

    fn invariants(&self) -> Vec<Box<dyn Invariant>> {
        invariants::standard()
    }

    async fn stores(&self) -> Result<Listing<Store>> {
        self.pd.stores().await
    }

    async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
        Ok(Listing::whole(stores.iter().map(known_to_pd).collect()))
    }

    async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
        let (stores, regions) = join(self.pd.stores(), self.pd.region_count()).await;
        let (stores, now) = (stores?, self.pd.now());
        let regions = regions.map_err(|error| Gap::new("region count", error.into()));
        Ok(ClusterMetrics {
            store_count: Reading::Seen(Measured::new(stores.items.len() as u64, now, PD_STORES)),
            region_count: regions
                .map(|count| Measured::new(count, now, PD_REGIONS))
                .into(),
            leaders_per_store: leaders_per_store(&stores, now),
            ..ClusterMetrics::blind(&Gap::new("metrics", Why::NotConfigured))
        })
    }

    fn parts(&self) -> Vec<Part<'_>> {
        Vec::new()
    }

    fn regions(&self) -> Option<&dyn Regions> {
        Some(&self.pd)
    }

    fn actions(&self) -> Actions<'_> {
        Actions::none()
    }
}

const PD_STORES: &str = "PD stores";
const PD_REGIONS: &str = "PD region statistics";

/// What PD knows of how a store does. The rest is Prometheus' to say.
fn known_to_pd(store: &Store) -> StoreMetrics {
    let not_configured = Gap::new("metrics", Why::NotConfigured).about(store.entity());
    let reported_at = store.last_heartbeat;
    let reading = |what, value: Option<u64>| match (value, reported_at) {
        (Some(value), Some(at)) => Reading::Seen(Measured::new(value, at, PD_STORES)),
        _ => Reading::Blind(Gap::new(what, Why::Unsaid).about(store.entity())),
    };
    StoreMetrics {
        disk_capacity_bytes: reading("disk capacity", store.capacity_bytes),
        disk_available_bytes: reading("disk available", store.available_bytes),
        leader_count: reading("leader count", store.leader_count),
        region_count: reading("region count", store.region_count),
        ..StoreMetrics::blind(store.id, &not_configured)
    }
}

/// Leaders of every store, or the gap: a map without one of them would be a wrong map.
fn leaders_per_store(stores: &Listing<Store>, now: Timestamp) -> Reading<BTreeMap<StoreId, u64>> {
    let leaders = stores.items.iter().map(|store| {
        let leaders = stores.known(&store.entity(), "leader count", store.leader_count)?;
        Ok((store.id, leaders))
    });
    let leaders: std::result::Result<BTreeMap<_, _>, Gap> = leaders.collect();
    let missing = || {
        stores
            .gaps
            .iter()
            .find(|gap| gap.entity().is_some())
            .cloned()
    };
    match (leaders, missing()) {
        (Ok(leaders), None) => Reading::Seen(Measured::new(leaders, now, PD_STORES)),
        (Err(gap), _) | (_, Some(gap)) => Reading::Blind(gap),
    }
}
