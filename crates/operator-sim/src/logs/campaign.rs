//! Campaigns, votes, transfers: what raft writes when a leader is made.

use super::cluster::{Cluster, Region, STORES};
use super::line::Builder;

impl Cluster {
    /// A campaign by timeout that wins; those in `absent` neither hear nor answer.
    pub(crate) fn timeout_election(
        &mut self,
        region: &mut Region,
        winner: u64,
        absent: Option<u64>,
        at: i64,
    ) {
        self.pre_campaign(region, winner, at);
        let voter = (1..=STORES)
            .find(|&store| store != winner && Some(store) != absent)
            .unwrap_or(winner);
        self.vote(region, voter, winner, "MsgRequestPreVote", at + 1);
        self.answer(
            region,
            winner,
            voter,
            "MsgRequestPreVoteResponse",
            region.term,
            at + 2,
        );
        self.campaign(region, winner, absent, at + 3);
    }

    /// The beginning of a campaign by timeout, which is all there is of one that fails.
    pub(crate) fn pre_campaign(&mut self, region: &Region, store: u64, at: i64) {
        let term = region.term.to_string();
        self.raft(
            store,
            region,
            at,
            "raft.rs:1550",
            "starting a new election",
            &[("term", term.clone())],
        );
        self.raft(
            store,
            region,
            at,
            "raft.rs:1170",
            &format!("became pre-candidate at term {term}"),
            &[("term", term.clone())],
        );
        self.ask(region, store, "MsgRequestPreVote", region.term, at);
    }

    fn ask(&mut self, region: &Region, store: u64, kind: &str, term: u64, at: i64) {
        let others: Vec<String> = (1..=STORES)
            .filter(|&other| other != store)
            .map(|other| region.peer(other).to_string())
            .collect();
        let to = format!("[{}]", others.join(", "));
        self.raft(
            store,
            region,
            at,
            "raft.rs:1306",
            "broadcasting vote request",
            &[
                ("to", to),
                ("log_index", "25".to_owned()),
                ("log_term", region.term.to_string()),
                ("term", term.to_string()),
                ("type", kind.to_owned()),
            ],
        );
    }

    fn vote(&mut self, region: &Region, store: u64, candidate: u64, kind: &str, at: i64) {
        let (from, term) = (region.peer(candidate), region.term);
        let message = format!(
            "[logterm: {term}, index: 25, vote: 0] cast vote for {from} [logterm: {term}, index: 25] at term {term}"
        );
        self.raft(
            store,
            region,
            at,
            "raft.rs:1450",
            &message,
            &[
                ("msg type", kind.to_owned()),
                ("term", term.to_string()),
                ("from", from.to_string()),
            ],
        );
    }

    fn answer(&mut self, region: &Region, store: u64, voter: u64, kind: &str, term: u64, at: i64) {
        self.raft(
            store,
            region,
            at,
            "raft.rs:2219",
            "received votes response",
            &[
                ("term", term.to_string()),
                ("type", kind.to_owned()),
                ("approvals", "2".to_owned()),
                ("rejections", "0".to_owned()),
                ("from", region.peer(voter).to_string()),
                ("vote", "true".to_owned()),
            ],
        );
    }

    /// The real campaign, which the winner wins.
    fn campaign(&mut self, region: &mut Region, winner: u64, absent: Option<u64>, at: i64) {
        let old = region.leader;
        region.term += 1;
        let term = region.term.to_string();
        self.raft(
            winner,
            region,
            at,
            "raft.rs:1144",
            &format!("became candidate at term {term}"),
            &[("term", term.clone())],
        );
        self.ask(region, winner, "MsgRequestVote", region.term, at);
        for store in (1..=STORES).filter(|&store| store != winner && Some(store) != absent) {
            self.higher_term(region, store, winner, "MsgRequestVote", at + 1);
            if old == Some(store) {
                self.observe(store, region, at + 1, false);
            }
            self.vote(region, store, winner, "MsgRequestVote", at + 1);
        }
        self.answer(
            region,
            winner,
            winner % STORES + 1,
            "MsgRequestVoteResponse",
            region.term,
            at + 3,
        );
        self.raft(
            winner,
            region,
            at + 4,
            "raft.rs:1228",
            &format!("became leader at term {term}"),
            &[("term", term)],
        );
        self.observe(winner, region, at + 5, true);
        self.pd_moved(region.id, old, winner, at + 6);
        region.leader = Some(winner);
    }

