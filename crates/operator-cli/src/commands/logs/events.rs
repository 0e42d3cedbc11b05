//! `operator logs events`: the lines that say something, in few words each.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use operator_tikv::log_parser::files::Window;
use operator_tikv::log_parser::{
    Ballot, EventClass, EventKind, EventScanner, Level, LogEvent, Origin, Stamp, Tally,
};
use serde::Serialize;

use super::inputs;
use super::merging::Sink;
use super::progress::{self, Progress};
use super::reading::{self, Maker, Piece};
use super::when::Zone;
use super::{Manner, account, resolve, stream};
use crate::args::{self, Format};
use crate::failure::Outcome;
use crate::term::Terminal;
use crate::text::{Line, Page, Tone};

pub(super) fn run(command: &args::Events, manner: &Manner) -> Outcome {
    let (logs, window) = resolve(&command.input, manner)?;
    if command.stream.follow {
        inputs::check_growing(&logs)?;
    }
    let filter = Arc::new(Filter::of(command));
    let task = stream::Task {
        reading: reading::Manner {
            window,
            follows: command.stream.follow,
        },
        limit: command.stream.limit,
        progress: Progress::beside_output(&manner.clock, progress::total(&logs)),
    };
    let widest = match logs.len() {
        1 => None,
        _ => logs.iter().map(|log| crate::text::width(&log.name)).max(),
    };
    let writer = Arc::new(Writer {
        format: manner.format,
        zone: manner.zone.clone(),
        // A line that is too long for the terminal is broken by the terminal: it stays one line when it is copied.
        terminal: Terminal {
            size: None,
            ..manner.terminal
        },
        widest,
    });
    let done = stream::run(&logs, task, |log| Events {
        scanner: EventScanner::new(),
        teller: Teller {
            name: Arc::clone(&log.name),
            store: log.store,
            window,
            filter: Arc::clone(&filter),
            writer: Arc::clone(&writer),
            time: None,
        },
    })?;
    if done.written == 0 {
        account::nothing_in(&window, &logs, manner);
    }
    let tally = account::sum(done.makers.iter().map(Maker::tally));
    Ok(account::close(&tally, &done.failed, manner))
}

/// Which events are wanted; what is empty asks nothing.
#[derive(Debug)]
struct Filter {
    classes: Vec<EventClass>,
    kinds: Vec<EventKind>,
    regions: BTreeSet<u64>,
    stores: BTreeSet<u64>,
    names: Vec<String>,
    terms: BTreeSet<u64>,
    level: Option<Level>,
}

impl Filter {
    fn of(command: &args::Events) -> Self {
        Self {
            classes: command.class.clone(),
            kinds: command.kind.clone(),
            regions: command.region.iter().copied().collect(),
            stores: command
                .store
                .iter()
                .filter_map(|store| store.parse().ok())
                .collect(),
            names: command.store.clone(),
            terms: command.term.iter().copied().collect(),
            level: command.level,
        }
    }

    fn passes(&self, event: &LogEvent, log: &str, own: Option<u64>) -> bool {
        let among = |wanted: &BTreeSet<u64>, id: Option<u64>| {
            wanted.is_empty() || id.is_some_and(|id| wanted.contains(&id))
        };
        let level = |least: Level| event.level.is_none_or(|level| level >= least);
        (self.classes.is_empty() || self.classes.contains(&event.class()))
            && (self.kinds.is_empty() || self.kinds.contains(&event.kind))
            && among(&self.regions, event.region)
            && (self.terms.is_empty()
                || among(&self.terms, event.term)
                || among(&self.terms, event.election))
            && self.level.is_none_or(level)
            && self.is_of_store(event, log, own)
    }

    fn is_of_store(&self, event: &LogEvent, log: &str, own: Option<u64>) -> bool {
        // What PD moves, it moves between stores; raft names peers there.
        let moved = match event.origin {
            Origin::Pd => [event.from, event.to],
            Origin::Tikv | Origin::Etcd => [None, None],
        };
        let mut stores = [event.store, own].into_iter().chain(moved).flatten();
        self.names.is_empty()
            || self.names.iter().any(|name| name == log)
            || stores.any(|store| self.stores.contains(&store))
    }
}

struct Events {
    scanner: EventScanner,
    teller: Teller,
}

/// Tells those events of a log that are asked for.
struct Teller {
    name: Arc<str>,
    /// The store, once the log or the command line has said so.
    store: Option<u64>,
    window: Window,
    filter: Arc<Filter>,
    writer: Arc<Writer>,
    time: Option<Stamp>,
}

impl Maker for Events {
    fn take(&mut self, piece: &Piece<'_>, sink: &mut Sink) {
        if piece.cut {
            self.scanner.count_too_long();
        }
        let begin = piece.offset.unwrap_or_default();
        self.scanner.scan_at(begin, piece.bytes, |found| {
            let offset = piece.offset.map(|_| found.offset);
            self.teller.tell(&found.event, piece.path, offset, sink);
        });
    }

