//! `operator logs parse`: each line as one JSON object.

use std::sync::Arc;

use operator_tikv::log_parser::files::{Window, time_of};
use operator_tikv::log_parser::{Stamp, Tally, parse_lenient, parse_line};
use serde::Serialize;

use super::inputs::{self, Log};
use super::line::Labels;
use super::merging::Sink;
use super::progress::{self, Progress};
use super::reading::{self, Maker, Piece};
use super::{Manner, account, resolve, stream};
use crate::args::Parse;
use crate::failure::Outcome;

pub(super) fn run(command: Parse, manner: &Manner) -> Outcome {
    let (logs, window) = resolve(&command.input, manner)?;
    if command.stream.follow {
        inputs::check_growing(&logs)?;
    }
    let named = logs.len() > 1;
    let several = named || logs.iter().any(|log| log.files.len() > 1);
    let task = stream::Task {
        reading: reading::Manner {
            window,
            follows: command.stream.follow,
        },
        limit: command.stream.limit,
        progress: Progress::beside_output(&manner.clock, progress::total(&logs)),
    };
    let done = stream::run(&logs, task, |log| Parsing::new(log, window, named, several))?;
    if done.written == 0 {
        account::nothing_in(&window, &logs, manner);
    }
    let tally = account::sum(done.makers.iter().map(Maker::tally));
    Ok(account::close(&tally, &done.failed, manner))
}

struct Parsing {
    log: Option<Arc<str>>,
    window: Window,
    several_files: bool,
    n: u64,
    time: Option<Stamp>,
    scratch: Vec<u8>,
    tally: Tally,
}

/// A line of the answer.
#[derive(Serialize)]
struct Row<'a> {
    /// The number of the line in its file, from 1.
    n: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(flatten)]
    labels: Labels<'a>,
}

impl Parsing {
    fn new(log: &Log, window: Window, named: bool, several_files: bool) -> Self {
        Self {
            log: named.then(|| Arc::clone(&log.name)),
            window,
            several_files,
            n: 0,
            time: None,
            scratch: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn is_wanted(&mut self, line: &[u8]) -> bool {
        if self.window == Window::default() {
            return true;
        }
        // A line without a time is as old as the one before it.
        self.time = time_of(line).or(self.time);
        self.time.is_some_and(|time| self.window.holds(time))
    }
}

impl Maker for Parsing {
    fn take(&mut self, piece: &Piece<'_>, sink: &mut Sink) {
        if piece.begins {
            self.n = 0;
        }
        let text = piece.bytes.strip_suffix(b"\n").unwrap_or(piece.bytes);
        for line in text.split(|byte| *byte == b'\n') {
            self.n += 1;
            if !self.is_wanted(line) {
                continue;
            }
            let read = parse_lenient(line, &mut self.scratch);
            self.tally.count(&read);
            let whole = read.as_ref().is_ok_and(|read| read.damage().is_none());
            let fault = match whole {
                true => None,
                false => parse_line(line).err(),
            };
            let read = read.ok();
            let row = Row {
                n: self.n,
                log: self.log.as_deref(),
                file: self.several_files.then(|| piece.path.display().to_string()),
                labels: Labels::of(line, fault, read.as_ref()),
            };
            let time = read.as_ref().and_then(|read| read.time());
            sink.put(time, |bytes| super::json_line(bytes, &row));
        }
    }

    fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Lines are numbered from the first.
    fn seeks(&self) -> bool {
        false
    }
}
