//! One row per rule: what befalls a healthy cluster, what is raised for it and when, in what it is silent,
//! and what it must see to judge.

use std::time::Duration;

use operator_core::Severity::{self, Critical, Info, Warning};
use operator_sim::Shape;

/// What one rule must do.
pub(crate) struct Row {
    pub(crate) code: &'static str,
    /// The cluster that it happens to.
    pub(crate) shape: fn() -> Shape,
    /// What happens.
    pub(crate) faults: &'static [&'static str],
    /// What is raised for it; `*` stands for what a port or a new id decides.
    pub(crate) entity: &'static str,
    pub(crate) severity: Severity,
    /// How late the source is, and the grace: it is found one look after their sum at the latest.
    pub(crate) source: u64,
    pub(crate) grace: u64,
    /// What is much like it and nothing to speak of.
    pub(crate) control: &'static [&'static str],
    /// What takes its sight away; none for the rules that are about sight.
    pub(crate) blinding: &'static [&'static str],
}

const fn row(code: &'static str, faults: &'static [&'static str], entity: &'static str) -> Row {
    Row {
        code,
        shape: four_stores,
        faults,
        entity,
        severity: Warning,
        source: 0,
        grace: 0,
        control: &[],
        blinding: NO_PROMETHEUS,
    }
}

const NO_PD: &[&str] = &["pd-killed member=all"];
const NO_PROMETHEUS: &[&str] = &["prometheus-down"];
const NEITHER: &[&str] = &["pd-killed member=all", "prometheus-down"];

fn four_stores() -> Shape {
    Shape {
        stores: 4,
        regions: 60,
        ..Shape::default()
    }
}

fn three_stores() -> Shape {
    Shape::default()
}

fn five_stores() -> Shape {
    Shape {
        stores: 5,
        regions: 150,
        ..Shape::default()
    }
}

const MINUTE: u64 = 60;
/// A target that is scraped every 15 s is late by so much.
const SCRAPE: u64 = 15;
/// A rate shows what is new when half its window has seen it.
const RATE: u64 = 30;
/// PD's picture of a store is late by a heartbeat and a poll.
const HEARTBEAT: u64 = 12;

pub(crate) const TABLE: &[Row] = &[
    Row {
        control: &["pd-killed member=leader for=60s"],
        blinding: &[],
        ..row("pd_unreachable", NO_PD, "cluster")
    },
    Row {
        control: NO_PD,
        blinding: &[],
        ..row("prometheus_unreachable", NO_PROMETHEUS, "cluster")
    },
    Row {
        source: 5 * MINUTE,
        grace: 60,
        control: &["prometheus-down"],
        blinding: &[],
        ..row(
            "metrics_incomplete",
            &["store-unscraped store=2"],
            "store/2",
        )
    },
    Row {
        source: 30,
        grace: 60,
        control: &["pd-clock seconds=3"],
        blinding: &[],
        ..row("clock_skew", &["pd-clock seconds=30"], "origin/*")
    },
    Row {
        source: 30,
        grace: 60,
        control: &["prometheus-clock seconds=-3"],
        blinding: &[],
        ..row("clock_skew", &["prometheus-clock seconds=-30"], "origin/*")
    },
    Row {
        severity: Critical,
        source: 20 + HEARTBEAT,
        grace: 10,
        control: &["store-restarted store=2 away=5s"],
        blinding: NO_PD,
        ..row("store_down", &["store-killed store=2"], "store/2")
    },
    Row {
        source: 20,
        grace: 20,
        control: &["store-restarted store=2 away=5s"],
        blinding: NEITHER,
        ..row(
            "store_disconnected",
            &["store-cut-from-pd store=2"],
            "store/2",
        )
    },
    Row {
        severity: Info,
        source: 2,
        blinding: NO_PD,
        ..row("store_never_reported", &["store-never-reported"], "store/*")
    },
    Row {
        source: 5 * MINUTE,
        blinding: NO_PD,
        ..row("store_never_reported", &["store-never-reported"], "store/*")
    },
    Row {
        shape: five_stores,
        source: HEARTBEAT,
        grace: 10 * MINUTE,
        control: &["store-removed store=5"],
        blinding: NO_PD,
        ..row(
            "store_offline_stuck",
            &["store-removed store=5", "no-target"],
            "store/5",
        )
    },
    Row {
        grace: 30,
        source: 3,
        blinding: NO_PD,
        ..row(
            "pd_member_unhealthy",
            &["pd-unhealthy member=pd-2"],
            "pd/pd-2",
        )
    },
    Row {
        severity: Critical,
        source: 12,
        grace: 15,
        control: &["pd-killed member=leader for=60s"],
        blinding: NO_PD,
        ..row("pd_no_leader", &["pd-killed member=pd-0,pd-1"], "cluster")
    },
    Row {
        severity: Info,
        source: 15,
        blinding: NO_PD,
        ..row(
            "store_restarted",
            &["store-restarted store=2 away=5s"],
            "store/2",
        )
    },
    Row {
        source: 130,
        control: &["store-restarted store=2 away=5s"],
        blinding: NO_PD,
        ..row(
            "store_restarted",
            &["store-flapping store=2 every=20s"],
            "store/2",
        )
    },
    Row {
        source: 30,
        grace: 60 * MINUTE,
        blinding: NO_PD,
        ..row("version_mix", &["version-mix store=2"], "cluster")
    },
    Row {
        severity: Critical,
        source: SCRAPE + 10,
        ..row("critical_error", &["critical-error store=2"], "store/2")
    },
    Row {
        source: 60 + RATE,
        grace: 10 * MINUTE,
        control: &["store-killed store=2 for=10m"],
        blinding: NEITHER,
        ..row(
            "under_replicated_regions",
            &["replicas-missing store=2"],
            "cluster",
        )
    },
    Row {
        source: 10 * MINUTE + RATE,
        grace: 60,
        control: &["store-restarted store=2 away=60s"],
        blinding: NEITHER,
        ..row("down_peers", &["store-killed store=2"], "cluster")
    },
    Row {
        source: 60 + RATE,
        grace: 10 * MINUTE,
        control: &["store-restarted store=2 away=60s"],
        blinding: NEITHER,
        ..row("pending_peers_stuck", &["peers-pending store=2"], "cluster")
    },
    Row {
        shape: three_stores,
        severity: Critical,
        source: 20 + HEARTBEAT,
        control: &["store-killed store=1"],
        blinding: NO_PD,
        ..row(
            "regions_without_quorum",
            &["store-killed store=1,3"],
            "cluster",
        )
    },
    Row {
        // A store looks for such peers every five minutes.
        source: 5 * MINUTE + SCRAPE,
        ..row("leaderless_regions", &["leader-missing store=2"], "store/2")
    },
    Row {
        source: HEARTBEAT,
        control: &["disk-fills store=2 level=0.65"],
        blinding: NEITHER,
        ..row(
            "low_disk_space",
            &["disk-fills store=2 level=0.75"],
            "store/2",
        )
    },
    Row {
        severity: Critical,
        source: HEARTBEAT,
        control: &["disk-fills store=2 level=0.65"],
        blinding: NEITHER,
        ..row(
            "low_disk_space",
            &["disk-fills store=2 level=0.92"],
            "store/2",
        )
    },
    Row {
        source: SCRAPE + RATE,
        grace: 60,
        ..row("high_latency", &["disk-slow store=2 factor=30"], "store/2")
    },
    Row {
        source: SCRAPE + RATE,
        grace: 60,
        ..row("high_read_latency", &["reads-slow store=2"], "store/2")
    },
    Row {
        severity: Critical,
        source: SCRAPE + RATE,
        grace: 5 * MINUTE,
        control: &["cpu-high store=2 level=0.6"],
        ..row("high_cpu", &["cpu-high store=2"], "store/2")
    },
    Row {
        source: SCRAPE + RATE,
        grace: 5 * MINUTE,
        control: &["cpu-high store=2 level=0.6"],
        ..row("high_cpu", &["cpu-high store=2 level=0.8"], "store/2")
    },
    Row {
        severity: Critical,
        source: SCRAPE,
        grace: 5 * MINUTE,
        control: &["memory-high store=2 level=0.75"],
        ..row("high_memory", &["memory-high store=2"], "store/2")
    },
    Row {
        source: SCRAPE + RATE,
        grace: 60,
        control: &["all-slow factor=30"],
        ..row("slow_store", &["disk-slow store=2 factor=30"], "store/2")
    },
    Row {
        severity: Critical,
        source: 80,
        grace: 60,
        control: &["all-slow factor=30"],
        ..row("slow_store", &["disk-slow store=2 factor=1000"], "store/2")
    },
    Row {
        source: SCRAPE + RATE,
        grace: 60,
        control: &["raft-log-lag store=2 entries=500"],
        ..row("raft_log_lag", &["raft-log-lag store=2"], "store/2")
    },
    Row {
        source: SCRAPE + RATE,
        grace: 60,
        ..row(
            "server_busy",
            &["server-busy store=2 part=0.004"],
            "store/2",
        )
    },
    Row {
        severity: Critical,
        source: SCRAPE + RATE,
        grace: 60,
        ..row("server_busy", &["server-busy store=2 part=0.05"], "store/2")
    },
    Row {
        source: SCRAPE + RATE,
        grace: 60,
        ..row("write_pressure", &["flow-control store=2"], "store/2")
    },
    Row {
        severity: Info,
        source: 5 * MINUTE,
        grace: 30 * MINUTE,
        blinding: NO_PD,
        ..row("leader_imbalance", &["leader-skew store=2"], "cluster")
    },
    Row {
        severity: Info,
        source: 200,
        grace: 60,
        blinding: NO_PD,
        ..row("hot_write_region", &["hot-write region=4"], "region/4")
    },
    Row {
        severity: Info,
        source: 200,
        grace: 60,
        blinding: NO_PD,
        ..row("hot_read_region", &["hot-read region=4"], "region/4")
    },
    Row {
        grace: 30 * MINUTE,
        control: &["evict-leader-left store=2 for=10m"],
        blinding: NO_PD,
        ..row(
            "leftover_evict_leader",
            &["evict-leader-left store=2"],
            "store/2",
        )
    },
    Row {
        source: 60,
        grace: 10 * MINUTE,
        blinding: NO_PD,
        ..row("scheduling_halted", &["scheduling-halted"], "cluster")
    },
    Row {
        grace: 10 * MINUTE,
        control: &["scheduler-paused for=5m"],
        blinding: NO_PD,
        ..row("scheduling_halted", &["scheduler-paused"], "cluster")
    },
    Row {
        grace: 10 * MINUTE,
        control: &["pd-killed member=all for=30s"],
        blinding: NO_PD,
        ..row("scheduling_halted", &["scheduler-missing"], "cluster")
    },
];

impl Row {
    /// The last look at which it must have been raised.
    pub(crate) fn window(&self) -> Duration {
        let tick = 10;
        Duration::from_secs(self.source + tick + self.grace.div_ceil(tick) * tick)
    }

    pub(crate) fn is_about(&self, entity: &str) -> bool {
        match self.entity.strip_suffix('*') {
            Some(kind) => entity.starts_with(kind),
            None => entity == self.entity,
        }
    }
}
