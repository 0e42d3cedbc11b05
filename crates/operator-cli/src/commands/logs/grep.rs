//! `operator logs grep`: the lines whose message, fields, level and source are as asked for.

use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

use memchr::memrchr;
use operator_tikv::log_parser::files::{Filter, Finder, Window, time_of};
use operator_tikv::log_parser::{LogLine, Stamp, Tally, parse_lenient, parse_line};
use serde::Serialize;

use super::inputs::{self, Log};
use super::line::Labels;
use super::merging::Sink;
use super::progress::{self, Progress};
use super::reading::{self, Maker, Piece};
use super::{Manner, NOT_FOUND, account, resolve, stream};
use crate::args::{Format, Grep};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::text::visible;

pub(super) fn run(command: Grep, manner: &Manner) -> Outcome {
    let filter = filter(&command)?;
    let (logs, window) = resolve(&command.input, manner)?;
    if command.stream.follow {
        inputs::check_growing(&logs)?;
    }
    let total = progress::total(&logs);
    let task = stream::Task {
        reading: reading::Manner {
            window,
            follows: command.stream.follow,
        },
        limit: command.stream.limit,
        progress: match command.count {
            true => Progress::before_output(&manner.clock, total),
            false => Progress::beside_output(&manner.clock, total),
        },
    };
    let asked = Arc::new(Asked {
        finder: Finder::of(&filter),
        filter,
        window,
        form: match (command.count, manner.format) {
            (true, _) => Form::Count,
            (false, Format::Json) => Form::Json,
            (false, Format::Text) => Form::Line {
                escapes: manner.terminal.size.is_some(),
            },
        },
        named: logs.len() > 1,
    });
    let done = stream::run(&logs, task, |log| Search::new(log, Arc::clone(&asked)))?;
    if command.count {
        count(&done.makers, manner)?;
    }
    let found = done.makers.iter().any(|search| search.found > 0);
    if !found {
        account::nothing_in(&window, &logs, manner);
    }
    let tally = account::sum(done.makers.iter().map(Maker::tally));
    match account::close(&tally, &done.failed, manner) {
        Exit::Healthy if !found && !done.makers.is_empty() => Ok(NOT_FOUND),
        other => Ok(other),
    }
}

fn filter(command: &Grep) -> Outcome<Filter> {
    let filter = match command.anywhere {
        true => Filter::new().grep(&command.pattern),
        false => Filter::new().message(&command.pattern),
    };
    let mut filter = filter.map_err(|error| {
        Failure::usage(error.to_string())
            .hint("a backslash before each of . * + ? ( ) [ ] { } ^ $ | that is meant as it stands")
    })?;
    for field in &command.field {
        filter = filter.field(field.clone());
    }
    for source in &command.source {
        filter = filter.source(source);
    }
    Ok(match command.level {
        Some(level) => filter.at_least(level),
        None => filter,
    })
}

/// What is asked of every line, and what is done with one that passes.
#[derive(Debug)]
struct Asked {
    filter: Filter,
    finder: Finder,
    window: Window,
    form: Form,
    named: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it stands; with control characters shown and not obeyed where a terminal would obey them.
    Line {
        escapes: bool,
    },
    Json,
    Count,
}

struct Search {
    name: Arc<str>,
    asked: Arc<Asked>,
    found: u64,
    time: Option<Stamp>,
    scratch: Vec<u8>,
    tally: Tally,
}

impl Search {
    fn new(log: &Log, asked: Arc<Asked>) -> Self {
        Self {
            name: Arc::clone(&log.name),
            asked,
            found: 0,
            time: None,
            scratch: Vec::new(),
            tally: Tally::default(),
        }
    }
}

impl Maker for Search {
    fn take(&mut self, piece: &Piece<'_>, sink: &mut Sink) {
        let asked = Arc::clone(&self.asked);
        let whole = asked.window == Window::default();
        let mut from = 0;
        while let Some(place) = asked.finder.next_line(piece.bytes, from) {
            from = place.end + 1;
            let offset = piece.offset.map(|offset| offset + place.start as u64);
            let line = piece.bytes.get(place.clone()).unwrap_or_default();
            let read = parse_lenient(line, &mut self.scratch);
            self.tally.count(&read);
            let passes = match &read {
                Ok(read) => asked.filter.matches(read),
                Err(_) => asked.filter.matches_raw(line),
            };
            if !passes {
                continue;
            }
            let own = read.as_ref().ok().and_then(LogLine::time);
            self.time = own
                .or_else(|| time_before(piece.bytes, place.start))
                .or(self.time);
            if !whole && !self.time.is_some_and(|time| asked.window.holds(time)) {
                continue;
            }
            self.found += 1;
            let log = asked.named.then_some(&*self.name);
            match asked.form {
                Form::Count => {}
                Form::Line { escapes } => {
                    sink.put(self.time, |bytes| as_it_stands(bytes, log, line, escapes))
                }
                Form::Json => {
                    let whole = read.as_ref().is_ok_and(|read| read.damage().is_none());
                    let fault = match whole {
                        true => None,
                        false => parse_line(line).err(),
                    };
                    let read = read.ok();
                    let row = Row {
                        log: &self.name,
                        file: piece.path.display().to_string(),
                        offset,
                        line: String::from_utf8_lossy(line),
                        labels: Labels::of(line, fault, read.as_ref()),
                    };
                    sink.put(self.time, |bytes| super::json_line(bytes, &row));
                }
            }
        }
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }
}

/// So many lines above one without a time are asked for theirs.
const ABOVE: usize = 200;

/// The time of the line above that has one.
fn time_before(lines: &[u8], at: usize) -> Option<Stamp> {
    let mut end = at.checked_sub(1)?;
    for _ in 0..ABOVE {
        let above = lines.get(..end)?;
        let start = memrchr(b'\n', above).map_or(0, |at| at + 1);
        let time = time_of(above.get(start..)?);
        if time.is_some() || start == 0 {
            return time;
        }
        end = start - 1;
    }
    None
}

fn as_it_stands(bytes: &mut Vec<u8>, log: Option<&str>, line: &[u8], escapes: bool) {
    if let Some(log) = log {
        // Memory takes whatever it is given.
        let _ = write!(bytes, "{log}: ");
    }
    let obeyed = |byte: &u8| (byte.is_ascii_control() && *byte != b'\t') || *byte >= 0x80;
    match escapes && line.iter().any(obeyed) {
        true => bytes.extend(visible(&String::from_utf8_lossy(line)).as_bytes()),
        false => bytes.extend(line),
    }
    bytes.push(b'\n');
}

/// A line that was found, for programs.
#[derive(Serialize)]
struct Row<'a> {
    log: &'a str,
    file: String,
    offset: Option<u64>,
    /// The line as it stands.
    line: Cow<'a, str>,
    #[serde(flatten)]
    labels: Labels<'a>,
}

/// How many lines of a log were found.
#[derive(Serialize)]
struct Count<'a> {
    log: &'a str,
    count: u64,
}

fn count(searches: &[Search], manner: &Manner) -> Outcome<()> {
    let mut out = Vec::new();
    for search in searches {
        let (log, count) = (&*search.name, search.found);
        // Memory takes whatever it is given.
        let _ = match (manner.is_json(), searches.len()) {
            (true, _) => {
                super::json_line(&mut out, &Count { log, count });
                Ok(())
            }
            (false, 1) => writeln!(out, "{count}"),
            (false, _) => writeln!(out, "{log}: {count}"),
        };
    }
    stream::write(&out)
}
