//! The regions: one compact row each, and the tallies per store that are kept right with every change of a row.

use crate::num;
use crate::prng::Prng;

use super::growth::MAX_MIB;
use super::keyspace::KeySpace;
use super::merges::EMPTY_MIB;

/// Peers a row has room for: five voters, and one being copied.
pub(crate) const SLOTS: usize = 6;
const NO_LEADER: u8 = u8::MAX;
/// A region that was split off begins at term 5, and has its first leader at the next.
pub(crate) const BIRTH_TERM: u32 = 6;

/// The leader that PD names does not lead any more, and nobody else does.
const HEADLESS: u8 = 1;
/// An election is planned, so that none is planned twice.
const CAMPAIGNING: u8 = 2;
/// In joint consensus: the slots of the incoming and of the demoting voter follow, three bits each.
const JOINT: u8 = 1 << 6;

/// One region, as PD knows it. It keeps its slot in the table for life; a region that was merged away has no peers.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) id: u32,
    pub(crate) term: u32,
    pub(crate) version: u32,
    pub(crate) conf_ver: u32,
    peers: [u32; SLOTS],
    stores: [u16; SLOTS],
    pub(crate) size_mib: u16,
    len: u8,
    leader: u8,
    learners: u8,
    pending: u8,
    down: u8,
    /// Learners that are to stay learners: replicas on TiFlash.
    columnar: u8,
    /// Voters without data.
    witnesses: u8,
    /// 0 outside of joint consensus; within it, see [`JOINT`].
    joint: u8,
    /// See the constants above.
    state: u8,
}

/// What a peer may do in its region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Voter,
    Learner,
    /// A voter of the set that is to be.
    Incoming,
    /// A voter of the set that was.
    Demoting,
}

/// One peer of a row, by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) slot: u8,
    pub(crate) id: u32,
    pub(crate) store: u16,
    pub(crate) role: Role,
    pub(crate) learner: bool,
    pub(crate) columnar: bool,
    pub(crate) witness: bool,
    pub(crate) pending: bool,
    pub(crate) down: bool,
    pub(crate) leader: bool,
}

impl Row {
    pub(crate) fn peers(&self) -> impl Iterator<Item = Peer> + '_ {
        (0..self.len).filter_map(|slot| self.peer(slot))
    }

    fn peer(&self, slot: u8) -> Option<Peer> {
        let bit = 1_u8.checked_shl(slot.into())?;
        Some(Peer {
            slot,
            id: *self.peers.get(usize::from(slot))?,
            store: *self.stores.get(usize::from(slot))?,
            role: self.role(slot, bit),
            learner: self.learners & bit != 0,
            columnar: self.columnar & bit != 0,
            witness: self.witnesses & bit != 0,
            pending: self.pending & bit != 0,
            down: self.down & bit != 0,
            leader: self.leader == slot,
        })
    }

    fn role(&self, slot: u8, bit: u8) -> Role {
        match self.changing() {
            Some((incoming, _)) if incoming == slot => Role::Incoming,
            Some((_, demoting)) if demoting == slot => Role::Demoting,
            _ if self.learners & bit != 0 => Role::Learner,
            _ => Role::Voter,
        }
    }

    /// The slots of the incoming and of the demoting voter, in joint consensus.
    fn changing(&self) -> Option<(u8, u8)> {
        (self.joint & JOINT != 0).then_some((self.joint >> 3 & 7, self.joint & 7))
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Peers that count as replicas: not those on TiFlash, which a rule of their own asks for.
    pub(crate) fn replicas(&self) -> usize {
        self.peers().filter(|peer| !peer.columnar).count()
    }

    /// Whether those that are there are a majority of the voters; in joint consensus, of the old and of the new.
    pub(crate) fn has_majority(&self, there: impl Fn(u16) -> bool) -> bool {
        let majority = |without: Role| {
            let voters = self
                .peers()
                .filter(|peer| peer.role != Role::Learner && peer.role != without);
            let (all, alive) = voters.fold((0, 0), |(all, alive), peer| {
                (all + 1, alive + usize::from(there(peer.store)))
            });
            alive > all / 2
        };
        majority(Role::Incoming) && (!self.is_joint() || majority(Role::Demoting))
    }

    /// The leader that PD names, be it alive or not.
    pub(crate) fn leader(&self) -> Option<Peer> {
        self.peers().find(|peer| peer.leader)
    }

    pub(crate) fn is_led_by(&self, store: u16) -> bool {
        self.leader != NO_LEADER && self.stores.get(usize::from(self.leader)) == Some(&store)
    }

    pub(crate) fn peer_on(&self, store: u16) -> Option<Peer> {
        self.peers().find(|peer| peer.store == store)
    }

    pub(crate) fn is_headless(&self) -> bool {
        self.state & HEADLESS != 0
    }

    pub(crate) fn has_pending(&self) -> bool {
        self.pending != 0
    }

    pub(crate) fn has_down(&self) -> bool {
        self.down != 0
    }

    pub(crate) fn has_learner(&self) -> bool {
        self.learners != 0
    }

    /// Whether a peer is on its way: one is being filled, or two sets of voters hold at once.
    pub(crate) fn is_moving(&self) -> bool {
        self.learners & !self.columnar != 0 || self.is_joint()
    }

    pub(crate) fn is_joint(&self) -> bool {
        self.joint & JOINT != 0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.size_mib <= EMPTY_MIB
    }

    pub(crate) fn is_oversized(&self) -> bool {
        self.size_mib > MAX_MIB
    }

    pub(crate) fn is_undersized(&self) -> bool {
        self.size_mib <= 20
    }
}

