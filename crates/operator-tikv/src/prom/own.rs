//! What was answered about one store, read field by field.

use std::collections::BTreeMap;

use operator_core::{Gap, Measured, Reading, Store, Timestamp, Why};

use super::quantile::Buckets;
use super::queries::Query;
use super::samples::{Number, Series};
use super::standing::{Given, Tables};

/// The bound above which a follower lags: one of the histogram's, so that the share above it is exact.
const LAGS_ABOVE_ENTRIES: f64 = 1024.0;

/// What was answered about one store.
pub(super) struct Own<'a> {
    pub(super) store: &'a Store,
    pub(super) instance: &'a str,
    pub(super) at: Timestamp,
    pub(super) tables: &'a Tables<'a>,
    pub(super) given: &'a Given<'a>,
}

impl<'a> Own<'a> {
    pub(super) fn gap(&self, what: &'static str, why: Why) -> Gap {
        Gap::new(what, why)
            .about(self.store.entity())
            .at(self.given.origin)
    }

    pub(super) fn seen<T>(&self, value: T, query: Query) -> Reading<T> {
        Reading::Seen(Measured::new(value, self.at, self.given.source(query)))
    }

    pub(super) fn reading<T>(&self, value: Result<T, Gap>, query: Query) -> Reading<T> {
        match value {
            Ok(value) => self.seen(value, query),
            Err(gap) => Reading::Blind(gap),
        }
    }

    /// Every row about this store.
    pub(super) fn rows(&self, what: &'static str, query: Query) -> Result<&'a [Series<'a>], Gap> {
        let table = self.tables.get(&query);
        let table = table.ok_or_else(|| self.gap(what, Why::NotAsked))?;
        let rows = table.as_ref().map_err(|why| self.gap(what, why.clone()))?;
        Ok(rows
            .get(self.instance)
            .map(Vec::as_slice)
            .unwrap_or_default())
    }

    /// The rows with these labels.
    pub(super) fn rows_with(
        &self,
        what: &'static str,
        query: Query,
        labels: &[(&str, &str)],
    ) -> Result<Vec<Series<'a>>, Gap> {
        let fits = |row: &&Series<'a>| labels.iter().all(|(name, value)| row.label(name) == *value);
        let rows = self.rows(what, query)?.iter();
        Ok(rows.filter(fits).copied().collect())
    }

    /// The number in the one row with these labels.
    pub(super) fn row(
        &self,
        what: &'static str,
        query: Query,
        labels: &[(&str, &str)],
    ) -> Result<f64, Gap> {
        match self.rows_with(what, query, labels)?[..] {
            [] => Err(self.gap(what, Why::Unsaid)),
            [row] => self.number(what, row),
            ref several => Err(self.unusable(what, "one series", format!("{}", several.len()))),
        }
    }

    /// A number that can be reckoned with, and is no less than nothing.
    pub(super) fn number(&self, what: &'static str, row: Series<'_>) -> Result<f64, Gap> {
        match row.last().map(|point| point.value) {
            Some(Number::Finite(value)) if value >= 0.0 => Ok(value),
            Some(other) => Err(self.unusable(what, "a number from 0 up", other.to_string())),
            None => Err(self.unusable(what, "a number", "a native histogram".into())),
        }
    }

    pub(super) fn unusable(
        &self,
        what: &'static str,
        expected: &'static str,
        found: String,
    ) -> Gap {
        let expected = expected.into();
        self.gap(what, Why::Unusable { expected, found })
    }

    pub(super) fn rate(&self, what: &'static str, query: Query) -> Reading<f64> {
        self.reading(self.row(what, query, &[]), query)
    }

    pub(super) fn gauge(&self, what: &'static str, family: &str, kind: &str) -> Result<f64, Gap> {
        let labels = [("__name__", family), ("type", kind)];
        self.row(what, Query::Gauges, &labels)
    }

    pub(super) fn count(&self, what: &'static str, family: &str, kind: &str) -> Reading<u64> {
        let value = self.gauge(what, family, kind).map(whole);
        self.reading(value, Query::Gauges)
    }

    /// A limit. Nothing can be said against a limit of nothing.
    pub(super) fn quota<T>(
        &self,
        what: &'static str,
        family: &str,
        of: fn(f64) -> T,
    ) -> Reading<T> {
        let limit = self
            .gauge(what, family, "")
            .and_then(|limit| match limit > 0.0 {
                true => Ok(of(limit)),
                false => Err(self.unusable(what, "a limit above 0", limit.to_string())),
            });
        self.reading(limit, Query::Gauges)
    }

    pub(super) fn start(&self) -> Reading<Timestamp> {
        let start = self.gauge("process start", "process_start_time_seconds", "");
        self.reading(start.map(moment), Query::Gauges)
    }

