//! Where reads and writes gather, with the keys of the hottest regions.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use operator_core::{KeyRange, RegionId, Regions, Result, within};

use super::TikvSubject;
use crate::facts::{HotPeer, HotReads, HotSpots, HotWrites};

/// Of so many regions the keys are read: whoever is hot alone is among the first.
const MOST_RANGES: usize = 3;
/// Who does less than this share of a store's work is not what keeps it busy.
const MOST_OF_A_STORE: f64 = 0.5;

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
        let reads = hottest(spots).into_iter().map(async |id| {
            let read = within(self.explains_within(), self.pd.one(id)).await;
            Some((id, read?.ok()?.range))
        });
        join_all(reads).await.into_iter().flatten().collect()
    }
}

/// The regions that do most of their store's work, most first.
fn hottest(spots: &HotSpots) -> Vec<RegionId> {
    let mut shares: Vec<(f64, RegionId)> = spots
        .by_leader
        .values()
        .flat_map(|hot| {
            let of = |peer: &HotPeer| (hot.share_of(&peer.rates()), peer.region);
            hot.peers.iter().map(of)
        })
        .filter(|(share, _)| *share > MOST_OF_A_STORE)
        .collect();
    shares.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let mut ids: Vec<RegionId> = Vec::new();
    for (_, id) in shares {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids.truncate(MOST_RANGES);
    ids
}
