//! When a store is dead: what several rules mean by it.

use std::time::Duration;

use operator_core::{Gap, Listing, Quantity, Snapshot, Store, StoreState, Timestamp, Value, Why};

use super::Settings;
use super::registry::Documented;
use super::store_down::{self, StoreDown};

/// By how much PD's clock may be ahead of ours before its times are of no use.
const TOLERATED_SKEW: Duration = Duration::from_secs(5);

/// How long a store must be silent to be dead, by the number of those who say so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Death {
    pub(super) two_witnesses_after: Duration,
    pub(super) one_witness_after: Duration,
}

impl Death {
    /// What `store_down` is set to: all rules mean the same by it.
    pub(super) fn by(settings: &Settings) -> Self {
        let code = StoreDown::PAGE.code;
        Self {
            two_witnesses_after: settings.span(code, &store_down::TWO_WITNESSES),
            one_witness_after: settings.span(code, &store_down::ONE_WITNESS),
        }
    }
}

/// A store that is dead.
#[derive(Debug)]
pub(super) struct Dead {
    /// Since when that is proved.
    pub(super) since: Timestamp,
    silent: Duration,
    condition: Duration,
    state: String,
    witness: &'static str,
    at: Timestamp,
}

impl Dead {
    /// What it was judged by.
    pub(super) fn evidence(&self) -> [Quantity; 3] {
        let quantity =
            |name, value: Value, unit| Quantity::new(name, value, unit, "PD /stores", self.at);
        [
            quantity("no sign of life for", self.silent.as_secs().into(), "s")
                .against(self.condition.as_secs()),
            quantity("state", self.state.clone().into(), ""),
            quantity("second witness", self.witness.into(), ""),
        ]
    }
}

impl Death {
    /// Whether a store is dead, and since when.
    ///
    /// # Errors
    /// The gap that keeps anybody from telling.
    pub(super) fn of(
        &self,
        store: &Store,
        stores: &Listing<Store>,
        snapshot: &Snapshot,
    ) -> Result<Option<Dead>, Gap> {
        let state = stores.known(&store.entity(), "state", store.state.as_ref())?;
        let alive = last_sign(store, stores)?;
        let silent = snapshot.at().since(alive);
        let believed = believed(alive, store, snapshot);
        let witness = seen_up(store, snapshot);
        let dead = match &witness {
            _ if *state == StoreState::Down => true,
            _ if believed.is_err() => return believed.map(|()| None),
            _ if silent < self.two_witnesses_after => false,
            // One that is up answers someone: it hangs, or is cut off from PD. Another rule says so.
            Ok(up) => !up,
            Err(_) if silent >= self.one_witness_after => true,
            // Nobody was asked for a second opinion: PD's word is all there will be.
            Err(gap) if *gap.why() == Why::NotConfigured => false,
            // Too silent for one that lives, too briefly to go by PD alone.
            Err(gap) => return Err(gap.clone()),
        };
        if !dead {
            return Ok(None);
        }
        let condition = match witness {
            Ok(false) => self.two_witnesses_after,
            Ok(true) | Err(_) => self.one_witness_after,
        };
        Ok(Some(Dead {
            since: alive + condition,
            silent,
            condition,
            state: state.to_string(),
            witness: match witness {
                Ok(true) => "up",
                Ok(false) => "not up",
                Err(_) => "none",
            },
            at: snapshot.at(),
        }))
    }
}

/// For how long a store has given no sign of life.
///
/// # Errors
/// The gap that keeps anybody from telling.
pub(super) fn silence(
    store: &Store,
    stores: &Listing<Store>,
    snapshot: &Snapshot,
) -> Result<Duration, Gap> {
    let alive = last_sign(store, stores)?;
    believed(alive, store, snapshot)?;
    Ok(snapshot.at().since(alive))
}

/// The later of its heartbeat and its start.
fn last_sign(store: &Store, stores: &Listing<Store>) -> Result<Timestamp, Gap> {
    let heartbeat = stores.known(&store.entity(), "heartbeat", store.last_heartbeat)?;
    let start = store.started_at;
    Ok(start.map_or(heartbeat, |start| start.max(heartbeat)))
}

/// A sign of life from the future says nothing of how long the store has been silent.
fn believed(alive: Timestamp, store: &Store, snapshot: &Snapshot) -> Result<(), Gap> {
    let ahead = alive.since(snapshot.at());
    if ahead <= TOLERATED_SKEW {
        return Ok(());
    }
    let why = Why::Unusable {
        expected: "a time that is not ahead of our clock".into(),
        found: format!("one that is {} s ahead", ahead.as_secs()),
    };
    Err(Gap::new("heartbeat", why).about(store.entity()))
}

/// PD has no heartbeat of it, and that is all that is to be had.
pub(super) fn never_reported(store: &Store, stores: &Listing<Store>) -> bool {
    store.last_heartbeat.is_none() && stores.gap_about(&store.entity()).is_none()
}

/// Whether whoever measures the store finds it up. A target that was there and is no more was taken away, as a
/// pod's is when the pod ends: it is not up.
pub(super) fn seen_up(store: &Store, snapshot: &Snapshot) -> Result<bool, Gap> {
    let metrics = snapshot.metrics_of(store.id);
    match metrics.and_then(|metrics| metrics.up.measured()) {
        Ok(Some(up)) => Ok(up.value),
        Ok(None) => Err(Gap::new("a second witness", Why::Unsaid).about(store.entity())),
        Err(gap) if *gap.why() == Why::Vanished => Ok(false),
        Err(gap) => Err(gap),
    }
}
