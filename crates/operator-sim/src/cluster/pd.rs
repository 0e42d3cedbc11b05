//! PD's members, their leader, and what PD remembers: schedulers and configuration.

use std::collections::BTreeMap;

use crate::num::{self, Millis};
use crate::prng;
use crate::shape::Release;

/// The balance schedulers of a cluster that nobody touched.
pub(crate) const BALANCERS: [&str; 3] = [
    "balance-hot-region-scheduler",
    "balance-leader-scheduler",
    "balance-region-scheduler",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MemberProcess {
    Running,
    Frozen,
    Dead,
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) client_url: String,
    pub(crate) peer_url: String,
    pub(crate) process: MemberProcess,
    pub(crate) started: i64,
}

/// The configuration items that the model obeys; everything else is what an untouched PD says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Config {
    pub(crate) max_replicas: u8,
    pub(crate) max_store_down: Millis,
    pub(crate) leader_schedule_limit: u64,
    pub(crate) region_schedule_limit: u64,
    pub(crate) replica_schedule_limit: u64,
    pub(crate) halt_scheduling: bool,
    pub(crate) low_space_ratio: f64,
    pub(crate) store_limit: f64,
}

/// PD as a whole.
#[derive(Debug, Clone)]
pub(crate) struct Pd {
    pub(crate) cluster_id: u64,
    pub(crate) members: Vec<Member>,
    /// The leader that the members believe in, be it alive or not.
    pub(crate) leader: Option<usize>,
    pub(crate) leader_since: i64,
    /// The leader began with no predecessor's memory: counts fill until then.
    pub(crate) cold_until: Millis,
    pub(crate) round: u32,
    pub(crate) electing: bool,
    pub(crate) config: Config,
    /// Stores that the evict-leader scheduler holds, by place. One scheduler for all, as in PD.
    pub(crate) evicting: Vec<u16>,
    /// Balance schedulers that somebody removed.
    pub(crate) removed: Vec<String>,
    /// Paused schedulers, with the (model) time of their return.
    pub(crate) paused: BTreeMap<String, (Millis, Millis)>,
    pub(crate) bootstrapped: i64,
}

impl Pd {
    pub(crate) fn new(seed: u64, members: u8, replicas: u8) -> Self {
        let day = num::signed(24 * 60 * num::MINUTE);
        let members = (0..members)
            .map(|number| Member {
                name: format!("pd-{number}"),
                // Ids of members fill 64 bits, as a reader must be ready for.
                id: prng::hash(seed, 0x9d, number.into()) | 1 << 63,
                client_url: format!("http://10.0.0.{}:2379", number + 10),
                peer_url: format!("http://10.0.0.{}:2380", number + 10),
                process: MemberProcess::Running,
                started: -8 * day,
            })
            .collect();
        Self {
            cluster_id: 7_000_000_000_000_000_000 + prng::hash(seed, 0xc1, 0) % 1_000_000_000_000,
            members,
            leader: Some(0),
            leader_since: -7 * day,
            cold_until: 0,
            round: 0,
            electing: false,
            config: Config {
                max_replicas: replicas,
                max_store_down: 30 * num::MINUTE,
                leader_schedule_limit: 4,
                region_schedule_limit: 2048,
                replica_schedule_limit: 64,
                halt_scheduling: false,
                low_space_ratio: 0.8,
                store_limit: 15.0,
            },
            evicting: Vec::new(),
            removed: Vec::new(),
            paused: BTreeMap::new(),
            bootstrapped: -9 * day,
        }
    }

    pub(crate) fn running(&self, member: usize) -> bool {
        self.process(member) == Some(MemberProcess::Running)
    }

    pub(crate) fn process(&self, member: usize) -> Option<MemberProcess> {
        self.members.get(member).map(|member| member.process)
    }

    /// The leader, if it really leads.
    pub(crate) fn serving(&self) -> Option<usize> {
        self.leader.filter(|leader| self.running(*leader))
    }

    pub(crate) fn quorum(&self) -> bool {
        let alive = (0..self.members.len()).filter(|m| self.running(*m)).count();
        alive > self.members.len() / 2
    }

    /// Whether a scheduler works: it exists, and is not paused.
    pub(crate) fn works(&self, scheduler: &str, now: Millis) -> bool {
        !self.removed.iter().any(|gone| gone == scheduler) && !self.is_paused(scheduler, now)
    }

    pub(crate) fn is_paused(&self, scheduler: &str, now: Millis) -> bool {
        self.paused
            .get(scheduler)
            .is_some_and(|(_, until)| *until > now)
    }

    /// The names of all schedulers there are, paused ones among them.
    pub(crate) fn schedulers(&self, release: Release) -> Vec<String> {
        let mut names: Vec<String> = BALANCERS.map(str::to_owned).into();
        match release {
            Release::V6_5 => names.push("split-bucket-scheduler".to_owned()),
            Release::V7_5 => {}
            Release::V8_5 | Release::Head => {
                names.push("evict-slow-store-scheduler".to_owned());
                names.push("evict-stopping-store-scheduler".to_owned());
            }
        }
        names.retain(|name| !self.removed.contains(name));
        if !self.evicting.is_empty() {
            names.push("evict-leader-scheduler".to_owned());
        }
        names
    }
}
