//! Stores and regions that write what raft and raftstore write when leaders move.

use std::collections::BTreeMap;

use super::line::{Builder, Line};
use super::{Log, LogSet, Rng};

/// The number of stores; every region has a peer on each.
pub(crate) const STORES: u64 = 3;

/// The term in which a region's first election is won: birth ends at 6.
pub(crate) const BIRTH_TERM: u64 = 6;

#[derive(Clone, Debug)]
pub(crate) struct Region {
    pub(crate) id: u64,
    pub(crate) leader: Option<u64>,
    pub(crate) term: u64,
}

impl Region {
    pub(crate) const fn peer(&self, store: u64) -> u64 {
        self.id + store
    }
}

/// A cluster that writes.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) rng: Rng,
    pub(crate) regions: Vec<Region>,
    logs: BTreeMap<u64, Vec<Line>>,
    pub(super) pd: Vec<Line>,
}

impl Cluster {
    /// A started cluster; the leaders are spread over the stores, and `at` is when all is quiet.
    pub(crate) fn started(regions: u64, seed: u64, at: i64) -> Self {
        let mut cluster = Cluster {
            rng: Rng::new(seed),
            regions: Vec::new(),
            logs: BTreeMap::new(),
            pd: Vec::new(),
        };
        cluster.pd(
            at - 60_000,
            "versioninfo.go:115",
            "Welcome to Placement Driver (PD)",
        );
        for store in 1..=STORES {
            cluster.boot(store, at - 50_000);
        }
        for n in 0..regions {
            // Peer ids follow their region's: ids are drawn from one sequence.
            let mut region = Region {
                id: 10 + n * 10,
                leader: None,
                term: BIRTH_TERM - 1,
            };
            let winner = n % STORES + 1;
            let when = at - 40_000 + cluster.rng.ms(0, 5_000);
            for store in 1..=STORES {
                cluster.birth(store, &region, when - 10);
            }
            cluster.timeout_election(&mut region, winner, None, when);
            cluster.regions.push(region);
        }
        cluster
    }

    pub(crate) fn write(&mut self, store: u64, line: Line) {
        self.logs.entry(store).or_default().push(line);
    }

    pub(super) fn raft(
        &mut self,
        store: u64,
        region: &Region,
        at: i64,
        source: &str,
        message: &str,
        fields: &[(&str, String)],
    ) {
        let mut line = Builder::new(at, "INFO", source, message);
        for (key, value) in fields {
            line = line.field(key, value);
        }
        let line = line
            .field("raft_id", region.peer(store))
            .field("region_id", region.id)
            .field("thread_id", 70 + store);
        self.write(store, line.done());
    }

    fn store(&mut self, store: u64, region: &Region, at: i64, source: &str, message: &str) {
        let line = Builder::new(at, "INFO", source, message)
            .field("peer_id", region.peer(store))
            .field("region_id", region.id)
            .field("thread_id", 70 + store);
        self.write(store, line.done());
    }

    pub(crate) fn process(
        &mut self,
        store: u64,
        at: i64,
        level: &str,
        source: &str,
        message: &str,
        fields: &[(&str, String)],
    ) {
        let mut line = Builder::new(at, level, source, message);
        for (key, value) in fields {
            line = line.field(key, value);
        }
        self.write(store, line.field("thread_id", 1).done());
    }

    fn pd(&mut self, at: i64, source: &str, message: &str) {
        self.pd
            .push(Builder::new(at, "INFO", source, message).done());
    }

    pub(crate) fn pd_store(&mut self, at: i64, message: &str, store: u64) {
        self.pd.push(
            Builder::new(at, "INFO", "store.go:897", message)
                .field("store-id", store)
                .done(),
        );
    }

    pub(super) fn pd_moved(&mut self, region: u64, from: Option<u64>, to: u64, at: i64) {
        if let Some(from) = from.filter(|&from| from != to) {
            let line = Builder::new(at, "INFO", "region.go:798", "leader changed");
            self.pd.push(
                line.field("region-id", region)
                    .field("from", from)
                    .field("to", to)
                    .done(),
            );
        }
    }

