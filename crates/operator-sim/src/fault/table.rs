//! The table of faults. One entry is all that a fault needs: the model knows conditions, not faults.

use crate::cluster::condition::{
    Conditions, Ended, Flow, Heat, MemberCondition, Replicas, StoreCondition,
};
use crate::cluster::event::Ending;
use crate::num::Millis;

use super::Args;

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ParamKind {
    /// Ids of stores, with commas.
    Stores,
    /// A region's id, or `last`.
    Region,
    /// Names of PD members with commas, `leader` or `all`.
    Members,
    /// A number within bounds.
    Number {
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
    /// A span of time.
    Span,
    /// A word; one of the choices where there are any.
    Word {
        /// What it may be.
        choices: &'static [&'static str],
    },
}

/// One parameter of a fault.
#[derive(Debug, Clone, Copy)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub kind: ParamKind,
    /// What it is when it is not given; `None` where it must be.
    pub default: Option<&'static str>,
}

/// One kind of fault.
#[derive(Clone, Copy)]
pub struct Fault {
    /// Its name.
    pub name: &'static str,
    /// What happens, in a line.
    pub summary: &'static str,
    /// What it takes beside `at` and `for`.
    pub params: &'static [Param],
    /// Writes what it does after this long, given its onset.
    pub(crate) apply: fn(&mut Conditions, &Args, Millis, Millis),
    /// How often what it does changes by itself.
    pub(crate) period: fn(&Args) -> Option<Millis>,
    /// How long it lasts unless told.
    pub(crate) lasts: fn(&Args) -> Option<Millis>,
}

impl std::fmt::Debug for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fault({})", self.name)
    }
}

/// Every fault there is, in the order of the documentation.
#[must_use]
pub fn faults() -> &'static [Fault] {
    FAULTS
}

const fn fault(
    name: &'static str,
    summary: &'static str,
    params: &'static [Param],
    apply: fn(&mut Conditions, &Args, Millis, Millis),
) -> Fault {
    Fault {
        name,
        summary,
        params,
        apply,
        period: |_| None,
        lasts: |_| None,
    }
}

const STORE: Param = param("store", ParamKind::Stores, None);

const fn param(name: &'static str, kind: ParamKind, default: Option<&'static str>) -> Param {
    Param {
        name,
        kind,
        default,
    }
}

const fn number(name: &'static str, low: f64, high: f64, default: &'static str) -> Param {
    param(name, ParamKind::Number { low, high }, Some(default))
}

const fn span(name: &'static str, default: &'static str) -> Param {
    param(name, ParamKind::Span, Some(default))
}

const MEMBER: Param = param("member", ParamKind::Members, Some("leader"));

fn each_store(conditions: &mut Conditions, args: &Args, edit: impl Fn(&mut StoreCondition)) {
    for id in &args.stores {
        let place = id.checked_sub(1).map(crate::num::place);
        if let Some(store) = place.and_then(|place| conditions.stores.get_mut(place)) {
            edit(store);
        }
    }
}

fn each_member(conditions: &mut Conditions, args: &Args, edit: impl Fn(&mut MemberCondition)) {
    for (place, _) in &args.members {
        if let Some(member) = conditions.members.get_mut(*place) {
            edit(member);
        }
    }
}

/// A store ends; being dead wins over being frozen.
fn end(conditions: &mut Conditions, args: &Args, how: Ending) {
    each_store(conditions, args, |store| {
        if how != Ending::Frozen || store.ended.is_none() {
            store.ended = Some(Ended { how });
        }
    });
}

fn heat(conditions: &mut Conditions, args: &Args, flow: Flow, since: Millis) {
    if let Some((region, _)) = args.region {
        conditions.heat.push(Heat {
            region,
            flow,
            per_second: args.number("rate"),
            since,
            grows: flow == Flow::Write && args.tail,
        });
    }
}

/// The length of one turn of a flapping store: a second at least.
fn turn(args: &Args) -> Millis {
    args.span("every").max(crate::num::SECOND)
}

