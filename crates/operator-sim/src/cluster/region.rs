//! The regions: a table of rows, and what they add up to.

use crate::num;
use crate::prng::Prng;

use super::keyspace::KeySpace;
use super::row::{BIRTH_TERM, Row};
use super::tally::{Ailing, Counts, Tally};

/// The table. Every change of a row goes through it, so that the tallies hold.
///
/// Rows are only ever added: ids ascend with slots, and what is planned for a slot never meets another region there.
#[derive(Debug, Clone)]
pub(crate) struct Regions {
    rows: Vec<Row>,
    keys: KeySpace,
    counts: Counts,
    next_peer: u32,
}

impl Regions {
    /// Regions with `replicas` voters each, spread over `stores` so that peers and leaders are even.
    pub(crate) fn new(
        regions: u32,
        stores: u16,
        replicas: u8,
        region_mib: u16,
        prng: &mut Prng,
    ) -> Self {
        let mut table = Self {
            rows: Vec::with_capacity(num::place(regions.into())),
            keys: KeySpace::default(),
            counts: Counts::new(stores),
            next_peer: 4,
        };
        for _ in 0..regions {
            table.push_new(replicas, region_mib, prng);
        }
        table
    }

    fn push_new(&mut self, replicas: u8, region_mib: u16, prng: &mut Prng) {
        let stores = self.counts.stores() as u64;
        let mut chosen: Vec<u16> = Vec::with_capacity(usize::from(replicas));
        while chosen.len() < usize::from(replicas) {
            // The emptiest of a few at random: even without a pattern, and without looking at every store.
            let few = (0..8).map(|_| num::ordinal(num::place(prng.below(stores))));
            let free = few.filter(|store| !chosen.contains(store));
            chosen.extend(free.min_by_key(|store| (self.tally(*store).peers, *store)));
        }
        let id = self.next_id();
        let size_mib = spread(region_mib, prng);
        let voters: Vec<(u32, u16)> = chosen
            .into_iter()
            .map(|store| (self.next_id(), store))
            .collect();
        let mut row = Row::new(id, size_mib, voters);
        let leader = row
            .peers()
            .min_by_key(|peer| (self.tally(peer.store).leaders, peer.slot));
        if let Some(leader) = leader {
            row.lead(leader.slot, BIRTH_TERM);
        }
        self.counts.count(&row, 1);
        self.rows.push(row);
        self.keys.push();
    }

