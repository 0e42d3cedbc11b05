//! From what was answered to what is known of each store. Pure.

use std::collections::{BTreeMap, BTreeSet};

use operator_core::{
    Error, Gap, Listing, Measured, Reading, Source, Store, StoreMetrics, Timestamp, Why,
};

use super::instances::{self, InstanceTemplate};
use super::quantile::{Buckets, Quantile};
use super::queries::{Query, Scope};
use super::samples::{Number, Samples, Series};
use super::{PromAnswer, PromData};
use crate::facts::StoreStrain;

/// The bound above which a follower lags: one of the histogram's, so that the share above it is exact.
const LAGS_ABOVE_ENTRIES: f64 = 1024.0;
/// The unit of flow control's gauge.
const DISCARD_UNIT: f64 = 1e7;

/// What was answered in one look.
pub(super) struct Given<'a> {
    /// The moment that all answers are about, by the server's clock.
    pub(super) at: Timestamp,
    pub(super) up: PromAnswer,
    pub(super) rest: BTreeMap<Query, Result<PromAnswer, Error>>,
    pub(super) scope: &'a Scope,
    pub(super) origin: &'a str,
    pub(super) template: Option<&'a InstanceTemplate>,
}

/// How these stores do.
pub(super) fn store_metrics(stores: &[Store], given: &Given<'_>) -> Listing<StoreMetrics> {
    listing(stores, given, |store, seen| {
        let own = match seen {
            Standing::Up(own) => own,
            Standing::Down { since } => {
                let up = Measured::new(false, since, given.source(Query::Up));
                return StoreMetrics {
                    up: Reading::Seen(up),
                    ..StoreMetrics::blind(store.id, &gone(store, given))
                };
            }
        };
        let disk = |what, kind| own.disk(what, kind);
        StoreMetrics {
            store: store.id,
            up: own.seen(true, Query::Up),
            process_started_at: own.start(),
            queries_per_second: own.rate("queries per second", Query::Requests),
            write_p95_seconds: own.quantile("write P95", Query::Writes, 0.95),
            write_p99_seconds: own.quantile("write P99", Query::Writes, 0.99),
            read_p95_seconds: own.quantile("read P95", Query::Reads, 0.95),
            read_p99_seconds: own.quantile("read P99", Query::Reads, 0.99),
            cpu_used_cores: own.rate("CPU used", Query::Cpu),
            cpu_quota_cores: own.quota("CPU quota", "tikv_server_cpu_cores_quota", |cores| cores),
            memory_used_bytes: own.count("memory used", "process_resident_memory_bytes", ""),
            memory_quota_bytes: own.quota("memory quota", "tikv_server_memory_quota_bytes", whole),
            disk_used_bytes: disk("disk used", "used"),
            disk_available_bytes: disk("disk available", "available"),
            disk_capacity_bytes: disk("disk capacity", "capacity"),
            raft_log_lag_ratio: own.log_lag(),
            leader_count: own.count("leader count", "tikv_raftstore_region_count", "leader"),
            region_count: own.count("region count", "tikv_raftstore_region_count", "region"),
        }
    })
}

/// Under which strain these stores are.
pub(super) fn store_strains(stores: &[Store], given: &Given<'_>) -> Listing<StoreStrain> {
    listing(stores, given, |store, seen| {
        let Standing::Up(own) = seen else {
            return StoreStrain::blind(store.id, &gone(store, given));
        };
        let storage = |what, status| {
            let row = own.row(what, Query::Storage, &[("status", status)]);
            own.reading(row, Query::Storage)
        };
        let discarded = own.gauge_if_any("discard ratio", "tikv_scheduler_discard_ratio");
        let files = own.gauge_if_any("files in level 0", "tikv_scheduler_l0_avg");
        let missing = own.row("leader missing", Query::LeaderMissing, &[]);
        StoreStrain {
            store: store.id,
            critical_errors: own.critical_errors(),
            storage_requests_per_second: storage("storage requests", "all"),
            busy_per_second: storage("busy refusals", "err_server_is_busy"),
            not_leader_per_second: storage("refusals of a follower", "err_not_leader"),
            scheduler_busy_count: own.events("scheduler too busy", Query::SchedulerBusy),
            channel_full_count: own.events("channels full", Query::ChannelFull),
            flow_discard_ratio: own.reading(discarded.map(|n| n / DISCARD_UNIT), Query::Gauges),
            l0_files_average: own.reading(files, Query::Gauges),
            stalled_ratio: own.rate("stalled share", Query::Stalls),
            slow_score: own.reading(own.slow_score(), Query::Gauges),
            async_write_p99_seconds: own.quantile("async write P99", Query::AsyncWrites, 0.99),
            leader_missing: own.reading(missing.map(|flag| flag > 0.0), Query::LeaderMissing),
        }
    })
}

