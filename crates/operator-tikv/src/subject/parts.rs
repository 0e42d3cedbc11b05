//! What only TiKV knows: one part each, with its own beat and deadline.

mod ailments;
mod hot;
mod leadership;
mod removals;
mod silent;

use std::time::Duration;

use operator_core::{Due, Listing, Part, Result};

use super::TikvSubject;
use crate::facts::{ClockReading, Contract, PdClock, PrometheusClock, StoreStarts, StoreStrain};

/// What changes by hand, or by configuration, is read this often.
const CONFIGURATION: Duration = Duration::from_secs(60);

impl TikvSubject {
    pub(super) fn all_parts(&self) -> Vec<Part<'_>> {
        let pd = &self.pd;
        vec![
            Part::new("PD leader", |due| self.leadership(due)).from_source("PD /leader"),
            Part::new("PD health", |_: Due<_>| pd.health()).from_source("PD /health"),
            Part::new("PD clock", |_: Due<PdClock>| self.pd_clock()).from_source("PD /leader"),
            Part::new("Prometheus clock", |_: Due<PrometheusClock>| {
                self.prometheus_clock()
            })
            .from_source("Prometheus, time() and Date"),
            Part::new("contract", |due| self.contract(due)).from_source("Prometheus"),
            Part::new("strain", |_: Due<_>| self.strain()).from_source("Prometheus"),
            Part::new("starts", |due| self.starts(due)).from_source("PD /stores"),
            Part::new("schedulers", |_: Due<_>| pd.schedulers()).from_source("PD /schedulers"),
            Part::new("schedule configuration", |_: Due<_>| pd.schedule_config())
                .every(CONFIGURATION)
                .from_source("PD /config/schedule"),
            Part::new("replication configuration", |_: Due<_>| {
                pd.replication_config()
            })
            .every(CONFIGURATION)
            .from_source("PD /config/replicate"),
            Part::new("removals", |due| self.removals(due)).from_source("PD /stores/progress"),
            Part::new("hot writes", |_: Due<_>| self.hot_writes())
                .from_source("PD /hotspot/regions/write"),
            Part::new("hot reads", |_: Due<_>| self.hot_reads())
                .from_source("PD /hotspot/regions/read"),
            self.ailments_part(),
            Part::new("regions of silent stores", |due| self.silent_regions(due))
                .from_source("PD /regions/store"),
        ]
    }

    async fn pd_clock(&self) -> Result<PdClock> {
        self.pd.member_clock().await.map(PdClock)
    }

    /// Samples are dated by the one, and the other is what an answer says of itself: neither may be off.
    async fn prometheus_clock(&self) -> Result<PrometheusClock> {
        let prometheus = self.measuring("read Prometheus' clock")?;
        let time = prometheus.server_time().await?;
        let ours = self.pd.now();
        let of = |theirs| ClockReading::of(prometheus.origin(), theirs, ours);
        Ok(PrometheusClock(match time.date.map(of) {
            Some(dated) if dated.apart() > of(time.now).apart() => dated,
            _ => of(time.now),
        }))
    }

    async fn contract(&self, due: Due<Contract>) -> Result<Contract> {
        let prometheus = self.measuring("check Prometheus' series")?;
        let last = due.last.as_ref().map(|last| &last.value);
        match last.filter(|last| !last.is_due(due.at)) {
            Some(last) => Ok(last.clone()),
            None => Ok(Contract::found(prometheus.contract().await?, due.at, last)),
        }
    }

    async fn strain(&self) -> Result<Listing<StoreStrain>> {
        let prometheus = self.measuring("measure the strain of stores")?;
        let stores = self.shared_stores().await?;
        prometheus.store_strains(&stores.items).await
    }

    async fn starts(&self, due: Due<StoreStarts>) -> Result<StoreStarts> {
        let stores = self.shared_stores().await?;
        let last = due.last.map(|last| last.value.clone()).unwrap_or_default();
        Ok(last.and(due.at, &stores))
    }
}
