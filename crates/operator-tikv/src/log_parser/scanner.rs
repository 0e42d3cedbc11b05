//! Events of a chunk of lines: the fast path.

use super::classify::{MAX_WORDS, row_of};
use super::container::Piece;
use super::event::{Gathered, LogEvent};
use super::fault::Reason;
use super::heads::{Head, Heads};
use super::line::Damage;
use super::mention::Body;
use super::pieces::{Joined, Pieces, Put};
use super::scan::{self, Section};
use super::skim::{Skim, Skimmer};
use super::stops::ByWord;
use super::tally::Tally;
use super::{parse_lenient, parse_line_with};

/// An event and where its line is.
#[derive(Debug)]
pub struct Found<'a> {
    /// Where the line begins, told as the chunk's place is; of a record that a container runtime
    /// cut, where its first piece does, which may be in a chunk before.
    pub offset: u64,
    /// The line without its end; of a record that was cut, the text that its pieces make.
    pub line: &'a [u8],
    /// What it says.
    pub event: LogEvent,
}

/// Finds the events in chunks of whole lines.
///
/// Lines that cannot be events are known by a look at their head and are not parsed; every other
/// line is, leniently. The account of both is [`EventScanner::tally`].
///
/// What a container runtime cut in pieces is put together (see [`Joiner`](super::Joiner)), the
/// container's two streams apart: its event comes with the last piece. A line of no container, a
/// piece that begins a record, 16 MiB, and [`EventScanner::finish`] put an end to what still waits;
/// then it is read as far as it came.
///
/// ```
/// use operator_tikv::log_parser::{EventKind, EventScanner};
/// let log = b"[2024/08/14 16:25:23.105 +08:00] [INFO] [store.rs:1] [\"nothing to see here\"] [a=1]\n\
///             [2024/08/14 16:25:23.106 +08:00] [INFO] [raft.rs:2] [\"became leader at term 6\"] [term=6] [region_id=2]\n";
/// let mut scanner = EventScanner::new();
/// let mut kinds = Vec::new();
/// scanner.scan(log, |found| kinds.push((found.offset, found.event.kind)));
/// assert_eq!(kinds, [(83, EventKind::BecameLeader)]);
/// assert_eq!((scanner.tally().lines, scanner.tally().skimmed), (2, 1));
/// ```
#[derive(Default)]
pub struct EventScanner {
    skimmer: Skimmer,
    scratch: Vec<u8>,
    tally: Tally,
    pieces: Pieces,
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
    /// last line without an end is taken as a line. Places are told from the start of the chunk.
    pub fn scan(&mut self, chunk: &[u8], each: impl FnMut(Found<'_>)) {
        self.scan_at(0, chunk, each);
    }

    /// Like [`EventScanner::scan`], for a chunk that begins at this place of its file: places are
    /// told from the start of the file.
    pub fn scan_at(&mut self, offset: u64, chunk: &[u8], mut each: impl FnMut(Found<'_>)) {
        let mut heads = Heads::new(chunk);
        while let Some(batch) = heads.next(&mut self.skimmer) {
            let mut dull = batch.lines as u64;
            self.tally.lines += batch.lines as u64;
            for &Head { begin, end, skim } in batch.of_interest {
                let line = chunk.get(begin..end).unwrap_or_default();
                // Dull lines are not seen here, but they leave a gap.
                if self.pieces.are_held() && !self.pieces.are_followed_by(begin) {
                    self.finish(&mut each);
                }
                let offset = offset + begin as u64;
                let candidate = match skim {
                    Skim::Candidate => self.candidate(line),
                    _ => None,
                };
                let read = match candidate {
                    Some(read) => {
                        self.finish(&mut each);
                        read
                    }
                    None => self.odd(Place { line, offset, end }, &mut each),
                };
                dull -= u64::from(!matches!(read, Read::Dull));
                if let Read::Event(event) = read {
                    each(Found {
                        offset,
                        line,
                        event,
                    });
                }
            }
            self.tally.skimmed += dull;
        }
        if self.pieces.are_held() && !self.pieces.chunk_ended(chunk.len()) {
            self.finish(&mut each);
        }
    }

    /// Reads what waits for its last piece as far as it came: at the end of a file or stream, so
    /// that nothing is lost and nothing is joined with another file.
    pub fn finish(&mut self, mut each: impl FnMut(Found<'_>)) {
        while let Some(joined) = self.pieces.end() {
            // The last of its lines stands for the record.
            self.tally.pieces -= 1;
            read_joined(&joined, &mut self.scratch, &mut self.tally, &mut each);
        }
    }

    /// Whether a record waits for its last piece.
    #[cfg(feature = "logs")]
    pub(super) fn is_holding(&self) -> bool {
        self.pieces.are_held()
    }

    /// The account since it was last taken.
    #[cfg(feature = "logs")]
    pub(super) fn take_tally(&mut self) -> Tally {
        std::mem::take(&mut self.tally)
    }

    /// A line whose first words are those of a row: its message first, then its fields. `None`
    /// where it must be read in another way.
    fn candidate(&mut self, line: &[u8]) -> Option<Read> {
        let (source, message) = source_and_message(line)?;
        let message = message.start(MAX_WORDS).bytes();
        let Some(row) = row_of(Body::of(&message).text, Some(source)) else {
            // The words of a panic are its own.
            return (line.get(34) != Some(&b'F')).then_some(Read::Dull);
        };
        let mut gathered = Gathered::default();
        let parsed = parse_line_with(line, |field| {
            if let Some(field) = field {
                gathered.take(&field);
            }
        });
        let parsed = parsed.ok()?;
        self.tally.strict += 1;
        Some(
            gathered
                .finish(row, &parsed)
                .map_or(Read::NoEvent, Read::Event),
        )
    }

    fn odd(&mut self, place: Place<'_>, mut each: impl FnMut(Found<'_>)) -> Read {
        let Place { line, offset, end } = place;
        if let Some(piece) = Piece::of(line) {
            self.pieces.line_ended(end);
            if let Some(joined) = self.pieces.ended_by(&piece) {
                self.tally.pieces -= 1;
                read_joined(&joined, &mut self.scratch, &mut self.tally, &mut each);
            }
            match self.pieces.put(&piece, offset) {
                Put::Alone => {}
                Put::Held => {
                    self.tally.pieces += 1;
                    return Read::NoEvent;
                }
                Put::Whole(joined) => {
                    read_joined(&joined, &mut self.scratch, &mut self.tally, &mut each);
                    return Read::NoEvent;
                }
            }
        } else {
            self.finish(each);
        }
        let read = parse_lenient(line, &mut self.scratch);
        self.tally.tell(&read);
        let event = read.ok().and_then(|read| LogEvent::of(&read));
        event.map_or(Read::NoEvent, Read::Event)
    }
}

/// A line and where it is: where it begins in the file, and where it ends in the chunk.
#[derive(Clone, Copy)]
struct Place<'a> {
    line: &'a [u8],
    offset: u64,
    end: usize,
}

fn read_joined(
    joined: &Joined<'_>,
    scratch: &mut Vec<u8>,
    tally: &mut Tally,
    mut each: impl FnMut(Found<'_>),
) {
    let mut read = parse_lenient(joined.text, scratch);
    if let Ok(line) = &mut read {
        line.damage = line.damage.and(Damage::JOINED);
    }
    tally.tell(&read);
    if let Some(event) = read.ok().and_then(|read| LogEvent::of(&read)) {
        each(Found {
            offset: joined.offset,
            line: joined.text,
            event,
        });
    }
}

/// Bytes of a line among which a message must end to be read before the rest of its line.
const LOOKED_AT: usize = 2 * MAX_WORDS;

/// What reading a line gave.
enum Read {
    Event(LogEvent),
    /// It was read, and is none.
    NoEvent,
    /// Its first words are not those of any event; it was not read further.
    Dull,
}

/// The source, and the message where it ends soon: a longer one is read in the other way, so as not to be
/// searched for its end twice.
fn source_and_message(line: &[u8]) -> Option<(&[u8], super::Text<'_>)> {
    let line = line.get(..LOOKED_AT).unwrap_or(line);
    let level = line.get(33)?;
    let (_, after) = if *level == b'[' {
        scan::bare(line, 34, &mut ByWord)
    } else {
        return None;
    };
    let (source, after) = scan::bare(line, after + 3, &mut ByWord);
    match scan::section(line, after + 2, &mut ByWord) {
        Ok((Section::Message(text), _)) => Some((source.raw(), text)),
        _ => None,
    }
}
