//! Reads a subject into a snapshot: everything at once, each read under its own deadline, and whatever
//! fails, hangs or panics costs only its own part.

use std::any::TypeId;
use std::collections::HashMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::snapshot::SeenPart;
use crate::subject::{AnyMeasured, Stamp};
use crate::{
    Clock, Gap, Listing, Part, Result, Snapshot, Source, Store, StoreMetrics, Subject, Timestamp,
    Why, within,
};

/// Takes snapshots of a subject. It never fails and, as long as the subject's reads await rather than
/// block, it never takes longer than its deadline.
///
/// The deadline is real time, whatever clock dates the looks. Time in which this process stood still is not
/// held against the subject: see [`within`].
///
/// It remembers what lies between two looks: the value of a part that is not due yet, since when a part
/// is missing, and the last known stores, so that metrics can be read while the list of stores cannot.
#[derive(Debug)]
pub struct Observer {
    clock: Clock,
    deadline: Duration,
    stores: Option<Arc<[Store]>>,
    missing: HashMap<&'static str, Timestamp>,
    parts: HashMap<TypeId, Remembered>,
}

/// What is remembered of a part.
#[derive(Debug)]
struct Remembered {
    name: &'static str,
    /// The last value that was read, however many tries have failed since.
    value: Option<AnyMeasured>,
    /// When that was, unless a try has failed since: what failed is due again at the next look.
    fresh_since: Option<Timestamp>,
    /// Since when tries have failed.
    missing_since: Option<Timestamp>,
}

impl Remembered {
    /// The value, while it need not be read again.
    fn standing(&self, at: Timestamp, beat: Duration) -> Option<AnyMeasured> {
        let fresh_since = self.fresh_since.filter(|since| *since <= at)?;
        (at.since(fresh_since) < beat)
            .then(|| self.value.clone())
            .flatten()
    }
}

/// One look at a part.
struct Look {
    name: &'static str,
    type_id: TypeId,
    read: Read,
}

enum Read {
    /// It was not due.
    Stands(AnyMeasured),
    Answered(Stamp, Source),
    Missed(Gap),
}

impl Observer {
    /// An observer that gives up on what has not answered after `deadline`.
    pub fn new(clock: Clock, deadline: Duration) -> Self {
        Self {
            clock,
            deadline,
            stores: None,
            missing: HashMap::new(),
            parts: HashMap::new(),
        }
    }

    /// The clock it asks.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Looks now.
    pub async fn observe(&mut self, subject: &dyn Subject) -> Snapshot {
        let now = self.clock.now();
        self.observe_at(now, subject).await
    }

    /// Looks now, on behalf of a tick that was due `at`: the snapshot carries that time.
    #[tracing::instrument(level = "debug", skip_all, fields(%at, subject = guarded_name(subject)))]
    pub async fn observe_at(&mut self, at: Timestamp, subject: &dyn Subject) -> Snapshot {
        let ((stores, metrics), cluster, parts) = futures_util::future::join3(
            self.stores_and_metrics(subject),
            guard("cluster metrics", self.deadline, || {
                subject.cluster_metrics()
            }),
            self.parts(at, subject),
        )
        .await;
        if let Ok(listing) = &stores {
            self.stores = Some(listing.items.as_slice().into());
        }
        let snapshot = Snapshot::unseen(at)
            .with_stores(self.dated(at, "stores", stores))
            .with_metrics(self.dated(at, "store metrics", metrics))
            .with_cluster(self.dated(at, "cluster metrics", cluster));
        let snapshot = self.remember(at, snapshot, parts);
        for gap in snapshot.gaps() {
            tracing::debug!(what = gap.what(), %gap, "not seen");
        }
        snapshot
    }

    /// Stores, and the metrics of those stores.
    ///
    /// Metrics wait for the list of stores. Where stores are known from before, they wait no longer than
    /// half of the deadline, and not for a list that failed: then they are read for the stores known last,
    /// so that a control plane that is away does not take the measurements with it.
    async fn stores_and_metrics(
        &self,
        subject: &dyn Subject,
    ) -> (
        Result<Listing<Store>, Gap>,
        Result<Listing<StoreMetrics>, Gap>,
    ) {
        let (tell, told) = oneshot::channel();
        let stores = async {
            let stores = guard("stores", self.deadline, || subject.stores()).await;
            let fresh: Option<Arc<[Store]>> = stores
                .as_ref()
                .ok()
                .map(|listing| listing.items.as_slice().into());
            // Nobody listens any more when the metrics have gone ahead without it.
            let _ = tell.send(fresh);
            stores
        };
        let metrics = async {
            let patience = match self.stores {
                Some(_) => self.deadline / 2,
                None => self.deadline,
            };
            let fresh = within(patience, told).await;
            let fresh = fresh.and_then(std::result::Result::ok).flatten();
            match fresh.or_else(|| self.stores.clone()) {
                Some(known) => Some(subject.store_metrics(&known).await),
                None => None,
            }
        };
        let metrics = async {
            match guard_infallible("store metrics", self.deadline, metrics).await? {
                Some(read) => read.map_err(|error| Gap::new("store metrics", error.into())),
                None => Err(Gap::new("store metrics", Why::Needs { what: "stores" })),
            }
        };
        futures_util::future::join(stores, metrics).await
    }

