//! One look at the whole cluster: a fixed number of queries at one moment, however many stores there are.

use futures_util::StreamExt;
use futures_util::stream;
use operator_core::{Listing, Result, Store, StoreMetrics, Timestamp};

use super::queries::{FOR_METRICS, FOR_STRAINS, Query};
use super::readings;
use super::standing::Given;
use super::{PromAnswer, PromClient, PromData};
use crate::facts::StoreStrain;

impl PromClient {
    /// How these stores do. Eight queries, whatever their number; `TiFlash` and removed stores are left out.
    ///
    /// A query that fails costs the readings that it feeds. A store that is not up has no readings, however
    /// long its rates linger.
    ///
    /// # Errors
    /// When it cannot be read which stores are up.
    pub async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
        let given = self.look(&FOR_METRICS).await?;
        Ok(readings::store_metrics(stores, &given))
    }

    /// Under which strain these stores are. Ten queries, whatever their number.
    ///
    /// # Errors
    /// When it cannot be read which stores are up.
    pub async fn store_strains(&self, stores: &[Store]) -> Result<Listing<StoreStrain>> {
        let given = self.look(&FOR_STRAINS).await?;
        Ok(readings::store_strains(stores, &given))
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
