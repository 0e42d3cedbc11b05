//! Stores that end and begin, as they and the others write it.

use crate::cluster::event::Ending;

use super::Lines;
use super::line::{at_level, info};

pub(super) fn ended(lines: &mut Lines<'_>, store: u64, how: Ending, noticed_by: &[u64]) {
    if how == Ending::Stopped {
        let signal = info(
            "signal_handler.rs:33",
            "receive signal 15, stopping server...",
        );
        lines.store(store, 0, signal.with("thread_id", 120));
        let stop = info("node.rs:510", "stop raft store thread").with("store_id", store);
        lines.store(store, 20, stop.with("thread_id", 1));
    }
    // A dead process closes its connections at once; a frozen one is given up on after the keep-alive.
    let (after, why) = match how {
        Ending::Frozen => (10_500, "keepalive watchdog timeout"),
        Ending::Killed | Ending::Stopped => (2, "Socket closed"),
    };
    for other in noticed_by {
        loses(lines, *other, store, after, why);
    }
}

/// A store and the others give each other up after the keep-alive.
pub(super) fn parted(lines: &mut Lines<'_>, store: u64, others: &[u64]) {
    for other in others {
        loses(lines, *other, store, 10_500, "keepalive watchdog timeout");
        loses(lines, store, *other, 10_500, "keepalive watchdog timeout");
    }
}

/// What a store writes when it reaches another no more.
fn loses(lines: &mut Lines<'_>, by: u64, store: u64, after: i64, why: &str) {
    let address = lines
        .cluster
        .store_place(store)
        .and_then(|place| lines.cluster.store(place))
        .map(crate::cluster::store::Store::address)
        .unwrap_or_default();
    let failure = format!(
        "Some(RpcFailure(RpcStatus {{ code: 14-UNAVAILABLE, message: {why:?}, details: [] }}))"
    );
    let aborted = at_level("ERROR", "raft_client.rs:585", "connection aborted")
        .with("addr", &address)
        .with("receiver_err", failure)
        .with("sink_error", "Some(RpcFinished(None))")
        .with("store_id", store);
    lines.store(by, after, aborted.with("thread_id", 8));
    let abort = at_level("ERROR", "raft_client.rs:904", "connection abort")
        .with("addr", &address)
        .with("store_id", store);
    lines.store(by, after + 1, abort.with("thread_id", 51));
    let unreachable = info("store.rs:3288", "broadcasting unreachable")
        .with("unreachable_store_id", store)
        .with("store_id", by);
    lines.store(by, after + 1, unreachable.with("thread_id", 80));
}

/// Five lines per region follow a start; they are those of the peers that the store has now.
pub(super) fn started(lines: &mut Lines<'_>, store: u64, peers: u32) {
    lines.store(
        store,
        0,
        info("lib.rs:90", "Welcome to TiKV").with("thread_id", 1),
    );
    let start = info("store.rs:1403", "start store")
        .with("takes", "1.2ms")
        .with("merge_count", 0)
        .with("applying_count", 0)
        .with("tombstone_count", 0)
        .with("region_count", peers)
        .with("store_id", store);
    lines.store(store, 300, start.with("thread_id", 1));
    let Some(place) = lines.cluster.store_place(store) else {
        return;
    };
    let cluster = lines.cluster;
    for row in cluster.regions.rows() {
        let Some(peer) = row.peer_on(place) else {
            continue;
        };
        let voters: Vec<u64> = row
            .peers()
            .filter(|p| !p.learner)
            .map(|p| p.id.into())
            .collect();
        let born = Born {
            region: row.id.into(),
            peer: peer.id.into(),
            voters: &voters,
            term: row.term,
            index: 100,
            thread: 1,
        };
        born.lines(lines, store, 301);
    }
}

/// A peer that comes to life in a process.
pub(super) struct Born<'a> {
    pub(super) region: u64,
    pub(super) peer: u64,
    pub(super) voters: &'a [u64],
    pub(super) term: u32,
    pub(super) index: u64,
    pub(super) thread: u64,
}

impl Born<'_> {
    /// The five lines of it.
    pub(super) fn lines(&self, lines: &mut Lines<'_>, store: u64, after: i64) {
        let (id, region, term, index) = (self.peer, self.region, self.term, self.index);
        let voters: Vec<String> = self.voters.iter().map(u64::to_string).collect();
        let incoming = format!(
            "Configuration {{ incoming: Configuration {{ voters: {{{}}} }}, outgoing: Configuration {{ voters: {{}} }} }}",
            voters.join(", ")
        );
        let full = format!(
            "Configuration {{ voters: {incoming}, learners: {{}}, learners_next: {{}}, auto_leave: false }}"
        );
        let create = info("peer.rs:275", "create peer")
            .with("peer_id", id)
            .with("region_id", region);
        lines.store(store, after, create.with("thread_id", self.thread));
        for line in [
            info("raft.rs:2684", "switched to configuration").with("config", full),
            info("raft.rs:1151", format!("became follower at term {term}")).with("term", term),
            info("raft.rs:387", "newRaft")
                .with("peers", incoming)
                .with("last term", term)
                .with("last index", index)
                .with("applied", index)
                .with("commit", index)
                .with("term", term),
            info("raw_node.rs:315", format!("RawNode created with id {id}.")).with("id", id),
        ] {
            let line = line.with("raft_id", id).with("region_id", region);
            lines.store(store, after, line.with("thread_id", self.thread));
        }
    }
}

/// A thawed store hears of the terms that passed without it.
pub(super) fn thawed(lines: &mut Lines<'_>, store: u64) {
    let Some(place) = lines.cluster.store_place(store) else {
        return;
    };
    let cluster = lines.cluster;
    for row in cluster.regions.rows() {
        let (Some(peer), Some(leader)) =
            (row.peer_on(place).filter(|peer| peer.pending), row.leader())
        else {
            continue;
        };
        let (id, from, term) = (peer.id, leader.id, row.term);
        let higher = info(
            "raft.rs:1386",
            format!("received a message with higher term from {from}"),
        )
        .with("msg type", "MsgHeartbeat")
        .with("message_term", term)
        .with("term", term.saturating_sub(1))
        .with("from", from);
        let follower =
            info("raft.rs:1151", format!("became follower at term {term}")).with("term", term);
        for line in [higher, follower] {
            lines.store(
                store,
                5,
                line.with("raft_id", id)
                    .with("region_id", row.id)
                    .with("thread_id", 79),
            );
        }
    }
}