/// What is known of a store beside its readings.
enum Standing<'a> {
    Up(Own<'a>),
    Down { since: Timestamp },
}

/// The rows of an answer by instance, or why there are none that could be believed.
type Tables<'a> = BTreeMap<Query, Result<Rows<'a>, Why>>;
type Rows<'a> = BTreeMap<&'a str, Vec<Series<'a>>>;

/// Finds each store's instance and whether it is up, and lets `of` read the rest.
fn listing<T>(
    stores: &[Store],
    given: &Given<'_>,
    of: impl Fn(&Store, Standing<'_>) -> T,
) -> Listing<T> {
    let measured: Vec<&Store> = stores
        .iter()
        .filter(|store| instances::is_measured(store))
        .collect();
    let ups = vector(&given.up).map(|samples| rows(samples));
    let ups = ups.unwrap_or_default();
    let names: BTreeSet<&str> = ups
        .keys()
        .copied()
        .filter(|name| !name.is_empty())
        .collect();
    let tables: Tables<'_> = given
        .rest
        .iter()
        .map(|(query, answer)| (*query, table(answer)))
        .collect();
    let mut assigned = instances::assign(&measured, &names, given.template);
    let mut listing = Listing::whole(Vec::new());
    for store in measured {
        let instance = assigned
            .remove(&store.id)
            .unwrap_or_else(|| Err(Gap::new("metrics", Why::Unsaid).about(store.entity())));
        let standing = instance
            .map_err(|gap| given.perhaps_left_out(store, gap))
            .and_then(|instance| standing(store, instance, &ups, &tables, given));
        match standing {
            Ok(standing) => listing.items.push(of(store, standing)),
            Err(gap) => listing.gaps.push(gap.at(given.origin)),
        }
    }
    listing
}

/// Whether a store is up, by an answer that is young enough.
fn standing<'a>(
    store: &'a Store,
    instance: &'a str,
    ups: &Rows<'a>,
    tables: &'a Tables<'a>,
    given: &'a Given<'a>,
) -> Result<Standing<'a>, Gap> {
    let gap = |why| Gap::new("metrics", why).about(store.entity());
    let own = Own {
        store,
        instance,
        at: given.at,
        tables,
        given,
    };
    let unusable = |expected: &'static str, found: String| {
        let expected = expected.into();
        gap(Why::Unusable { expected, found })
    };
    let rows = ups.get(instance).map(Vec::as_slice).unwrap_or_default();
    let up = match rows {
        [row] => row.last().and_then(|point| point.value.finite()),
        several => {
            let jobs: Vec<&str> = several.iter().map(|row| row.label("job")).collect();
            let found = format!(
                "{} of {instance}, of jobs {}",
                several.len(),
                jobs.join(", ")
            );
            return Err(unusable("one series `up`", found));
        }
    };
    let sampled = own.row("metrics", Query::UpAt, &[])?;
    let at = moment(sampled);
    let (age, limit) = (given.at.since(at), given.scope.window());
    if age > limit {
        return Err(gap(Why::Stale { age, limit }).since(at));
    }
    match up {
        Some(1.0) => Ok(Standing::Up(Own { at, ..own })),
        Some(0.0) => Ok(Standing::Down { since: at }),
        other => Err(unusable("`up` of 0 or 1", format!("{other:?}"))),
    }
}