    /// Every part of the subject: read where it is due, else as it was.
    async fn parts(&self, at: Timestamp, subject: &dyn Subject) -> Vec<Look> {
        match catch_unwind(AssertUnwindSafe(|| subject.parts())) {
            Ok(parts) => {
                let subject = guarded_name(subject);
                let types: Vec<TypeId> = parts.iter().map(Part::type_id).collect();
                let is_alone = |part: &Part<'_>| {
                    types
                        .iter()
                        .filter(|other| **other == part.type_id())
                        .count()
                        == 1
                };
                let looks = parts.into_iter().map(|part| {
                    let alone = is_alone(&part);
                    self.part(at, subject, part, alone)
                });
                join_all(looks).await
            }
            Err(panic) => {
                let why = Why::Panicked {
                    message: panic_message(&*panic),
                };
                let missed = |(type_id, last): (&TypeId, &Remembered)| Look {
                    name: last.name,
                    type_id: *type_id,
                    read: Read::Missed(Gap::new(last.name, why.clone())),
                };
                self.parts.iter().map(missed).collect()
            }
        }
    }

    async fn part(&self, at: Timestamp, subject: &str, part: Part<'_>, alone: bool) -> Look {
        let (name, type_id, source) = (part.name(), part.type_id(), part.source(subject));
        let last = self.parts.get(&type_id);
        let read = if !alone {
            // A rule that asks for this type could be given either: it is given neither.
            Read::Missed(Gap::new(
                name,
                Why::Unusable {
                    expected: "one part of its type".into(),
                    found: "several".into(),
                },
            ))
        } else if let Some(value) = last.and_then(|last| last.standing(at, part.beat())) {
            Read::Stands(value)
        } else {
            let deadline = part
                .deadline()
                .map_or(self.deadline, |own| own.min(self.deadline));
            let last = last.and_then(|last| last.value.clone());
            match guard(name, deadline, || part.read(at, last)).await {
                Ok(stamp) => Read::Answered(stamp, source),
                Err(gap) => Read::Missed(gap),
            }
        };
        Look {
            name,
            type_id,
            read,
        }
    }

    /// Takes what was read into memory and into the snapshot. What the subject no longer offers is
    /// forgotten.
    fn remember(&mut self, at: Timestamp, mut snapshot: Snapshot, looks: Vec<Look>) -> Snapshot {
        let mut before = std::mem::take(&mut self.parts);
        for Look {
            name,
            type_id,
            read,
        } in looks
        {
            let last = before.remove(&type_id);
            let (seen, remembered) = match read {
                Read::Stands(value) => (Ok(value), last),
                Read::Answered(stamp, source) => {
                    let value = stamp(at, source);
                    let remembered = Remembered {
                        name,
                        value: Some(value.clone()),
                        fresh_since: Some(at),
                        missing_since: None,
                    };
                    (Ok(value), Some(remembered))
                }
                Read::Missed(gap) => {
                    let before = last.as_ref().and_then(|last| last.missing_since);
                    let since = before.unwrap_or(at);
                    let remembered = Remembered {
                        name,
                        value: last.and_then(|last| last.value),
                        fresh_since: None,
                        missing_since: Some(since),
                    };
                    (Err(gap.since(since)), Some(remembered))
                }
            };
            self.parts
                .extend(remembered.map(|remembered| (type_id, remembered)));
            snapshot = snapshot.with_seen(SeenPart {
                name,
                type_id,
                seen,
            });
        }
        snapshot
    }

    /// The same result; its gap says since when this is missing.
    fn dated<T>(
        &mut self,
        at: Timestamp,
        what: &'static str,
        seen: Result<T, Gap>,
    ) -> Result<T, Gap> {
        match seen {
            Ok(value) => {
                self.missing.remove(what);
                Ok(value)
            }
            Err(gap) => {
                let since = *self.missing.entry(what).or_insert(at);
                Err(gap.since(since))
            }
        }
    }
}

/// Runs a read so that an error, a hang or a panic of it becomes a gap where `what` should be.
async fn guard<T, F>(
    what: &'static str,
    deadline: Duration,
    read: impl FnOnce() -> F,
) -> Result<T, Gap>
where
    F: Future<Output = Result<T>>,
{
    guard_infallible(what, deadline, async { read().await })
        .await?
        .map_err(|error| Gap::new(what, error.into()))
}

/// As [`guard`], for what cannot fail but can still hang or panic.
async fn guard_infallible<T>(
    what: &'static str,
    deadline: Duration,
    read: impl Future<Output = T>,
) -> Result<T, Gap> {
    match within(deadline, AssertUnwindSafe(read).catch_unwind()).await {
        Some(Ok(value)) => Ok(value),
        Some(Err(panic)) => Err(Gap::new(
            what,
            Why::Panicked {
                message: panic_message(&*panic),
            },
        )),
        None => Err(Gap::new(what, Why::TimedOut { after: deadline })),
    }
}

pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").to_owned()
}

fn guarded_name(subject: &dyn Subject) -> &str {
    catch_unwind(AssertUnwindSafe(|| subject.name())).unwrap_or("a subject whose name panicked")
}
