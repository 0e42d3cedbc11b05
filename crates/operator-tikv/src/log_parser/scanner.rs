//! Events of a chunk of lines: the fast path.

use memchr::memchr;

use super::event::{Gathered, LogEvent, classify, row_of};
use super::fault::Reason;
use super::mention::Body;
use super::scan::{self, Section};
use super::skim::{Skim, Skimmer};
use super::tally::Tally;
use super::{parse_lenient, parse_line_with};

/// An event and where its line is.
#[derive(Debug)]
pub struct Found<'a> {
    /// Where the line begins in the chunk.
    pub offset: usize,
    /// The line without its end.
    pub line: &'a [u8],
    /// What it says.
    pub event: LogEvent,
}

/// Finds the events in chunks of whole lines.
///
/// Lines that cannot be events are known by a look at their head and are not parsed; every other
/// line is, leniently. The account of both is [`EventScanner::tally`].
///
/// ```
/// use operator_tikv::log_parser::{EventKind, EventScanner};
/// let log = b"[2024/08/14 16:25:23.105 +08:00] [INFO] [store.rs:1] [\"nothing to see\"] [a=1]\n\
///             [2024/08/14 16:25:23.106 +08:00] [INFO] [raft.rs:2] [\"became leader at term 6\"] [term=6] [region_id=2]\n";
/// let mut scanner = EventScanner::new();
/// let mut kinds = Vec::new();
/// scanner.scan(log, |found| kinds.push((found.offset, found.event.kind)));
/// assert_eq!(kinds, [(78, EventKind::BecameLeader)]);
/// assert_eq!((scanner.tally().lines, scanner.tally().skimmed), (2, 1));
/// ```
#[derive(Default)]
pub struct EventScanner {
    skimmer: Skimmer,
    scratch: Vec<u8>,
    tally: Tally,
}

impl std::fmt::Debug for EventScanner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventScanner")
            .field("tally", &self.tally)
            .finish_non_exhaustive()
    }
}

impl EventScanner {
    /// A scanner with an empty account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How the lines so far were read.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Counts a line that the reader had to cut.
    pub fn count_too_long(&mut self) {
        *self.tally.unrecognised.entry(Reason::TooLong).or_default() += 1;
    }

    /// Hands over the events of these lines in order. The chunk begins at the start of a line; a
    /// last line without an end is taken as a line.
    pub fn scan<'a>(&mut self, chunk: &'a [u8], mut each: impl FnMut(Found<'a>)) {
        let (mut lines, mut skimmed) = (0, 0);
        let mut at = 0;
        while at < chunk.len() {
            let end = line_end(chunk, at);
            let line = &chunk[at..end];
            lines += 1;
            let event = match self.skimmer.look(line) {
                Skim::Dull => {
                    skimmed += 1;
                    None
                }
                Skim::Candidate => match self.candidate(line) {
                    Candidate::Read(event) => event,
                    Candidate::Dull => {
                        skimmed += 1;
                        None
                    }
                    Candidate::Odd => self.odd(line),
                },
                Skim::Odd => self.odd(line),
            };
            if let Some(event) = event {
                each(Found {
                    offset: at,
                    line,
                    event,
                });
            }
            at = end + 1;
        }
        self.tally.lines += lines;
        self.tally.skimmed += skimmed;
    }

    /// A line whose first words are those of a row: its message first, then its fields.
    fn candidate(&mut self, line: &[u8]) -> Candidate {
        let Some((source, message)) = source_and_message(line) else {
            return Candidate::Odd;
        };
        let bytes = message.bytes();
        let fatal = line.get(34) == Some(&b'F');
        let Some(row) = row_of(Body::of(&bytes).text, Some(source)) else {
            return if fatal {
                Candidate::Odd
            } else {
                Candidate::Dull
            };
        };
        let mut gathered = Gathered::default();
        let parsed = parse_line_with(line, |field| {
            field.into_iter().for_each(|field| gathered.take(field))
        });
        match parsed {
            Ok(parsed) => {
                let event = gathered.finish(row, &parsed);
                self.tally.strict += 1;
                Candidate::Read(event)
            }
            Err(_) => Candidate::Odd,
        }
    }

    fn odd(&mut self, line: &[u8]) -> Option<LogEvent> {
        let read = parse_lenient(line, &mut self.scratch);
        self.tally.count(&read);
        // The caller counts every line once.
        self.tally.lines -= 1;
        let read = read.ok()?;
        let row = classify(&read)?;
        let mut gathered = Gathered::default();
        read.fields().for_each(|field| gathered.take(field));
        gathered.finish(row, &read)
    }
}

enum Candidate {
    /// A strict record, and the event if it is one after all.
    Read(Option<LogEvent>),
    Dull,
    Odd,
}

/// Where the line that begins at `at` ends: at its line feed, or with the chunk.
#[inline]
fn line_end(chunk: &[u8], at: usize) -> usize {
    memchr(b'\n', &chunk[at..]).map_or(chunk.len(), |found| at + found)
}

fn source_and_message(line: &[u8]) -> Option<(&[u8], super::Text<'_>)> {
    let level = line.get(33)?;
    let (_, after) = if *level == b'[' {
        scan::bare(line, 34)
    } else {
        return None;
    };
    let (source, after) = scan::bare(line, after + 3);
    match scan::section(line, after + 2) {
        Ok((Section::Message(text), _)) => Some((source.raw(), text)),
        _ => None,
    }
}