/// Why a store that is not up has no readings.
fn gone(store: &Store, given: &Given<'_>) -> Gap {
    let because = "it is not up, and what lingers is from before".into();
    Gap::new("metrics", Why::Distrusted { because })
        .about(store.entity())
        .at(given.origin)
}

impl Given<'_> {
    /// The text of a query, as the source of what comes of it.
    fn source(&self, query: Query) -> Source {
        self.scope.promql(query).into()
    }

    /// What is not in an answer that is not whole may exist all the same.
    fn perhaps_left_out(&self, store: &Store, gap: Gap) -> Gap {
        match self.up.missing.first() {
            Some(missing) => Gap::new("metrics", partial(missing)).about(store.entity()),
            None => gap,
        }
    }
}

fn partial(missing: &str) -> Why {
    let because = format!("the answer is not whole: {missing}").into();
    Why::Distrusted { because }
}

fn vector(answer: &PromAnswer) -> Option<&Samples> {
    match &answer.data {
        PromData::Vector(samples) => Some(samples),
        _ => None,
    }
}

fn rows(samples: &Samples) -> Rows<'_> {
    let mut rows = Rows::new();
    for series in samples.iter() {
        rows.entry(series.label("instance"))
            .or_default()
            .push(series);
    }
    rows
}

/// Sums over what is left of a family would be too low: nothing of an answer that is not whole is believed.
fn table(answer: &Result<PromAnswer, Error>) -> Result<Rows<'_>, Why> {
    let answer = answer.as_ref().map_err(|error| Why::from(error.clone()))?;
    if let Some(missing) = answer.missing.first() {
        return Err(partial(missing));
    }
    vector(answer).map(rows).ok_or_else(|| Why::Unusable {
        expected: "a vector".into(),
        found: "something else".into(),
    })
}

/// What was answered about one store.
struct Own<'a> {
    store: &'a Store,
    instance: &'a str,
    at: Timestamp,
    tables: &'a Tables<'a>,
    given: &'a Given<'a>,
}

impl<'a> Own<'a> {
    fn gap(&self, what: &'static str, why: Why) -> Gap {
        Gap::new(what, why)
            .about(self.store.entity())
            .at(self.given.origin)
    }

    fn seen<T>(&self, value: T, query: Query) -> Reading<T> {
        Reading::Seen(Measured::new(value, self.at, self.given.source(query)))
    }

    fn reading<T>(&self, value: Result<T, Gap>, query: Query) -> Reading<T> {
        match value {
            Ok(value) => self.seen(value, query),
            Err(gap) => Reading::Blind(gap),
        }
    }

