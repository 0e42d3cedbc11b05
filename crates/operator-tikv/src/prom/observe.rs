//! One look at the whole cluster: a fixed number of queries at one moment, however many stores there are.

use futures_util::StreamExt;
use futures_util::stream;
use operator_core::{
    ClusterMetrics, Error, Fault, Gap, Listing, Result, Store, StoreMetrics, Timestamp, Why,
};

use super::queries::{FOR_METRICS, FOR_REGIONS, FOR_STRAINS, Query};
use super::readings;
use super::regions::Counted;
use super::standing::Given;
use super::{Point, PromAnswer, PromClient, PromData, own};
use crate::facts::{PromTime, RegionHealth, StoreStrain};

/// One look: each store by itself, and all of them together.
#[derive(Debug, Clone, PartialEq)]
pub struct PromLook {
    /// How the stores do.
    pub stores: Listing<StoreMetrics>,
    /// How the cluster does: its load. What else there is of a cluster was not asked for.
    pub cluster: ClusterMetrics,
}

impl PromClient {
    /// How these stores do, each and all together. Eight queries, as [`store_metrics`](Self::store_metrics)
    /// alone: what all do together comes of the same answers.
    ///
    /// The load of the cluster is unseen where that of one of its stores is. A store that is not up has none.
    ///
    /// # Errors
    /// When it cannot be read which stores are up.
    pub async fn measure(&self, stores: &[Store]) -> Result<PromLook> {
        let given = self.look(&FOR_METRICS).await?;
        Ok(readings::look(stores, &given))
    }

    /// How these stores do. Eight queries, whatever their number; `TiFlash` and removed stores are left out.
    ///
    /// A query that fails costs the readings that it feeds. A store that is not up has no readings, however
    /// long its rates linger.
    ///
    /// # Errors
    /// When it cannot be read which stores are up.
    pub async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
        Ok(self.measure(stores).await?.stores)
    }

    /// Under which strain these stores are. Ten queries, whatever their number.
    ///
    /// # Errors
    /// When it cannot be read which stores are up.
    pub async fn store_strains(&self, stores: &[Store]) -> Result<Listing<StoreStrain>> {
        let given = self.look(&FOR_STRAINS).await?;
        Ok(readings::store_strains(stores, &given))
    }

    /// How many regions want something, as PD's leader counts them. Two queries.
    ///
    /// # Errors
    /// When the counts cannot be read. Where it cannot be said whose counts hold, all readings are gaps.
    pub async fn region_health(&self) -> Result<RegionHealth> {
        let [source, by] = FOR_REGIONS.map(|query| self.scope.promql(query));
        let counts = self.query(&source, None).await?;
        let Some(at) = moment(&counts) else {
            let nobody = Gap::new("region health", Why::Unsaid).at(self.origin());
            return Ok(RegionHealth::blind(&nobody));
        };
        let counted = Counted {
            counts: &counts,
            at,
            by: &self.query(&by, Some(at)).await,
            limit: self.scope.window(),
            source: &source,
            origin: self.origin(),
        };
        Ok(counted.health())
    }

    /// What time it is for the server. The cheapest thing that can be asked of it: whoever wants to know
    /// whether it answers asks this.
    ///
    /// # Errors
    /// When there is no usable answer.
    pub async fn server_time(&self) -> Result<PromTime> {
        let answer = self.query("time()", None).await?;
        let now = match answer.data {
            PromData::Scalar(Point { value, .. }) => value.finite().map(own::moment),
            _ => None,
        };
        let now = now.ok_or_else(|| {
            let expected = "the time, as a scalar".into();
            let found = "something else".into();
            Error::new("read the time", Fault::Decode { expected, found }).at(self.origin())
        })?;
        Ok(PromTime {
            origin: self.origin().to_owned(),
            now,
            date: answer.date,
        })
    }

    /// Asks which stores are up, and then the rest about the moment of that answer. Where nothing is
    /// measured there is no such moment, and nothing else to ask.
    async fn look<'q>(&'q self, queries: &'q [Query]) -> Result<Given<'q>> {
        let up = self.query(&self.scope.promql(Query::Up), None).await?;
        let at = moment(&up);
        let rest = match at {
            None => Vec::new(),
            Some(_) => {
                let asked = queries.iter().copied().map(|query| async move {
                    let answer = self.query(&self.scope.promql(query), at).await;
                    (query, answer)
                });
                stream::iter(asked)
                    .buffer_unordered(self.concurrency)
                    .collect()
                    .await
            }
        };
        Ok(Given {
            at: at.unwrap_or(Timestamp::EPOCH),
            up,
            rest: rest.into_iter().collect(),
            sources: queries
                .iter()
                .chain([&Query::Up])
                .map(|query| (*query, self.scope.promql(*query).into()))
                .collect(),
            scope: &self.scope,
            origin: self.origin(),
            template: self.template.as_ref(),
        })
    }
}

/// The moment that an instant vector is about: the server's own now.
fn moment(answer: &PromAnswer) -> Option<Timestamp> {
    match &answer.data {
        PromData::Vector(samples) => samples.iter().find_map(|series| Some(series.last()?.at)),
        _ => None,
    }
}
