//! The stores that are being removed, how far that has come, and what holds up those that stand still.

use std::time::Duration;

use futures_util::future::join_all;
use operator_core::{
    Due, Gap, Listing, Region, Result, Store, StoreId, StoreState, Timestamp, within,
};

use super::TikvSubject;
use crate::facts::{Held, MoveProgress, Removal, Removals};

/// So many removals are followed one by one.
const MOST: usize = 20;
/// Of so many that stand still the regions are looked at, and so many of each: PD lists them all for that.
const MOST_HELD: usize = 3;
const MOST_REGIONS: usize = 200;
/// How often that is done.
const HELD: Duration = Duration::from_secs(120);

impl TikvSubject {
    pub(super) async fn removals(&self, due: Due<Removals>) -> Result<Removals> {
        let stores = self.shared_stores().await?;
        let offline = |store: &&Store| store.state == Some(StoreState::Offline);
        let last = |store: StoreId| {
            let list = &due.last.as_ref()?.value.list;
            list.items.iter().find(|last| last.store == store)?.held
        };
        let (mut list, mut still) = (Listing::whole(Vec::new()), 0);
        let leaving = stores.items.iter().filter(offline).take(MOST);
        let reads = leaving.map(async |store| (store, self.pd.progress_of(store.id).await));
        for (store, progress) in join_all(reads).await {
            let progress = match progress {
                Ok(progress) => progress,
                Err(error) => {
                    let gap = Gap::new("progress", error.into()).about(store.entity());
                    list.gaps.push(gap);
                    continue;
                }
            };
            let stands = store.region_count != Some(0) && progress.as_ref().is_some_and(stands);
            still += usize::from(stands);
            let held = match stands && still <= MOST_HELD {
                true => self.held(store.id, due.at, last(store.id)).await,
                false => None,
            };
            list.items.push(Removal {
                store: store.id,
                progress,
                held,
            });
        }
        Ok(Removals { list })
    }

    /// What holds a store's regions. It only explains: where it cannot be read, it is left out.
    async fn held(&self, store: StoreId, at: Timestamp, last: Option<Held>) -> Option<Held> {
        if let Some(last) = last.filter(|last| at.since(last.at) < HELD) {
            return Some(last);
        }
        let read = self.pd.regions_on(store, MOST_REGIONS);
        let regions = within(self.explains_within(), read).await?.ok()?.items;
        let count = |held: fn(&Region) -> bool| regions.iter().filter(|r| held(r)).count() as u64;
        Some(Held {
            looked_at: regions.len() as u64,
            leaderless: count(|region| region.leader.is_none()),
            ailing: count(|region| {
                !region.down_peers.is_empty() || !region.pending_peers.is_empty()
            }),
            at,
        })
    }
}

fn stands(progress: &MoveProgress) -> bool {
    progress.mib_per_second <= 0.0
}
