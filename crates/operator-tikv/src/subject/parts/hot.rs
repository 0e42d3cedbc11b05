//! Where reads and writes gather, with the keys of the hottest regions.

use std::collections::BTreeMap;

use operator_core::{KeyRange, RegionId, Regions, Result};

use super::TikvSubject;
use crate::facts::{HotPeer, HotReads, HotSpots, HotWrites};

/// Of so many regions the keys are read: whoever is hot alone is among the first.
const MOST_RANGES: usize = 3;

impl TikvSubject {
    pub(super) async fn hot_writes(&self) -> Result<HotWrites> {
        let spots = self.pd.hot_writes().await?;
        let ranges = self.ranges_of_hottest(&spots).await;
        Ok(HotWrites { spots, ranges })
    }

    pub(super) async fn hot_reads(&self) -> Result<HotReads> {
        let spots = self.pd.hot_reads().await?;
        let ranges = self.ranges_of_hottest(&spots).await;
        Ok(HotReads { spots, ranges })
    }

    /// What cannot be read is left out: the keys tell what kind of heat it is, not whether it is hot.
    async fn ranges_of_hottest(&self, spots: &HotSpots) -> BTreeMap<RegionId, KeyRange> {
        let mut ranges = BTreeMap::new();
        for id in hottest(spots) {
            if let Ok(region) = self.pd.one(id).await {
                ranges.insert(id, region.range);
            }
        }
        ranges
    }
}

/// The regions that do most of their store's work, most first.
fn hottest(spots: &HotSpots) -> Vec<RegionId> {
    let stores = spots.by_leader.values();
    let mut peers: Vec<&HotPeer> = stores
        .flat_map(|hot| {
            let half = hot.store.bytes_per_second / 2.0;
            hot.peers
                .iter()
                .filter(move |peer| peer.bytes_per_second > half)
        })
        .collect();
    peers.sort_by(|a, b| b.bytes_per_second.total_cmp(&a.bytes_per_second));
    let mut ids: Vec<RegionId> = peers.iter().map(|peer| peer.region).collect();
    ids.dedup();
    ids.truncate(MOST_RANGES);
    ids
}
