//! What happened, as values: the material of the logs. Nothing here is text.

use crate::num::Millis;

/// Why a region got another leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The old leader went silent and a follower's election timer ran out.
    Timeout,
    /// PD, or a person through PD, asked for it.
    Transfer,
}

/// How a store went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGKILL, or a crash.
    Killed,
    /// SIGTERM.
    Stopped,
    /// SIGSTOP.
    Frozen,
}

/// One peer as events name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerRef {
    /// The peer's id, which is raft's name for it.
    pub peer: u64,
    /// The id of the store that it lives on.
    pub store: u64,
}

/// A region as it was at the moment of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionRef {
    /// The region.
    pub region: u64,
    /// The key at which it starts, in hexadecimal; empty at the beginning of the key space.
    pub start_key: String,
    /// The key at which it ends, in hexadecimal; empty at the end of the key space.
    pub end_key: String,
    /// Its epoch: changes of peers,
    pub conf_ver: u32,
    /// and of its range.
    pub version: u32,
    /// All its peers.
    pub peers: Vec<PeerRef>,
    /// The peer that leads it.
    pub leader: PeerRef,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventKind {
    /// A region got another leader.
    Elected {
        /// The region.
        region: u64,
        /// The new term.
        term: u32,
        /// The leader before.
        from: PeerRef,
        /// The leader now.
        to: PeerRef,
        /// The other peers that took part.
        voters: Vec<PeerRef>,
        /// Timeout or transfer.
        cause: Cause,
        /// The length of the log at that moment.
        log_index: u64,
    },
    /// A campaign that nobody could win: too few voters are alive.
    Hopeless {
        /// The region.
        region: u64,
        /// Its term, which does not move.
        term: u32,
        /// Who tried.
        by: PeerRef,
        /// Whom it asked.
        asked: Vec<PeerRef>,
    },
    /// A leader gave up for want of a quorum.
    SteppedDown {
        /// The region.
        region: u64,
        /// Its term.
        term: u32,
        /// Who led.
        from: PeerRef,
    },
    /// A region grew too large and was split; the old region keeps the later keys.
    Split {
        /// The region before.
        parent: RegionRef,
        /// The new region, which has the earlier keys.
        born: RegionRef,
    },
    /// A region was merged into its neighbour.
    Merged {
        /// The region that is no more.
        source: RegionRef,
        /// The neighbour before.
        target: RegionRef,
    },
    /// A store went away; the others notice.
    StoreEnded {
        /// The store.
        store: u64,
        /// How.
        how: Ending,
        /// The running stores that notice.
        noticed_by: Vec<u64>,
    },
    /// A store and the others reach each other no more, though both live.
    StoreParted {
        /// The store.
        store: u64,
        /// The running stores that it cannot reach.
        noticed_by: Vec<u64>,
    },
    /// A store's process began.
    StoreStarted {
        /// The store.
        store: u64,
        /// How many peers it has.
        peers: u32,
    },
    /// A frozen store goes on.
    StoreThawed {
        /// The store.
        store: u64,
    },
    /// PD moved a peer.
    PeerMoved {
        /// The region.
        region: u64,
        /// The store that lost it.
        from: u64,
        /// The store that has it now.
        to: u64,
    },
    /// A member of PD started or ended.
    Member {
        /// Its name.
        name: String,
        /// Whether it runs now.
        running: bool,
    },
    /// PD has another leader.
    PdLeader {
        /// Its name; `None` when there is none.
        name: Option<String>,
    },
    /// PD has a store in another state of removal.
    StoreState {
        /// The store.
        store: u64,
        /// PD's word for it.
        state: &'static str,
    },
}

/// One thing that happened in the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds of model time.
    pub at_ms: Millis,
    /// What happened.
    pub kind: EventKind,
}
