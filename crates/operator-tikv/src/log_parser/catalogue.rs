//! The catalogue: one row for every message that is an event. Everything that knows a message
//! reads it from here: the search, the classification, the page in the documentation.

use std::fmt::Write as _;

use super::kind::{EventClass, EventKind};

/// How a row's message is recognised, once a leading `[region N] PEER` or raft id is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// The whole message.
    Exact(&'static str),
    /// Its beginning.
    Starts(&'static str),
    /// Its beginning, and something further on.
    Holds(&'static str, &'static str),
}

impl Pattern {
    /// The fixed beginning.
    #[must_use]
    pub const fn start(self) -> &'static str {
        match self {
            Pattern::Exact(start) | Pattern::Starts(start) | Pattern::Holds(start, _) => start,
        }
    }

    fn print(self) -> String {
        match self {
            Pattern::Exact(text) => text.to_owned(),
            Pattern::Starts(start) => format!("{start}.."),
            Pattern::Holds(start, part) => format!("{start}..{part}.."),
        }
    }
}

/// Which program writes a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Writer {
    /// TiKV: its sources end in `.rs`.
    Tikv,
    /// PD, or what is inside it: `.go`.
    Pd,
    /// raft in either: TiKV's raft-rs, or etcd's raft inside PD, which have their words in common.
    Raft,
}

/// Which election a row's line is part of, when its term is T.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionTerm {
    /// None.
    No,
    /// That of term T.
    Same,
    /// That of the next term: the campaign has not raised it yet.
    Next,
    /// The next one for a pre-vote, the same for a vote.
    ByVote,
    /// That of the message, if the message asks for a vote.
    Message,
}

/// One message of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it says.
    pub kind: EventKind,
    /// How it is recognised.
    pub pattern: Pattern,
    /// Who writes it.
    pub writer: Writer,
    /// The usual level.
    pub level: &'static str,
    /// The source files that hold the statement.
    pub source: &'static str,
    /// The versions that write it.
    pub versions: &'static str,
    /// Where the region stands.
    pub region: &'static str,
    /// Where the term stands.
    pub term: &'static str,
    /// Which election it belongs to.
    pub election: ElectionTerm,
}

impl Row {
    const fn at(mut self, level: &'static str) -> Self {
        self.level = level;
        self
    }

    const fn since(mut self, versions: &'static str) -> Self {
        self.versions = versions;
        self
    }

    const fn without_region(mut self) -> Self {
        self.region = "-";
        self
    }
}

/// Whether a row's line has a reason that is worth keeping in the event.
pub(super) const fn keeps_reason(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::TransferRefused
            | EventKind::StopSignal
            | EventKind::Panicked
            | EventKind::ConnectionLost
            | EventKind::CampaignBlocked
            | EventKind::ClockJump
            | EventKind::DiskFull
    )
}

const FIELD: &str = "field `region_id`, before 4.0 `[region N]`";
const RAFT_TERM: &str = "field `term`, before 4.0 `at term N`";

const fn raft(kind: EventKind, pattern: Pattern, election: ElectionTerm) -> Row {
    Row {
        kind,
        pattern,
        writer: Writer::Raft,
        level: "INFO",
        source: "raft.rs, raft.go",
        versions: "2.1+",
        region: FIELD,
        term: RAFT_TERM,
        election,
    }
}

const fn tikv(kind: EventKind, pattern: Pattern, source: &'static str) -> Row {
    Row {
        kind,
        pattern,
        writer: Writer::Tikv,
        level: "INFO",
        source,
        versions: "2.1+",
        region: FIELD,
        term: "-",
        election: ElectionTerm::No,
    }
}

const fn pd(kind: EventKind, pattern: Pattern, source: &'static str) -> Row {
    Row {
        kind,
        pattern,
        writer: Writer::Pd,
        level: "INFO",
        source,
        versions: "2.1+",
        region: "-",
        term: "-",
        election: ElectionTerm::No,
    }
}

const fn pd_region(kind: EventKind, pattern: Pattern, source: &'static str) -> Row {
    let mut row = pd(kind, pattern, source);
    row.region = "field `region-id`";
    row
}

use ElectionTerm::{ByVote, Message, Next, No, Same};
use EventKind as K;
use Pattern::{Exact, Holds, Starts};

