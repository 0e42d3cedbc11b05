//! What a subject has to offer, and what its users may rely on.

use std::any::{Any, TypeId, type_name};
use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::{
    Actions, ClusterMetrics, Cursor, Invariant, Listing, Measured, Region, RegionId, Result,
    Source, Store, StoreMetrics, Timestamp,
};

/// A distributed storage system that can be observed, judged and, where it allows, acted upon.
///
/// Whoever implements it promises:
/// - **Reads are honest.** What was not seen is a [`Gap`](crate::Gap), a failed read is an
///   [`Error`](crate::Error) that says where; neither is ever a zero, an empty list or a default.
/// - **Reads are independent.** They may run at the same time, in any order, and be dropped at any
///   await; a dropped read leaves the subject as usable as before.
/// - **Reads are bounded** in size and count. Time is bounded by the caller: a read must await, not
///   block, for only what awaits can be given up.
/// - **Reads have no effect** on what is observed. Only actions have.
/// - **Rules come from the subject**, and judge what its reads return.
///
/// Whoever uses it relies on no more than that: reads may be slow, fail or hang, and an
/// [`Observer`](crate::Observer) deals with all three. Try an implementation with the conformance kit
/// (feature `testing`).
///
/// No method has a default, so that a wrapper cannot forget one.
#[async_trait]
pub trait Subject: fmt::Debug + Send + Sync {
    /// What it is called, as in `cannot read stores from NAME`.
    fn name(&self) -> &str;

    /// The rules it is judged by. Codes are unique.
    fn invariants(&self) -> Vec<Box<dyn Invariant>>;

    /// Every store that belongs to it, those that do badly among them.
    ///
    /// # Errors
    /// When the list as a whole could not be read. A bad item costs itself alone: a gap about it.
    async fn stores(&self) -> Result<Listing<Store>>;

    /// Metrics of these stores, all at once: the number of requests does not depend on how many.
    ///
    /// A store that could not be measured is a gap about it, or has readings that are blind.
    ///
    /// # Errors
    /// When nothing could be measured.
    async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>>;

    /// Metrics of the whole.
    ///
    /// # Errors
    /// When nothing could be measured.
    async fn cluster_metrics(&self) -> Result<ClusterMetrics>;

    /// What only this subject knows. May be empty.
    fn parts(&self) -> Vec<Part<'_>>;

    /// Its regions, for looking closer; `None` where there are none.
    fn regions(&self) -> Option<&dyn Regions>;

    /// What it can do; [`Actions::none`] where it can only be observed.
    fn actions(&self) -> Actions<'_>;
}

macro_rules! forward_subject {
    ($($pointer:ident)*) => {$(
        #[async_trait]
        impl<S: Subject + ?Sized> Subject for $pointer<S> {
            fn name(&self) -> &str {
                (**self).name()
            }
            fn invariants(&self) -> Vec<Box<dyn Invariant>> {
                (**self).invariants()
            }
            async fn stores(&self) -> Result<Listing<Store>> {
                (**self).stores().await
            }
            async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
                (**self).store_metrics(stores).await
            }
            async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
                (**self).cluster_metrics().await
            }
            fn parts(&self) -> Vec<Part<'_>> {
                (**self).parts()
            }
            fn regions(&self) -> Option<&dyn Regions> {
                (**self).regions()
            }
            fn actions(&self) -> Actions<'_> {
                (**self).actions()
            }
        }
    )*};
}

forward_subject!(Arc Box);

/// Something that only one subject knows, read beside stores and metrics and kept in the same snapshot.
///
/// A part has a name, a type that rules find it by ([`Snapshot::part`](crate::Snapshot::part)), a beat,
/// a deadline and a read. Each type may be offered once.
///
/// ```
/// use operator_core::Part;
/// use std::time::Duration;
///
/// struct Queue { jobs: u64 }
///
/// let part = Part::new("queue", |_due| async { Ok(Queue { jobs: 3 }) })
///     .every(Duration::from_secs(60))
///     .within(Duration::from_secs(2));
/// assert_eq!(part.name(), "queue");
/// ```
///
/// A read is given the time and [what it returned last](Due), so that what a subject must remember
/// between looks lives in the snapshots and nowhere else. Since when is each group behind? What could not
/// be read this time keeps what is known of it:
///
/// ```
/// use operator_core::{Due, Part, Timestamp};
/// use std::collections::BTreeMap;
///
/// struct Behind(BTreeMap<String, Timestamp>);
///
/// /// How far each group is behind; `None` where it could not be read.
/// async fn lags() -> Vec<(String, Option<u64>)> {
///     vec![("billing".to_owned(), Some(7)), ("search".to_owned(), None)]
/// }
///
/// let part = Part::new("lag", |due: Due<Behind>| async move {
///     let since = |group: &str| due.last.as_ref().and_then(|last| last.value.0.get(group).copied());
///     let behind = lags().await.into_iter().filter_map(|(group, lag)| match lag {
///         Some(0) => None,
///         Some(_) => Some((group.clone(), since(&group).unwrap_or(due.at))),
///         None => since(&group).map(|since| (group.clone(), since)),
///     });
///     Ok(Behind(behind.collect()))
/// });
/// # drop(part);
/// ```
pub struct Part<'a> {
    name: &'static str,
    every: Duration,
    within: Option<Duration>,
    source: Option<Source>,
    type_id: TypeId,
    type_name: &'static str,
    read: ReadPart<'a>,
}

