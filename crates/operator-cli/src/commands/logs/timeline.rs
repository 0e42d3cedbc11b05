//! `operator logs timeline`: what happened to the leaders of a cluster.

mod gaps;
mod json;
mod page;
mod weight;
mod words;

use std::num::NonZero;
use std::thread;

use operator_tikv::log_parser::files::{FileError, Window, first_time, last_time, scan_files};
use operator_tikv::log_parser::{Finding, Stamp, Tally, Timeline, TimelineBuilder};

use super::inputs::Log;
use super::progress::{self, Progress};
use super::{Manner, account, resolve, stream};
use crate::args;
use crate::failure::Outcome;
use weight::Weight;

pub(super) fn run(command: args::Timeline, manner: &Manner) -> Outcome {
    let (logs, window) = resolve(&command.input, manner)?;
    let read = read(&logs, manner);
    let story = Story {
        logs,
        window,
        regions: command.region,
        elections: command.elections,
        limit: command.limit.and_then(|limit| usize::try_from(limit).ok()),
        read,
    };
    let text = match manner.is_json() {
        true => {
            let mut bytes = Vec::new();
            super::json_line(&mut bytes, &json::Whole::of(&story));
            bytes
        }
        false => page::page(&story, manner)
            .written(&manner.terminal)
            .into_bytes(),
    };
    stream::write(&text)?;
    Ok(account::close(
        &story.read.tally,
        &story.read.failed,
        manner,
    ))
}

/// What is told, and of what.
struct Story {
    logs: Vec<Log>,
    window: Window,
    regions: Vec<u64>,
    elections: bool,
    limit: Option<usize>,
    read: Read,
}

/// What was read.
struct Read {
    timeline: Timeline,
    tally: Tally,
    failed: Vec<FileError>,
    /// The first and the last moment of the logs.
    span: Option<(Stamp, Stamp)>,
}

/// Reads every log to its end, whatever the window: who led before it, and whether a store came back after it,
/// stands outside.
fn read(logs: &[Log], manner: &Manner) -> Read {
    let mut progress = Progress::before_output(&manner.clock, progress::total(logs));
    let threads = thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let mut builder = TimelineBuilder::default();
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    let mut span: Option<(Stamp, Stamp)> = None;
    let mut before = 0;
    for log in logs {
        let id = match log.store {
            Some(store) => builder.add_log_of(&log.name, store),
            None => builder.add_log(&log.name),
        };
        let mut ends = first_and_last(log);
        let mut of_file = (None, 0);
        let told = scan_files(
            &log.files,
            Window::default(),
            threads,
            |found| {
                widen(&mut ends, found.event.time);
                builder.push(id, &found.event);
            },
            |path, now| {
                if of_file.0.as_deref() != Some(path) {
                    before += std::mem::take(&mut of_file.1);
                    of_file.0 = Some(path.to_owned());
                }
                of_file.1 = now.done_bytes;
                progress.look(before + now.done_bytes);
            },
        );
        before += of_file.1;
        match told {
            Ok(told) => tally.add(&told),
            Err(error) => failed.push(error),
        }
        if let Some((first, last)) = ends {
            widen(&mut span, Some(first));
            widen(&mut span, Some(last));
        }
    }
    progress.clear();
    Read {
        timeline: builder.finish(),
        tally,
        failed,
        span,
    }
}

/// The first and the last moment of a log, as far as its files say without being read.
fn first_and_last(log: &Log) -> Option<(Stamp, Stamp)> {
    let file = |path: Option<&std::path::PathBuf>| path.filter(|path| path.is_file()).cloned();
    let mut ends = None;
    if let Some(path) = file(log.files.first()) {
        widen(&mut ends, first_time(&path).ok().flatten());
    }
    if let Some(path) = file(log.files.last()) {
        widen(&mut ends, last_time(&path).ok().flatten());
    }
    ends
}

fn widen(span: &mut Option<(Stamp, Stamp)>, time: Option<Stamp>) {
    if let Some(time) = time {
        *span = Some(match *span {
            Some((first, last)) => (first.min(time), last.max(time)),
            None => (time, time),
        });
    }
}

impl Story {
    /// Whether something that lasted so long touches the window.
    fn is_within(&self, from: Stamp, until: Option<Stamp>) -> bool {
        self.window.until.is_none_or(|end| from <= end)
            && self
                .window
                .from
                .is_none_or(|begin| until.is_none_or(|until| begin <= until))
    }

    fn is_about(&self, region: u64) -> bool {
        self.regions.is_empty() || self.regions.contains(&region)
    }

    /// The findings of the window and of the regions that are asked for, by time.
    fn findings(&self) -> Vec<&Finding> {
        let all = self.read.timeline.findings().iter();
        let touches = |finding: &&Finding| {
            let (from, until) = weight::lasts(finding);
            self.is_within(from, until)
        };
        all.filter(touches)
            .filter(|finding| weight::is_about(finding, &self.regions))
            .collect()
    }

    /// So many of them, the weightiest, by time.
    fn weightiest(&self, most: usize) -> Vec<&Finding> {
        let mut found: Vec<(usize, &Finding)> = self.findings().into_iter().enumerate().collect();
        found.sort_by_key(|(at, finding)| (Weight::of(finding), *at));
        found.truncate(most);
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, finding)| finding).collect()
    }
}