    /// The lines of a process that starts.
    pub(crate) fn boot(&mut self, store: u64, at: i64) {
        self.process(store, at, "INFO", "lib.rs:90", "Welcome to TiKV", &[]);
        self.process(
            store,
            at + 900,
            "INFO",
            "node.rs:473",
            "start raft store thread",
            &[("store_id", store.to_string())],
        );
        let regions = self.regions.len().to_string();
        self.process(
            store,
            at + 910,
            "INFO",
            "store.rs:1403",
            "start store",
            &[("region_count", regions), ("store_id", store.to_string())],
        );
        for region in self.regions.clone() {
            self.birth(store, &region, at + 920);
        }
        self.process(
            store,
            at + 1000,
            "INFO",
            "server.rs:1200",
            "TiKV is ready to serve",
            &[],
        );
    }

    /// A process that is told to stop, and does.
    pub(crate) fn stop(&mut self, store: u64, at: i64) {
        self.process(
            store,
            at,
            "INFO",
            "signal_handler.rs:33",
            "receive signal 15, stopping server...",
            &[],
        );
        self.process(
            store,
            at + 200,
            "INFO",
            "node.rs:510",
            "stop raft store thread",
            &[("store_id", store.to_string())],
        );
    }

    /// What a peer writes when it is made, at a start or at a split.
    pub(crate) fn birth(&mut self, store: u64, region: &Region, at: i64) {
        let term = region.term.to_string();
        self.store(store, region, at, "peer.rs:1046", "create peer");
        self.raft(
            store,
            region,
            at,
            "raft.rs:2660",
            "switched to configuration",
            &[("config", "Configuration { voters: .. }".to_owned())],
        );
        self.raft(
            store,
            region,
            at,
            "raft.rs:1120",
            &format!("became follower at term {term}"),
            &[("term", term.clone())],
        );
        self.raft(
            store,
            region,
            at,
            "raft.rs:388",
            "newRaft",
            &[("last term", term.clone()), ("term", term)],
        );
        self.raft(
            store,
            region,
            at,
            "raw_node.rs:315",
            &format!("RawNode created with id {}.", region.peer(store)),
            &[],
        );
    }

    /// What the others write when a store goes: within milliseconds of a death.
    pub(crate) fn unreachable(&mut self, lost: u64, at: i64) {
        for store in (1..=STORES).filter(|&store| store != lost) {
            let about = [("store_id", lost.to_string())];
            self.process(
                store,
                at,
                "ERROR",
                "raft_client.rs:585",
                "connection aborted",
                &[
                    (
                        "receiver_err",
                        "Some(RpcFailure(14-UNAVAILABLE, \"Socket closed\"))".to_owned(),
                    ),
                    about[0].clone(),
                ],
            );
            self.process(
                store,
                at + 1,
                "ERROR",
                "raft_client.rs:904",
                "connection abort",
                &about,
            );
            self.process(
                store,
                at + 2,
                "INFO",
                "store.rs:2800",
                "broadcasting unreachable",
                &[
                    ("unreachable_store_id", lost.to_string()),
                    ("store_id", store.to_string()),
                ],
            );
        }
    }

    /// A split: the parent's lines, and the birth of the new region on every store.
    pub(crate) fn split(&mut self, parent: &Region, at: i64) {
        let Some(leader) = parent.leader else { return };
        self.store(leader, parent, at, "peer.rs:6236", "on split");
        self.store(
            leader,
            parent,
            at + 1,
            "pd.rs:1062",
            "try to batch split region",
        );
        let mut born = Region {
            id: self
                .regions
                .iter()
                .map(|region| region.id)
                .max()
                .unwrap_or(0)
                + 10,
            leader: None,
            term: BIRTH_TERM - 1,
        };
        for store in 1..=STORES {
            self.store(store, parent, at + 5, "apply.rs:2578", "split region");
            self.store(store, &born, at + 6, "peer.rs:2476", "insert new region");
            self.birth(store, &born, at + 6);
        }
        self.timeout_election(&mut born, leader, None, at + 7);
        self.regions.push(born);
    }

    /// Everything that was written, each log in order.
    pub(crate) fn finish(self, at_ms: i64) -> LogSet {
        let leaders = self
            .regions
            .iter()
            .filter_map(|region| Some((region.id, region.leader?)))
            .collect();
        let mut logs = vec![Log {
            name: "pd".to_owned(),
            store: None,
            lines: self.pd,
        }];
        logs.extend(self.logs.into_iter().map(|(store, lines)| Log {
            name: format!("tikv-{store}"),
            store: Some(store),
            lines,
        }));
        for log in &mut logs {
            log.lines.sort_by_key(|line| line.ms);
        }
        LogSet {
            logs,
            leaders,
            at_ms,
        }
    }
}
