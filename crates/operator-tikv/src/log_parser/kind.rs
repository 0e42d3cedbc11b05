//! What an event says, in one word each.

use std::fmt;

/// What a part of the catalogue is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventClass {
    /// Who leads, who wants to, who votes, who hands over.
    Leadership,
    /// Regions and their peers come, go, split, merge, change members.
    Region,
    /// Connections between stores, and to PD.
    Link,
    /// Too much to do, too little room.
    Pressure,
    /// A process starts, stops, dies, or its clock jumps.
    Process,
}

impl EventClass {
    /// Every class in the order of the catalogue.
    pub const ALL: [EventClass; 5] = [
        EventClass::Leadership,
        EventClass::Region,
        EventClass::Link,
        EventClass::Pressure,
        EventClass::Process,
    ];

    /// The name, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            EventClass::Leadership => "leadership",
            EventClass::Region => "region",
            EventClass::Link => "link",
            EventClass::Pressure => "pressure",
            EventClass::Process => "process",
        }
    }
}

impl fmt::Display for EventClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

macro_rules! kinds {
    ($($class:ident { $($(#[$doc:meta])* $kind:ident = $name:literal,)* })*) => {
        /// What an event says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventKind { $($($(#[$doc])* $kind,)*)* }

        impl EventKind {
            /// Every kind there is.
            pub const ALL: &'static [EventKind] = &[$($(EventKind::$kind,)*)*];

            /// The class it belongs to.
            #[must_use]
            pub const fn class(self) -> EventClass {
                match self { $($(EventKind::$kind)|* => EventClass::$class,)* }
            }

            /// The name, in words with underscores: stable, for JSON and filters.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($(EventKind::$kind => $name,)*)* }
            }
        }
    };
}

kinds! {
    Leadership {
        /// Role set to follower; also at every start of a peer.
        BecameFollower = "became_follower",
        /// Asks whether it could win, before it disturbs anybody.
        BecamePreCandidate = "became_pre_candidate",
        /// A real election.
        BecameCandidate = "became_candidate",
        /// Won: the only positive line about a leader.
        BecameLeader = "became_leader",
        /// A campaign begins, by timeout or by order.
        ElectionStarted = "election_started",
        /// The candidate asks the others.
        VoteRequested = "vote_requested",
        /// An answer reached the candidate.
        VoteAnswered = "vote_answered",
        /// Granted.
        VoteCast = "vote_cast",
        /// Refused: log behind, or voted already.
        VoteRejected = "vote_rejected",
        /// Not answered: the leader is believed alive.
        VoteIgnored = "vote_ignored",
        /// Somebody is further: the cause of the follower line that comes next.
        HigherTerm = "higher_term",
        /// A late or stale message.
        LowerTerm = "lower_term",
        /// A leader that lost its quorum gives up.
        SteppedDown = "stepped_down",
        /// Unsafe recovery takes the leadership away.
        ForcedStepDown = "forced_step_down",
        /// Unsafe recovery forces a leader, or ends it.
        ForceLeader = "force_leader",
        /// PD asks for a transfer.
        TransferOrdered = "transfer_ordered",
        /// raftstore hands the order to raft.
        TransferTried = "transfer_tried",
        /// The order goes through the log first.
        TransferProposed = "transfer_proposed",
        /// The transferee says it is ready.
        TransferAcked = "transfer_acked",
        /// The leader begins to hand over.
        TransferStarted = "transfer_started",
        /// The leader tells the transferee to campaign at once.
        TimeoutNowSent = "timeout_now_sent",
        /// The transferee was told.
        TimeoutNowReceived = "timeout_now_received",
        /// A transfer is refused.
        TransferRefused = "transfer_refused",
        /// A repeated order, ignored.
        TransferRepeated = "transfer_repeated",
        /// A transfer is given up for another.
        TransferAborted = "transfer_aborted",
        /// A membership change is pending: no campaign.
        CampaignBlocked = "campaign_blocked",
        /// A request met a region without a leader.
        NoLeader = "no_leader",
        /// The leader's store begins to observe the region.
        LeaderObserved = "leader_observed",
        /// It ends: this store is leader no more.
        LeaderReleased = "leader_released",
        /// A membership change removes or demotes the leader.
        LeaderRemoved = "leader_removed",
        /// PD saw the leader of a region on another store.
        RegionLeaderChanged = "region_leader_changed",
        /// A PD member wants to lead PD.
        PdCampaign = "pd_campaign",
        /// A PD member leads.
        PdLeaderReady = "pd_leader_ready",
        /// A PD member leads no more.
        PdSteppedDown = "pd_stepped_down",
        /// PD's etcd leader is moved by order.
        PdTransfer = "pd_transfer",
        /// etcd inside PD lost, elected or changed its leader.
        EtcdLeader = "etcd_leader",
        /// PD takes the leaders off a store.
        EvictionBegan = "eviction_began",
        /// PD lets the store lead again.
        EvictionEnded = "eviction_ended",
    }
    Region {
        /// A peer is made on this store.
        PeerCreated = "peer_created",
        /// A region is entered into the store's map.
        RegionInserted = "region_inserted",
        /// A peer leaves this store.
        PeerDestroyed = "peer_destroyed",
        /// A split is asked for.
        SplitStarted = "split_started",
        /// A split is applied.
        Split = "split",
        /// A merge is asked for.
        MergeStarted = "merge_started",
        /// A merge is applied.
        Merged = "merged",
        /// A membership change is asked for.
        ConfChangeStarted = "conf_change_started",
        /// A membership change is applied.
        ConfChanged = "conf_changed",
        /// A peer has known no leader for long.
        LeaderMissing = "leader_missing",
        /// A snapshot is sent, received or applied.
        Snapshot = "snapshot",
        /// A snapshot could not be applied.
        SnapshotFailed = "snapshot_failed",
    }
    Link {
        /// A store is told to be out of reach.
        StoreUnreachable = "store_unreachable",
        /// A connection to a store ended or could not be made.
        ConnectionLost = "connection_lost",
        /// A connection to a store stands.
        Connected = "connected",
        /// PD does not answer.
        PdUnreachable = "pd_unreachable",
    }
    Pressure {
        /// A message or proposal was refused.
        Busy = "busy",
        /// Peer messages took long.
        SlowHandling = "slow_handling",
        /// Proposals wait.
        ProposalsStalled = "proposals_stalled",
        /// The disk is full, or its state changed.
        DiskFull = "disk_full",
        /// The store could not tell PD about itself.
        HeartbeatFailed = "heartbeat_failed",
        /// A store is slow.
        SlowScore = "slow_score",
    }
    Process {
        /// A process begins to write its log.
        Started = "started",
        /// A store knows its id and opens its regions.
        StoreStarted = "store_started",
        /// It serves.
        Ready = "ready",
        /// It was told to stop.
        StopSignal = "stop_signal",
        /// It is stopping.
        Stopping = "stopping",
        /// It died of a panic.
        Panicked = "panicked",
        /// A clock went backwards.
        ClockJump = "clock_jump",
        /// Every hibernating region is woken.
        Awakened = "awakened",
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
