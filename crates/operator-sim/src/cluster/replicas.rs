//! Regions with too few replicas or too many, which PD leaves so while the fault lasts.

use super::Cluster;
use super::condition::Replicas;

/// A region whose replicas are not what they should be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spoilt {
    store: u16,
    region: u32,
    how: Replicas,
}

impl Cluster {
    /// Spoils the replicas of a tenth of the regions on (or, for surplus ones, not on) a store.
    pub(super) fn spoil_replicas(&mut self, store: u16, how: Replicas) {
        self.accrue_all();
        for region in (0..self.regions.slots()).step_by(10) {
            let able = self.regions.get(region).is_some_and(|row| {
                let here = row.peer_on(store).filter(|peer| !peer.learner);
                let fits = match how {
                    Replicas::Missing => here.is_some_and(|p| !p.leader) && row.len() > 2,
                    Replicas::Surplus | Replicas::Learner => row.peer_on(store).is_none(),
                };
                fits && !row.is_moving()
            });
            let done = able
                && match how {
                    Replicas::Missing => self.regions.remove_peer(region, store),
                    Replicas::Surplus => self.regions.add_voter(region, store),
                    Replicas::Learner => self.regions.add_learner(region, store),
                };
            if done {
                self.spoilt.push(Spoilt { store, region, how });
            }
        }
    }

    /// Gives the regions that were spoilt for this store their replicas back, as far as that is still to be done.
    pub(super) fn restore_replicas(&mut self, store: u16) {
        self.accrue_all();
        let wanted = usize::from(self.shape.replicas);
        let (mine, others) = self
            .spoilt
            .drain(..)
            .partition(|spoilt: &Spoilt| spoilt.store == store);
        self.spoilt = others;
        let mine: Vec<Spoilt> = mine;
        for Spoilt { region, how, .. } in mine {
            let voters = self.regions.get(region).map_or(wanted, |row| {
                row.peers().filter(|peer| !peer.learner).count()
            });
            match how {
                Replicas::Missing if voters < wanted => {
                    self.regions.add_voter(region, store);
                }
                Replicas::Surplus if voters > wanted => self.drop_surplus(region, store),
                Replicas::Learner => {
                    self.regions.remove_peer(region, store);
                }
                Replicas::Missing | Replicas::Surplus => {}
            }
        }
        self.wake_schedulers();
    }

    /// The surplus peer goes; where it leads by now, a follower does.
    fn drop_surplus(&mut self, region: u32, store: u16) {
        if self.regions.remove_peer(region, store) {
            return;
        }
        let other = self.regions.get(region).and_then(|row| {
            let follower = row.peers().find(|peer| !peer.leader && !peer.learner);
            follower.map(|peer| peer.store)
        });
        if let Some(other) = other {
            self.regions.remove_peer(region, other);
        }
    }
}
