//! Commands that read logs.

use std::ffi::OsString;

use clap::{Args as ClapArgs, Subcommand};
use operator_tikv::log_parser::files::FieldFilter;
use operator_tikv::log_parser::{EventClass, EventKind, Level};

use crate::commands::logs::When;
use crate::nearest;

/// What every command about logs ends its help with.
const AFTER: &str = "\
A file is read with what it was rotated into, a folder with every *.log in it; compressed files are read as
they are. Several logs are merged by time, and each line says whose it is.
Moments: 30m (ago), end-30m (before the last line), 2026-11-21T18:00:00Z, '2026-11-21 18:00', or as logs have
them, '2026/11/21 18:00:00.000 +08:00'.

Exit status: 0 all was read, 3 not everything could be, 64 the command line or the name of a file is wrong;
of `grep` also 1 where no line was found.";

/// Read the logs of TiKV and PD
#[derive(Debug, ClapArgs)]
pub(crate) struct Logs {
    #[command(subcommand)]
    pub(crate) command: LogsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogsCommand {
    /// Tell what happened to the leaders: elections, storms, gaps, lost stores, restarts
    #[command(after_help = AFTER)]
    Timeline(Timeline),
    /// List the lines that say something about leaders, regions, links, pressure, processes
    #[command(after_help = AFTER)]
    Events(Events),
    /// Find lines by their message, fields, level, source
    #[command(after_help = AFTER)]
    Grep(Grep),
    /// Print each line as one JSON object, with how it was read
    #[command(after_help = AFTER)]
    Parse(Parse),
}

/// Which logs, and which stretch of time.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Input {
    /// Files, folders, or `-` for standard input; STORE= before one says whose log it is
    #[arg(required = true, value_name = "[STORE=]FILE")]
    pub(crate) files: Vec<OsString>,
    /// Leave out what was written before this moment
    #[arg(long, value_name = "WHEN", value_parser = When::parse, help_heading = "Input")]
    pub(crate) since: Option<When>,
    /// Leave out what was written after this moment
    #[arg(long, value_name = "WHEN", value_parser = When::parse, help_heading = "Input")]
    pub(crate) until: Option<When>,
    /// Read the named files alone, not what they were rotated into
    #[arg(long, help_heading = "Input")]
    pub(crate) no_rotated: bool,
}

/// What is told of a stream of lines.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Stream {
    /// Go on with what is written from now on; ends on Ctrl-C
    #[arg(short, long, conflicts_with = "until", help_heading = "Input")]
    pub(crate) follow: bool,
    /// End after this many
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Timeline {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Tell of these regions alone, and all of them
    #[arg(long, value_name = "ID[,ID]", value_delimiter = ',')]
    pub(crate) region: Vec<u64>,
    /// List every election
    #[arg(long)]
    pub(crate) elections: bool,
    /// Show this many of each list at most [default: 20, in JSON all]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) limit: Option<u64>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Events {
    #[command(flatten)]
    pub(crate) input: Input,
    /// Of these classes: leadership, region, link, pressure, process
    #[arg(long, value_name = "CLASS[,CLASS]", value_delimiter = ',', value_parser = class)]
    pub(crate) class: Vec<EventClass>,
    /// Of these kinds, as in became_leader: docs/LOGS.md lists them
    #[arg(long, value_name = "KIND[,KIND]", value_delimiter = ',', value_parser = kind)]
    pub(crate) kind: Vec<EventKind>,
    /// About these regions
    #[arg(long, value_name = "ID[,ID]", value_delimiter = ',')]
    pub(crate) region: Vec<u64>,
    /// By or about these stores: an id, or the name of a log
    #[arg(long, value_name = "STORE[,STORE]", value_delimiter = ',')]
    pub(crate) store: Vec<String>,
    /// Of these terms
    #[arg(long, value_name = "TERM[,TERM]", value_delimiter = ',')]
    pub(crate) term: Vec<u64>,
    /// Of this level or worse: debug, info, warn, error, fatal
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) level: Option<Level>,
    #[command(flatten)]
    pub(crate) stream: Stream,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Grep {
    /// What the message must match: a regular expression; letters match in either case where it has no capital
    pub(crate) pattern: String,
    #[command(flatten)]
    pub(crate) input: Input,
    /// Match anywhere in the line, not in its message alone
    #[arg(short, long)]
    pub(crate) anywhere: bool,
    /// A field must be so: KEY=VALUE, KEY!=VALUE, KEY=~PATTERN, KEY!~PATTERN; all that are given must hold
    #[arg(long, value_name = "KEY=VALUE", value_parser = field)]
    pub(crate) field: Vec<FieldFilter>,
    /// Of this level or worse: debug, info, warn, error, fatal
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) level: Option<Level>,
    /// Written by this file, as in raft.rs or raft.rs:1217
    #[arg(long, value_name = "FILE[:LINE]", value_delimiter = ',')]
    pub(crate) source: Vec<String>,
    /// Only count the lines
    #[arg(short, long, conflicts_with_all = ["follow", "limit"])]
    pub(crate) count: bool,
    #[command(flatten)]
    pub(crate) stream: Stream,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Parse {
    #[command(flatten)]
    pub(crate) input: Input,
    #[command(flatten)]
    pub(crate) stream: Stream,
}

fn class(name: &str) -> Result<EventClass, String> {
    named("event class", name, &EventClass::ALL, |class| {
        class.as_str()
    })
}

fn kind(name: &str) -> Result<EventKind, String> {
    named("kind of event", name, EventKind::ALL, |kind| kind.as_str())
}

fn level(word: &str) -> Result<Level, String> {
    const KNOWN: [Level; 5] = [
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Fatal,
    ];
    let known = Level::parse(word.as_bytes()).filter(|level| KNOWN.contains(level));
    known.ok_or_else(|| nearest::unknown("level", word, KNOWN.map(name)))
}

fn name(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        _ => "fatal",
    }
}

fn field(text: &str) -> Result<FieldFilter, String> {
    FieldFilter::parse(text).map_err(|error| error.to_string())
}

/// One of these by its name.
fn named<T: Copy>(
    what: &str,
    name: &str,
    known: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, String> {
    let found = known.iter().copied().find(|one| name_of(*one) == name);
    found.ok_or_else(|| nearest::unknown(what, name, known.iter().map(|one| name_of(*one))))
}