    /// Every row about this store.
    fn rows(&self, what: &'static str, query: Query) -> Result<&'a [Series<'a>], Gap> {
        let table = self.tables.get(&query);
        let table = table.ok_or_else(|| self.gap(what, Why::NotAsked))?;
        let rows = table.as_ref().map_err(|why| self.gap(what, why.clone()))?;
        Ok(rows
            .get(self.instance)
            .map(Vec::as_slice)
            .unwrap_or_default())
    }

    /// The rows with these labels.
    fn rows_with(
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
    fn row(&self, what: &'static str, query: Query, labels: &[(&str, &str)]) -> Result<f64, Gap> {
        match self.rows_with(what, query, labels)?[..] {
            [] => Err(self.gap(what, Why::Unsaid)),
            [row] => self.number(what, row),
            ref several => Err(self.unusable(what, "one series", format!("{}", several.len()))),
        }
    }

    /// A number that can be reckoned with, and is no less than nothing.
    fn number(&self, what: &'static str, row: Series<'_>) -> Result<f64, Gap> {
        match row.last().map(|point| point.value) {
            Some(Number::Finite(value)) if value >= 0.0 => Ok(value),
            Some(other) => Err(self.unusable(what, "a number from 0 up", other.to_string())),
            None => Err(self.unusable(what, "a number", "a native histogram".into())),
        }
    }

    fn unusable(&self, what: &'static str, expected: &'static str, found: String) -> Gap {
        let expected = expected.into();
        self.gap(what, Why::Unusable { expected, found })
    }

    fn rate(&self, what: &'static str, query: Query) -> Reading<f64> {
        self.reading(self.row(what, query, &[]), query)
    }

    fn gauge(&self, what: &'static str, family: &str, kind: &str) -> Result<f64, Gap> {
        let labels = [("__name__", family), ("type", kind)];
        self.row(what, Query::Gauges, &labels)
    }

    fn count(&self, what: &'static str, family: &str, kind: &str) -> Reading<u64> {
        let value = self.gauge(what, family, kind).map(whole);
        self.reading(value, Query::Gauges)
    }

    /// A limit. Nothing can be said against a limit of nothing.
    fn quota<T>(&self, what: &'static str, family: &str, of: fn(f64) -> T) -> Reading<T> {
        let limit = self
            .gauge(what, family, "")
            .and_then(|limit| match limit > 0.0 {
                true => Ok(of(limit)),
                false => Err(self.unusable(what, "a limit above 0", limit.to_string())),
            });
        self.reading(limit, Query::Gauges)
    }

    fn start(&self) -> Reading<Timestamp> {
        let start = self.gauge("process start", "process_start_time_seconds", "");
        self.reading(start.map(moment), Query::Gauges)
    }

    /// After a start, and when the disk cannot be asked, all of these are 0.
    fn disk(&self, what: &'static str, kind: &str) -> Reading<u64> {
        const FAMILY: &str = "tikv_store_size_bytes";
        let not_yet = Why::Distrusted {
            because: "the capacity is 0: the store has not measured its disk".into(),
        };
        match self.gauge(what, FAMILY, "capacity") {
            Ok(0.0) => Reading::Blind(self.gap(what, not_yet)),
            _ => self.count(what, FAMILY, kind),
        }
    }

    /// Too few requests for a quantile are idleness: the slowest one of a few is not what 99 of 100 are.
    fn quantile(&self, what: &'static str, query: Query, ratio: f64) -> Reading<f64> {
        let buckets = match self.buckets(what, query) {
            Ok(buckets) => buckets,
            Err(gap) => return Reading::Blind(gap),
        };
        let requests = buckets.total() * self.given.scope.window().as_secs_f64();
        if requests * (1.0 - ratio) < 1.0 - 1e-6 {
            return Reading::Idle;
        }
        match buckets.quantile(ratio) {
            Quantile::OfNothing => Reading::Idle,
            Quantile::About(value) => self.seen(value, query),
            Quantile::AtLeast(value) => {
                let source = format!("at least, from {}", self.given.source(query));
                Reading::Seen(Measured::new(value, self.at, source))
            }
        }
    }

    fn log_lag(&self) -> Reading<f64> {
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

    fn buckets(&self, what: &'static str, query: Query) -> Result<Buckets, Gap> {
        let rows = self.rows(what, query)?;
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
    fn gauge_if_any(&self, what: &'static str, family: &str) -> Result<f64, Gap> {
        let rows = self.rows_with(what, Query::Gauges, &[("__name__", family)])?;
        match rows.is_empty() {
            true => self.exports(what).map(|()| 0.0),
            false => self.gauge(what, family, ""),
        }
    }

    /// How often something happened that a store only counts once it happened.
    fn events(&self, what: &'static str, query: Query) -> Reading<f64> {
        let rows = self.rows(what, query);
        let count = rows.and_then(|rows| match rows.is_empty() {
            true => self.exports(what).map(|()| 0.0),
            false => self.row(what, query, &[]),
        });
        self.reading(count, query)
    }

    fn critical_errors(&self) -> Reading<BTreeMap<String, f64>> {
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
    fn exports(&self, what: &'static str) -> Result<(), Gap> {
        let rows = self.rows_with(what, Query::Gauges, &[("__name__", "tikv_server_info")])?;
        match rows.is_empty() {
            true => Err(self.gap(what, Why::Unsaid)),
            false => Ok(()),
        }
    }

    /// Some versions tell two kinds of slowness apart; the slower one counts.
    fn slow_score(&self) -> Result<f64, Gap> {
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
fn whole(value: f64) -> u64 {
    value.round() as u64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "saturates, and is clamped to the years there are"
)]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_unix_millis((seconds * 1000.0).round() as i64)
}
