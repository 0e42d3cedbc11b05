//! Sums over very many regions.

use std::collections::{BTreeMap, HashSet};

use operator_core::{KeyRange, Listing, PeerRole, Region, RegionId, StoreId};

/// A region of up to so much counts as empty: PD rounds sizes up to the next MiB.
const EMPTY_BYTES: u64 = 1 << 20;
/// So many holes are kept; a cluster has none.
const MOST_HOLES: usize = 1000;

/// Sums over regions, built up one region at a time: it holds none of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Regions.
    pub regions: u64,
    /// Bytes in regions whose size is known.
    pub size_bytes: u64,
    /// Keys in regions whose size is known.
    pub keys: u64,
    /// Regions whose size is not known.
    pub unsized_regions: u64,
    /// Regions with nothing in them, or next to nothing.
    pub empty: u64,
    /// Regions without a leader that is known.
    pub leaderless: u64,
    /// Regions with a peer that its leader has not heard from.
    pub with_down_peers: u64,
    /// Regions with a peer that is still catching up.
    pub with_pending_peers: u64,
    /// Regions with a peer that does not vote.
    pub with_learners: u64,
    /// What each store holds of them.
    pub stores: BTreeMap<StoreId, StoreTally>,
    /// Ranges that no region covered.
    pub holes: Vec<KeyRange>,
    /// How many more there are than `holes` keeps.
    pub further_holes: u64,
    /// Regions that came again on a later page: they were split, merged or moved meanwhile.
    pub seen_again: u64,
    /// Regions that could not be read.
    pub unread: u64,
}

/// What one store holds of the regions of a [`Tally`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreTally {
    /// Regions it leads.
    pub leaders: u64,
    /// Peers it holds, leaders among them.
    pub peers: u64,
    /// Bytes in the regions that it has peers of.
    pub peer_bytes: u64,
}

impl Tally {
    /// Adds regions, `seen_again` of which are among those that were added before.
    pub fn add(
        &mut self,
        listing: &Listing<Region>,
        seen_again: &HashSet<RegionId>,
        holes: &[KeyRange],
    ) {
        // A hole is a gap too, but nothing that could not be read.
        self.unread += (listing.gaps.len().saturating_sub(holes.len())) as u64;
        let room = MOST_HOLES.saturating_sub(self.holes.len());
        self.holes.extend(holes.iter().take(room).cloned());
        self.further_holes += holes.len().saturating_sub(room) as u64;
        for region in &listing.items {
            match seen_again.contains(&region.id) {
                true => self.seen_again += 1,
                false => self.count(region),
            }
        }
    }

    fn count(&mut self, region: &Region) {
        self.regions += 1;
        let size_bytes = region.size_bytes.unwrap_or(0);
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        self.keys = self.keys.saturating_add(region.keys.unwrap_or(0));
        self.unsized_regions += u64::from(region.size_bytes.is_none());
        self.empty += u64::from(region.size_bytes.is_some_and(|bytes| bytes <= EMPTY_BYTES));
        self.leaderless += u64::from(region.leader.is_none());
        self.with_down_peers += u64::from(!region.down_peers.is_empty());
        self.with_pending_peers += u64::from(!region.pending_peers.is_empty());
        let learns = |role: &PeerRole| *role == PeerRole::Learner;
        self.with_learners += u64::from(region.peers.iter().any(|peer| learns(&peer.role)));
        for peer in &region.peers {
            let store = self.stores.entry(peer.store).or_default();
            store.peers += 1;
            store.peer_bytes = store.peer_bytes.saturating_add(size_bytes);
        }
        if let Some(leader) = &region.leader {
            self.stores.entry(leader.store).or_default().leaders += 1;
        }
    }
}
