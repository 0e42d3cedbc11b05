//! One look at a line's head: can it be an event?
//!
//! Nearly every line is none, and its head says so: time, level and source have fixed places, and
//! the first eight bytes of the message are in the catalogue or they are not. So a line that is no
//! event costs the search for its end and this look, whatever the number of rows.

use std::sync::LazyLock;

use super::catalogue::CATALOGUE;
use super::word;

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

/// Where the source begins behind a level of four letters: `[time] [INFO] [`.
const FOUR_LETTERS: usize = 41;

/// How far the source's end is looked for: no source is longer.
const SOURCE: usize = 4 * word::WORD;

/// Bytes that are looked at without asking for more; a shorter line is read whole.
const HEAD: usize = FOUR_LETTERS + 1 + SOURCE + 6;

/// Which messages may be events: a bit for the hash of their first eight bytes, or of their first
/// four where the words of the catalogue come later.
struct Keys {
    eight: [u64; 1 << (KEY_BITS - 6)],
    four: [u64; 1 << (KEY_BITS - 6)],
}

const KEY_BITS: u32 = 12;

/// What stands before the words of a row, or is all that is fixed in its first eight bytes.
const BEFORE: [&[u8; 4]; 8] = [
    b"[reg", b"[log", b"[ter", b"[quo", b"[sto", b"raft", b"prop", b"hand",
];

const LOW_HALF: u64 = 0xffff_ffff;

static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let mut keys = Keys {
        eight: [0; 1 << (KEY_BITS - 6)],
        four: [0; 1 << (KEY_BITS - 6)],
    };
    for row in CATALOGUE {
        if let Some(first) = word::load(row.pattern.start().as_bytes(), 0) {
            set(&mut keys.eight, first);
        }
    }
    for first in BEFORE {
        set(&mut keys.four, u64::from(u32::from_le_bytes(*first)));
    }
    keys
});

fn set(bits: &mut [u64], word: u64) {
    let hash = hash(word);
    bits[hash >> 6] |= 1 << (hash & 63);
}

#[inline]
fn bit(bits: &[u64; 1 << (KEY_BITS - 6)], word: u64) -> u64 {
    let hash = hash(word);
    bits[hash >> 6] >> (hash & 63) & 1
}

#[inline]
fn hash(word: u64) -> usize {
    // The top bits of a product are well mixed; so few fit any usize.
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - KEY_BITS)) as usize
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
        // The level has four letters or five; that is computed and not asked, because the answer
        // cannot be foretold.
        let source = FOUR_LETTERS + usize::from(head[39] == b']');
        let usual = head[0] == b'['
            && head[5] == b'/'
            && head[31] == b']'
            && head[32] == b' '
            && head[33] == b'['
            && head[source - 3] == b']'
            && head[source - 1] == b'[';
        if !usual {
            return Skim::Odd;
        }
        if head[34] == b'F' {
            return Skim::Candidate;
        }
        let end = source + bracket(head, source);
        let Some(after) = head.get(end - 1..).and_then(|rest| rest.first_chunk::<5>()) else {
            return Skim::Odd;
        };
        let [last, b']', b' ', b'[', quote] = *after else {
            return Skim::Odd;
        };
        if !(last.is_ascii_digit() || last == b'>') {
            return Skim::Odd;
        }
        self.message(line, end + 3 + usize::from(quote == b'"'))
    }

    /// Whether a message that begins here may be an event.
    #[inline]
    fn message(&self, line: &[u8], at: usize) -> Skim {
        let Some(first) = word::load(line, at) else {
            return Skim::Candidate;
        };
        let known = bit(&self.keys.eight, first) | bit(&self.keys.four, first & LOW_HALF);
        // An escape among the first bytes hides the words as well.
        let hidden = word::equal(first, b'\\') != 0;
        // So does a raft peer's number, or an id of etcd.
        let id = (first & 0xff).wrapping_sub(u64::from(b'0')) < 10 || word::may_be_hex(first);
        if known == 1 || id || hidden {
            Skim::Candidate
        } else {
            Skim::Dull
        }
    }
}

/// A bracket, or a blank: no source has one, and with it this is some other text.
const fn ends_source(eight: u64) -> u64 {
    word::equal(eight, b']') | word::equal(eight, b' ')
}

/// How far behind `from` the bracket stands that ends a source: all of it is looked at, and the
/// first found is taken by selection. Beyond the end where there is none.
#[inline]
fn bracket(head: &[u8; HEAD], from: usize) -> usize {
    let mut found = SOURCE;
    for at in (0..SOURCE).step_by(word::WORD).rev() {
        let bits = word::load(head, from + at).map_or(0, ends_source);
        found = if bits == 0 {
            found
        } else {
            at + word::first(bits)
        };
    }
    found
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
