//! What must be said of each incident. A window is the delay of the source, one tick, and the grace in
//! whole ticks; what names a store names it as the recording does.

/// Rules that rows name and that are yet to be written.
pub(crate) const AWAITED: &[&str] = &[];

/// One kind of incident.
pub(crate) struct Row {
    pub(crate) scenario: &'static str,
    /// What must be found, and when.
    pub(crate) found: &'static [Found],
    /// What must stand, or be on its way, at a moment in between.
    pub(crate) meanwhile: &'static [Meanwhile],
    /// What may be said beside it, and need not: code and entity.
    pub(crate) may: &'static [(&'static str, &'static str)],
    /// What must not be said at all, not even as information, and not of our sight.
    pub(crate) never: &'static [&'static str],
    /// What the logs tell.
    pub(crate) logs: Logs,
}

/// A finding, from the moment that it is due.
pub(crate) struct Found {
    pub(crate) code: &'static str,
    pub(crate) entity: &'static str,
    pub(crate) severity: &'static str,
    /// `raised`, or `moved` to this severity.
    pub(crate) change: &'static str,
    pub(crate) after: After,
    pub(crate) window: Window,
    /// When it must have ended: so many seconds after what, at most.
    pub(crate) resolved: Option<(After, Window)>,
}

/// A moment of the recording.
pub(crate) enum After {
    /// When the nth thing was done whose words contain these.
    Done(&'static str, usize),
    /// When a store was first told of with this share of its disk full.
    Full(f64),
    /// When PD first told of a hot region.
    Listed,
}

/// How long something may take, in seconds.
pub(crate) struct Window {
    /// How late the source is.
    pub(crate) delay: u32,
    /// How long it must be seen, in any state.
    pub(crate) grace: u32,
}

/// A moment in between: what stands then, and what has grace left.
pub(crate) struct Meanwhile {
    pub(crate) after: After,
    pub(crate) seconds: u32,
    /// Code, entity, and code and entities of one cause of which it is a symptom.
    pub(crate) open: &'static [(
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
    )],
    /// Code and entity.
    pub(crate) pending: &'static [(&'static str, &'static str)],
}

/// What the timeline of the logs must hold.
pub(crate) struct Logs {
    /// Whether regions elected because they lost their leaders.
    pub(crate) timeouts: bool,
    /// Whether leaders were handed over.
    pub(crate) transfers: bool,
    /// Words that a sentence must hold, each so often.
    pub(crate) told: &'static [(&'static str, usize)],
}

impl Row {
    /// Every rule that this row names.
    pub(crate) fn codes(&self) -> impl Iterator<Item = &'static str> {
        let found = self.found.iter().map(|found| found.code);
        let open = self.meanwhile.iter().flat_map(|at| at.open);
        let open = open.flat_map(|(code, _, cause, _)| [*code, *cause]);
        let pending = self.meanwhile.iter().flat_map(|at| at.pending);
        let pending = pending.map(|(code, _)| *code);
        let may = self.may.iter().map(|(code, _)| *code);
        let never = self.never.iter().copied();
        found.chain(open).chain(pending).chain(may).chain(never)
    }
}

const fn window(delay: u32, grace: u32) -> Window {
    Window { delay, grace }
}

/// Without a sign of life for 20 s, and `up` 0 by then.
const DEAD: Window = window(20, 10);
/// The same of one that hangs: its scrape runs into its time limit first.
const HUNG: Window = window(25, 10);
/// A start is told within 2 s.
const STARTED: Window = window(2, 0);
/// Alive again: a start is told within 2 s, or a heartbeat within 12.
const ALIVE: Window = window(12, 20);

const fn found(
    code: &'static str,
    entity: &'static str,
    severity: &'static str,
    after: After,
    window: Window,
) -> Found {
    Found {
        code,
        entity,
        severity,
        change: "raised",
        after,
        window,
        resolved: None,
    }
}

impl Found {
    const fn until(self, after: After, window: Window) -> Self {
        let resolved = Some((after, window));
        // Nothing in here has anything to drop, which the compiler cannot know.
        Self {
            code: self.code,
            entity: self.entity,
            severity: self.severity,
            change: self.change,
            after: self.after,
            window: self.window,
            resolved,
        }
    }
}

const QUIET: Logs = Logs {
    timeouts: false,
    transfers: false,
    told: &[],
};

