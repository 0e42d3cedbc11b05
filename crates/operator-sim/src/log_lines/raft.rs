//! Elections and their failures, as each peer's store writes them.

use crate::cluster::event::{EventKind, PeerRef};

use super::Lines;
use super::line::{Line, at_level, info};

/// What every line of an election has to know.
pub(super) struct Round<'a> {
    pub(super) region: u64,
    pub(super) term: u32,
    pub(super) from: PeerRef,
    pub(super) to: PeerRef,
    pub(super) voters: &'a [PeerRef],
    pub(super) index: u64,
}

impl Round<'_> {
    fn of(kind: &EventKind) -> Option<Round<'_>> {
        match kind {
            EventKind::Elected {
                region,
                term,
                from,
                to,
                voters,
                log_index,
                ..
            } => Some(Round {
                region: *region,
                term: *term,
                from: *from,
                to: *to,
                voters,
                index: *log_index,
            }),
            _ => None,
        }
    }

    fn before(&self) -> u32 {
        self.term.saturating_sub(1)
    }

    fn others(&self) -> String {
        let mut ids = Vec::new();
        if self.from.peer != self.to.peer {
            ids.push(self.from.peer);
        }
        ids.extend(self.voters.iter().map(|voter| voter.peer));
        ids.sort_unstable();
        format!("{ids:?}")
    }

    fn starting(&self) -> Line {
        self.tail(
            info("raft.rs:1556", "starting a new election").with("term", self.before()),
            self.to,
        )
    }

    fn broadcasting(&self, term: u32, kind: &str) -> Line {
        let line = info("raft.rs:1321", "broadcasting vote request")
            .with("to", self.others())
            .with("log_index", self.index)
            .with("log_term", self.before())
            .with("term", term)
            .with("type", kind);
        self.tail(line, self.to)
    }

    fn response(&self, term: u32, kind: &str) -> Option<Line> {
        let voter = self.voters.first()?;
        let line = info("raft.rs:2240", "received votes response")
            .with("term", term)
            .with("type", kind)
            .with("approvals", 2)
            .with("rejections", 0)
            .with("from", voter.peer)
            .with("vote", true);
        Some(self.tail(line, self.to))
    }

    fn cast(&self, by: PeerRef, term: u32, kind: &str) -> Line {
        let (to, index, last) = (self.to.peer, self.index, self.before());
        let line = info(
            "raft.rs:1605",
            format!(
                "[logterm: {last}, index: {index}, vote: 0] cast vote for {to} [logterm: {last}, index: {index}] at term {term}"
            ),
        )
        .with("msg type", kind)
        .with("term", term)
        .with("msg_index", index)
        .with("msg_term", last)
        .with("from", to)
        .with("vote", 0)
        .with("log_index", index)
        .with("log_term", last);
        self.tail(line, by)
    }

    /// A peer hears of the new term and votes.
    fn votes(&self, lines: &mut Lines<'_>, by: PeerRef, after: i64) {
        let higher = info(
            "raft.rs:1386",
            format!("received a message with higher term from {}", self.to.peer),
        )
        .with("msg type", "MsgRequestVote")
        .with("message_term", self.term)
        .with("term", self.before())
        .with("from", self.to.peer);
        lines.store(by.store, after, self.tail(higher, by));
        lines.store(
            by.store,
            after,
            self.tail(became("follower", "raft.rs:1151", self.term), by),
        );
        lines.store(by.store, after, self.cast(by, self.term, "MsgRequestVote"));
    }

    /// What a new leader writes once it has won.
    fn won(&self, lines: &mut Lines<'_>, after: i64) {
        let store = self.to.store;
        lines.store(
            store,
            after,
            self.tail(became("leader", "raft.rs:1259", self.term), self.to),
        );
        let status = (u64::from(self.term) << 32) | self.index;
        let update = info("peer.rs:5777", "require updating max ts")
            .with("initial_status", status)
            .with("region_id", self.region);
        lines.store(store, after, update.with("thread_id", 79));
        let succeeded =
            info("pd.rs:1714", "succeed to update max timestamp").with("region_id", self.region);
        lines.store(store, after + 2, succeeded.with("thread_id", 27));
        let mut peers = vec![self.to, self.from];
        peers.extend(self.voters);
        peers.sort_by_key(|peer| peer.peer);
        peers.dedup();
        let peers: String = peers
            .iter()
            .map(|peer| format!(" peers {{ id: {} store_id: {} }}", peer.peer, peer.store))
            .collect();
        let register = info("endpoint.rs:701", "register observe region").with(
            "region",
            format!(
                "id: {} region_epoch {{ conf_ver: 5 version: 45 }}{peers}",
                self.region
            ),
        );
        lines.store(store, after + 2, register.with("thread_id", 48));
        if self.from.store != self.to.store {
            let changed = info("region.go:798", "leader changed")
                .with("region-id", self.region)
                .with("from", self.from.store)
                .with("to", self.to.store);
            lines.pd(after + 2, changed);
        }
    }

    fn tail(&self, line: Line, peer: PeerRef) -> Line {
        line.with("raft_id", peer.peer)
            .with("region_id", self.region)
            .with("thread_id", 79 + self.region % 2)
    }
}

fn became(role: &str, source: &'static str, term: u32) -> Line {
    info(source, format!("became {role} at term {term}")).with("term", term)
}

