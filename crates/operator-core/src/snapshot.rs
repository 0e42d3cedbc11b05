//! What was seen at one moment, and what was not.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::subject::AnyMeasured;
use crate::{
    ClusterMetrics, Entity, Gap, Listing, Measured, Source, Store, StoreId, StoreMetrics,
    Timestamp, Why,
};

/// What an [`Observer`](crate::Observer) saw at one moment. Each part is either there or a [`Gap`] that
/// says which part is missing and why. This is all that rules see.
///
/// Whoever tests a rule builds one by hand, from nothing seen at all:
///
/// ```
/// use operator_core::{Listing, Snapshot, Store, StoreId, Timestamp};
///
/// let snapshot = Snapshot::unseen(Timestamp::EPOCH)
///     .with_stores(Ok(Listing::whole(vec![Store::new(StoreId(1), "10.0.0.1:20160")])));
/// assert_eq!(snapshot.stores().unwrap().items.len(), 1);
/// assert_eq!(
///     snapshot.cluster().unwrap_err().to_string(),
///     "cluster metrics not seen: not asked for yet"
/// );
/// ```
#[derive(Debug, Clone)]
pub struct Snapshot {
    at: Timestamp,
    stores: Result<Listing<Store>, Gap>,
    metrics: Result<Indexed, Gap>,
    cluster: Result<ClusterMetrics, Gap>,
    parts: Vec<SeenPart>,
}

/// A part of a snapshot: under which name and type, and what was seen.
#[derive(Debug, Clone)]
pub(crate) struct SeenPart {
    pub(crate) name: &'static str,
    pub(crate) type_id: TypeId,
    pub(crate) seen: Result<AnyMeasured, Gap>,
}

/// Metrics with the position of each store's, or none where a store has several.
#[derive(Debug, Clone)]
struct Indexed {
    listing: Listing<StoreMetrics>,
    position: HashMap<StoreId, Option<usize>, BuildHasherDefault<IdHasher>>,
}

/// Spreads ids over a table by one multiplication. Every rule looks up every store in every snapshot,
/// and the ids are a control plane's own: they need no guard against somebody who picks them to collide.
#[derive(Debug, Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = (self.0.rotate_left(5) ^ id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

impl Indexed {
    fn new(listing: Listing<StoreMetrics>) -> Self {
        let mut position =
            HashMap::with_capacity_and_hasher(listing.items.len(), BuildHasherDefault::default());
        for (index, metrics) in listing.items.iter().enumerate() {
            position
                .entry(metrics.store)
                .and_modify(|earlier| *earlier = None)
                .or_insert(Some(index));
        }
        Self { listing, position }
    }

    fn of(&self, store: StoreId) -> Result<&StoreMetrics, Gap> {
        let entity = Entity::Store(store);
        let gap = |why| Gap::new("metrics", why).about(entity.clone());
        match self.position.get(&store) {
            Some(Some(index)) => Ok(&self.listing.items[*index]),
            Some(None) => Err(gap(Why::Unusable {
                expected: "one answer".into(),
                found: "several".into(),
            })),
            None => Err(self
                .listing
                .gap_about(&entity)
                .cloned()
                .unwrap_or_else(|| gap(Why::Unsaid))),
        }
    }
}

impl Snapshot {
    /// A snapshot in which nothing was seen.
    pub fn unseen(at: Timestamp) -> Self {
        let gap = |what| Gap::new(what, Why::NotAsked);
        Self {
            at,
            stores: Err(gap("stores")),
            metrics: Err(gap("store metrics")),
            cluster: Err(gap("cluster metrics")),
            parts: Vec::new(),
        }
    }

    /// The same snapshot with these stores.
    #[must_use]
    pub fn with_stores(mut self, stores: Result<Listing<Store>, Gap>) -> Self {
        self.stores = stores;
        self
    }