/// Every row. The first that matches counts.
#[rustfmt::skip]
pub static CATALOGUE: &[Row] = &[
    raft(K::BecameFollower, Starts("became follower at term "), Same),
    raft(K::BecamePreCandidate, Starts("became pre-candidate at term "), Next),
    raft(K::BecameCandidate, Starts("became candidate at term "), Same),
    raft(K::BecameLeader, Starts("became leader at term "), Same),
    raft(K::ElectionStarted, Exact("starting a new election"), Next).since("4.0+"),
    raft(K::ElectionStarted, Starts("is starting a new election at term "), Next).since("2.1 to 3.1, etcd"),
    raft(K::VoteRequested, Exact("broadcasting vote request"), ByVote).since("5.0+"),
    raft(K::VoteRequested, Holds("[logterm: ", " sent request to "), ByVote).since("4.0"),
    raft(K::VoteRequested, Holds("[logterm: ", " sent Msg"), ByVote).since("2.1 to 3.1, etcd"),
    raft(K::VoteAnswered, Exact("received votes response"), ByVote).since("5.0+"),
    raft(K::VoteAnswered, Starts("received message from "), ByVote).since("4.0"),
    raft(K::VoteAnswered, Starts("received MsgRequestVoteResponse from "), ByVote).since("2.1 to 3.1"),
    raft(K::VoteAnswered, Starts("received MsgRequestPreVoteResponse from "), ByVote).since("2.1 to 3.1"),
    raft(K::VoteAnswered, Starts("received MsgVoteResp "), ByVote).since("etcd"),
    raft(K::VoteAnswered, Starts("received MsgPreVoteResp "), ByVote).since("etcd"),
    raft(K::VoteAnswered, Holds("[quorum:", "] has received "), No).since("2.1 to 3.1"),
    raft(K::VoteAnswered, Holds("has received ", " vote rejections"), No).since("etcd"),
    raft(K::VoteCast, Holds("[logterm: ", "] cast "), ByVote),
    raft(K::VoteRejected, Holds("[logterm: ", "] rejected "), ByVote),
    raft(K::VoteRejected, Holds("[log_term: ", "] rejected "), ByVote).since("4.0+"),
    raft(K::VoteIgnored, Holds("[logterm: ", "] ignored "), Next),
    raft(K::HigherTerm, Starts("received a message with higher term from "), Message).since("4.0+"),
    raft(K::HigherTerm, Holds("[term: ", "message with higher term from "), Message).since("2.1 to 3.1, etcd"),
    raft(K::LowerTerm, Starts("ignored a message with lower term from "), No).since("4.0+"),
    raft(K::LowerTerm, Holds("[term: ", "message with lower term from "), No).since("2.1 to 3.1, etcd"),
    raft(K::SteppedDown, Starts("stepped down to follower since quorum is not active"), No).at("WARN"),
    raft(K::TransferStarted, Holds("[term ", "] starts to transfer leadership to "), Next),
    raft(K::TimeoutNowSent, Starts("sends MsgTimeoutNow to "), No),
    raft(K::TimeoutNowSent, Starts("sent MsgTimeoutNow to "), No),
    raft(K::TimeoutNowReceived, Holds("[term ", "] received MsgTimeoutNow from "), Next),
    raft(K::TransferRefused, Holds("received MsgTimeoutNow from ", "but is not promotable"), No),
    raft(K::TransferRepeated, Holds("[term ", "is in progress, ignores request to same node "), Next),
    raft(K::TransferAborted, Holds("[term ", "] abort previous transferring leadership to "), Next),
    raft(K::CampaignBlocked, Holds("cannot campaign at term ", "pending configuration"), Next).at("WARN"),
    raft(K::NoLeader, Starts("no leader at term "), No),
    raft(K::EtcdLeader, Holds("raft.node: ", " lost leader "), No).without_region().since("etcd"),
    raft(K::EtcdLeader, Holds("raft.node: ", " elected leader "), No).without_region().since("etcd"),
    raft(K::EtcdLeader, Holds("raft.node: ", " changed leader from "), No).without_region().since("etcd"),

    tikv(K::TransferOrdered, Exact("try to transfer leader"), "pd.rs"),
    tikv(K::TransferTried, Exact("transfer leader"), "peer.rs"),
    tikv(K::TransferTried, Starts("transfer leader to id: "), "peer.rs").since("2.1"),
    tikv(K::TransferProposed, Exact("propose transfer leader command"), "peer.rs").since("6.5+"),
    tikv(K::TransferProposed, Holds("propose ", " locks before transferring leader"), "peer.rs").since("6.5+"),
    tikv(K::TransferAcked, Exact("ack transfer leader"), "peer.rs").since("8.5+"),
    tikv(K::TransferRefused, Exact("reject to transfer leader"), "peer.rs"),
    tikv(K::TransferRefused, Exact("reject transferring leader"), "peer.rs").since("6.5+"),
    tikv(K::TransferRefused, Starts("reject transfer leader"), "peer.rs"),
    tikv(K::TransferRefused, Starts("not ready to transfer leader"), "peer.rs").since("8.5+"),
    tikv(K::TransferRefused, Starts("transfer leader with pending conf"), "peer.rs").since("8.5+"),
    tikv(K::TransferRefused, Starts("Coprocessor rejected transfer leader"), "peer.rs").at("WARN").since("8.5+"),
    tikv(K::ForcedStepDown, Exact("step down in force leader state"), "peer.rs").since("6.1+"),
    tikv(K::ForceLeader, Holds("Unsafe recovery, e", "force leader state"), "peer.rs").since("6.1+"),
    tikv(K::LeaderRemoved, Exact("Removing or demoting leader"), "peer.rs").at("WARN").since("5.0+"),
    tikv(K::LeaderObserved, Exact("register observe region"), "endpoint.rs").since("5.0+"),
    tikv(K::LeaderReleased, Exact("deregister observe region"), "endpoint.rs").since("5.0+"),
    pd_region(K::RegionLeaderChanged, Exact("leader changed"), "region.go, cluster.go, cluster_info.go").since("2.1.15+"),
    pd_region(K::RegionLeaderChanged, Starts("Leader changed from "), "cache.go, cluster_info.go").since("up to 2.1.14"),
    pd_region(K::TransferOrdered, Exact("send schedule command"), "operator_controller.go"),
    pd(K::PdCampaign, Starts("start to campaign PD leader"), "server.go, leader.go"),
    pd(K::PdCampaign, Starts("start to campaign pd leader"), "server.go, leader.go"),
    pd(K::PdCampaign, Starts("campaign PD leader ok"), "server.go, leader.go"),
    pd(K::PdCampaign, Starts("campaign pd leader ok"), "server.go, leader.go"),
    pd(K::PdCampaign, Starts("skip campaigning of "), "server.go"),
    pd(K::PdCampaign, Starts("pd leader has changed, try to re-campaign"), "server.go"),
    pd(K::PdCampaign, Starts("the pd leader has not changed, delete and campaign again"), "member.go").at("WARN"),
    pd(K::PdLeaderReady, Starts("PD leader is ready to serve"), "server.go"),
    pd(K::PdLeaderReady, Starts("PD cluster leader is ready to serve"), "leader.go"),
    pd(K::PdLeaderReady, Starts("leader election succeeded, start leader ready process"), "server.go").since("9.0+"),
    pd(K::PdSteppedDown, Starts("no longer a leader because lease has expired"), "server.go"),
    pd(K::PdSteppedDown, Starts("etcd leader changed, resigns "), "server.go"),
    pd(K::PdSteppedDown, Exact("current leadership is deleted"), "leadership.go"),
    pd(K::PdTransfer, Starts("try to resign etcd leader to next pd-server"), "member.go"),
    pd(K::PdTransfer, Starts("leadership transfer starting"), "server.go"),
    pd(K::PdTransfer, Starts("leadership transfer finished"), "server.go"),
    pd(K::EvictionBegan, Exact("pause store leader transfer"), "store.go"),
    pd(K::EvictionEnded, Exact("resume store leader transfer"), "store.go"),

    tikv(K::PeerCreated, Starts("create peer"), "peer.rs"),
    tikv(K::PeerCreated, Starts("replicate peer"), "peer.rs"),
    tikv(K::RegionInserted, Exact("insert new region"), "peer.rs"),
    tikv(K::PeerDestroyed, Starts("starts destroy"), "peer.rs"),
    tikv(K::PeerDestroyed, Starts("begin to destroy"), "peer.rs"),
    tikv(K::PeerDestroyed, Starts("delays destroy"), "peer.rs"),
    tikv(K::PeerDestroyed, Starts("peer destroy itself"), "peer.rs"),
    tikv(K::PeerDestroyed, Starts("receives gc message, trying to remove"), "peer.rs"),
    tikv(K::PeerDestroyed, Starts("raft message is stale, tell to gc"), "store.rs"),
    tikv(K::PeerDestroyed, Holds("peer is not a valid member of region", "destroyed soon"), "peer.rs"),
    tikv(K::SplitStarted, Exact("on split"), "peer.rs").since("6.x+"),
    tikv(K::SplitStarted, Exact("try to batch split region"), "pd.rs"),
    tikv(K::Split, Exact("split region"), "apply.rs"),
    tikv(K::Split, Exact("notify pd with split"), "peer.rs"),
    pd(K::Split, Starts("region batch split, generate new regions"), "cluster_worker.go"),
    tikv(K::MergeStarted, Exact("try to merge"), "pd.rs"),
    tikv(K::MergeStarted, Starts("start rejecting new proposals before prepare merge"), "peer.rs").since("6.5+"),
    tikv(K::Merged, Exact("notify pd with merge"), "peer.rs"),
    tikv(K::Merged, Exact("merge finished"), "peer.rs"),
    tikv(K::ConfChangeStarted, Exact("try to change peer"), "pd.rs"),
    tikv(K::ConfChangeStarted, Exact("propose conf change peer"), "peer.rs"),
    tikv(K::ConfChanged, Starts("exec ConfChange"), "apply.rs"),
    tikv(K::ConfChanged, Exact("conf change successfully"), "apply.rs"),
    tikv(K::ConfChanged, Exact("leave joint state successfully"), "apply.rs").since("5.0+"),
    tikv(K::ConfChanged, Exact("notify pd with change peer region"), "peer.rs"),
    pd_region(K::ConfChanged, Exact("region ConfVer changed"), "region.go, cluster.go, cluster_info.go"),
    tikv(K::LeaderMissing, Starts("leader missing longer than "), "peer.rs, store.rs").at("WARN"),
    tikv(K::Snapshot, Exact("requesting snapshot"), "peer_storage.rs"),
    tikv(K::Snapshot, Exact("start sending snapshot"), "peer_storage.rs").since("8.0+"),
    tikv(K::Snapshot, Exact("begin to apply snapshot"), "peer_storage.rs"),
    tikv(K::Snapshot, Exact("snapshot is persisted"), "peer.rs"),
    tikv(K::SnapshotFailed, Exact("failed to apply snap!!!"), "region.rs").at("ERROR, 8.5.4+ WARN"),

    tikv(K::StoreUnreachable, Exact("broadcasting unreachable"), "store.rs").without_region(),
    tikv(K::ConnectionLost, Exact("connection aborted"), "raft_client.rs").at("ERROR, 8.5.4+ WARN").without_region(),
    tikv(K::ConnectionLost, Exact("connection abort"), "raft_client.rs").at("ERROR, 8.5.4+ WARN").without_region(),
    tikv(K::ConnectionLost, Starts("connection fail"), "raft_client.rs").at("ERROR").without_region(),
    tikv(K::ConnectionLost, Exact("wait connect timeout"), "raft_client.rs").at("ERROR, 8.5.4+ WARN").without_region(),
    tikv(K::ConnectionLost, Starts("resolve store address failed"), "raft_client.rs").at("ERROR").without_region(),
    tikv(K::Connected, Exact("connection established"), "raft_client.rs").without_region(),
    tikv(K::Connected, Starts("server: new connection with tikv endpoint"), "raft_client.rs").without_region(),
    tikv(K::Connected, Holds("batch_raft RPC is called", "stream established"), "kv.rs").without_region(),
    tikv(K::Connected, Holds("raft RPC is called", "stream established"), "kv.rs").without_region(),
    tikv(K::PdUnreachable, Exact("request failed"), "util.rs").at("ERROR").without_region(),
    tikv(K::PdUnreachable, Exact("request failed, retry"), "util.rs").at("ERROR").without_region(),
    tikv(K::PdUnreachable, Exact("connect failed"), "util.rs").at("ERROR").without_region(),
    tikv(K::PdUnreachable, Exact("reconnect failed"), "util.rs").at("ERROR").without_region(),
    tikv(K::PdUnreachable, Starts("failed to connect to PD member"), "util.rs").at("WARN").without_region(),
    tikv(K::PdUnreachable, Starts("failed to update PD client"), "client.rs").at("WARN").without_region(),

    tikv(K::Busy, Exact("handle raft message err"), "peer.rs").at("ERROR"),
    tikv(K::Busy, Starts("skip proposal"), "peer.rs"),
    tikv(K::SlowHandling, Holds("handle ", " peer messages "), "peer.rs").at("WARN").since("6.5+"),
    tikv(K::SlowHandling, Holds("[store ", "] handle "), "store.rs").at("WARN").since("6.5+").without_region(),
    tikv(K::ProposalsStalled, Starts("found long uncommitted proposals"), "peer.rs").at("WARN"),
    tikv(K::DiskFull, Starts("no available space"), "server.rs").at("WARN").without_region(),
    tikv(K::DiskFull, Holds("disk usage ", "->"), "server.rs").at("WARN").without_region(),
    tikv(K::HeartbeatFailed, Starts("store heartbeat failed"), "pd.rs").at("ERROR, 8.5.4+ WARN").without_region(),
    tikv(K::HeartbeatFailed, Starts("scheduling store_heartbeat timeout"), "pd.rs").at("WARN").without_region(),
    tikv(K::SlowScore, Starts("force report store slow score to pd"), "pd.rs").without_region(),
    pd(K::SlowScore, Starts("detected slow store, start to evict leaders"), "evict_slow_store.go"),

    tikv(K::Started, Starts("Welcome to TiKV"), "lib.rs, mod.rs").without_region(),
    pd(K::Started, Starts("Welcome to Placement Driver"), "versioninfo.go, util.go"),
    tikv(K::StoreStarted, Exact("start store"), "store.rs").without_region(),
    tikv(K::StoreStarted, Starts("start raft store thread"), "node.rs").without_region(),
    tikv(K::Ready, Starts("TiKV is ready to serve"), "server.rs").without_region(),
    tikv(K::StopSignal, Starts("receive signal "), "signal_handler.rs").without_region(),
    pd(K::StopSignal, Starts("got signal to exit"), "main.go"),
    tikv(K::Stopping, Starts("starting graceful shutdown"), "server.rs").since("9.0+").without_region(),
    tikv(K::Stopping, Starts("stop raft store thread"), "node.rs").without_region(),
    tikv(K::Panicked, Starts("thread '"), "panic_hook.rs").at("ERROR").since("2.1").without_region(),
    tikv(K::ClockJump, Starts("system time jumped back"), "pd.rs, time.rs").at("ERROR").without_region(),
    tikv(K::ClockJump, Starts("monotonic time jumped back"), "time.rs").at("ERROR").without_region(),
    tikv(K::ClockJump, Starts("clock went backwards"), "time.rs").at("ERROR").since("9.0+").without_region(),
    tikv(K::Awakened, Starts("try to wake up all hibernated regions"), "pd.rs, store.rs").since("6.5+").without_region(),
    tikv(K::Awakened, Starts("forcely awaken hibernated regions"), "pd.rs").since("6.5+").without_region(),
];