pub(crate) const ROWS: &[Row] = &[
    Row {
        scenario: "healthy",
        found: &[],
        meanwhile: &[],
        may: &[],
        never: &["store_restarted", "pd_unreachable"],
        logs: QUIET,
    },
    Row {
        scenario: "store-killed",
        found: &[
            found(
                "store_down",
                "tikv-1",
                "critical",
                After::Done("killed", 0),
                DEAD,
            )
            .until(After::Done("started", 0), ALIVE),
            found(
                "store_restarted",
                "tikv-1",
                "info",
                After::Done("started", 0),
                STARTED,
            ),
        ],
        meanwhile: &[Meanwhile {
            after: After::Done("killed", 0),
            seconds: 120,
            open: &[("store_down", "tikv-1", "store_down", &["tikv-1"])],
            pending: &[("pending_peers_stuck", "cluster")],
        }],
        may: &[],
        never: &["store_disconnected", "pd_unreachable"],
        logs: Logs {
            timeouts: true,
            transfers: true,
            told: &[("tikv-1 killed or crashed", 1), ("elected by timeout", 1)],
        },
    },
    Row {
        scenario: "store-frozen",
        found: &[found(
            "store_down",
            "tikv-2",
            "critical",
            After::Done("frozen", 0),
            HUNG,
        )
        .until(After::Done("thawed", 0), window(2, 20))],
        meanwhile: &[Meanwhile {
            after: After::Done("frozen", 0),
            seconds: 90,
            open: &[("store_down", "tikv-2", "store_down", &["tikv-2"])],
            pending: &[("pending_peers_stuck", "cluster")],
        }],
        may: &[],
        never: &["store_restarted", "pd_unreachable"],
        logs: Logs {
            timeouts: true,
            transfers: true,
            told: &[
                ("tikv-2 hung or out of reach", 1),
                ("elected by timeout", 1),
            ],
        },
    },
    Row {
        scenario: "store-slow",
        found: &[
            found(
                "slow_store",
                "tikv-1",
                "warning",
                After::Done("slow", 0),
                window(30, 60),
            ),
            found(
                "high_latency",
                "tikv-1",
                "warning",
                After::Done("slow", 0),
                window(15, 60),
            ),
        ],
        meanwhile: &[Meanwhile {
            after: After::Done("slow", 0),
            seconds: 130,
            open: &[("high_latency", "tikv-1", "slow_store", &["tikv-1"])],
            pending: &[],
        }],
        // Its reads are slow as well, where there are enough of them to tell.
        may: &[("high_read_latency", "tikv-1")],
        never: &[
            "store_restarted",
            "store_down",
            "store_disconnected",
            "pd_unreachable",
        ],
        logs: QUIET,
    },
    Row {
        scenario: "crash-loop",
        found: &[
            found(
                "store_restarted",
                "tikv-2",
                "info",
                After::Done("started", 0),
                STARTED,
            ),
            Found {
                change: "moved",
                ..found(
                    "store_restarted",
                    "tikv-2",
                    "warning",
                    After::Done("started", 2),
                    STARTED,
                )
            },
        ],
        meanwhile: &[],
        may: &[],
        never: &["store_down", "pd_unreachable"],
        logs: Logs {
            timeouts: true,
            transfers: true,
            told: &[("tikv-2 killed or crashed", 4), ("elected by timeout", 1)],
        },
    },
    Row {
        scenario: "rolling-restart",
        found: &[
            found(
                "store_restarted",
                "tikv-0",
                "info",
                After::Done("started", 0),
                STARTED,
            ),
            found(
                "store_restarted",
                "tikv-1",
                "info",
                After::Done("started", 1),
                STARTED,
            ),
            found(
                "store_restarted",
                "tikv-2",
                "info",
                After::Done("started", 2),
                STARTED,
            ),
        ],
        meanwhile: &[],
        may: &[],
        never: &["store_down", "pd_unreachable"],
        logs: Logs {
            timeouts: false,
            transfers: true,
            told: &[
                ("rolling restart of stores", 1),
                ("PD took the leaders off", 3),
            ],
        },
    },
    Row {
        scenario: "quorum-lost",
        found: &[
            found(
                "store_down",
                "tikv-0",
                "critical",
                After::Done("killed", 0),
                DEAD,
            )
            .until(After::Done("started", 0), ALIVE),
            found(
                "store_down",
                "tikv-2",
                "critical",
                After::Done("killed", 0),
                DEAD,
            )
            .until(After::Done("started", 0), ALIVE),
            found(
                "regions_without_quorum",
                "cluster",
                "critical",
                After::Done("killed", 0),
                window(20, 0),
            )
            .until(After::Done("started", 0), window(12, 10)),
            found(
                "store_restarted",
                "tikv-0",
                "info",
                After::Done("started", 0),
                STARTED,
            ),
            found(
                "store_restarted",
                "tikv-2",
                "info",
                After::Done("started", 0),
                STARTED,
            ),
        ],
        meanwhile: &[Meanwhile {
            after: After::Done("killed", 0),
            seconds: 60,
            open: &[
                (
                    "regions_without_quorum",
                    "cluster",
                    "store_down",
                    &["tikv-0", "tikv-2"],
                ),
                ("store_down", "tikv-0", "store_down", &["tikv-0", "tikv-2"]),
                ("store_down", "tikv-2", "store_down", &["tikv-0", "tikv-2"]),
            ],
            pending: &[],
        }],
        may: &[],
        never: &["pd_unreachable", "slow_store"],
        logs: Logs {
            timeouts: true,
            transfers: true,
            told: &[
                ("tikv-0 killed or crashed", 1),
                ("tikv-2 killed or crashed", 1),
                ("regions without a leader", 1),
            ],
        },
    },
    Row {
        scenario: "evict-leader-left",
        found: &[],
        meanwhile: &[Meanwhile {
            after: After::Done("evict-leader added", 0),
            seconds: 120,
            open: &[],
            pending: &[("leftover_evict_leader", "tikv-0")],
        }],
        may: &[],
        never: &["store_restarted", "leftover_evict_leader", "pd_unreachable"],
        logs: Logs {
            timeouts: false,
            transfers: true,
            told: &[("PD took the leaders off tikv-0", 1)],
        },
    },
    Row {
        scenario: "hot-key",
        found: &[
            found(
                "hot_write_region",
                "the hot region",
                "info",
                After::Done("one key", 0),
                window(180, 60),
            ),
            found(
                "hot_write_region",
                "the hot region",
                "info",
                After::Listed,
                window(0, 60),
            ),
        ],
        meanwhile: &[],
        may: &[],
        never: &["store_restarted", "pd_unreachable"],
        logs: QUIET,
    },
    Row {
        scenario: "disk-fills",
        found: &[found(
            "low_disk_space",
            "tikv-0",
            "warning",
            After::Full(0.7),
            window(0, 0),
        )],
        meanwhile: &[],
        may: &[],
        never: &["store_restarted", "pd_unreachable"],
        logs: QUIET,
    },
    Row {
        scenario: "pd-leader-killed",
        found: &[found(
            "pd_member_unhealthy",
            "pd/pd-0",
            "warning",
            After::Done("pd-0 (leader) killed", 0),
            window(2, 30),
        )
        .until(After::Done("pd-0 started", 0), window(2, 30))],
        meanwhile: &[Meanwhile {
            after: After::Done("pd-0 (leader) killed", 0),
            seconds: 80,
            open: &[(
                "pd_member_unhealthy",
                "pd/pd-0",
                "pd_member_unhealthy",
                &["pd/pd-0"],
            )],
            pending: &[],
        }],
        may: &[],
        never: &[
            "pd_unreachable",
            "pd_no_leader",
            "store_down",
            "store_disconnected",
            "store_restarted",
            "low_disk_space",
        ],
        logs: Logs {
            timeouts: false,
            transfers: false,
            told: &[("PD member pd-0 killed or crashed", 1), ("leads", 2)],
        },
    },
    Row {
        scenario: "pd-all-down",
        found: &[found(
            "pd_unreachable",
            "cluster",
            "warning",
            After::Done("every PD killed", 0),
            window(2, 0),
        )
        .until(After::Done("every PD started", 0), window(2, 10))],
        meanwhile: &[Meanwhile {
            after: After::Done("every PD started", 0),
            seconds: 45,
            open: &[],
            // The schedulers are not there yet, for a minute.
            pending: &[("scheduling_halted", "cluster")],
        }],
        may: &[],
        never: &[
            "store_down",
            "store_disconnected",
            "store_restarted",
            "low_disk_space",
            "pd_no_leader",
            "pd_member_unhealthy",
        ],
        logs: Logs {
            timeouts: false,
            transfers: false,
            told: &[("killed or crashed", 3), ("leads", 1)],
        },
    },
];
