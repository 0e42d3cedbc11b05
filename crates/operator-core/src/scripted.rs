//! A subject that says what it is told to say: the reference implementation of [`Subject`], and what
//! tests of everything above a subject stand on.

use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::{
    Act, Actions, Ailment, ClusterMetrics, Cursor, Entity, Error, Fault, Flow, Invariant, Listing,
    Part, Receipt, Region, RegionId, Regions, Result, Standing, Store, StoreMetrics, Subject,
    TransferLeader, Visit,
};

/// What a read does when it is asked.
#[derive(Debug, Clone)]
pub enum Answer<T> {
    /// It answers.
    Value(T),
    /// It fails.
    Fails(Fault),
    /// It never comes back.
    Hangs,
    /// It panics.
    Panics(&'static str),
}

/// One read of a [`ScriptedSubject`]: its answer can be changed at any time, through any clone.
#[derive(Debug)]
pub struct Script<T>(Arc<Lines<T>>);

#[derive(Debug)]
struct Lines<T> {
    answer: Mutex<Answer<T>>,
    asked: AtomicUsize,
}

impl<T: Clone> Script<T> {
    /// A read that answers this.
    pub fn new(value: T) -> Self {
        Self(Arc::new(Lines {
            answer: Mutex::new(Answer::Value(value)),
            asked: AtomicUsize::new(0),
        }))
    }

    /// From now on it does this.
    pub fn set(&self, answer: Answer<T>) {
        *self.0.answer.lock().unwrap_or_else(PoisonError::into_inner) = answer;
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }

    async fn play(&self, operation: &'static str, origin: &str) -> Result<T> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self
            .0
            .answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match answer {
            Answer::Value(value) => Ok(value),
            Answer::Fails(fault) => Err(Error::new(operation, fault).at(origin)),
            Answer::Hangs => std::future::pending().await,
            Answer::Panics(message) => panic!("{message}"),
        }
    }
}

impl<T> Clone for Script<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A subject whose every answer is scripted.
///
/// ```
/// use operator_core::{Answer, Clock, Fault, Listing, Observer, ScriptedSubject, Store, StoreId};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let subject = ScriptedSubject::new("scripted");
/// subject.stores.set(Answer::Value(Listing::whole(vec![Store::new(StoreId(1), "a:20160")])));
/// subject.cluster.set(Answer::Fails(Fault::Transport { reason: "connection refused".into() }));
///
/// let snapshot = Observer::new(Clock::system(), Duration::from_secs(1)).observe(&subject).await;
/// assert_eq!(snapshot.stores().unwrap().items.len(), 1);
/// assert!(snapshot.cluster().unwrap_err().to_string().starts_with(
///     "cluster metrics not seen: cannot read cluster metrics from scripted: connection refused"
/// ));
/// # }
/// ```
#[derive(Debug)]
pub struct ScriptedSubject {
    name: String,
    /// What [`Subject::stores`] does.
    pub stores: Script<Listing<Store>>,
    /// What [`Subject::store_metrics`] does, of all stores; who asks for some gets those.
    pub metrics: Script<Listing<StoreMetrics>>,
    /// What [`Subject::cluster_metrics`] does.
    pub cluster: Script<ClusterMetrics>,
    rules: Vec<Arc<dyn Invariant>>,
    parts: Vec<Box<dyn ScriptedPart>>,
    regions: Option<ScriptedRegions>,
}

impl ScriptedSubject {
    /// A subject without stores, rules, parts or regions.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            stores: Script::new(Listing::whole(Vec::new())),
            metrics: Script::new(Listing::whole(Vec::new())),
            cluster: Script::new(ClusterMetrics {
                store_count: crate::Reading::Idle,
                region_count: crate::Reading::Idle,
                leaders_per_store: crate::Reading::Idle,
                queries_per_second: crate::Reading::Idle,
                write_p99_seconds: crate::Reading::Idle,
                read_p99_seconds: crate::Reading::Idle,
            }),
            rules: Vec::new(),
            parts: Vec::new(),
            regions: None,
        }
    }

    /// The same subject, judged by one rule more.
    #[must_use]
    pub fn with_rule(mut self, rule: impl Invariant + 'static) -> Self {
        self.rules.push(Arc::new(rule));
        self
    }

    /// The same subject with one part more. `shape` makes the part beat as it should.
    #[must_use]
    pub fn with_part<T: Any + Clone + Send + Sync + fmt::Debug>(
        mut self,
        name: &'static str,
        script: Script<T>,
        shape: fn(Part<'_>) -> Part<'_>,
    ) -> Self {
        self.parts.push(Box::new(PartScript {
            name,
            origin: self.name.clone(),
            script,
            shape,
        }));
        self
    }

    /// The same subject with these regions, whose leaders can be transferred.
    #[must_use]
    pub fn with_regions(mut self, mut regions: Vec<Region>) -> Self {
        regions.sort_by(|a, b| a.range.cmp(&b.range));
        self.regions = Some(ScriptedRegions {
            origin: self.name.clone(),
            regions: Mutex::new(regions),
        });
        self
    }
}

#[async_trait]
impl Subject for ScriptedSubject {
    fn name(&self) -> &str {
        &self.name
    }

    fn invariants(&self) -> Vec<Box<dyn Invariant>> {
        let boxed =
            |rule: &Arc<dyn Invariant>| -> Box<dyn Invariant> { Box::new(Arc::clone(rule)) };
        self.rules.iter().map(boxed).collect()
    }

    async fn stores(&self) -> Result<Listing<Store>> {
        self.stores.play("read stores", &self.name).await
    }

