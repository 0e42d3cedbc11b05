//! TiKV as a subject: its reads put together.

mod measured;
mod parts;
mod shared;

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use operator_core::{
    Actions, ClusterMetrics, Error, Fault, Gap, Invariant, Listing, Measured, Part, Reading,
    Regions, Result, Store, StoreId, StoreMetrics, Subject, Timestamp, within,
};

use crate::invariants::{self, Settings};
use crate::{PdClient, PromClient, PromLook};
use shared::Shared;

/// A TiKV cluster, read from PD, and measured by Prometheus where there is one.
///
/// What one look asks does not depend on the number of stores and regions.
///
/// ```
/// use operator_core::Subject;
/// use operator_tikv::{PdClient, PromClient, TikvSubject};
///
/// let pd = PdClient::new("pd-0:2379,pd-1:2379")?;
/// let subject = TikvSubject::builder(pd)
///     .prometheus(PromClient::new("http://monitor:9090")?)
///     .build();
/// assert_eq!(subject.name(), "tikv");
/// # Ok::<(), operator_core::Error>(())
/// ```
#[derive(Debug)]
pub struct TikvSubject {
    pd: PdClient,
    prometheus: Option<PromClient>,
    settings: Settings,
    stores: Shared<Listing<Store>>,
    look: Shared<PromLook>,
}

/// Puts a [`TikvSubject`] together.
#[derive(Debug)]
pub struct TikvBuilder {
    pd: PdClient,
    prometheus: Option<PromClient>,
    settings: Settings,
}

impl TikvBuilder {
    /// The same, measured by this server. Without one, rules that need measurements are listed as not
    /// configured, and the others judge.
    #[must_use]
    pub fn prometheus(mut self, prometheus: PromClient) -> Self {
        self.prometheus = Some(prometheus);
        self
    }

    /// The same, judged by these thresholds.
    #[must_use]
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self
    }

    /// The subject.
    pub fn build(self) -> TikvSubject {
        TikvSubject {
            pd: self.pd,
            prometheus: self.prometheus,
            settings: self.settings,
            stores: Shared::default(),
            look: Shared::default(),
        }
    }
}

impl TikvSubject {
    /// The cluster that this client reads, measured by nobody.
    pub fn new(pd: PdClient) -> Self {
        Self::builder(pd).build()
    }

    /// Begins with the cluster that this client reads.
    pub fn builder(pd: PdClient) -> TikvBuilder {
        TikvBuilder {
            pd,
            prometheus: None,
            settings: Settings::default(),
        }
    }

    /// What reads PD.
    pub fn pd(&self) -> &PdClient {
        &self.pd
    }

    /// What reads Prometheus, where one is configured.
    pub fn prometheus(&self) -> Option<&PromClient> {
        self.prometheus.as_ref()
    }

    /// The thresholds that it is judged by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Prometheus, to be asked for something.
    fn measuring(&self, operation: &'static str) -> Result<&PromClient> {
        let what = "Prometheus";
        self.prometheus
            .as_ref()
            .ok_or_else(|| Error::new(operation, Fault::NotConfigured { what }))
    }

    /// How long an explanation is worth waiting for.
    fn explains_within(&self) -> Duration {
        self.pd.patience() / 2
    }

    /// How stores do, measured once for all who ask for it at the same time.
    async fn measured(&self, stores: &[Store]) -> Result<PromLook> {
        let prometheus = self.measuring("measure stores")?;
        self.look.read(|| prometheus.measure(stores)).await
    }

    /// The same for whoever has more to tell: a server that hangs must not take that with it.
    async fn measured_in_time(&self, stores: &[Store]) -> Result<PromLook> {
        let operation = "measure stores";
        let after = self.measuring(operation)?.patience();
        let measured = within(after, self.measured(stores)).await;
        measured.unwrap_or_else(|| Err(Error::new(operation, Fault::TimedOut { after })))
    }

    /// The stores, read once for all who ask for them at the same time.
    async fn shared_stores(&self) -> Result<Listing<Store>> {
        self.stores.read(|| self.pd.stores()).await
    }
}

#[async_trait]
impl Subject for TikvSubject {
    fn name(&self) -> &str {
        "tikv"
    }

    fn invariants(&self) -> Vec<Box<dyn Invariant>> {
        invariants::standard(&self.settings)
    }

    async fn stores(&self) -> Result<Listing<Store>> {
        self.shared_stores().await
    }

    async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
        let measured = self.measured(stores).await.map(|look| look.stores);
        Ok(measured::with_what_pd_knows(stores, measured))
    }

    async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
        let measured = async {
            let stores = self.shared_stores().await?;
            let measured = self.measured_in_time(&stores.items).await;
            Ok::<_, Error>((stores, measured))
        };
        let (read, regions) = futures_util::future::join(measured, self.pd.region_count()).await;
        let ((stores, measured), now) = (read?, self.pd.now());
        let load = measured.map(|look| look.cluster).unwrap_or_else(|error| {
            ClusterMetrics::blind(&Gap::new("load of the cluster", error.into()))
        });
        let regions = regions.map_err(|error| Gap::new("region count", error.into()));
        Ok(ClusterMetrics {
            store_count: Reading::Seen(Measured::new(stores.items.len() as u64, now, PD_STORES)),
            region_count: regions
                .map(|count| Measured::new(count, now, PD_REGIONS))
                .into(),
            leaders_per_store: leaders_per_store(&stores, now),
            ..load
        })
    }

    fn parts(&self) -> Vec<Part<'_>> {
        self.all_parts()
    }

    fn regions(&self) -> Option<&dyn Regions> {
        Some(&self.pd)
    }

    fn actions(&self) -> Actions<'_> {
        Actions::none()
    }
}

const PD_STORES: &str = "PD /stores";
const PD_REGIONS: &str = "PD /stats/region";

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
            .find(|gap| {
                let listed = |store: &Store| gap.entity() == Some(&store.entity());
                !stores.items.iter().any(listed)
            })
            .cloned()
    };
    match (leaders, missing()) {
        (Ok(leaders), None) => Reading::Seen(Measured::new(leaders, now, PD_STORES)),
        (Err(gap), _) | (_, Some(gap)) => Reading::Blind(gap),
    }
}