/// The row of a panic: it is known by its level and its `backtrace` field, its message is free.
pub(super) static PANIC: Row = tikv(EventKind::Panicked, Pattern::Starts(""), "lib.rs").at("FATAL");

/// The catalogue as the Markdown tables of the documentation.
#[must_use]
pub fn catalogue_markdown() -> String {
    let mut page = String::new();
    for class in EventClass::ALL {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "### {class}\n");
        let _ = writeln!(
            page,
            "| event | message | level | source | versions | region | term | election |"
        );
        let _ = writeln!(page, "|---|---|---|---|---|---|---|---|");
        for row in CATALOGUE
            .iter()
            .chain([&PANIC])
            .filter(|row| row.kind.class() == class)
        {
            let message = if std::ptr::eq(row, &raw const PANIC) {
                "(any, with field `backtrace`)".to_owned()
            } else {
                format!("`{}`", row.pattern.print())
            };
            let election = match row.election {
                No => "-",
                Same => "T",
                Next => "T+1",
                ByVote => "T, pre-vote T+1",
                Message => "message's, if a vote",
            };
            let _ = writeln!(
                page,
                "| {} | {message} | {} | {} | {} | {} | {} | {election} |",
                row.kind, row.level, row.source, row.versions, row.region, row.term
            );
        }
        page.push('\n');
    }
    page
}