    /// After a start, and when the disk cannot be asked, all of these are 0.
    pub(super) fn disk(&self, what: &'static str, kind: &str) -> Reading<u64> {
        const FAMILY: &str = "tikv_store_size_bytes";
        let not_yet = Why::Distrusted {
            because: "the capacity is 0: the store has not measured its disk".into(),
        };
        match self.gauge(what, FAMILY, "capacity") {
            Ok(0.0) => Reading::Blind(self.gap(what, not_yet)),
            _ => self.count(what, FAMILY, kind),
        }
    }

    pub(super) fn quantile(&self, what: &'static str, query: Query, ratio: f64) -> Reading<f64> {
        let buckets = match self.buckets(what, query) {
            Ok(buckets) => buckets,
            Err(gap) => return Reading::Blind(gap),
        };
        let window = self.given.scope.window();
        buckets.reading(ratio, window, self.at, self.given.source(query))
    }

    pub(super) fn log_lag(&self) -> Reading<f64> {
        let what = "raft log lag";
        let buckets = match self.buckets(what, Query::LogLag) {
            Ok(buckets) => buckets,
            Err(gap) => return Reading::Blind(gap),
        };
        match buckets.share_above(LAGS_ABOVE_ENTRIES) {
            Some(share) => self.seen(share, Query::LogLag),
            None if buckets.total() > 0.0 => {
                let bound = self.unusable(what, "a bucket `1024`", "none".into());
                Reading::Blind(bound)
            }
            None => Reading::Idle,
        }
    }

    pub(super) fn buckets(&self, what: &'static str, query: Query) -> Result<Buckets, Gap> {
        let rest = self.given.at_rest.contains(&query);
        if rest && !self.rows(what, Query::Requests)?.is_empty() {
            return Ok(Buckets::of_nothing());
        }
        let rows = match rest {
            true => &[],
            false => self.rows(what, query)?,
        };
        if rows.is_empty() {
            return Err(self.gap(what, Why::Unsaid));
        }
        let counts: Result<Vec<_>, Gap> = rows
            .iter()
            .map(|row| Ok((row.label("le"), self.number(what, *row)?)))
            .collect();
        Buckets::new(counts?.into_iter()).map_err(|found| self.unusable(what, "buckets", found))
    }

    /// A gauge that a store only has once there was something to gauge.
    pub(super) fn gauge_if_any(&self, what: &'static str, family: &str) -> Result<f64, Gap> {
        let rows = self.rows_with(what, Query::Gauges, &[("__name__", family)])?;
        match rows.is_empty() {
            true => self.exports(what).map(|()| 0.0),
            false => self.gauge(what, family, ""),
        }
    }

    /// How often something happened that a store only counts once it happened.
    pub(super) fn events(&self, what: &'static str, query: Query) -> Reading<f64> {
        let rows = self.rows(what, query);
        let count = rows.and_then(|rows| match rows.is_empty() {
            true => self.exports(what).map(|()| 0.0),
            false => self.row(what, query, &[]),
        });
        self.reading(count, query)
    }

    pub(super) fn critical_errors(&self) -> Reading<BTreeMap<String, f64>> {
        let what = "critical errors";
        let rows = self.rows(what, Query::Critical);
        let errors = rows.and_then(|rows| {
            self.exports(what)?;
            let one =
                |row: &Series<'_>| Ok((row.label("type").to_owned(), self.number(what, *row)?));
            rows.iter().map(one).collect()
        });
        self.reading(errors, Query::Critical)
    }

    /// Whether the store exports what every TiKV does: only beside that does absence mean zero.
    pub(super) fn exports(&self, what: &'static str) -> Result<(), Gap> {
        let rows = self.rows_with(what, Query::Gauges, &[("__name__", "tikv_server_info")])?;
        match rows.is_empty() {
            true => Err(self.gap(what, Why::Unsaid)),
            false => Ok(()),
        }
    }

    /// Some versions tell two kinds of slowness apart; the slower one counts.
    pub(super) fn slow_score(&self) -> Result<f64, Gap> {
        let what = "slow score";
        let labels = [("__name__", "tikv_raftstore_slow_score")];
        let mut worst = None;
        for row in self.rows_with(what, Query::Gauges, &labels)? {
            let score = self.number(what, row)?;
            worst = Some(score.max(worst.unwrap_or(score)));
        }
        worst.ok_or_else(|| self.gap(what, Why::Unsaid))
    }
}

/// A number from 0 up, as a count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "negative numbers were refused, and what is too large saturates"
)]
pub(super) fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and is clamped to the years there are"
)]
pub(super) fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_unix_millis((seconds * 1000.0).round() as i64)
}