    async fn store_metrics(&self, stores: &[Store]) -> Result<Listing<StoreMetrics>> {
        let asked = |id| stores.iter().any(|store| store.id == id);
        let mut listing = self.metrics.play("read store metrics", &self.name).await?;
        listing.items.retain(|metrics| asked(metrics.store));
        Ok(listing)
    }

    async fn cluster_metrics(&self) -> Result<ClusterMetrics> {
        self.cluster.play("read cluster metrics", &self.name).await
    }

    fn parts(&self) -> Vec<Part<'_>> {
        self.parts.iter().map(|part| part.part()).collect()
    }

    fn regions(&self) -> Option<&dyn Regions> {
        self.regions.as_ref().map(|regions| regions as &dyn Regions)
    }

    fn actions(&self) -> Actions<'_> {
        Actions {
            transfer_leader: self.regions.as_ref().map(|regions| regions as _),
            ..Actions::none()
        }
    }
}

trait ScriptedPart: fmt::Debug + Send + Sync {
    fn part(&self) -> Part<'_>;
}

#[derive(Debug)]
struct PartScript<T> {
    name: &'static str,
    origin: String,
    script: Script<T>,
    shape: fn(Part<'_>) -> Part<'_>,
}

impl<T: Any + Clone + Send + Sync + fmt::Debug> ScriptedPart for PartScript<T> {
    fn part(&self) -> Part<'_> {
        (self.shape)(Part::new(self.name, |_due| {
            self.script.play("read a scripted part", &self.origin)
        }))
    }
}

/// Regions in memory, in the order of their keys.
#[derive(Debug)]
struct ScriptedRegions {
    origin: String,
    regions: Mutex<Vec<Region>>,
}

impl ScriptedRegions {
    fn all(&self) -> Vec<Region> {
        self.regions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn error(&self, operation: String, fault: Fault) -> Error {
        Error::new(operation, fault).at(self.origin.as_str())
    }

    /// The first `limit` of these, with a cursor to the next one.
    fn first(mut regions: Vec<Region>, limit: usize) -> Listing<Region> {
        let next = regions
            .get(limit)
            .map(|region| Cursor::new(region.range.start.clone()));
        regions.truncate(limit);
        Listing {
            items: regions,
            gaps: crate::Gaps::default(),
            next,
        }
    }
}

#[async_trait]
impl Regions for ScriptedRegions {
    async fn one(&self, id: RegionId) -> Result<Region> {
        let found = self.all().into_iter().find(|region| region.id == id);
        found.ok_or_else(|| {
            let operation = format!("read region {id}");
            self.error(operation, Fault::NotFound(Entity::Region(id)))
        })
    }

    async fn holding(&self, key: &[u8]) -> Result<Region> {
        let found = self
            .all()
            .into_iter()
            .find(|region| region.range.contains(key));
        found.ok_or_else(|| {
            let key = Cursor::new(key);
            let fault = Fault::NotFound(Entity::named("key", key.to_string()));
            self.error(format!("read the region holding {key}"), fault)
        })
    }

    async fn page(&self, from: Option<&Cursor>, limit: usize) -> Result<Listing<Region>> {
        let mut regions = self.all();
        if let Some(from) = from {
            regions.retain(|region| region.range.start.as_slice() >= from.as_bytes());
        }
        Ok(Self::first(regions, limit.max(1)))
    }

    async fn hottest(&self, flow: Flow, limit: usize) -> Result<Listing<Region>> {
        let mut regions = self.all();
        regions.sort_by_key(|region| {
            std::cmp::Reverse(match flow {
                Flow::Write => region.flow.written_bytes,
                Flow::Read => region.flow.read_bytes,
            })
        });
        regions.truncate(limit);
        Ok(Listing::whole(regions))
    }

    async fn ailing(&self, ailment: Ailment, limit: usize) -> Result<Listing<Region>> {
        let mut regions = self.all();
        match ailment {
            Ailment::DownPeer => regions.retain(|region| !region.down_peers.is_empty()),
            Ailment::PendingPeer => regions.retain(|region| !region.pending_peers.is_empty()),
            Ailment::LearnerPeer => {
                regions.retain(|region| {
                    region
                        .peers
                        .iter()
                        .any(|peer| peer.role.votes() == Some(false))
                });
            }
            // The other ailments compare with what a cluster is configured to want.
            _ => {
                let subject = self.origin.clone();
                return Err(self.error(
                    format!("list {ailment:?} regions"),
                    Fault::Unsupported { subject },
                ));
            }
        }
        Ok(Self::first(regions, limit))
    }

    async fn scan(&self, from: Option<&Cursor>, visit: &mut Visit<'_>) -> Result<()> {
        let mut from = from.cloned();
        loop {
            let page = self.page(from.as_ref(), 16).await?;
            from.clone_from(&page.next);
            if visit(page) == ControlFlow::Break(()) || from.is_none() {
                return Ok(());
            }
        }
    }
}

/// The complete example of an action: it looks before it acts, refuses what cannot be, and says how far
/// it has come.
#[async_trait]
impl Act<TransferLeader> for ScriptedRegions {
    async fn act(&self, action: &TransferLeader) -> Result<Receipt> {
        let operation = || crate::Action::from(*action).to_string();
        let mut regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        let region = regions
            .iter_mut()
            .find(|region| region.id == action.region)
            .ok_or_else(|| {
                self.error(operation(), Fault::NotFound(Entity::Region(action.region)))
            })?;
        let peer = region
            .peers
            .iter()
            .find(|peer| peer.store == action.to)
            .ok_or_else(|| {
                let reason = format!("store {} has no peer of it", action.to);
                self.error(operation(), Fault::Refused { code: None, reason })
            })?;
        region.leader = Some(peer.clone());
        Ok(Receipt::new(
            *action,
            Standing::Done,
            format!("peer {} leads", peer.id),
        ))
    }
}