    /// The same snapshot with these metrics of stores.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Result<Listing<StoreMetrics>, Gap>) -> Self {
        self.metrics = metrics.map(Indexed::new);
        self
    }

    /// The same snapshot with these metrics of the cluster.
    #[must_use]
    pub fn with_cluster(mut self, cluster: Result<ClusterMetrics, Gap>) -> Self {
        self.cluster = cluster;
        self
    }

    /// The same snapshot with a part that only its subject knows, or the gap where it should be.
    #[must_use]
    pub fn with_part<T: Any + Send + Sync>(self, name: &'static str, part: Result<T, Gap>) -> Self {
        let at = self.at;
        let seen = part
            .map(|value| -> AnyMeasured { Arc::new(Measured::new(value, at, Source::from(name))) });
        self.with_seen(SeenPart {
            name,
            type_id: TypeId::of::<T>(),
            seen,
        })
    }

    /// The same snapshot, a part of it missing.
    #[cfg(feature = "testing")]
    pub(crate) fn without_part(mut self, name: &str) -> Self {
        for part in self.parts.iter_mut().filter(|part| part.name == name) {
            part.seen = Err(Gap::new(part.name, Why::Unsaid));
        }
        self
    }

    pub(crate) fn with_seen(mut self, part: SeenPart) -> Self {
        self.parts.retain(|other| other.type_id != part.type_id);
        self.parts.push(part);
        self
    }

    /// When it was taken. Nothing else asks the time.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The stores.
    ///
    /// # Errors
    /// The gap, when no list of stores could be read.
    pub fn stores(&self) -> Result<&Listing<Store>, Gap> {
        self.stores.as_ref().map_err(Gap::clone)
    }

    /// The metrics of all stores that have any.
    ///
    /// # Errors
    /// The gap, when nothing could be measured.
    pub fn metrics(&self) -> Result<&Listing<StoreMetrics>, Gap> {
        let metrics = self.metrics.as_ref().map_err(Gap::clone)?;
        Ok(&metrics.listing)
    }

    /// The metrics of one store.
    ///
    /// # Errors
    /// The gap: why this store, or every store, has none.
    pub fn metrics_of(&self, store: StoreId) -> Result<&StoreMetrics, Gap> {
        self.metrics.as_ref().map_err(Gap::clone)?.of(store)
    }

    /// The metrics of the cluster.
    ///
    /// # Errors
    /// The gap, when they could not be measured.
    pub fn cluster(&self) -> Result<&ClusterMetrics, Gap> {
        self.cluster.as_ref().map_err(Gap::clone)
    }

    /// A part that only the subject knows, found by its type. Its age is its `sampled_at`.
    ///
    /// # Errors
    /// The gap, which names the part, or its type when the subject offers no such part.
    pub fn part<T: Any>(&self) -> Result<&Measured<T>, Gap> {
        let not_offered = || Gap::new(type_name::<T>(), Why::NotOffered);
        let part = self
            .parts
            .iter()
            .find(|part| part.type_id == TypeId::of::<T>())
            .ok_or_else(not_offered)?;
        let value = part.seen.as_ref().map_err(Gap::clone)?;
        value.downcast_ref().ok_or_else(not_offered)
    }

    /// The names of the subject's own parts, those that are missing among them.
    pub fn part_names(&self) -> impl Iterator<Item = &'static str> {
        self.parts.iter().map(|part| part.name)
    }

    /// Everything that is missing: whole parts first, then items of lists.
    ///
    /// What is missing inside an item, such as one reading of a store, stays with the item.
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        let metrics = self.metrics.as_ref().map(|metrics| &metrics.listing);
        let whole = [
            self.stores.as_ref().err(),
            metrics.err(),
            self.cluster.as_ref().err(),
        ];
        let parts = self.parts.iter().map(|part| part.seen.as_ref().err());
        let items = [
            self.stores.as_ref().map(|stores| &stores.gaps[..]),
            metrics.map(|metrics| &metrics.gaps[..]),
        ];
        whole
            .into_iter()
            .chain(parts)
            .flatten()
            .chain(items.into_iter().flatten().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Queue(u64);

    fn blind(store: u64) -> StoreMetrics {
        StoreMetrics::blind(StoreId(store), &Gap::new("metrics", Why::Unsaid))
    }

    #[test]
    fn a_part_is_found_by_its_type_and_a_gap_names_it() {
        let gap = Gap::new("queue", Why::Unsaid);
        let snapshot = Snapshot::unseen(Timestamp::EPOCH);
        let not_offered = snapshot.part::<Queue>().unwrap_err();
        assert!(not_offered.what().ends_with("Queue"), "{not_offered}");

        let snapshot = snapshot.with_part::<Queue>("queue", Err(gap.clone()));
        assert_eq!(snapshot.part::<Queue>().unwrap_err(), gap);
        assert_eq!(snapshot.gaps().filter(|other| **other == gap).count(), 1);

        let snapshot = snapshot.with_part("queue", Ok(Queue(3)));
        assert_eq!(snapshot.part::<Queue>().unwrap().value, Queue(3));
    }

    #[test]
    fn metrics_of_a_store_are_its_own_or_say_why_there_are_none() {
        let missing = Gap::new("metrics", Why::NotAsked).about(Entity::Store(StoreId(3)));
        let snapshot = Snapshot::unseen(Timestamp::EPOCH).with_metrics(Ok(Listing {
            items: vec![blind(1), blind(2), blind(2)],
            gaps: vec![missing.clone()].into(),
            next: None,
        }));
        let of = |store| snapshot.metrics_of(StoreId(store));
        assert_eq!(of(1).unwrap().store, StoreId(1));
        assert_eq!(
            of(2).unwrap_err().to_string(),
            "metrics of store/2 not seen: expected one answer, found several"
        );
        assert_eq!(of(3).unwrap_err(), missing);
        assert_eq!(
            of(4).unwrap_err().to_string(),
            "metrics of store/4 not seen: the answer does not say"
        );
        assert!(snapshot.gaps().any(|gap| *gap == missing));
    }
}
