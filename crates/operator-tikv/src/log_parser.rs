//! Reads the logs of TiKV, PD and TiDB.
//!
//! A line becomes a [`LogLine`], borrowed and unescaped only where asked; a line that says
//! something about leadership, regions, links, pressure or the process becomes an event; the
//! events of a cluster become a timeline of elections.
//!
//! ```
//! use operator_tikv::log_parser::{Level, parse_line};
//! let line = parse_line(r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1217] ["became leader at term 6"] [term=6] [raft_id=5] [region_id=2]"#)?;
//! assert_eq!(line.level(), Some(Level::Info));
//! assert_eq!(line.time().map(|time| time.to_string()).as_deref(), Some("2024-08-14T08:25:23.105Z"));
//! assert_eq!(line.message().map(|text| text.to_string()).as_deref(), Some("became leader at term 6"));
//! assert_eq!(line.field("region_id").and_then(|id| id.number()), Some(2));
//! # Ok::<(), operator_tikv::log_parser::Fault>(())
//! ```
//!
//! Data flows one way: bytes, lines, events, timeline. Nothing here asks for the time or the
//! network, and nothing of the rest of this crate is used.

mod block;
mod catalogue;
mod chunks;
mod classify;
mod container;
mod ends;
mod event;
mod fault;
#[cfg(feature = "logs")]
pub mod files;
mod heads;
mod json;
mod json_record;
mod kind;
mod legacy;
mod lenient;
mod level;
mod line;
mod mention;
mod pieces;
mod record;
mod scan;
mod scanner;
mod skim;
mod stamp;
mod stops;
mod tally;
mod text;
mod timeline;
mod unified;
mod word;

pub use catalogue::{CATALOGUE, ElectionTerm, Pattern, Row, Writer, catalogue_markdown};
pub use chunks::{Chunk, Chunks, LineReader, MAX_LINE, RawLine};
pub use container::Joiner;
pub use event::{Ballot, LogEvent, Origin, events, region_in_text, region_of, term_of};
pub use fault::{Fault, Reason};
pub use json_record::{JsonRecord, JsonValue};
pub use kind::{EventClass, EventKind};
pub use lenient::parse_lenient;
pub use level::Level;
pub use line::{AllSections, Damage, Field, Format, LogLine};
pub use record::{Dialect, Record, Unwritable};
pub use scanner::{EventScanner, Found};
pub use stamp::{STAMP_LEN, Stamp};
pub use tally::Tally;
pub use text::Text;
pub use timeline::{
    Election, ElectionKind, Eviction, Finding, Flapping, Hopeless, LogId, Missing, Outage,
    OutageKind, PdMove, Reign, ReignEnd, Rejection, Restart, Server, Storm, Thresholds, Timeline,
    TimelineBuilder, Told,
};

/// Reads one whole record of the unified text format or of the JSON format.
///
/// Blanks around the line and one carriage return at its end are no part of the record.
///
/// # Errors
/// A [`Fault`] that says what is missing and at which byte. [`parse_lenient`] recovers more.
pub fn parse_line(line: &(impl AsRef<[u8]> + ?Sized)) -> Result<LogLine<'_>, Fault> {
    parse_line_with(line, |_| {})
}

/// Like [`parse_line`], and hands over every field on the way; `None` is an empty section, `[]`.
///
/// This is the fastest way to see all fields of every line: they are scanned once. Fields of a
/// line that turns out to be no record have been handed over before the fault is known.
///
/// # Errors
/// As [`parse_line`].
pub fn parse_line_with<'a>(
    line: &'a (impl AsRef<[u8]> + ?Sized),
    each: impl FnMut(Option<Field<'a>>),
) -> Result<LogLine<'a>, Fault> {
    let line = line.as_ref();
    let record = trim(line);
    let base = line.len() - line.trim_ascii_start().len();
    match record.first() {
        None => Err(Fault {
            reason: Reason::Empty,
            at: 0,
        }),
        Some(b'{') => json::parse(record, base, each),
        // Without a time TiKV leaves the blank before the level; it belongs to the record.
        Some(b'[')
            if base > 0
                && record.get(1).is_some_and(u8::is_ascii_alphabetic)
                && line[base - 1] == b' ' =>
        {
            unified::parse(&line[base - 1..base + record.len()], base - 1, each)
        }
        Some(_) => unified::parse(record, base, each),
    }
}

/// The line without blanks around it and its line end.
fn trim(line: &[u8]) -> &[u8] {
    line.trim_ascii()
}

/// The examples of the guide are run.
#[cfg(all(doctest, feature = "logs"))]
#[doc = include_str!("../../../docs/LOGS.md")]
pub struct Guide;