    fn end(&mut self, path: &Arc<Path>, sink: &mut Sink) {
        self.scanner.finish(|found| {
            let offset = Some(found.offset);
            self.teller.tell(&found.event, path, offset, sink);
        });
    }

    fn tally(&self) -> &Tally {
        self.scanner.tally()
    }
}

impl Teller {
    fn tell(&mut self, event: &LogEvent, file: &Path, offset: Option<u64>, sink: &mut Sink) {
        if event.kind == EventKind::StoreStarted {
            self.store = event.store.or(self.store);
        }
        // A line without a time is as old as the event before it, as far as can be known.
        self.time = event.time.or(self.time);
        let whole = self.window == Window::default();
        let wanted = whole || self.time.is_some_and(|time| self.window.holds(time));
        if wanted && self.filter.passes(event, &self.name, self.store) {
            let place = Place {
                log: &self.name,
                own: self.store,
                file,
                offset,
            };
            sink.put(event.time, |bytes| self.writer.write(event, &place, bytes));
        }
    }
}

/// Where an event stands.
struct Place<'a> {
    log: &'a str,
    own: Option<u64>,
    file: &'a Path,
    offset: Option<u64>,
}

#[derive(Debug)]
struct Writer {
    format: Format,
    zone: Zone,
    terminal: Terminal,
    /// How wide the names of the logs are; none where there is only one.
    widest: Option<usize>,
}

impl Writer {
    fn write(&self, event: &LogEvent, place: &Place<'_>, bytes: &mut Vec<u8>) {
        match self.format {
            Format::Json => super::json_line(bytes, &Row::of(event, place)),
            Format::Text => {
                let mut page = Page::default();
                page.line(self.line(event, place));
                // Memory takes whatever it is given.
                let _ = bytes.write_all(page.written(&self.terminal).as_bytes());
            }
        }
    }

    fn line(&self, event: &LogEvent, place: &Place<'_>) -> Line {
        let time = event
            .time
            .map_or_else(|| "no time".to_owned(), |time| self.zone.moment(time));
        let mut line = Line::default().faint(format!("{time:24} "));
        if let Some(widest) = self.widest {
            line = line.plain(format!("{:widest$}  ", place.log));
        }
        line = line.tone(tone(event), event.kind.as_str());
        let numbers = [
            ("region", event.region),
            ("term", event.term),
            ("peer", event.peer),
            ("from", event.from),
            ("to", event.to),
            ("store", event.store),
        ];
        for (name, number) in numbers {
            if let Some(number) = number {
                line = line.plain(format!(" {name}={number}"));
            }
        }
        if let Some(ballot) = event.ballot.and_then(ballot) {
            line = line.plain(format!(" ballot={ballot}"));
        }
        if event.was_leader == Some(true) {
            line = line.plain(" was_leader=true");
        }
        if let Some(reason) = &event.reason {
            line = line.faint(": ").plain(reason);
        }
        line
    }
}

fn tone(event: &LogEvent) -> Tone {
    match (event.kind, event.level) {
        (EventKind::Panicked, _) | (_, Some(Level::Error | Level::Fatal | Level::Panic)) => {
            Tone::Bad
        }
        (_, Some(Level::Warn)) => Tone::Warn,
        (EventKind::BecameLeader | EventKind::Ready | EventKind::PdLeaderReady, _) => Tone::Good,
        _ => Tone::Strong,
    }
}

fn ballot(ballot: Ballot) -> Option<&'static str> {
    match ballot {
        Ballot::PreVote => Some("pre_vote"),
        Ballot::Vote => Some("vote"),
        Ballot::Other => None,
    }
}

/// An event for programs.
#[derive(Debug, Serialize)]
struct Row<'a> {
    ts_utc: Option<String>,
    log: &'a str,
    /// The store that wrote it, where that is known.
    log_store_id: Option<u64>,
    class: &'static str,
    kind: &'static str,
    origin: &'static str,
    level: Option<&'static str>,
    region_id: Option<u64>,
    peer_id: Option<u64>,
    term: Option<u64>,
    election_term: Option<u64>,
    from: Option<u64>,
    to: Option<u64>,
    store_id: Option<u64>,
    ballot: Option<&'static str>,
    was_leader: Option<bool>,
    reason: Option<&'a str>,
    file: String,
    offset: Option<u64>,
}

impl<'a> Row<'a> {
    fn of(event: &'a LogEvent, place: &Place<'a>) -> Self {
        Self {
            ts_utc: event.time.map(|time| time.to_string()),
            log: place.log,
            log_store_id: place.own,
            class: event.class().as_str(),
            kind: event.kind.as_str(),
            origin: match event.origin {
                Origin::Tikv => "tikv",
                Origin::Pd => "pd",
                Origin::Etcd => "etcd",
            },
            level: event.level.map(Level::as_str),
            region_id: event.region,
            peer_id: event.peer,
            term: event.term,
            election_term: event.election,
            from: event.from,
            to: event.to,
            store_id: event.store,
            ballot: event.ballot.and_then(ballot),
            was_leader: event.was_leader,
            reason: event.reason.as_deref(),
            file: place.file.display().to_string(),
            offset: place.offset,
        }
    }
}
