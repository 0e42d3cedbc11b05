//! Scenarios: a shape and what befalls it, by name. Incidents to be found, and controls in which nothing is wrong.

use std::time::Duration;

use crate::cluster::Cluster;
use crate::fault::FaultError;
use crate::shape::{Load, Shape, ShapeError};

/// A named course of events.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name.
    pub name: &'static str,
    /// What happens, in a line.
    pub summary: &'static str,
    shape: fn() -> Shape,
    /// What is done to the cluster before its warm-up, and after.
    before: fn(&mut Cluster),
    after: fn(&mut Cluster),
    /// Faults as text, with `at` counted from the end of the warm-up.
    faults: &'static [&'static str],
}

/// A shape that a scenario cannot be played on.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// There is no such cluster.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// It does not have what a fault names.
    #[error(transparent)]
    Fault(#[from] FaultError),
}

/// How long a cluster lives before a scenario begins: rates need samples, and PD's leader its memory.
const WARM_UP: Duration = Duration::from_secs(150);

impl Scenario {
    /// The scenario with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// The cluster at the moment at which the scenario begins.
    ///
    /// # Panics
    /// Where the table holds a shape or a fault that cannot be: a test builds every scenario.
    #[must_use]
    pub fn build(&self, seed: u64) -> Cluster {
        self.build_from(Shape {
            seed,
            ..(self.shape)()
        })
    }

    /// The same, and that moment is so many milliseconds after the Unix epoch: for whoever looks at the
    /// cluster by a clock of their own.
    ///
    /// # Panics
    /// As [`Scenario::build`].
    #[must_use]
    pub fn build_at(&self, seed: u64, unix_ms: u64) -> Cluster {
        let warm_up = u64::try_from(WARM_UP.as_millis()).unwrap_or(u64::MAX);
        self.build_from(Shape {
            seed,
            began_unix_ms: unix_ms.saturating_sub(warm_up),
            ..(self.shape)()
        })
    }

    fn build_from(&self, shape: Shape) -> Cluster {
        self.build_shaped(shape)
            .expect("the table holds sound shapes and known faults")
    }

    /// The shape of its cluster, to be changed for [`Scenario::build_shaped`].
    #[must_use]
    pub fn shape(&self) -> Shape {
        (self.shape)()
    }

    /// How long its cluster lives before the scenario begins.
    #[must_use]
    pub const fn warm_up(&self) -> Duration {
        WARM_UP
    }

    /// The same course of events on a cluster of another shape.
    ///
    /// # Errors
    /// Where there is no such cluster, or it does not have the stores that the faults name.
    pub fn build_shaped(&self, shape: Shape) -> Result<Cluster, ScenarioError> {
        let mut cluster = Cluster::new(shape)?;
        (self.before)(&mut cluster);
        cluster.advance(WARM_UP);
        (self.after)(&mut cluster);
        for fault in self.faults {
            cluster.inject(fault)?;
        }
        Ok(cluster)
    }
}

/// All scenarios, controls last.
#[must_use]
pub fn scenarios() -> &'static [Scenario] {
    SCENARIOS
}

const fn incident(
    name: &'static str,
    summary: &'static str,
    faults: &'static [&'static str],
) -> Scenario {
    Scenario {
        name,
        summary,
        shape: Shape::default,
        before: |_| {},
        after: |_| {},
        faults,
    }
}

fn five_stores() -> Shape {
    Shape {
        stores: 5,
        regions: 150,
        ..Shape::default()
    }
}