    /// A peer hears of a term above its own and follows.
    pub(crate) fn higher_term(
        &mut self,
        region: &Region,
        store: u64,
        from: u64,
        kind: &str,
        at: i64,
    ) {
        let (from, term) = (region.peer(from), region.term);
        self.raft(
            store,
            region,
            at,
            "raft.rs:1362",
            &format!("received a message with higher term from {from}"),
            &[
                ("msg type", kind.to_owned()),
                ("message_term", term.to_string()),
                ("term", (term - 1).to_string()),
                ("from", from.to_string()),
            ],
        );
        self.raft(
            store,
            region,
            at,
            "raft.rs:1120",
            &format!("became follower at term {term}"),
            &[("term", term.to_string())],
        );
    }

    fn observe(&mut self, store: u64, region: &Region, at: i64, begins: bool) {
        let line = if begins {
            let peers = format!(
                "id: {} start_key: 74 end_key: 75 region_epoch {{ conf_ver: 5 version: 5 }}",
                region.id
            );
            Builder::new(at, "INFO", "endpoint.rs:701", "register observe region")
                .field("region", peers)
        } else {
            Builder::new(at, "INFO", "endpoint.rs:748", "deregister observe region")
                .field("observe_id", "ObserveId(9)")
                .field("region_id", region.id)
                .field("store_id", format!("Some({store})"))
        };
        self.write(store, line.field("thread_id", 48).done());
    }

    /// A transfer by PD's order.
    pub(crate) fn transfer(&mut self, region: &mut Region, to: u64, at: i64) {
        let Some(from) = region.leader else { return };
        let (old, new, term) = (region.peer(from), region.peer(to), region.term);
        let order = Builder::new(
            at - 2,
            "INFO",
            "operator_controller.go:816",
            "send schedule command",
        );
        let step = format!("transfer leader from store {from} to store {to}");
        self.pd.push(
            order
                .field("region-id", region.id)
                .field("step", step)
                .field("source", "create")
                .done(),
        );
        let to_peer = format!("id: {new} store_id: {to}");
        let line = Builder::new(at - 1, "INFO", "pd.rs:1525", "try to transfer leader")
            .field("to_peers", "[]")
            .field("to_peer", &to_peer)
            .field("from_peer", format!("id: {old} store_id: {from}"))
            .field("region_id", region.id);
        self.write(from, line.done());
        let line = Builder::new(at, "INFO", "peer.rs:3897", "transfer leader")
            .field("peer", to_peer)
            .field("peer_id", old)
            .field("region_id", region.id);
        self.write(from, line.done());
        let lead = ("lead_transferee", new.to_string());
        self.raft(
            from,
            region,
            at,
            "raft.rs:1930",
            &format!("[term {term}] starts to transfer leadership to {new}"),
            &[lead.clone(), ("term", term.to_string())],
        );
        let message =
            format!("sends MsgTimeoutNow to {new} immediately as {new} already has up-to-date log");
        self.raft(from, region, at, "raft.rs:1957", &message, &[lead]);
        let message = format!(
            "[term {term}] received MsgTimeoutNow from {old} and starts an election to get leadership."
        );
        self.raft(
            to,
            region,
            at + 1,
            "raft.rs:2369",
            &message,
            &[("from", old.to_string()), ("term", term.to_string())],
        );
        self.raft(
            to,
            region,
            at + 1,
            "raft.rs:1550",
            "starting a new election",
            &[("term", term.to_string())],
        );
        self.campaign(region, to, None, at + 1);
    }

    /// A leader without a quorum gives up.
    pub(crate) fn step_down(&mut self, region: &Region, store: u64, at: i64) {
        let line = Builder::new(
            at,
            "WARN",
            "raft.rs:1000",
            "stepped down to follower since quorum is not active",
        );
        let line = line
            .field("raft_id", region.peer(store))
            .field("region_id", region.id)
            .field("thread_id", 70 + store);
        self.write(store, line.done());
        let term = region.term.to_string();
        self.raft(
            store,
            region,
            at,
            "raft.rs:1120",
            &format!("became follower at term {term}"),
            &[("term", term)],
        );
        self.observe(store, region, at, false);
    }

    /// A vote that is not answered because the leader is alive.
    pub(crate) fn ignore_vote(&mut self, region: &Region, store: u64, candidate: u64, at: i64) {
        let (from, term) = (region.peer(candidate), region.term);
        let message = format!(
            "[logterm: {term}, index: 25, vote: 0] ignored vote from {from} [logterm: {term}, index: 25]: lease is not expired"
        );
        let fields = [
            ("msg type", "MsgRequestPreVote".to_owned()),
            ("remaining ticks", "10".to_owned()),
            ("term", term.to_string()),
            ("from", from.to_string()),
        ];
        self.raft(store, region, at, "raft.rs:1354", &message, &fields);
    }
}