/// A part's value on its way into a snapshot: a `Measured<T>`, its type forgotten.
pub(crate) type AnyMeasured = Arc<dyn Any + Send + Sync>;
/// Wraps a value that was read into its `Measured<T>`; called by the observer, who knows the time.
pub(crate) type Stamp = Box<dyn FnOnce(Timestamp, Source) -> AnyMeasured + Send>;
type PartFuture<'a> = Pin<Box<dyn Future<Output = Result<Stamp>> + Send + 'a>>;
type ReadPart<'a> = Box<dyn FnOnce(Timestamp, Option<AnyMeasured>) -> PartFuture<'a> + Send + 'a>;

/// What the read of a part is given: it is due.
#[derive(Debug)]
pub struct Due<T> {
    /// The time of the look.
    pub at: Timestamp,
    /// What it returned last, however many tries have failed since. It is lost at a restart.
    pub last: Option<Arc<Measured<T>>>,
}

impl<'a> Part<'a> {
    /// A part that is read at every look, within the observer's deadline.
    ///
    /// A read that fails, hangs or panics makes the part a gap at once; it is due again at the next look,
    /// whatever its beat.
    pub fn new<T, F, R>(name: &'static str, read: R) -> Self
    where
        T: Any + Send + Sync,
        F: Future<Output = Result<T>> + Send + 'a,
        R: FnOnce(Due<T>) -> F + Send + 'a,
    {
        let read = |at, last: Option<AnyMeasured>| -> PartFuture<'a> {
            let last = last.and_then(|last| last.downcast().ok());
            let value = read(Due { at, last });
            Box::pin(async move {
                let value = value.await?;
                let stamp: Stamp =
                    Box::new(|at, source| Arc::new(Measured::new(value, at, source)));
                Ok(stamp)
            })
        };
        Self {
            name,
            every: Duration::ZERO,
            within: None,
            source: None,
            type_id: TypeId::of::<T>(),
            type_name: type_name::<T>(),
            read: Box::new(read),
        }
    }

    /// Read again only when a value is this old. In between it stands, with its age.
    ///
    /// A rule that judges such a part says so with [`Verdicts::as_of`](crate::Verdicts::as_of), so that one
    /// reading is not counted twice.
    #[must_use]
    pub fn every(mut self, beat: Duration) -> Self {
        self.every = beat;
        self
    }

    /// Given up after this long; never longer than the observer's deadline.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.within = Some(deadline);
        self
    }

    /// Where it comes from, for evidence. Else the subject's name and the part's.
    #[must_use]
    pub fn from_source(mut self, source: impl Into<Source>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// How long it stands before it is read again; zero is every look.
    pub fn beat(&self) -> Duration {
        self.every
    }

    /// Its own deadline, where it has one.
    pub fn deadline(&self) -> Option<Duration> {
        self.within
    }

    /// The name of the type that rules find it by.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    pub(crate) fn type_id(&self) -> TypeId {
        self.type_id
    }

    pub(crate) fn source(&self, subject: &str) -> Source {
        self.source
            .clone()
            .unwrap_or_else(|| format!("{subject} {}", self.name).into())
    }

    pub(crate) fn read(self, at: Timestamp, last: Option<AnyMeasured>) -> PartFuture<'a> {
        (self.read)(at, last)
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("name", &self.name)
            .field("type", &self.type_name)
            .field("every", &self.every)
            .field("within", &self.within)
            .finish_non_exhaustive()
    }
}

/// A look at regions, for a subject that has them. There may be millions: every read but the scan is
/// bounded by the caller, and the scan is asked for by name.
#[async_trait]
pub trait Regions: fmt::Debug + Send + Sync {
    /// One region.
    ///
    /// # Errors
    /// [`Fault::NotFound`](crate::Fault::NotFound) when there is no such region.
    async fn one(&self, id: RegionId) -> Result<Region>;

    /// The region that holds a key.
    ///
    /// # Errors
    /// When it could not be read, or no region holds the key.
    async fn holding(&self, key: &[u8]) -> Result<Region>;

    /// Up to `limit` regions in the order of their keys, from the beginning or from where an earlier
    /// page ended.
    ///
    /// # Errors
    /// When the page could not be read.
    async fn page(&self, from: Option<&Cursor>, limit: usize) -> Result<Listing<Region>>;

    /// The `limit` regions with the most flow, most first.
    ///
    /// # Errors
    /// When they could not be read.
    async fn hottest(&self, flow: Flow, limit: usize) -> Result<Listing<Region>>;

    /// Up to `limit` regions with an ailment. A `next` in the list says that there are more.
    ///
    /// # Errors
    /// When they could not be read.
    async fn ailing(&self, ailment: Ailment, limit: usize) -> Result<Listing<Region>>;

    /// Every region in the order of its keys, page by page, until `visit` breaks.
    ///
    /// Holds a few pages at most, whatever the number of regions. Each page's `next` is where a scan
    /// that was broken off goes on.
    ///
    /// # Errors
    /// When a page could not be read; what was visited before it stays good.
    async fn scan(&self, from: Option<&Cursor>, visit: &mut Visit<'_>) -> Result<()>;
}

/// What is called with each page of a scan; [`ControlFlow::Break`] ends it.
pub type Visit<'a> = dyn FnMut(Listing<Region>) -> ControlFlow<()> + Send + 'a;

/// A direction of flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// What is written.
    Write,
    /// What is read.
    Read,
}

/// What can be wrong with a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ailment {
    /// It has fewer peers than it should.
    MissingPeer,
    /// It has more peers than it should.
    ExtraPeer,
    /// A peer has not been heard from.
    DownPeer,
    /// A peer is still catching up.
    PendingPeer,
    /// A peer follows without a vote.
    LearnerPeer,
    /// A peer is on a store that is being removed.
    OfflinePeer,
    /// It holds next to nothing.
    Empty,
    /// It is larger than it should be.
    Oversized,
    /// It is small enough to be merged.
    Undersized,
}
