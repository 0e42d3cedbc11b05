//! The lines that the cluster's servers write about what happened, in the unified log format.
//!
//! The model knows events; only here do they become text. Sources and fields are those of TiKV 8.1 and PD 8.5.

mod line;
mod pd;
mod raft;
mod ranges;
mod stores;

use crate::cluster::Cluster;
use crate::cluster::event::{Cause, Event, EventKind};
use crate::shape::Release;

use line::{Line, render};

/// Whose file a line is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFile {
    /// A store's, by PD's id.
    Store(u64),
    /// A PD member's, by its name.
    Member(String),
}

impl std::fmt::Display for LogFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(id) => write!(f, "tikv-{id}.log"),
            Self::Member(name) => write!(f, "{name}.log"),
        }
    }
}

/// One line of one file, without its newline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// Unix milliseconds, as the line says them.
    pub unix_ms: i64,
    /// Whose it is.
    pub file: LogFile,
    /// The line.
    pub text: String,
}

/// The lines of one event, before they are text.
struct Lines<'a> {
    cluster: &'a Cluster,
    /// Model time of the event.
    at: i64,
    lines: Vec<(LogFile, Line)>,
}

impl Lines<'_> {
    /// A line of a store, so many milliseconds after the event.
    fn store(&mut self, store: u64, after: i64, line: Line) {
        let thread = self.cluster.shape.release > Release::V6_5;
        let line = if thread {
            line
        } else {
            line.without("thread_id")
        };
        self.push(LogFile::Store(store), after, line);
    }

    /// A line of PD's leader, if there is one to write it.
    fn pd(&mut self, after: i64, line: Line) {
        let leader = self
            .cluster
            .pd
            .leader
            .and_then(|leader| self.cluster.pd.members.get(leader));
        if let Some(name) = leader.map(|leader| leader.name.clone()) {
            self.push(LogFile::Member(name), after, line);
        }
    }

    fn push(&mut self, file: LogFile, after: i64, line: Line) {
        self.lines.push((file, line.at(self.at + after)));
    }
}

impl Cluster {
    /// What the servers' log files say about all kept events, in order of time; lines of one moment keep their order.
    #[must_use]
    pub fn log_lines(&self) -> Vec<LogLine> {
        let mut all: Vec<LogLine> = self
            .events()
            .flat_map(|event| self.lines_of(event))
            .collect();
        all.sort_by_key(|line| line.unix_ms);
        all
    }

    /// What the files say about one event.
    #[must_use]
    pub fn lines_of(&self, event: &Event) -> Vec<LogLine> {
        let mut lines = Lines {
            cluster: self,
            at: crate::num::signed(event.at_ms),
            lines: Vec::new(),
        };
        match &event.kind {
            EventKind::Elected {
                cause: Cause::Timeout,
                ..
            } => raft::election(&mut lines, &event.kind),
            EventKind::Elected {
                cause: Cause::Transfer,
                ..
            } => raft::transfer(&mut lines, &event.kind),
            EventKind::Hopeless {
                region,
                term,
                by,
                asked,
            } => raft::hopeless(&mut lines, *region, *term, *by, asked),
            EventKind::SteppedDown { region, term, from } => {
                raft::stepped_down(&mut lines, *region, *term, *from);
            }
            EventKind::Split { parent, born } => ranges::split(&mut lines, parent, born),
            EventKind::Merged { source, target } => ranges::merged(&mut lines, source, target),
            EventKind::StoreEnded {
                store,
                how,
                noticed_by,
            } => stores::ended(&mut lines, *store, *how, noticed_by),
            EventKind::StoreParted { store, noticed_by } => {
                stores::parted(&mut lines, *store, noticed_by);
            }
            EventKind::StoreStarted { store, peers } => stores::started(&mut lines, *store, *peers),
            EventKind::StoreThawed { store } => stores::thawed(&mut lines, *store),
            EventKind::PeerMoved { region, from, to } => {
                pd::peer_moved(&mut lines, *region, *from, *to);
            }
            EventKind::Member { name, running } => pd::member(&mut lines, name, *running),
            EventKind::PdLeader { name } => pd::leader(&mut lines, name.as_deref()),
            EventKind::StoreState { store, state } => pd::store_state(&mut lines, *store, state),
        }
        let unix = |line: &Line| self.unix_of(line.moment());
        lines
            .lines
            .iter()
            .map(|(file, line)| LogLine {
                unix_ms: unix(line),
                file: file.clone(),
                text: render(line, unix(line)),
            })
            .collect()
    }
}