/// What the rows say about one store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) leaders: u32,
    pub(crate) headless: u32,
    pub(crate) peers: u32,
    pub(crate) learners: u32,
    pub(crate) witnesses: u32,
    pub(crate) pending: u32,
    pub(crate) leader_mib: u64,
    pub(crate) region_mib: u64,
}

/// How many regions there are of each ailment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ailing {
    pub(crate) pending: u32,
    pub(crate) down: u32,
    pub(crate) learner: u32,
    pub(crate) headless: u32,
    pub(crate) empty: u32,
    pub(crate) oversized: u32,
    pub(crate) undersized: u32,
    /// Regions with so many replicas,
    replicas: [u32; SLOTS + 1],
    /// and with so many voters.
    voters: [u32; SLOTS + 1],
}

impl Ailing {
    /// Regions with fewer replicas than wanted.
    pub(crate) fn missing(&self, wanted: u8) -> u32 {
        self.replicas.iter().take(usize::from(wanted)).sum()
    }

    /// Regions with more voters than wanted.
    pub(crate) fn extra(&self, wanted: u8) -> u32 {
        self.voters.iter().skip(usize::from(wanted) + 1).sum()
    }
}

/// The table. Every change of a row goes through it, so that the tallies hold.
///
/// Rows are only ever added: ids ascend with slots, and what is planned for a slot never meets another region there.
#[derive(Debug, Clone)]
pub(crate) struct Regions {
    rows: Vec<Row>,
    keys: KeySpace,
    tallies: Vec<Tally>,
    ailing: Ailing,
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
            tallies: vec![Tally::default(); usize::from(stores)],
            ailing: Ailing::default(),
            next_peer: 4,
        };
        for _ in 0..regions {
            table.push_new(replicas, region_mib, prng);
        }
        table
    }

    fn push_new(&mut self, replicas: u8, region_mib: u16, prng: &mut Prng) {
        let stores = self.tallies.len() as u64;
        let mut chosen: Vec<u16> = Vec::with_capacity(usize::from(replicas));
        while chosen.len() < usize::from(replicas) {
            // The emptiest of a few at random: even without a pattern, and without looking at every store.
            let few = (0..8).map(|_| num::ordinal(num::place(prng.below(stores))));
            let free = few.filter(|store| !chosen.contains(store));
            chosen.extend(free.min_by_key(|store| (self.tally(*store).peers, *store)));
        }
        let id = self.next_peer;
        self.next_peer = self.next_peer.saturating_add(1);
        let mut row = Row {
            id,
            term: BIRTH_TERM,
            version: 45,
            conf_ver: 5,
            peers: [0; SLOTS],
            stores: [0; SLOTS],
            size_mib: spread(region_mib, prng),
            len: 0,
            leader: NO_LEADER,
            learners: 0,
            pending: 0,
            down: 0,
            columnar: 0,
            witnesses: 0,
            joint: 0,
            state: 0,
        };
        for (slot, store) in chosen.into_iter().enumerate() {
            let peer = self.next_peer;
            self.next_peer = self.next_peer.saturating_add(1);
            if let (Some(p), Some(s)) = (row.peers.get_mut(slot), row.stores.get_mut(slot)) {
                (*p, *s) = (peer, store);
            }
            row.len += 1;
        }
        let leader = row
            .peers()
            .min_by_key(|peer| (self.tally(peer.store).leaders, peer.slot))
            .map_or(NO_LEADER, |peer| peer.slot);
        row.leader = leader;
        self.count(&row, 1);
        self.rows.push(row);
        self.keys.push();
    }

    /// The regions there are, in the order in which they were made.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.len > 0)
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
        (row.len > 0).then_some(row)
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
        let mut born = self.get(region)?.clone();
        let ids = u32::from(born.len) + 1;
        let first = self.next_peer;
        self.next_peer = first.checked_add(ids)?;
        if !self.keys.split(region, at) {
            return None;
        }
        self.change(region, |row| {
            row.version += 1;
            row.size_mib = row.size_mib.saturating_sub(left_mib);
        });
        born.id = first;
        born.term = BIRTH_TERM;
        born.version += 1;
        born.size_mib = left_mib;
        born.state = 0;
        for (peer, id) in born.peers.iter_mut().zip(first + 1..first + ids) {
            *peer = id;
        }
        self.count(&born, 1);
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
        self.change(gone, |row| row.len = 0);
        self.change(into, |row| {
            // Preparing the merge counts as a version of the source.
            row.version = row.version.max(source.version + 1) + 1;
            row.size_mib = row.size_mib.saturating_add(source.size_mib);
        });
        true
    }

    pub(crate) fn tally(&self, store: u16) -> Tally {
        self.tallies
            .get(usize::from(store))
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn ailing(&self) -> Ailing {
        self.ailing
    }

    /// A store that joined, without any region.
    pub(crate) fn add_store(&mut self) {
        self.tallies.push(Tally::default());
    }

    /// Names another leader, at `term`.
    pub(crate) fn lead(&mut self, region: u32, slot: u8, term: u32) {
        self.change(region, |row| {
            if slot < row.len {
                row.leader = slot;
                row.term = term;
                row.state &= !HEADLESS;
            }
        });
    }

    /// A campaign that nobody won, or the end of a leadership: the term moves or stays, the region has no leader.
    pub(crate) fn behead(&mut self, region: u32) {
        self.change(region, |row| row.state |= HEADLESS);
    }

    /// Marks the region as one with an election ahead; false where it has one already.
    pub(crate) fn begin_campaign(&mut self, region: u32) -> bool {
        let row = self.rows.get_mut(num::place(region.into()));
        row.is_some_and(|row| {
            let first = row.state & CAMPAIGNING == 0;
            row.state |= CAMPAIGNING;
            first
        })
    }

    /// The planned election has come.
    pub(crate) fn end_campaign(&mut self, region: u32) {
        if let Some(row) = self.rows.get_mut(num::place(region.into())) {
            row.state &= !CAMPAIGNING;
        }
    }

    pub(crate) fn set_pending(&mut self, region: u32, store: u16, pending: bool) {
        self.change(region, |row| {
            if let Some(peer) = row.peer_on(store) {
                set(&mut row.pending, peer.slot, pending);
            }
        });
    }

    pub(crate) fn set_down(&mut self, region: u32, store: u16, down: bool) {
        self.change(region, |row| {
            if let Some(peer) = row.peer_on(store) {
                set(&mut row.down, peer.slot, down);
            }
        });
    }

    /// Adds a learner that has yet to be filled. False where there is no room, or a peer on that store already.
    pub(crate) fn add_learner(&mut self, region: u32, store: u16) -> bool {
        let peer = self.next_peer;
        let mut added = false;
        self.change(region, |row| {
            let slot = row.len;
            if row.peer_on(store).is_none() && usize::from(slot) < SLOTS {
                if let (Some(p), Some(s)) = (
                    row.peers.get_mut(usize::from(slot)),
                    row.stores.get_mut(usize::from(slot)),
                ) {
                    (*p, *s) = (peer, store);
                }
                row.len += 1;
                set(&mut row.learners, slot, true);
                set(&mut row.pending, slot, true);
                row.conf_ver += 1;
                added = true;
            }
        });
        if added {
            self.next_peer = self.next_peer.saturating_add(1);
        }
        added
    }

    /// Adds a voter that has everything already. False where there is no room.
    pub(crate) fn add_voter(&mut self, region: u32, store: u16) -> bool {
        let added = self.add_learner(region, store);
        self.change(region, |row| {
            if let Some(peer) = row.peer_on(store).filter(|_| added) {
                set(&mut row.learners, peer.slot, false);
                set(&mut row.pending, peer.slot, false);
                row.conf_ver += 1;
            }
        });
        added
    }

    /// Adds a replica on TiFlash.
    pub(crate) fn add_columnar(&mut self, region: u32, store: u16) {
        if self.add_learner(region, store) {
            self.change(region, |row| {
                if let Some(peer) = row.peer_on(store) {
                    set(&mut row.columnar, peer.slot, true);
                    set(&mut row.pending, peer.slot, false);
                }
            });
        }
    }

    /// Makes the last voter of a region one without data; never the leader.
    pub(crate) fn make_witness(&mut self, region: u32) {
        self.change(region, |row| {
            let last = row.peers().filter(|peer| !peer.learner && !peer.leader);
            if let Some(peer) = last.last() {
                set(&mut row.witnesses, peer.slot, true);
            }
        });
    }

    /// The learner on one store is to take the place of the voter on another: from now on both sets decide.
    pub(crate) fn enter_joint(&mut self, region: u32, to: u16, from: u16) -> bool {
        let mut entered = false;
        self.change(region, |row| {
            let (Some(to), Some(from)) = (row.peer_on(to), row.peer_on(from)) else {
                return;
            };
            if to.role == Role::Learner && from.role == Role::Voter && !row.is_joint() {
                set(&mut row.learners, to.slot, false);
                set(&mut row.pending, to.slot, false);
                set(&mut row.witnesses, to.slot, from.witness);
                row.joint = JOINT | to.slot << 3 | from.slot;
                row.conf_ver += 2;
                entered = true;
            }
        });
        entered
    }

    /// The new set decides alone; who was to go is a learner.
    pub(crate) fn leave_joint(&mut self, region: u32) {
        self.change(region, |row| {
            if let Some((_, demoting)) = row.changing() {
                set(&mut row.learners, demoting, true);
                row.joint = 0;
                row.conf_ver += 2;
            }
        });
    }

    /// Removes the peer on a store; never the leader, and never the last one.
    pub(crate) fn remove_peer(&mut self, region: u32, store: u16) -> bool {
        let mut removed = false;
        self.change(region, |row| {
            let goes = |p: &Peer| !p.leader && row.len > 1 && !row.is_joint();
            let Some(peer) = row.peer_on(store).filter(goes) else {
                return;
            };
            let kept: Vec<Peer> = row.peers().filter(|p| p.slot != peer.slot).collect();
            (row.len, row.learners, row.pending, row.down) = (0, 0, 0, 0);
            (row.columnar, row.witnesses, row.joint) = (0, 0, 0);
            for (slot, kept) in (0_u8..).zip(kept) {
                if let (Some(p), Some(s)) = (
                    row.peers.get_mut(usize::from(slot)),
                    row.stores.get_mut(usize::from(slot)),
                ) {
                    (*p, *s) = (kept.id, kept.store);
                }
                row.len += 1;
                set(&mut row.learners, slot, kept.learner);
                set(&mut row.pending, slot, kept.pending);
                set(&mut row.down, slot, kept.down);
                set(&mut row.columnar, slot, kept.columnar);
                set(&mut row.witnesses, slot, kept.witness);
                if kept.leader {
                    row.leader = slot;
                }
            }
            row.conf_ver += 1;
            removed = true;
        });
        removed
    }

    fn change(&mut self, region: u32, edit: impl FnOnce(&mut Row)) {
        let place = num::place(region.into());
        let Some(mut row) = self.rows.get(place).cloned() else {
            return;
        };
        self.count(&row, -1);
        edit(&mut row);
        self.count(&row, 1);
        if let Some(old) = self.rows.get_mut(place) {
            *old = row;
        }
    }

    fn count(&mut self, row: &Row, by: i32) {
        let add = |n: &mut u32, yes: bool| *n = n.wrapping_add_signed(if yes { by } else { 0 });
        let size = i64::from(row.size_mib) * i64::from(by);
        let there = row.len > 0;
        add(&mut self.ailing.pending, there && row.has_pending());
        add(&mut self.ailing.down, there && row.has_down());
        add(&mut self.ailing.learner, there && row.has_learner());
        add(&mut self.ailing.headless, there && row.is_headless());
        add(&mut self.ailing.empty, there && row.is_empty());
        add(&mut self.ailing.oversized, there && row.is_oversized());
        add(&mut self.ailing.undersized, there && row.is_undersized());
        let voters = row.peers().filter(|peer| !peer.learner).count();
        for (of, number) in [
            (&mut self.ailing.replicas, row.replicas()),
            (&mut self.ailing.voters, voters),
        ] {
            if let Some(count) = of.get_mut(number) {
                add(count, there);
            }
        }
        for peer in row.peers() {
            let Some(tally) = self.tallies.get_mut(usize::from(peer.store)) else {
                continue;
            };
            add(&mut tally.peers, true);
            add(&mut tally.leaders, peer.leader);
            add(&mut tally.headless, peer.leader && row.is_headless());
            add(&mut tally.learners, peer.learner);
            add(&mut tally.pending, peer.pending);
            add(&mut tally.witnesses, peer.witness);
            let size = if peer.witness { 0 } else { size };
            tally.region_mib = tally.region_mib.wrapping_add_signed(size);
            if peer.leader {
                tally.leader_mib = tally.leader_mib.wrapping_add_signed(size);
            }
        }
    }
}

fn set(mask: &mut u8, slot: u8, on: bool) {
    let bit = 1_u8.checked_shl(slot.into()).unwrap_or(0);
    if on {
        *mask |= bit;
    } else {
        *mask &= !bit;
    }
}

fn spread(mean: u16, prng: &mut Prng) -> u16 {
    let (low, high) = (u64::from(mean) / 2, u64::from(mean) * 3 / 2);
    u16::try_from(prng.between((low, high)).max(1)).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_small() {
        assert!(size_of::<Row>() <= 64, "{} bytes", size_of::<Row>());
    }

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
