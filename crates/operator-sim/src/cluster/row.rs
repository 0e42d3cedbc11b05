//! One region as a compact row: its peers by slots, and what they are by bits.

use super::growth::MAX_MIB;
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

    /// A region with a voter on each of these stores, none of which leads.
    pub(super) fn new(
        id: u32,
        size_mib: u16,
        voters: impl IntoIterator<Item = (u32, u16)>,
    ) -> Self {
        let mut row = Self {
            id,
            term: BIRTH_TERM,
            version: 45,
            conf_ver: 5,
            peers: [0; SLOTS],
            stores: [0; SLOTS],
            size_mib,
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
        for (peer, store) in voters {
            row.push(peer, store);
        }
        row
    }

    /// What is split off this region: on the same stores, led from the same one, with ids of its own from `first` on.
    pub(super) fn split_off(&self, first: u32, size_mib: u16) -> Self {
        let mut born = self.clone();
        born.id = first;
        born.term = BIRTH_TERM;
        born.version += 1;
        born.size_mib = size_mib;
        born.state = 0;
        for (peer, id) in born.peers.iter_mut().take(self.len()).zip(first + 1..) {
            *peer = id;
        }
        born
    }

    /// Whether it was merged away.
    pub(super) fn is_gone(&self) -> bool {
        self.len == 0
    }

    /// It is merged away.
    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// The slot of a peer that is there now; `None` where there is no room.
    fn push(&mut self, peer: u32, store: u16) -> Option<u8> {
        let slot = self.len;
        let place = usize::from(slot);
        (*self.peers.get_mut(place)?, *self.stores.get_mut(place)?) = (peer, store);
        self.len += 1;
        Some(slot)
    }

    /// Names another leader, at `term`.
    pub(super) fn lead(&mut self, slot: u8, term: u32) {
        if slot < self.len {
            self.leader = slot;
            self.term = term;
            self.state &= !HEADLESS;
        }
    }

    /// Nobody leads it, whomever PD names.
    pub(super) fn behead(&mut self) {
        self.state |= HEADLESS;
    }

    /// Marks it as one with an election ahead; false where it has one already.
    pub(super) fn begin_campaign(&mut self) -> bool {
        let first = self.state & CAMPAIGNING == 0;
        self.state |= CAMPAIGNING;
        first
    }

    pub(super) fn end_campaign(&mut self) {
        self.state &= !CAMPAIGNING;
    }

    pub(super) fn set_pending(&mut self, store: u16, pending: bool) {
        if let Some(peer) = self.peer_on(store) {
            set(&mut self.pending, peer.slot, pending);
        }
    }

    pub(super) fn set_down(&mut self, store: u16, down: bool) {
        if let Some(peer) = self.peer_on(store) {
            set(&mut self.down, peer.slot, down);
        }
    }

    /// Adds a learner that has yet to be filled. False where there is no room, or a peer on that store already.
    pub(super) fn add_learner(&mut self, peer: u32, store: u16) -> bool {
        if self.peer_on(store).is_some() {
            return false;
        }
        let Some(slot) = self.push(peer, store) else {
            return false;
        };
        set(&mut self.learners, slot, true);
        set(&mut self.pending, slot, true);
        self.conf_ver += 1;
        true
    }

    /// A learner that has everything votes.
    pub(super) fn promote(&mut self, store: u16) {
        if let Some(peer) = self.peer_on(store) {
            set(&mut self.learners, peer.slot, false);
            set(&mut self.pending, peer.slot, false);
            self.conf_ver += 1;
        }
    }

    /// A learner stays one: it is a replica on TiFlash.
    pub(super) fn make_columnar(&mut self, store: u16) {
        if let Some(peer) = self.peer_on(store) {
            set(&mut self.columnar, peer.slot, true);
            set(&mut self.pending, peer.slot, false);
        }
    }

    /// Makes the last voter one without data; never the leader.
    pub(super) fn make_witness(&mut self) {
        let last = self.peers().filter(|peer| !peer.learner && !peer.leader);
        if let Some(peer) = last.last() {
            set(&mut self.witnesses, peer.slot, true);
        }
    }

    /// The learner on one store is to take the place of the voter on another: from now on both sets decide.
    pub(super) fn enter_joint(&mut self, to: u16, from: u16) -> bool {
        let (Some(to), Some(from)) = (self.peer_on(to), self.peer_on(from)) else {
            return false;
        };
        if to.role != Role::Learner || from.role != Role::Voter || self.is_joint() {
            return false;
        }
        set(&mut self.learners, to.slot, false);
        set(&mut self.pending, to.slot, false);
        set(&mut self.witnesses, to.slot, from.witness);
        self.joint = JOINT | to.slot << 3 | from.slot;
        self.conf_ver += 2;
        true
    }

    /// The new set decides alone; who was to go is a learner.
    pub(super) fn leave_joint(&mut self) {
        if let Some((_, demoting)) = self.changing() {
            set(&mut self.learners, demoting, true);
            self.joint = 0;
            self.conf_ver += 2;
        }
    }

    /// Removes the peer on a store; never the leader, and never the last one.
    pub(super) fn remove_peer(&mut self, store: u16) -> bool {
        let goes = |peer: &Peer| !peer.leader && self.len > 1 && !self.is_joint();
        let Some(gone) = self.peer_on(store).filter(goes) else {
            return false;
        };
        let kept: Vec<Peer> = self.peers().filter(|peer| peer.slot != gone.slot).collect();
        (self.len, self.learners, self.pending, self.down) = (0, 0, 0, 0);
        (self.columnar, self.witnesses, self.joint) = (0, 0, 0);
        for peer in kept {
            let Some(slot) = self.push(peer.id, peer.store) else {
                break;
            };
            set(&mut self.learners, slot, peer.learner);
            set(&mut self.pending, slot, peer.pending);
            set(&mut self.down, slot, peer.down);
            set(&mut self.columnar, slot, peer.columnar);
            set(&mut self.witnesses, slot, peer.witness);
            if peer.leader {
                self.leader = slot;
            }
        }
        self.conf_ver += 1;
        true
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stays_small() {
        assert!(size_of::<Row>() <= 64, "{} bytes", size_of::<Row>());
    }
}