static FAULTS: &[Fault] = &[
    fault(
        "store-killed",
        "the store's process dies; it starts again at the end",
        &[STORE],
        |c, a, _, _| end(c, a, Ending::Killed),
    ),
    fault(
        "store-stopped",
        "the store is stopped in good order (SIGTERM); it starts again at the end",
        &[STORE],
        |c, a, _, _| end(c, a, Ending::Stopped),
    ),
    Fault {
        lasts: |args| Some(args.span("away")),
        ..fault(
            "store-restarted",
            "the store's process dies and starts again after a short while",
            &[STORE, span("away", "5s")],
            |c, a, _, _| end(c, a, Ending::Killed),
        )
    },
    Fault {
        period: |args| Some(turn(args)),
        ..fault(
            "store-flapping",
            "the store dies and starts in turns of equal length",
            &[STORE, span("every", "15s")],
            |c, a, elapsed, _| {
                if (elapsed / turn(a)).is_multiple_of(2) {
                    end(c, a, Ending::Killed);
                }
            },
        )
    },
    fault(
        "store-frozen",
        "the store's process stands still (SIGSTOP) and goes on at the end",
        &[STORE],
        |c, a, _, _| end(c, a, Ending::Frozen),
    ),
    fault(
        "store-cut-from-pd",
        "the store serves its clients but cannot reach PD",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.cut_from_pd = true),
    ),
    fault(
        "stores-parted",
        "the store and the others do not reach each other, though PD reaches all",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.parted = true),
    ),
    fault(
        "network-slow",
        "messages between the store and the others take longer by this many milliseconds",
        &[STORE, number("ms", 0.0, 60_000.0, "200")],
        |c, a, _, _| each_store(c, a, |s| s.network_ms = Some(a.number("ms"))),
    ),
    fault(
        "disk-slow",
        "the store's disk is slower by a factor; from 100 on TiKV's own probe notices",
        &[STORE, number("factor", 1.0, 10_000.0, "30")],
        |c, a, _, _| each_store(c, a, |s| s.disk_slow = Some(a.number("factor"))),
    ),
    fault(
        "reads-slow",
        "the store's reads are slower by a factor",
        &[STORE, number("factor", 1.0, 10_000.0, "60")],
        |c, a, _, _| each_store(c, a, |s| s.read_slow = Some(a.number("factor"))),
    ),
    fault(
        "all-slow",
        "every store is slower by the same factor, as under load",
        &[number("factor", 1.0, 10_000.0, "30")],
        |c, a, _, _| c.all_slow = Some(a.number("factor")),
    ),
    fault(
        "disk-fills",
        "the store's disk fills to a level within a time",
        &[STORE, number("level", 0.0, 1.0, "0.92"), span("over", "0s")],
        |c, a, _, _| {
            each_store(c, a, |s| s.fill = Some((a.number("level"), a.span("over"))));
        },
    ),
    fault(
        "memory-high",
        "the store's memory is at a part of its quota",
        &[STORE, number("level", 0.0, 1.2, "0.93")],
        |c, a, _, _| each_store(c, a, |s| s.memory = Some(a.number("level"))),
    ),
    Fault {
        period: |_| Some(15 * crate::num::SECOND),
        ..fault(
            "memory-grows",
            "the store's memory grows to a part of its quota within a time",
            &[
                STORE,
                number("level", 0.4, 1.2, "0.95"),
                span("over", "10m"),
            ],
            |c, a, elapsed, _| {
                let over = a.span("over").max(1) as f64;
                let part = (elapsed as f64 / over).min(1.0);
                each_store(c, a, |s| {
                    s.memory = Some(0.4 + (a.number("level") - 0.4) * part);
                });
            },
        )
    },
    fault(
        "cpu-high",
        "the store uses a part of its cores",
        &[STORE, number("level", 0.0, 1.0, "0.95")],
        |c, a, _, _| each_store(c, a, |s| s.cpu = Some(a.number("level"))),
    ),
    fault(
        "server-busy",
        "a part of the store's writes is refused as busy",
        &[STORE, number("part", 0.0, 1.0, "0.05")],
        |c, a, _, _| each_store(c, a, |s| s.busy = Some(a.number("part"))),
    ),
    fault(
        "flow-control",
        "the store's flow control discards a part of the writes",
        &[STORE, number("part", 0.0, 1.0, "0.1")],
        |c, a, _, _| each_store(c, a, |s| s.discard = Some(a.number("part"))),
    ),
    fault(
        "write-stall",
        "the store's writes stand still for a part of the time",
        &[STORE, number("part", 0.0, 1.0, "0.1")],
        |c, a, _, _| each_store(c, a, |s| s.stalled = Some(a.number("part"))),
    ),
    fault(
        "raft-log-lag",
        "a fifth of the regions that the store leads have a peer that lags by this many entries",
        &[STORE, number("entries", 0.0, 1e6, "5000")],
        |c, a, _, _| each_store(c, a, |s| s.log_lag = Some(a.number("entries"))),
    ),
    fault(
        "leader-missing",
        "the store raises its flag for regions that have long had no leader",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.leader_missing = true),
    ),
    fault(
        "critical-error",
        "the store counts critical errors",
        &[STORE, number("per_minute", 0.0, 1e6, "6")],
        |c, a, _, _| {
            each_store(c, a, |s| {
                s.critical_errors = Some(a.number("per_minute") / 60.0);
            });
        },
    ),
    fault(
        "version-mix",
        "the store runs another version, and goes on doing so",
        &[
            STORE,
            param("version", ParamKind::Word { choices: &[] }, Some("8.1.2")),
        ],
        |c, a, _, _| each_store(c, a, |s| s.version = Some(a.word("version").to_owned())),
    ),
    fault(
        "peers-pending",
        "a tenth of the store's followers stop following",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.pending_stuck = true),
    ),
    fault(
        "replicas-missing",
        "a tenth of the regions have no replica on the store any more, and PD makes up for none",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.replicas = Some(Replicas::Missing)),
    ),
    fault(
        "replicas-surplus",
        "a tenth of the regions have one replica more, on the store, and PD removes none",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.replicas = Some(Replicas::Surplus)),
    ),
    fault(
        "learners-stuck",
        "a tenth of the regions have a learner on the store that never votes",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.replicas = Some(Replicas::Learner)),
    ),
    fault(
        "store-removed",
        "somebody removes the store; taken back at the end if it is not gone",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.removing = true),
    ),
    fault(
        "no-target",
        "PD finds no store to place peers on: removals and repairs stand still",
        &[],
        |c, _, _, _| c.pd.no_target = true,
    ),
    fault(
        "store-never-reported",
        "PD knows of one more store, which never reports (and stays)",
        &[],
        |c, _, _, _| c.pd.never_reported = true,
    ),
    fault(
        "evict-leader-left",
        "an evict-leader scheduler holds the store",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.evict_leader = true),
    ),
    fault(
        "leader-skew",
        "leaders gather on the store, up to a number of times the mean",
        &[STORE, number("times", 1.0, 100.0, "2")],
        |c, a, _, _| each_store(c, a, |s| s.leader_skew = Some(a.number("times"))),
    ),
    fault(
        "scheduling-halted",
        "PD's halt-scheduling is on",
        &[],
        |c, _, _, _| c.pd.halted = true,
    ),
    fault(
        "limits-zero",
        "PD's limits for leaders, regions and replicas are 0",
        &[],
        |c, _, _, _| c.pd.no_limits = true,
    ),
    fault(
        "scheduler-missing",
        "a balance scheduler is not there",
        &[SCHEDULER],
        |c, a, _, _| c.pd.removed.push(a.word("scheduler").to_owned()),
    ),
    fault(
        "scheduler-paused",
        "a balance scheduler is paused",
        &[SCHEDULER],
        |c, a, _, _| c.pd.paused.push(a.word("scheduler").to_owned()),
    ),
    fault(
        "data-grows",
        "new data is written to all regions, and those that grow too large are split",
        &[number("mib", 0.0, 10_000.0, "10")],
        |c, a, _, _| c.growth_mib += a.number("mib"),
    ),
    fault(
        "tables-dropped",
        "a part of the regions is left empty, and PD merges them",
        &[number("part", 0.0, 1.0, "0.2")],
        |c, a, _, _| c.dropped = c.dropped.max(a.number("part")),
    ),
    fault(
        "hot-write",
        "writes gather on one region: on one key; `last` is the tail of the key space, which grows and is split",
        &[REGION, number("rate", 0.0, 1e7, "4000")],
        |c, a, _, onset| heat(c, a, Flow::Write, onset),
    ),
    fault(
        "hot-read",
        "reads gather on one region",
        &[REGION, number("rate", 0.0, 1e7, "20000")],
        |c, a, _, onset| heat(c, a, Flow::Read, onset),
    ),
    fault(
        "pd-killed",
        "members of PD die and start again at the end",
        &[MEMBER],
        |c, a, _, _| each_member(c, a, |m| m.dead = true),
    ),
    fault(
        "pd-frozen",
        "members of PD stand still and go on at the end",
        &[MEMBER],
        |c, a, _, _| each_member(c, a, |m| m.frozen = true),
    ),
    fault(
        "pd-unhealthy",
        "members of PD fail the others' health checks, though they answer",
        &[MEMBER],
        |c, a, _, _| each_member(c, a, |m| m.unhealthy = true),
    ),
    fault(
        "pd-slow",
        "PD's answers come late",
        &[span("delay", "3s")],
        |c, a, _, _| c.pd.slow = Some(a.span("delay")),
    ),
    fault(
        "pd-fails",
        "every answer of PD is an error 500",
        &[],
        |c, _, _, _| c.pd.fails = true,
    ),
    fault(
        "pd-truncates",
        "PD's answers end in the middle",
        &[],
        |c, _, _, _| c.pd.truncates = true,
    ),
    fault(
        "pd-unknown-keys",
        "the objects in PD's answers have a key that nobody knows",
        &[],
        |c, _, _, _| c.pd.unknown_keys = true,
    ),
    fault(
        "pd-other-cluster",
        "PD answers with another cluster's id",
        &[],
        |c, _, _, _| c.pd.other_cluster = true,
    ),
    fault(
        "pd-clock",
        "PD's clock is ahead by this many seconds (negative: behind)",
        &[number("seconds", -86_400.0, 86_400.0, "30")],
        |c, a, _, _| c.pd.clock_ahead = milliseconds(a.number("seconds")),
    ),
    fault(
        "prometheus-down",
        "Prometheus does not answer, and scrapes nothing",
        &[],
        |c, _, _, _| c.prometheus.down = true,
    ),
    fault(
        "prometheus-stale",
        "Prometheus answers, but scrapes nothing more",
        &[],
        |c, _, _, _| c.prometheus.stale = true,
    ),
    fault(
        "prometheus-renamed",
        "the label `instance` is called `node`",
        &[],
        |c, _, _, _| c.prometheus.renamed = true,
    ),
    fault(
        "prometheus-clock",
        "Prometheus' clock is ahead by this many seconds (negative: behind)",
        &[number("seconds", -86_400.0, 86_400.0, "30")],
        |c, a, _, _| c.prometheus.clock_ahead = milliseconds(a.number("seconds")),
    ),
    fault(
        "store-unscraped",
        "the store is no target of Prometheus any more",
        &[STORE],
        |c, a, _, _| each_store(c, a, |s| s.unscraped = true),
    ),
];

const SCHEDULER: Param = param(
    "scheduler",
    ParamKind::Word {
        choices: &crate::cluster::pd::BALANCERS,
    },
    Some("balance-leader-scheduler"),
);

const REGION: Param = param("region", ParamKind::Region, None);

fn milliseconds(seconds: f64) -> i64 {
    let size = crate::num::signed(crate::num::millis(seconds.abs()));
    if seconds < 0.0 { -size } else { size }
}
