//! What the rows add up to, for each store and for the cluster: kept right with every change of a row, so that nobody
//! has to look at all of them.

use super::row::{Row, SLOTS};

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

/// All that is counted.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    stores: Vec<Tally>,
    ailing: Ailing,
}

impl Counts {
    pub(super) fn new(stores: u16) -> Self {
        Self {
            stores: vec![Tally::default(); usize::from(stores)],
            ailing: Ailing::default(),
        }
    }

    /// How many stores are counted for.
    pub(super) fn stores(&self) -> usize {
        self.stores.len()
    }

    pub(super) fn add_store(&mut self) {
        self.stores.push(Tally::default());
    }

    pub(super) fn of(&self, store: u16) -> Tally {
        let tally = self.stores.get(usize::from(store));
        tally.copied().unwrap_or_default()
    }

    pub(super) fn ailing(&self) -> Ailing {
        self.ailing
    }

    /// Counts a row in (1), or out (-1).
    pub(super) fn count(&mut self, row: &Row, by: i32) {
        let add = |n: &mut u32, yes: bool| *n = n.wrapping_add_signed(if yes { by } else { 0 });
        let size = i64::from(row.size_mib) * i64::from(by);
        let there = !row.is_gone();
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
            let Some(tally) = self.stores.get_mut(usize::from(peer.store)) else {
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
