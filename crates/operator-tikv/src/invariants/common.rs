//! What several rules need.

use std::collections::HashMap;

use operator_core::{
    Broken, Entity, Gap, Listing, Snapshot, Store, StoreId, StoreMetrics, StoreState, Verdicts, Why,
};

use crate::facts::{PdLeadership, StoreStrain, is_tiflash};

/// Judges every TiKV store that PD calls Up. One that it calls anything else is as it was, and one that was
/// removed is gone.
pub(super) fn judge_up_stores(
    snapshot: &Snapshot,
    verdicts: &mut Verdicts,
    judgement: impl FnMut(&Store, &Listing<Store>) -> Result<Option<Broken>, Gap>,
) -> Result<(), Gap> {
    let stores = snapshot.stores()?;
    name_up_stores(stores, verdicts, judgement);
    verdicts.close_stores(stores)
}

/// The same, for a rule that is about more than stores: it says itself what is so of those that are not named.
pub(super) fn name_up_stores(
    stores: &Listing<Store>,
    verdicts: &mut Verdicts,
    mut judgement: impl FnMut(&Store, &Listing<Store>) -> Result<Option<Broken>, Gap>,
) {
    for store in stores.items.iter().filter(|store| !is_tiflash(store)) {
        match stores.known(&store.entity(), "state", store.state.as_ref()) {
            Ok(StoreState::Up) => verdicts.judge(store.entity(), || judgement(store, stores)),
            Ok(StoreState::Tombstone) => verdicts.gone(store.entity()),
            Ok(_) => {}
            Err(gap) => verdicts.unseen(store.entity(), gap),
        }
    }
}

/// Judges every TiKV store that PD calls Up by what was measured of it.
pub(super) fn judge_measured_stores(
    snapshot: &Snapshot,
    verdicts: &mut Verdicts,
    mut judgement: impl FnMut(&Store, &StoreMetrics) -> Result<Option<Broken>, Gap>,
) -> Result<(), Gap> {
    measured(snapshot)?;
    judge_up_stores(snapshot, verdicts, |store, _| {
        judgement(store, snapshot.metrics_of(store.id)?)
    })
}

/// Judges every TiKV store that PD calls Up by the strain it is under.
pub(super) fn judge_strained_stores(
    snapshot: &Snapshot,
    verdicts: &mut Verdicts,
    mut judgement: impl FnMut(&Store, &StoreStrain) -> Result<Option<Broken>, Gap>,
) -> Result<(), Gap> {
    let strains = Strains::of(snapshot)?;
    judge_up_stores(snapshot, verdicts, |store, _| {
        judgement(store, strains.of_store(store)?)
    })
}

/// Whether somebody measures stores at all.
///
/// # Errors
/// The gap, when nobody does, or nobody could be asked.
pub(super) fn measured(snapshot: &Snapshot) -> Result<(), Gap> {
    let metrics = snapshot.metrics()?;
    let not_configured = |metrics: &StoreMetrics| {
        let gap = metrics.up.gap();
        gap.is_some_and(|gap| *gap.why() == Why::NotConfigured)
    };
    match !metrics.items.is_empty() && metrics.items.iter().all(not_configured) {
        true => Err(Gap::new("store metrics", Why::NotConfigured)),
        false => Ok(()),
    }
}

/// The verdict on a store where nothing happened that could be judged: it holds if the store is up.
///
/// # Errors
/// The gap, where it is not up or nobody can tell: then its idleness says nothing.
pub(super) fn idle(snapshot: &Snapshot, store: StoreId) -> Result<Option<Broken>, Gap> {
    let up = snapshot.metrics_of(store)?.up.measured()?;
    match up.is_some_and(|up| up.value) {
        true => Ok(None),
        false => {
            let because = "it is idle, and not known to be up".into();
            Err(Gap::new("metrics", Why::Distrusted { because }).about(Entity::Store(store)))
        }
    }
}

/// The strain of each store, found by its id.
pub(super) struct Strains<'a> {
    listing: &'a Listing<StoreStrain>,
    by_store: HashMap<StoreId, &'a StoreStrain>,
}

impl<'a> Strains<'a> {
    pub(super) fn of(snapshot: &'a Snapshot) -> Result<Self, Gap> {
        let listing = &snapshot.part::<Listing<StoreStrain>>()?.value;
        let by_store = listing.items.iter().map(|strain| (strain.store, strain));
        Ok(Self {
            listing,
            by_store: by_store.collect(),
        })
    }

    pub(super) fn of_store(&self, store: &Store) -> Result<&'a StoreStrain, Gap> {
        let unsaid = || Gap::new("strain", Why::Unsaid).about(store.entity());
        let gap = || self.listing.gap_about(&store.entity()).cloned();
        let found = self.by_store.get(&store.id).copied();
        found.ok_or_else(|| gap().unwrap_or_else(unsaid))
    }
}

/// Whether what PD counts can be believed when it says that all is well.
///
/// # Errors
/// The gap: a rule on counts says unseen where it would say that it holds.
pub(super) fn settled(snapshot: &Snapshot) -> Result<(), Gap> {
    snapshot
        .part::<PdLeadership>()?
        .value
        .settled(snapshot.at())
}
