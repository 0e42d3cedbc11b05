//! `operator logs`: what the logs of a cluster tell.

mod account;
mod events;
mod grep;
mod inputs;
mod line;
mod merging;
mod parse;
mod progress;
mod reading;
mod stream;
mod timeline;
mod when;

pub(crate) use when::When;

use crate::args::{Format, Input, Logs, LogsCommand};
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::term::Terminal;
use inputs::Log;
use operator_core::{Clock, Timestamp};
use operator_tikv::log_parser::files::Window;
use when::{Moment, Zone};

/// Whether a part of what was named could not be read.
const UNREAD: Exit = Exit::Blind;
/// Nothing was found: the status that grep has for it.
const NOT_FOUND: Exit = Exit::Warning;

pub(crate) fn run(logs: Logs, verbose: u8, context: &Context) -> Outcome {
    let manner = Manner::of(context, verbose > 0);
    match logs.command {
        LogsCommand::Timeline(command) => timeline::run(command, &manner),
        LogsCommand::Events(command) => events::run(command, &manner),
        LogsCommand::Grep(command) => grep::run(command, &manner),
        LogsCommand::Parse(command) => parse::run(command, &manner),
    }
}

/// How an answer is written.
#[derive(Debug)]
struct Manner {
    format: Format,
    terminal: Terminal,
    zone: Zone,
    verbose: bool,
    clock: Clock,
}

impl Manner {
    fn of(context: &Context, verbose: bool) -> Self {
        Self {
            format: context.format,
            terminal: context.terminal,
            zone: Zone::new(context.zone.clone()),
            verbose,
            clock: Clock::system(),
        }
    }

    fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The logs that are named, and the stretch of time that is asked for.
fn resolve(input: &Input, manner: &Manner) -> Outcome<(Vec<Log>, Window)> {
    let logs = inputs::logs(input)?;
    let moment = |when: &Option<When>| {
        let now = manner.now();
        let end = || inputs::last_moment(&logs);
        when.as_ref()
            .map(|when| {
                when.at(&Moment {
                    now,
                    zone: &manner.zone,
                    end: &end,
                })
            })
            .transpose()
    };
    let window = Window {
        from: moment(&input.since)?,
        until: moment(&input.until)?,
    };
    when::check(&window, &manner.zone)?;
    Ok((logs, window))
}

/// One JSON object on a line of its own.
fn json_line(bytes: &mut Vec<u8>, row: &impl serde::Serialize) {
    let begin = bytes.len();
    // Rows have no keys but text, and memory takes whatever it is given.
    match serde_json::to_writer(&mut *bytes, row) {
        Ok(()) => bytes.push(b'\n'),
        Err(_) => bytes.truncate(begin),
    }
}
