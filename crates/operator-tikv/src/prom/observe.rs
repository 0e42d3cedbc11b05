//! One look at the whole cluster: a fixed number of queries at one moment, however many stores there are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream;
use futures_util::{FutureExt, StreamExt};
use operator_core::{
    ClusterMetrics, Error, Fault, Gap, Listing, Result, Store, StoreMetrics, Timestamp, Why, within,
};

use super::queries::{FOR_METRICS, FOR_REGIONS, FOR_STRAINS, Query, Traffic};
use super::readings;
use super::regions::Counted;
use super::standing::{Given, believed};
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
    /// How these stores do, each and all together. Nine queries, as [`store_metrics`](Self::store_metrics)
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

    /// How these stores do. Nine queries at most, whatever their number; `TiFlash` and removed stores are left out.
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
    pub(super) async fn look(&self, queries: &[Query]) -> Result<Given<'_>> {
        let up_text = self.scope.promql(Query::Up);
        let up = self.query_within(self.within / 2, &up_text, None).await?;
        let at = moment(&up);
        let asked = match at {
            None => Vec::new(),
            Some(_) => {
                let is_bucket = |query: &&Query| matches!(query, Query::Writes | Query::Reads);
                let (buckets, others): (Vec<Query>, Vec<Query>) =
                    queries.iter().partition(is_bucket);
                let mut looks: Vec<BoxFuture<'_, Vec<Asked>>> = Vec::new();
                if !buckets.is_empty() {
                    looks.push(self.moving(buckets, at).boxed());
                }
                for query in others {
                    if query != Query::Traffic {
                        looks.push(self.one(query, at).boxed());
                    }
                }
                stream::iter(looks)
                    .buffer_unordered(self.concurrency)
                    .concat()
                    .await
            }
        };
        let mut given = Given {
            at: at.unwrap_or(Timestamp::EPOCH),
            up,
            rest: BTreeMap::new(),
            at_rest: BTreeSet::new(),
            sources: BTreeMap::from([(Query::Up, up_text.into())]),
            scope: &self.scope,
            origin: self.origin(),
            template: self.template.as_ref(),
        };
        for (query, text, answer) in asked {
            given.sources.insert(query, text.into());
            match answer {
                Some(answer) => drop(given.rest.insert(query, answer)),
                None => drop(given.at_rest.insert(query)),
            }
        }
        Ok(given)
    }

    /// A look is over before whoever looks gives it up, even where one answer waits for another.
    async fn query_within(
        &self,
        deadline: Duration,
        text: &str,
        at: Option<Timestamp>,
    ) -> Result<PromAnswer> {
        let answer = within(deadline, self.query(text, at)).await;
        answer.unwrap_or_else(|| {
            let fault = Fault::TimedOut { after: deadline };
            Err(Error::new("query metrics", fault).at(self.origin()))
        })
    }

    async fn one(&self, query: Query, at: Option<Timestamp>) -> Vec<Asked> {
        let text = self.scope.promql(query);
        let answer = self.query_within(self.within * 3 / 4, &text, at).await;
        vec![(query, text, Some(answer))]
    }

    /// Asks which requests there are, and then for the buckets of those. Where that cannot be told, all
    /// buckets are asked for, at their price.
    async fn moving(&self, buckets: Vec<Query>, at: Option<Timestamp>) -> Vec<Asked> {
        let step = self.within * 3 / 8;
        let text = self.scope.promql(Query::Traffic);
        let answer = self.query_within(step, &text, at).await;
        let mut asked = vec![(Query::Traffic, text, Some(answer))];
        let rates = match asked.first() {
            Some((_, _, Some(Ok(answer)))) => believed(answer).ok(),
            _ => None,
        };
        let traffic = rates.and_then(Traffic::new);
        let told = buckets.into_iter().map(|query| {
            let text = match &traffic {
                None => Some(self.scope.promql(query)),
                Some(traffic) => self.scope.promql_of(query, traffic),
            };
            async move {
                let answer = match &text {
                    Some(text) => Some(self.query_within(step, text, at).await),
                    None => None,
                };
                let text = text.unwrap_or_else(|| self.scope.promql(Query::Traffic));
                (query, text, answer)
            }
        });
        let told: Vec<BoxFuture<'_, Asked>> = told.map(FutureExt::boxed).collect();
        asked.extend(futures_util::future::join_all(told).await);
        asked
    }
}

/// What was asked, in which words, and the answer; none where there was nothing to ask for.
type Asked = (Query, String, Option<Result<PromAnswer>>);

/// The moment that an instant vector is about: the server's own now.
pub(super) fn moment(answer: &PromAnswer) -> Option<Timestamp> {
    match &answer.data {
        PromData::Vector(samples) => samples.iter().find_map(|series| Some(series.last()?.at)),
        _ => None,
    }
}
