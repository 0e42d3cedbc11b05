//! The regions of the stores that show no sign of life.

use std::collections::BTreeMap;
use std::time::Duration;

use operator_core::{Cursor, Listing, Result, Store, StoreState, Timestamp};

use super::TikvSubject;
use crate::facts::SilentRegions;

/// So silent is a store that may be dead.
const SILENT: Duration = Duration::from_secs(20);
/// Of so many stores the regions are read, and so many of each: where more are dead, these say enough.
const MOST_STORES: usize = 6;
const MOST_REGIONS: usize = 2000;

impl TikvSubject {
    pub(super) async fn silent_regions(&self, at: Timestamp) -> Result<SilentRegions> {
        let stores = self.shared_stores().await?;
        let silent: Vec<&Store> = stores.items.iter().filter(|s| is_silent(s, at)).collect();
        let mut regions = Listing::whole(Vec::new());
        if silent.len() >= 2 {
            let mut by_id = BTreeMap::new();
            for store in silent.iter().take(MOST_STORES) {
                let listed = self.pd.regions_on(store.id, MOST_REGIONS).await?;
                regions.gaps.extend(listed.gaps.iter().cloned());
                regions.next = regions.next.or(listed.next);
                by_id.extend(listed.items.into_iter().map(|region| (region.id, region)));
            }
            if silent.len() > MOST_STORES {
                // The rest was not even begun.
                regions.next = regions.next.or_else(|| Some(Cursor::new([])));
            }
            regions.items = by_id.into_values().collect();
        }
        Ok(SilentRegions {
            silent: silent.iter().map(|store| store.id).collect(),
            regions,
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
