//! Which row of the catalogue a line is.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::catalogue::{CATALOGUE, PANIC, Pattern, Row, Writer};
use super::level::Level;
use super::line::{Damage, LogLine};
use super::mention::Body;

/// Words that make an event stand within so many bytes of the message's beginning; a backtrace of
/// many kilobytes behind them is not unescaped for their sake.
pub(super) const MAX_WORDS: usize = 4 << 10;

/// Rows by the first byte of their pattern.
static BY_FIRST_BYTE: LazyLock<[Vec<Prepared>; 256]> = LazyLock::new(|| {
    let mut table = [const { Vec::new() }; 256];
    for row in CATALOGUE {
        if let Some(&first) = row.pattern.start().as_bytes().first() {
            let further = match row.pattern {
                Pattern::Holds(_, part) => Some(Finder::new(part)),
                Pattern::Exact(_) | Pattern::Starts(_) => None,
            };
            table[usize::from(first)].push(Prepared { row, further });
        }
    }
    table
});

/// A row with its search for what stands further on, which takes longer to make than to run.
struct Prepared {
    row: &'static Row,
    further: Option<Finder<'static>>,
}

impl Prepared {
    fn matches(&self, body: &[u8]) -> bool {
        let start = self.row.pattern.start().as_bytes();
        body.starts_with(start)
            && match (&self.row.pattern, &self.further) {
                (Pattern::Exact(_), _) => body.len() == start.len(),
                (_, Some(further)) => further.find(&body[start.len()..]).is_some(),
                (_, None) => true,
            }
    }
}

/// The row of a message's words, for a statement in this source.
pub(super) fn row_of(body: &[u8], source: Option<&[u8]>) -> Option<&'static Row> {
    let rows = &BY_FIRST_BYTE[usize::from(*body.first()?)];
    let fits = |found: &&Prepared| {
        found.matches(body) && source.is_none_or(|source| writes(found.row.writer, source))
    };
    rows.iter().find(fits).map(|found| found.row)
}

pub(super) fn is_go(source: &[u8]) -> bool {
    let digits = source
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    source[..source.len() - digits].ends_with(b".go:")
}

fn writes(writer: Writer, source: &[u8]) -> bool {
    match writer {
        Writer::Raft => true,
        Writer::Tikv => !is_go(source),
        Writer::Pd => is_go(source),
    }
}

/// Words of a raft line in a text of which only the beginning of the head could be read.
fn row_in_damaged(text: &[u8]) -> Option<&'static Row> {
    CATALOGUE.iter().find(|row| {
        let (Pattern::Exact(start) | Pattern::Starts(start)) = row.pattern else {
            return false;
        };
        row.writer == Writer::Raft
            && memchr::memmem::find_iter(text, start).any(|at| at > 0 && text[at - 1] == b'"')
    })
}

pub(super) fn classify(line: &LogLine<'_>) -> Option<&'static Row> {
    let Some(message) = line.message else {
        // Copying mangles sources, and the words behind one are whole. Where the message itself is
        // broken nothing is guessed.
        return if line.damage.has(Damage::SOURCE) {
            row_in_damaged(line.trailing)
        } else {
            None
        };
    };
    let message = message.start(MAX_WORDS).bytes();
    row_of(Body::of(&message).text, line.source).or_else(|| {
        let fatal =
            line.level == Some(Level::Fatal) && line.source.is_none_or(|source| !is_go(source));
        (fatal && line.field("backtrace").is_some()).then_some(&PANIC)
    })
}
