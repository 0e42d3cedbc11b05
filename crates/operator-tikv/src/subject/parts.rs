//! What only TiKV knows: one part each, with its own beat and deadline.

mod ailments;
mod hot;
mod leadership;
mod silent;

use std::time::Duration;

use operator_core::{Due, Error, Fault, Listing, Part, Result, StoreState};

use super::TikvSubject;
use crate::facts::{
    ClockReading, PdClock, PrometheusClock, Removal, Removals, StoreStarts, StoreStrain,
};

/// What changes by hand, or by configuration, is read this often.
const CONFIGURATION: Duration = Duration::from_secs(60);
/// The contract with Prometheus is about versions of TiKV: it is broken by an upgrade, not by a fault.
const CONTRACT: Duration = Duration::from_secs(300);
/// Clocks drift slowly.
const CLOCKS: Duration = Duration::from_secs(30);
/// So many removals are followed one by one.
const MOST_REMOVALS: usize = 20;

impl TikvSubject {
    pub(super) fn all_parts(&self) -> Vec<Part<'_>> {
        let pd = &self.pd;
        vec![
            Part::new("PD leader", |due| self.leadership(due)).from_source("PD /leader"),
            Part::new("PD health", |_: Due<_>| pd.health()).from_source("PD /health"),
            Part::new("PD clock", |_: Due<PdClock>| self.pd_clock())
                .every(CLOCKS)
                .from_source("PD /members"),
            Part::new("Prometheus clock", |_: Due<PrometheusClock>| {
                self.prometheus_clock()
            })
            .from_source("time()"),
            Part::new("contract", |_: Due<_>| self.contract())
                .every(CONTRACT)
                .from_source("Prometheus"),
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
            Part::new("removals", |_: Due<Removals>| self.removals())
                .from_source("PD /stores/progress"),
            Part::new("hot writes", |_: Due<_>| self.hot_writes())
                .from_source("PD /hotspot/regions/write"),
            Part::new("hot reads", |_: Due<_>| self.hot_reads())
                .from_source("PD /hotspot/regions/read"),
            self.ailments_part(),
            Part::new("regions of silent stores", |due: Due<_>| {
                self.silent_regions(due.at)
            })
            .from_source("PD /regions/store"),
        ]
    }

    async fn pd_clock(&self) -> Result<PdClock> {
        let members = self.pd.members().await?;
        let ours = self.pd.now();
        let theirs = members.server_time.ok_or_else(|| undated(&self.pd))?;
        // Whoever answered is one of them; they keep their clocks together, or have worse troubles.
        let host = host_of(&self.pd.to_string());
        Ok(PdClock(ClockReading { host, theirs, ours }))
    }

    async fn prometheus_clock(&self) -> Result<PrometheusClock> {
        let prometheus = self.measuring("read Prometheus' clock")?;
        let theirs = prometheus.server_time().await?.now;
        let ours = self.pd.now();
        let host = host_of(prometheus.origin());
        Ok(PrometheusClock(ClockReading { host, theirs, ours }))
    }

    async fn contract(&self) -> Result<Vec<crate::ContractCheck>> {
        let prometheus = self.measuring("check Prometheus' series")?;
        prometheus.contract().await
    }

    async fn strain(&self) -> Result<Listing<StoreStrain>> {
        let prometheus = self.measuring("measure the strain of stores")?;
        let stores = self.shared_stores().await?;
        prometheus.store_strains(&stores.items).await
    }

    async fn starts(&self, due: Due<StoreStarts>) -> Result<StoreStarts> {
        let stores = self.shared_stores().await?;
        let last = due.last.map(|last| last.value.clone()).unwrap_or_default();
        Ok(last.and(due.at, stores.items.iter()))
    }

    async fn removals(&self) -> Result<Removals> {
        let stores = self.shared_stores().await?;
        let offline = stores
            .items
            .iter()
            .filter(|store| store.state == Some(StoreState::Offline));
        let mut list = Listing::whole(Vec::new());
        for store in offline.take(MOST_REMOVALS) {
            let progress = self.pd.progress_of(store.id).await?;
            list.items.push(Removal {
                store: store.id,
                progress,
            });
        }
        Ok(Removals { list })
    }
}

fn undated(origin: impl std::fmt::Display) -> Error {
    let expected = "a header `Date`".into();
    let found = "none".into();
    Error::new(
        "read the time of a server",
        Fault::Decode { expected, found },
    )
    .at(origin.to_string())
}

/// `HOST:PORT` of a URL, the first of several.
fn host_of(urls: &str) -> String {
    let url = urls.split(',').next().unwrap_or_default();
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    host.split('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_is_what_is_between_the_slashes() {
        assert_eq!(host_of("http://pd-0:2379,http://pd-1:2379"), "pd-0:2379");
        assert_eq!(host_of("https://monitor:9090/prometheus"), "monitor:9090");
    }
}
