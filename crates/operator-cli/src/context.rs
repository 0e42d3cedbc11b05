//! How this invocation answers: in which form, to what kind of terminal, with times of which zone.

use std::io::{self, Write};

use jiff::tz::TimeZone;
use operator_core::Timestamp;
use serde::Serialize;

use crate::args::{Format, Output};
use crate::config::Config;
use crate::failure::{Failure, Outcome};
use crate::term::Terminal;
use crate::text::Page;

/// How this invocation answers.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) format: Format,
    pub(crate) terminal: Terminal,
    pub(crate) zone: TimeZone,
}

/// Something that can be said to people and to programs.
pub(crate) trait Answer: Serialize {
    /// What people read.
    fn page(&self, context: &Context) -> Page;
}

impl Context {
    /// As the flags say, or else the file.
    pub(crate) fn new(output: &Output, config: &Config) -> Self {
        let local = match (output.utc, output.local) {
            (true, _) => false,
            (_, true) => true,
            _ => config.output.local.unwrap_or(false),
        };
        let format = output.output.or(config.output.format);
        Self {
            format: format.unwrap_or(Format::Text),
            terminal: Terminal::of_stdout(output.color),
            zone: match local {
                true => TimeZone::system(),
                false => TimeZone::UTC,
            },
        }
    }

    /// A moment with its zone, to the second.
    pub(crate) fn when(&self, at: Timestamp) -> String {
        let Ok(moment) = jiff::Timestamp::from_second(at.unix_millis().div_euclid(1000)) else {
            return at.to_string();
        };
        match self.zone == TimeZone::UTC {
            true => moment.to_string(),
            false => {
                let offset = self.zone.to_offset(moment);
                moment.display_with_offset(offset).to_string()
            }
        }
    }

    /// The time of day alone, where the day is known.
    pub(crate) fn time_of_day(&self, at: Timestamp) -> String {
        match jiff::Timestamp::from_second(at.unix_millis().div_euclid(1000)) {
            Ok(moment) => moment
                .to_zoned(self.zone.clone())
                .strftime("%H:%M:%S")
                .to_string(),
            Err(_) => at.to_string(),
        }
    }

    /// Says it, in the form that was asked for.
    pub(crate) fn say(&self, answer: &impl Answer) -> Outcome<()> {
        match self.format {
            Format::Text => print(&answer.page(self).written(&self.terminal)),
            Format::Json => print(&json(answer)?),
        }
    }

    /// Says it to people on the lines below, whatever the form of the answer.
    pub(crate) fn write(&self, page: &Page) -> Outcome<()> {
        print(&page.written(&self.terminal))
    }
}

/// One object, readable, with a line's end behind it.
fn json(answer: &impl Serialize) -> Outcome<String> {
    let text = serde_json::to_string_pretty(answer);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::local(format!("cannot write the answer: {error}")))
}

/// One object in one line.
pub(crate) fn json_line(answer: &impl Serialize) -> Outcome<String> {
    let text = serde_json::to_string(answer);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::local(format!("cannot write the answer: {error}")))
}

/// Prints. A reader that has gone away has seen enough: that is no failure.
pub(crate) fn print(text: &str) -> Outcome<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::local(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) => Ok(()),
    }
}

/// Prints, and tells whether anybody still reads.
pub(crate) fn print_on(text: &str) -> Outcome<bool> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::local(format!(
            "cannot write to standard output: {error}"
        ))),
        Ok(()) => Ok(true),
    }
}