static SCENARIOS: &[Scenario] = &[
    incident(
        "store-killed",
        "a store dies and returns",
        &["store-killed store=2 at=30s for=200s"],
    ),
    incident(
        "store-frozen",
        "a store stands still and goes on",
        &["store-frozen store=3 at=30s for=120s"],
    ),
    incident(
        "disk-slow",
        "one store's disk is slow",
        &["disk-slow store=2 factor=30 at=30s for=150s"],
    ),
    incident(
        "disk-fills",
        "one store's disk fills",
        &["disk-fills store=1 level=0.92 over=5m at=30s"],
    ),
    incident(
        "crash-loop",
        "one store dies again and again",
        &["store-flapping store=2 every=20s at=30s for=160s"],
    ),
    incident(
        "quorum-lost",
        "two of three stores die",
        &["store-killed store=1,3 at=30s for=150s"],
    ),
    incident(
        "pd-leader-killed",
        "PD's leader dies and returns",
        &["pd-killed member=leader at=30s for=90s"],
    ),
    incident(
        "pd-all-down",
        "all of PD dies and returns",
        &["pd-killed member=all at=30s for=75s"],
    ),
    incident(
        "hot-key",
        "writes gather on one region",
        &["hot-write region=4 at=30s"],
    ),
    incident(
        "hot-tail",
        "writes gather at the end of the key space, which grows and is split",
        &["hot-write region=last at=30s"],
    ),
    incident(
        "evict-leader-left",
        "a scheduler is left behind",
        &["evict-leader-left store=2 at=30s"],
    ),
    Scenario {
        shape: five_stores,
        ..incident(
            "removal-stuck",
            "a store is removed, and its peers have nowhere to go",
            &["store-removed store=5 at=30s", "no-target at=30s"],
        )
    },
    incident(
        "two-at-once",
        "a store dies while another is slow",
        &[
            "store-killed store=2 at=30s",
            "disk-slow store=3 factor=30 at=60s",
        ],
    ),
    incident("healthy", "nothing is wrong", &[]),
    Scenario {
        shape: || Shape {
            load: Load {
                daily_swing: 10.0,
                ..Shape::default().load
            },
            ..Shape::default()
        },
        ..incident(
            "busy-day",
            "nothing is wrong, and the load swings tenfold within a day",
            &[],
        )
    },
    incident(
        "all-slow",
        "every store is slower alike, as under load",
        &["all-slow factor=30 at=30s for=10m"],
    ),
    incident(
        "data-grows",
        "data grows everywhere, and regions split",
        &["data-grows mib=4 at=30s for=30m"],
    ),
    incident(
        "tables-dropped",
        "tables are dropped, and their regions are merged",
        &["tables-dropped part=0.4 at=30s"],
    ),
    incident(
        "short-restart",
        "a store is back within its grace",
        &["store-restarted store=2 away=5s at=30s"],
    ),
    Scenario {
        shape: || Shape {
            stores: 1,
            replicas: 1,
            members: 1,
            ..Shape::default()
        },
        ..incident(
            "single-store",
            "one store, one replica, and nothing is wrong",
            &[],
        )
    },
    incident(
        "rolling-restart",
        "leaders leave, a store stops and starts; one store after the other",
        &[
            "evict-leader-left store=1 at=30s for=22s",
            "store-stopped store=1 at=32s for=1s",
            "evict-leader-left store=2 at=70s for=22s",
            "store-stopped store=2 at=72s for=1s",
            "evict-leader-left store=3 at=110s for=22s",
            "store-stopped store=3 at=112s for=1s",
        ],
    ),
    incident(
        "pd-leader-back-soon",
        "PD's leader dies and is back within 20 s",
        &["pd-killed member=leader at=30s for=15s"],
    ),
    Scenario {
        after: |cluster| cluster.crown(1),
        ..incident("pd-leader-moved", "PD's leader is moved by hand", &[])
    },
    incident(
        "prometheus-restarted",
        "Prometheus is away for half a minute",
        &["prometheus-down at=30s for=30s"],
    ),
    Scenario {
        shape: five_stores,
        after: |cluster| {
            cluster.add_store();
        },
        ..incident("scale-out", "a store joins and is filled", &[])
    },
    Scenario {
        shape: five_stores,
        after: |cluster| {
            cluster.scale_in(5);
        },
        ..incident(
            "scale-in",
            "a store is removed, and its peers find room",
            &[],
        )
    },
    Scenario {
        after: |cluster| {
            cluster.scale_in(2);
        },
        ..incident(
            "removal-refused",
            "a removal is asked for that PD refuses",
            &[],
        )
    },
    Scenario {
        shape: five_stores,
        before: |cluster| {
            cluster.scale_in(5);
            cluster.advance(Duration::from_secs(3600));
        },
        ..incident("tombstones", "a store was removed long ago", &[])
    },
    Scenario {
        shape: || Shape {
            tiflash: 1,
            ..Shape::default()
        },
        ..incident(
            "tiflash-present",
            "a store of TiFlash is there, which is not TiKV's",
            &[],
        )
    },
    Scenario {
        shape: || Shape {
            regions: 1,
            load: Load {
                writes_per_second: 0.0,
                reads_per_second: 0.0,
                daily_swing: 1.0,
            },
            ..Shape::default()
        },
        ..incident("empty", "a new cluster that nobody uses", &[])
    },
];
