//! One store: its process as it is, and what PD knows of it.

use crate::num::{self, Millis};
use crate::shape::{LabelStyle, Shape};

use super::traffic::Counters;

/// The process, as it really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    Running,
    Frozen,
    Dead,
}

/// What kind of store it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Tikv,
    /// A columnar store: learners only, and its own ports and metrics.
    Tiflash,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tikv => "tikv",
            Self::Tiflash => "tiflash",
        }
    }
}

/// PD's decision about a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meta {
    Up,
    Offline,
    Tombstone,
}

/// The state that PD shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    Up,
    Disconnected,
    Down,
    Offline,
    Tombstone,
}

impl Seen {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Up => "Up",
            Self::Disconnected => "Disconnected",
            Self::Down => "Down",
            Self::Offline => "Offline",
            Self::Tombstone => "Tombstone",
        }
    }
}

/// What PD remembers of a store's reports. Times are model times; those before the cluster began are negative.
#[derive(Debug, Clone)]
pub(crate) struct Reports {
    pub(crate) start: i64,
    pub(crate) last: Option<i64>,
    /// The last report that PD wrote down, which is what its next leader begins with.
    pub(crate) persisted: Option<i64>,
    /// The present PD leader has had a report: sizes are known.
    pub(crate) sized: bool,
    pub(crate) available: u64,
    pub(crate) used: u64,
    pub(crate) slow_score: u32,
    pub(crate) busy: bool,
}

/// A removal in progress.
#[derive(Debug, Clone)]
pub(crate) struct Removal {
    pub(crate) initial_mib: u64,
    /// (time, MiB left) of the newest looks, oldest first.
    pub(crate) looks: Vec<(Millis, u64)>,
    /// The furthest it has come; never less than before.
    pub(crate) progress: f64,
}

impl Removal {
    /// MiB per second over the remembered looks; `None` before the second look.
    pub(crate) fn speed(&self) -> Option<f64> {
        let (first, last) = (self.looks.first()?, self.looks.last()?);
        let span = num::seconds(last.0.checked_sub(first.0)?);
        (span > 0.0).then(|| first.1.saturating_sub(last.1) as f64 / span)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) id: u64,
    pub(crate) engine: Engine,
    pub(crate) host: String,
    pub(crate) version: String,
    pub(crate) capacity: u64,
    pub(crate) filled_by_others: u64,
    pub(crate) process: Process,
    /// When it fell silent, while it is silent.
    pub(crate) silent_since: Option<Millis>,
    pub(crate) life: u32,
    pub(crate) started: i64,
    pub(crate) meta: Meta,
    pub(crate) destroyed: bool,
    pub(crate) removal: Option<Removal>,
    pub(crate) reports: Reports,
    pub(crate) busy_until: Millis,
    /// When it may next receive a peer (PD's store limit).
    pub(crate) next_add: Millis,
    pub(crate) phase: Millis,
    pub(crate) counters: Counters,
    pub(crate) probe_score: f64,
}

impl Store {
    pub(crate) fn new(place: u16, shape: &Shape, phase: Millis) -> Self {
        let week = num::signed(7 * 24 * 60 * num::MINUTE);
        let others = num::whole(shape.capacity_bytes as f64 * shape.fill);
        Self {
            id: u64::from(place) + 1,
            engine: Engine::Tikv,
            host: host(place, shape.labels),
            version: shape.release.version().to_owned(),
            capacity: shape.capacity_bytes,
            filled_by_others: others,
            process: Process::Running,
            silent_since: None,
            life: 0,
            started: -week,
            meta: Meta::Up,
            destroyed: false,
            removal: None,
            reports: Reports {
                start: -week,
                last: Some(num::signed(phase) - num::signed(10 * num::SECOND)),
                persisted: Some(-num::signed(2 * num::MINUTE)),
                sized: true,
                available: shape.capacity_bytes - others,
                used: 0,
                slow_score: 1,
                busy: false,
            },
            busy_until: 0,
            next_add: 0,
            phase,
            counters: Counters::default(),
            probe_score: 1.0,
        }
    }

    /// A store that PD knows of, and that never reported.
    pub(crate) fn never_reported(mut self, now: Millis) -> Self {
        self.process = Process::Dead;
        self.silent_since = Some(now);
        self.reports.last = None;
        self.reports.persisted = None;
        self.reports.sized = false;
        self.reports.start = num::signed(now);
        self
    }

    /// The same, with TiFlash on it.
    pub(crate) fn tiflash(mut self, number: u16, style: LabelStyle) -> Self {
        self.engine = Engine::Tiflash;
        match style {
            LabelStyle::Tiup => {}
            LabelStyle::Operator => {
                self.host = format!("basic-tiflash-{number}.basic-tiflash-peer.tidb.svc");
            }
            LabelStyle::Compose => self.host = format!("tiflash{number}"),
        }
        self.version.insert(0, 'v');
        self
    }

    pub(crate) fn is_running(&self) -> bool {
        self.process == Process::Running
    }

    pub(crate) fn is_tikv(&self) -> bool {
        self.engine == Engine::Tikv
    }

    pub(crate) fn address(&self) -> String {
        self.at_port(20160, 3930)
    }

    /// Where raft messages go.
    pub(crate) fn peer_address(&self) -> String {
        self.at_port(20160, 20170)
    }

    pub(crate) fn status_address(&self) -> String {
        self.at_port(20180, 20292)
    }

    fn at_port(&self, tikv: u16, tiflash: u16) -> String {
        let port = if self.is_tikv() { tikv } else { tiflash };
        format!("{}:{port}", self.host)
    }

    /// PD's name for its state at `now`.
    pub(crate) fn seen(&self, now: Millis, down_after: Millis) -> Seen {
        match self.meta {
            Meta::Offline => Seen::Offline,
            Meta::Tombstone => Seen::Tombstone,
            Meta::Up => match self.reports.last {
                None => Seen::Down,
                Some(last) if num::since(now, last) > down_after => Seen::Down,
                Some(last) if num::since(now, last) > 20 * num::SECOND => Seen::Disconnected,
                Some(_) => Seen::Up,
            },
        }
    }
}

/// The host of the store in this place, called as its kind of deployment calls it: one address each, a pod, a service.
fn host(place: u16, style: LabelStyle) -> String {
    let number = place + 1;
    match style {
        LabelStyle::Tiup => format!("10.0.{}.{}", number / 250, number % 250 + 1),
        LabelStyle::Operator => format!("basic-tikv-{place}.basic-tikv-peer.tidb.svc"),
        LabelStyle::Compose => format!("tikv{place}"),
    }
}