    /// The regions there are, in the order in which they were made.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| !row.is_gone())
    }

    /// The regions from a place in the key space on, with their slots, in the order of their keys.
    pub(crate) fn in_order(&self, from: usize) -> impl Iterator<Item = (u32, &Row)> {
        self.keys
            .from(from)
            .filter_map(|slot| Some((slot, self.get(slot)?)))
    }

    pub(crate) fn keys(&self) -> &KeySpace {
        &self.keys
    }

    /// How many regions there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The slots that regions have or had: whoever walks them skips those without.
    pub(crate) fn slots(&self) -> u32 {
        num::row(self.rows.len())
    }

    pub(crate) fn get(&self, region: u32) -> Option<&Row> {
        let row = self.rows.get(num::place(region.into()))?;
        (!row.is_gone()).then_some(row)
    }

    /// The slot of the region with this id.
    pub(crate) fn find(&self, id: u64) -> Option<u32> {
        let id = u32::try_from(id).ok()?;
        let slot = self.rows.binary_search_by_key(&id, |row| row.id).ok();
        slot.map(num::row).filter(|slot| self.get(*slot).is_some())
    }

    /// A region has more data than before, or none.
    pub(crate) fn resize(&mut self, region: u32, size_mib: u16) {
        self.change(region, |row| row.size_mib = size_mib);
    }

    /// Splits a region before `at`, a position within it: the part before goes to a new region with peers on the same
    /// stores, led from the same store, and of this size. TiKV derives to the right: the old id keeps the later keys.
    /// The slot of the new region; `None` where it cannot be split there.
    pub(crate) fn split(&mut self, region: u32, at: u64, left_mib: u16) -> Option<u32> {
        let row = self.get(region)?;
        let first = self.next_peer;
        let next = first.checked_add(num::row(row.len()) + 1)?;
        let born = row.split_off(first, left_mib);
        self.next_peer = next;
        if !self.keys.split(region, at) {
            return None;
        }
        self.change(region, |row| {
            row.version += 1;
            row.size_mib = row.size_mib.saturating_sub(left_mib);
        });
        self.counts.count(&born, 1);
        self.rows.push(born);
        Some(self.slots() - 1)
    }

    /// Merges a region into its neighbour. False where they are none.
    pub(crate) fn merge(&mut self, gone: u32, into: u32) -> bool {
        let (Some(source), Some(_)) = (self.get(gone).cloned(), self.get(into)) else {
            return false;
        };
        if !self.keys.merge(gone, into) {
            return false;
        }
        self.change(gone, Row::clear);
        self.change(into, |row| {
            // Preparing the merge counts as a version of the source.
            row.version = row.version.max(source.version + 1) + 1;
            row.size_mib = row.size_mib.saturating_add(source.size_mib);
        });
        true
    }

    pub(crate) fn tally(&self, store: u16) -> Tally {
        self.counts.of(store)
    }

    pub(crate) fn ailing(&self) -> Ailing {
        self.counts.ailing()
    }

    /// A store that joined, without any region.
    pub(crate) fn add_store(&mut self) {
        self.counts.add_store();
    }

    /// Names another leader, at `term`.
    pub(crate) fn lead(&mut self, region: u32, slot: u8, term: u32) {
        self.change(region, |row| row.lead(slot, term));
    }

    /// A campaign that nobody won, or the end of a leadership: the term moves or stays, the region has no leader.
    pub(crate) fn behead(&mut self, region: u32) {
        self.change(region, Row::behead);
    }

    /// Marks the region as one with an election ahead; false where it has one already.
    pub(crate) fn begin_campaign(&mut self, region: u32) -> bool {
        let row = self.rows.get_mut(num::place(region.into()));
        row.is_some_and(Row::begin_campaign)
    }

    /// The planned election has come.
    pub(crate) fn end_campaign(&mut self, region: u32) {
        if let Some(row) = self.rows.get_mut(num::place(region.into())) {
            row.end_campaign();
        }
    }

    pub(crate) fn set_pending(&mut self, region: u32, store: u16, pending: bool) {
        self.change(region, |row| row.set_pending(store, pending));
    }

    pub(crate) fn set_down(&mut self, region: u32, store: u16, down: bool) {
        self.change(region, |row| row.set_down(store, down));
    }

    /// Adds a learner that has yet to be filled. False where there is no room, or a peer on that store already.
    pub(crate) fn add_learner(&mut self, region: u32, store: u16) -> bool {
        let peer = self.next_peer;
        let added = self.change(region, |row| row.add_learner(peer, store));
        if added {
            self.next_id();
        }
        added
    }

    /// Adds a voter that has everything already. False where there is no room.
    pub(crate) fn add_voter(&mut self, region: u32, store: u16) -> bool {
        let added = self.add_learner(region, store);
        if added {
            self.change(region, |row| row.promote(store));
        }
        added
    }

    /// Adds a replica on TiFlash.
    pub(crate) fn add_columnar(&mut self, region: u32, store: u16) {
        if self.add_learner(region, store) {
            self.change(region, |row| row.make_columnar(store));
        }
    }

    /// Makes the last voter of a region one without data; never the leader.
    pub(crate) fn make_witness(&mut self, region: u32) {
        self.change(region, Row::make_witness);
    }

    /// The learner on one store is to take the place of the voter on another: from now on both sets decide.
    pub(crate) fn enter_joint(&mut self, region: u32, to: u16, from: u16) -> bool {
        self.change(region, |row| row.enter_joint(to, from))
    }

    /// The new set decides alone; who was to go is a learner.
    pub(crate) fn leave_joint(&mut self, region: u32) {
        self.change(region, Row::leave_joint);
    }

    /// Removes the peer on a store; never the leader, and never the last one.
    pub(crate) fn remove_peer(&mut self, region: u32, store: u16) -> bool {
        self.change(region, |row| row.remove_peer(store))
    }

    /// The number of the next region or peer that comes to be.
    fn next_id(&mut self) -> u32 {
        let id = self.next_peer;
        self.next_peer = id.saturating_add(1);
        id
    }

    fn change<R: Default>(&mut self, region: u32, edit: impl FnOnce(&mut Row) -> R) -> R {
        let Some(row) = self.rows.get_mut(num::place(region.into())) else {
            return R::default();
        };
        self.counts.count(row, -1);
        let done = edit(row);
        self.counts.count(row, 1);
        done
    }
}

