//! The regions of the stores that show no sign of life.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use operator_core::{
    Cursor, Due, Entity, Gap, Listing, Result, Store, StoreId, StoreState, Timestamp,
};

use super::TikvSubject;
use crate::facts::SilentRegions;

/// So silent is a store that may be dead.
const SILENT: Duration = Duration::from_secs(20);
/// Of so many stores the regions are read, and so many of each: where more are dead, these say enough.
const MOST_STORES: usize = 6;
const MOST_REGIONS: usize = 2000;
/// While the same stores are silent, their regions are read this often: nobody moves them.
const EVERY: Duration = Duration::from_secs(60);

impl TikvSubject {
    pub(super) async fn silent_regions(&self, due: Due<SilentRegions>) -> Result<SilentRegions> {
        let stores = self.shared_stores().await?;
        let silent = stores.items.iter().filter(|s| is_silent(s, due.at));
        let silent: Vec<StoreId> = silent.map(|store| store.id).collect();
        if let Some(last) = due.last.map(|last| last.value.clone()).filter(|last| {
            let young = due.at.since(last.read_at) < EVERY;
            young && last.silent == silent && last.regions.gaps.is_empty()
        }) {
            return Ok(last);
        }
        let mut regions = Listing::whole(Vec::new());
        if silent.len() >= 2 {
            let mut by_id = BTreeMap::new();
            let reads = silent
                .iter()
                .take(MOST_STORES)
                .map(async |store| (*store, self.pd.regions_on(*store, MOST_REGIONS).await));
            // What one of them does not give takes nothing from what the others gave.
            for (store, listed) in join_all(reads).await {
                match listed {
                    Ok(listed) => {
                        regions.gaps.extend(listed.gaps.iter().cloned());
                        regions.next = regions.next.or(listed.next);
                        let named = listed.items.into_iter().map(|region| (region.id, region));
                        by_id.extend(named);
                    }
                    Err(error) => {
                        let gap = Gap::new("regions", error.into());
                        regions.gaps.push(gap.about(Entity::Store(store)));
                    }
                }
            }
            if silent.len() > MOST_STORES {
                // The rest was not even begun.
                regions.next = regions.next.or_else(|| Some(Cursor::new([])));
            }
            regions.items = by_id.into_values().collect();
        }
        Ok(SilentRegions {
            silent,
            regions,
            read_at: due.at,
        })
    }
}

fn is_silent(store: &Store, at: Timestamp) -> bool {
    let alive = store.last_heartbeat.max(store.started_at);
    match store.state {
        Some(StoreState::Down) => true,
        Some(StoreState::Tombstone) | None => false,
        Some(_) => alive.is_some_and(|alive| at.since(alive) >= SILENT),
    }
}
