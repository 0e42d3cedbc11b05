//! What a request changes, as a value.

use crate::cluster::Cluster;
use crate::cluster::pd::Config;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Effect {
    /// Another member leads.
    Lead(usize),
    /// The evict-leader scheduler holds this store too.
    Evict(u16),
    /// It holds this store no more; or none at all.
    Release(Option<u16>),
    /// A balance scheduler is removed, or there again.
    RemoveScheduler(String),
    AddScheduler(String),
    /// Schedulers rest until so many seconds from now; 0 wakes them.
    Pause(Vec<String>, u64),
    Configure(Config),
    Remove {
        store: u16,
        destroyed: bool,
    },
    Restore(u16),
    Transfer {
        region: u32,
        to: u16,
    },
}

impl Cluster {
    pub(super) fn take_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Lead(member) => self.crown(member),
            Effect::Evict(store) => {
                if !self.pd.evicting.contains(&store) {
                    self.pd.evicting.push(store);
                }
            }
            Effect::Release(Some(store)) => self.pd.evicting.retain(|held| *held != store),
            Effect::Release(None) => self.pd.evicting.clear(),
            Effect::RemoveScheduler(name) => self.pd.removed.push(name),
            Effect::AddScheduler(name) => self.pd.removed.retain(|gone| *gone != name),
            Effect::Pause(names, 0) => self.pd.paused.retain(|name, _| !names.contains(name)),
            Effect::Pause(names, seconds) => {
                let until = self.now.saturating_add(seconds.saturating_mul(1000));
                for name in names {
                    self.pd.paused.insert(name, (self.now, until));
                }
                self.wake_at(until);
            }
            Effect::Configure(config) => self.pd.config = config,
            Effect::Remove { store, destroyed } => {
                self.remove_store(store);
                if let Some(store) = self.stores.get_mut(usize::from(store)) {
                    store.destroyed |= destroyed;
                }
            }
            Effect::Restore(store) => self.restore_store(store),
            Effect::Transfer { region, to } => {
                self.transfer_leader(region, to);
            }
        }
        self.something_changed();
    }
}