fn spread(mean: u16, prng: &mut Prng) -> u16 {
    let (low, high) = (u64::from(mean) / 2, u64::from(mean) * 3 / 2);
    u16::try_from(prng.between((low, high)).max(1)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::row::Peer;
    use super::*;

    #[test]
    fn a_new_table_is_even() {
        let table = Regions::new(3_000, 30, 3, 96, &mut Prng::new(1, 1));
        for store in 0..30 {
            let tally = table.tally(store);
            assert!((280..=320).contains(&tally.peers), "{tally:?}");
            assert!((80..=120).contains(&tally.leaders), "{tally:?}");
        }
        let distinct = |row: &Row| {
            let mut stores: Vec<u16> = row.peers().map(|p| p.store).collect();
            stores.sort_unstable();
            stores.dedup();
            stores.len() == 3
        };
        assert!(table.rows().all(distinct));
    }

    #[test]
    fn removing_a_peer_keeps_the_others_as_they_were() {
        let mut table = Regions::new(1, 4, 3, 96, &mut Prng::new(1, 1));
        let before: Vec<Peer> = table.rows[0].peers().collect();
        let gone = before.iter().find(|p| !p.leader).unwrap().store;
        let fresh = (0..4)
            .find(|s| table.rows[0].peer_on(*s).is_none())
            .unwrap();
        assert!(table.add_learner(0, fresh));
        assert!(!table.add_learner(0, fresh), "one peer per store");
        assert!(table.enter_joint(0, fresh, gone));
        assert!(!table.remove_peer(0, gone), "both sets decide");
        table.leave_joint(0);
        assert!(table.remove_peer(0, gone));
        let row = &table.rows[0];
        assert_eq!(row.len(), 3);
        assert!(row.peer_on(gone).is_none());
        assert_eq!(
            row.leader().map(|p| p.id),
            before.iter().find(|p| p.leader).map(|p| p.id)
        );
        assert!(
            !table.remove_peer(0, row_leader(&table)),
            "never the leader"
        );
    }

    #[test]
    fn in_joint_consensus_both_sets_decide() {
        let mut table = Regions::new(1, 4, 3, 96, &mut Prng::new(1, 1));
        let row = &table.rows[0];
        let gone = row.peers().find(|p| !p.leader).unwrap().store;
        let fresh = (0..4).find(|s| row.peer_on(*s).is_none()).unwrap();
        let stay: Vec<u16> = row
            .peers()
            .map(|p| p.store)
            .filter(|s| *s != gone)
            .collect();
        table.add_learner(0, fresh);
        table.enter_joint(0, fresh, gone);
        let row = &table.rows[0];
        let decides = |there: &[u16]| row.has_majority(|store| there.contains(&store));
        assert!(decides(&stay));
        assert!(decides(&[stay[0], fresh, gone]));
        assert!(!decides(&[stay[0], fresh]), "the old set has one of three");
        assert!(!decides(&[stay[0], gone]), "the new set has one of three");
    }

    fn row_leader(table: &Regions) -> u16 {
        table.rows[0].leader().unwrap().store
    }
}