/// A follower's timer ran out: a round without consequences first, then the real one.
pub(super) fn election(lines: &mut Lines<'_>, kind: &EventKind) {
    if let Some(round) = Round::of(kind) {
        campaign(lines, &round, 0);
    }
}

/// A campaign that is won, so many milliseconds after the event.
pub(super) fn campaign(lines: &mut Lines<'_>, round: &Round<'_>, after: i64) {
    let (store, term, before) = (round.to.store, round.term, round.before());
    lines.store(store, after, round.starting());
    lines.store(
        store,
        after,
        round.tail(became("pre-candidate", "raft.rs:1201", before), round.to),
    );
    lines.store(
        store,
        after,
        round.broadcasting(before, "MsgRequestPreVote"),
    );
    for voter in round.voters {
        lines.store(
            voter.store,
            after + 2,
            round.cast(*voter, before, "MsgRequestPreVote"),
        );
    }
    if let Some(response) = round.response(before, "MsgRequestPreVoteResponse") {
        lines.store(store, after + 3, response);
    }
    lines.store(
        store,
        after + 3,
        round.tail(became("candidate", "raft.rs:1175", term), round.to),
    );
    lines.store(store, after + 3, round.broadcasting(term, "MsgRequestVote"));
    for voter in round.voters {
        round.votes(lines, *voter, after + 5);
    }
    if let Some(response) = round.response(term, "MsgRequestVoteResponse") {
        lines.store(store, after + 8, response);
    }
    round.won(lines, after + 8);
}

/// PD's order, carried out: no round before the real one.
pub(super) fn transfer(lines: &mut Lines<'_>, kind: &EventKind) {
    let Some(round) = Round::of(kind) else {
        return;
    };
    super::pd::order(lines, round.region, round.from.store, round.to.store);
    let (old, new) = (round.from, round.to);
    let named = |peer: PeerRef| format!("id: {} store_id: {}", peer.peer, peer.store);
    let order = info("pd.rs:1525", "try to transfer leader")
        .with("to_peers", "[]")
        .with("to_peer", named(new))
        .with("from_peer", named(old))
        .with("region_id", round.region);
    lines.store(old.store, 1, order.with("thread_id", 27));
    let taken = info("peer.rs:3897", "transfer leader")
        .with("peer", named(new))
        .with("peer_id", old.peer)
        .with("region_id", round.region);
    lines.store(old.store, 1, taken.with("thread_id", 79));
    let (before, to) = (round.before(), new.peer);
    let starts = info(
        "raft.rs:1944",
        format!("[term {before}] starts to transfer leadership to {to}"),
    )
    .with("lead_transferee", to)
    .with("term", before);
    lines.store(old.store, 1, round.tail(starts, old));
    let sends = info(
        "raft.rs:1957",
        format!("sends MsgTimeoutNow to {to} immediately as {to} already has up-to-date log"),
    )
    .with("lead_transferee", to);
    lines.store(old.store, 1, round.tail(sends, old));
    let received = info(
        "raft.rs:2369",
        format!("[term {before}] received MsgTimeoutNow from {} and starts an election to get leadership.", old.peer),
    )
    .with("from", old.peer)
    .with("term", before);
    lines.store(new.store, 2, round.tail(received, new));
    lines.store(new.store, 2, round.starting());
    lines.store(
        new.store,
        2,
        round.tail(became("candidate", "raft.rs:1175", round.term), new),
    );
    lines.store(
        new.store,
        2,
        round.broadcasting(round.term, "MsgRequestVote"),
    );
    round.votes(lines, old, 3);
    for voter in round.voters {
        round.votes(lines, *voter, 3);
    }
    deregister(lines, round.region, old.store, 3);
    if let Some(response) = round.response(round.term, "MsgRequestVoteResponse") {
        lines.store(new.store, 6, response);
    }
    round.won(lines, 6);
    super::pd::done(lines, round.region, old.store, new.store);
}

pub(super) fn deregister(lines: &mut Lines<'_>, region: u64, store: u64, after: i64) {
    let line = info("endpoint.rs:748", "deregister observe region")
        .with("observe_id", format!("ObserveId({region})"))
        .with("region_id", region)
        .with("store_id", format!("Some({store})"));
    lines.store(store, after, line.with("thread_id", 48));
}

pub(super) fn hopeless(
    lines: &mut Lines<'_>,
    region: u64,
    term: u32,
    by: PeerRef,
    asked: &[PeerRef],
) {
    let round = Round {
        region,
        term: term.saturating_add(1),
        from: by,
        to: by,
        voters: asked,
        index: 0,
    };
    lines.store(by.store, 0, round.starting());
    lines.store(
        by.store,
        0,
        round.tail(became("pre-candidate", "raft.rs:1201", term), by),
    );
    lines.store(by.store, 0, round.broadcasting(term, "MsgRequestPreVote"));
}

pub(super) fn stepped_down(lines: &mut Lines<'_>, region: u64, term: u32, from: PeerRef) {
    let down = at_level(
        "WARN",
        "raft.rs:2041",
        "stepped down to follower since quorum is not active",
    )
    .with("raft_id", from.peer)
    .with("region_id", region)
    .with("thread_id", 79);
    lines.store(from.store, 0, down);
    let follower = became("follower", "raft.rs:1151", term)
        .with("raft_id", from.peer)
        .with("region_id", region)
        .with("thread_id", 79);
    lines.store(from.store, 0, follower);
    deregister(lines, region, from.store, 1);
}
