//! What all stores do together, from what was answered about each.

use operator_core::{ClusterMetrics, Gap, Measured, Reading, Timestamp, Why};

use super::own::Own;
use super::quantile::Buckets;
use super::queries::Query;
use super::standing::Given;

/// Sums over stores. One that cannot be seen makes a sum unseen: what is left of it would be too low.
pub(super) struct Load {
    queries: Result<f64, Gap>,
    writes: Result<Option<Buckets>, Gap>,
    reads: Result<Option<Buckets>, Gap>,
    /// The oldest sample among them.
    at: Option<Timestamp>,
}

impl Load {
    pub(super) fn new() -> Self {
        Self {
            queries: Ok(0.0),
            writes: Ok(None),
            reads: Ok(None),
            at: None,
        }
    }

    /// One store more that is up.
    pub(super) fn add(&mut self, own: &Own<'_>) {
        self.at = Some(self.at.map_or(own.at, |at| at.min(own.at)));
        let queries = own.row("queries per second", Query::Requests, &[]);
        if let Ok(sum) = self.queries {
            self.queries = queries.map(|one| sum + one);
        }
        for (all, what, query) in [
            (&mut self.writes, "write P99", Query::Writes),
            (&mut self.reads, "read P99", Query::Reads),
        ] {
            if let Ok(sum) = all {
                *all = own.buckets(what, query).and_then(|one| match sum.take() {
                    None => Ok(Some(one)),
                    Some(sum) => sum
                        .plus(&one)
                        .map(Some)
                        .ok_or_else(|| own.unusable(what, "buckets alike", "others".into())),
                });
            }
        }
    }

    /// The sums, or why there are none: a store that cannot be seen, or that there is no store up at all.
    pub(super) fn metrics(self, unseen: Option<&Gap>, given: &Given<'_>) -> ClusterMetrics {
        let not_asked = Gap::new("cluster metrics", Why::NotAsked);
        let at = match (unseen, self.at) {
            (Some(gap), _) => return with_load(&not_asked, &Reading::Blind(gap.clone())),
            (None, None) => {
                let what = "stores that are up";
                let gap = Gap::new("load", Why::Needs { what }).at(given.origin);
                return with_load(&not_asked, &Reading::Blind(gap));
            }
            (None, Some(at)) => at,
        };
        let p99 = |buckets: Result<Option<Buckets>, Gap>, query| match buckets {
            Ok(Some(buckets)) => {
                buckets.reading(0.99, given.scope.window(), at, given.source(query))
            }
            Ok(None) => Reading::Idle,
            Err(gap) => Reading::Blind(gap),
        };
        let queries = self
            .queries
            .map(|sum| Measured::new(sum, at, given.source(Query::Requests)));
        ClusterMetrics {
            queries_per_second: queries.into(),
            write_p99_seconds: p99(self.writes, Query::Writes),
            read_p99_seconds: p99(self.reads, Query::Reads),
            ..ClusterMetrics::blind(&not_asked)
        }
    }
}

fn with_load(rest: &Gap, load: &Reading<f64>) -> ClusterMetrics {
    ClusterMetrics {
        queries_per_second: load.clone(),
        write_p99_seconds: load.clone(),
        read_p99_seconds: load.clone(),
        ..ClusterMetrics::blind(rest)
    }
}
