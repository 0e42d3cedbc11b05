//! One look at a line's head: can it be an event?
//!
//! Nearly every line is none, and its head says so: time, level and source have fixed places, and
//! the first eight bytes of the message are in the catalogue or they are not. So a line that is no
//! event costs the search for its end and this look, whatever the number of rows.

use std::sync::LazyLock;

use super::catalogue::CATALOGUE;

/// What a look at the head says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skim {
    /// A record with a head as it should be, and no event.
    Dull,
    /// It may be an event.
    Candidate,
    /// The head is not the usual one: the whole line must be read.
    Odd,
}

/// Bytes of the longest head up to the source: `[time] [LEVEL] [`.
const HEAD: usize = 42;

/// How far the source's end is looked for.
const SOURCE: usize = 48;

const WORD: usize = 8;

/// Which messages may be events, by their first bytes.
struct Keys {
    /// A bit for the hash of each first eight bytes.
    bits: [u64; 1 << (KEY_BITS - 6)],
}

const KEY_BITS: u32 = 14;

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let mut keys = Keys {
        bits: [0; 1 << (KEY_BITS - 6)],
    };
    for row in CATALOGUE {
        if let Some(word) = row.pattern.start().as_bytes().first_chunk::<WORD>() {
            let hash = hash(u64::from_le_bytes(*word));
            keys.bits[hash >> 6] |= 1 << (hash & 63);
        }
    }
    keys
});

#[inline]
fn hash(word: u64) -> usize {
    // The top bits of a product are well mixed; they fit any usize.
    usize::try_from(word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - KEY_BITS)).unwrap_or(0)
}

/// A look at lines, with the table at hand.
pub(super) struct Skimmer {
    keys: &'static Keys,
}

impl Default for Skimmer {
    fn default() -> Self {
        Skimmer { keys: &KEYS }
    }
}

impl Skimmer {
    #[inline]
    pub(super) fn look(&self, line: &[u8]) -> Skim {
        let Some(head) = line.first_chunk::<HEAD>() else {
            return Skim::Odd;
        };
        let time = head[0] == b'['
            && head[5] == b'/'
            && head[31] == b']'
            && head[32] == b' '
            && head[33] == b'[';
        let source = match (head[38], head[39], head[40]) {
            (b']', b' ', b'[') => HEAD - 1,
            (_, b']', b' ') if head[41] == b'[' => HEAD,
            _ => return Skim::Odd,
        };
        if !time {
            return Skim::Odd;
        }
        if head[34] == b'F' {
            return Skim::Candidate;
        }
        let Some(end) = bracket(line, source) else {
            return Skim::Odd;
        };
        let message = match line.get(end + 1..end + 4) {
            Some([b' ', b'[', b'"']) => end + 4,
            Some([b' ', b'[', _]) => end + 3,
            _ => return Skim::Odd,
        };
        if !(line[end - 1].is_ascii_digit() || line[end - 1] == b'>') {
            return Skim::Odd;
        }
        self.message(&line[message..])
    }

    /// Whether a message that begins so may be an event.
    #[inline]
    fn message(&self, text: &[u8]) -> Skim {
        let Some(word) = text.first_chunk::<WORD>() else {
            return Skim::Candidate;
        };
        let hash = hash(u64::from_le_bytes(*word));
        let hit = self.keys.bits[hash >> 6] >> (hash & 63) & 1 == 1 || may_hide_words(word);
        if hit { Skim::Candidate } else { Skim::Dull }
    }
}

/// Whether the message's own words come later: after `[region 5] 8 `, a raft id, or inside
/// brackets whose first word has a number in it.
#[inline]
fn may_hide_words(word: &[u8; WORD]) -> bool {
    match word[0] {
        b'[' => matches!(&word[1..4], b"reg" | b"log" | b"ter" | b"quo" | b"sto"),
        b'0'..=b'9' => true,
        b'a'..=b'f' => word.iter().all(u8::is_ascii_hexdigit),
        b'r' => word.starts_with(b"raft"),
        b'h' => word.starts_with(b"handle "),
        b'p' => word.starts_with(b"propose "),
        _ => false,
    }
}

/// The bracket that ends a source which begins at `from`.
#[inline]
fn bracket(line: &[u8], from: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut at = from;
    while at < from + SOURCE {
        let word =
            u64::from_le_bytes(*line.get(at..)?.first_chunk::<WORD>()?) ^ (ONES * b']' as u64);
        let found = word.wrapping_sub(ONES) & !word & (ONES << 7);
        if found != 0 {
            // At most 64 zeros.
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += WORD;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_parser::catalogue::Pattern;

    fn line(message: &str) -> String {
        format!(
            "[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1228] [\"{message}\"] [term=6] [region_id=2]"
        )
    }

    #[test]
    fn no_row_of_the_catalogue_is_overlooked() {
        let skimmer = Skimmer::default();
        for row in CATALOGUE {
            let words = match row.pattern {
                Pattern::Exact(text) | Pattern::Starts(text) => text.to_owned(),
                Pattern::Holds(start, part) => format!("{start}7{part}"),
            };
            for before in [
                "",
                "[region 5] 8 ",
                "45 ",
                "8ebed23794ffba4c ",
                "raft: [8ebed23794ffba4c ",
            ] {
                let line = line(&format!("{before}{words}"));
                assert_ne!(skimmer.look(line.as_bytes()), Skim::Dull, "{line}");
            }
        }
    }

    #[test]
    fn most_lines_are_dull() {
        let skimmer = Skimmer::default();
        for message in [
            "slow query",
            "using config, all of it",
            "Resolver initialized",
            "observe region error",
        ] {
            assert_eq!(
                skimmer.look(line(message).as_bytes()),
                Skim::Dull,
                "{message}"
            );
        }
    }

    #[test]
    fn a_strange_head_is_never_dull() {
        let skimmer = Skimmer::default();
        for text in [
            "",
            "{\"level\":\"INFO\"}",
            "pd-2.log:[2024/01/28 11:13:33.947 +08:00] [INFO] [raft.go:706] [\"slow query, and much more text\"]",
            "[2024/01/28 11:13:33.947 +08:00] [INFO] [raft] [zap_raft.go:77] [\"8ebed became leader at term 6\"]",
            "[2024/01/28 11:13:33.947 +08:00] [DPANIC] [zap_raft.go:77] [\"slow query, and much more text\"]",
        ] {
            assert_eq!(skimmer.look(text.as_bytes()), Skim::Odd, "{text}");
        }
    }
}
