//! One look at a line's head: can it be an event?
//!
//! Nearly every line is none, and its head says so: time, level and source have fixed places, and
//! the first eight bytes of the message are in the catalogue or they are not. So a line that is no
//! event costs the search for its end and this look, whatever the number of rows.

use std::sync::LazyLock;

use fearless_simd::Simd;

use super::block::{BLOCK, Block};
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

/// Bytes of a line that are looked at: with fewer the line is read whole.
pub(super) const HEAD: usize = TIME_ENDS + BLOCK + 2;

/// Where the time's bracket closes: `[2024/08/14 16:25:23.105 +08:00]`.
const TIME_ENDS: usize = 31;

/// How far behind that the level's bracket closes: it has four letters or five.
const LEVEL_ENDS: [u64; 2] = [7, 8];

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

#[inline(always)]
fn bit(bits: &[u64; 1 << (KEY_BITS - 6)], word: u64) -> u64 {
    let hash = hash(word);
    bits[hash >> 6] >> (hash & 63) & 1
}

#[inline(always)]
fn hash(word: u64) -> usize {
    // The top bits of a product are well mixed; so few fit any usize.
    (word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - KEY_BITS)) as usize
}

/// A look at lines, with the table at hand.
pub(super) struct Skimmer {
    keys: &'static Keys,
    dull: Box<[Dull; DULL]>,
}

impl Default for Skimmer {
    fn default() -> Self {
        Skimmer {
            keys: &KEYS,
            dull: Box::new([Dull::EXAMPLE; DULL]),
        }
    }
}

/// Log statements that are remembered: their lines are the same from the level on, as far as a
/// look goes, so that one comparison tells for all but the first that they are dull.
const DULL: usize = 256;

/// A head that was found dull, from the end of its time on.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Dull {
    bytes: [u8; BLOCK],
    /// A bit for every byte that did not matter.
    any: u64,
}

impl Dull {
    /// Nothing is remembered yet: a head that is dull stands for it.
    const EXAMPLE: Dull = Dull {
        bytes: *b"] [INFO] [nowhere.rs:1] [\"nothing was seen here\"] [a=1] [b=2] [c",
        any: 0,
    };
}

impl Skimmer {
    /// Looks at the line of `chunk` that begins and ends here. The bytes behind the line do not
    /// matter, but so many as make a [`HEAD`] must be there.
    #[inline(always)]
    pub(super) fn look<S: Simd>(
        &mut self,
        simd: S,
        chunk: &[u8],
        begin: usize,
        end: usize,
    ) -> Skim {
        let head = chunk
            .get(begin..)
            .and_then(|rest| rest.first_chunk::<HEAD>());
        let Some(head) = head else {
            return Skim::Odd;
        };
        let Some(level_on) = head[TIME_ENDS..].first_chunk::<BLOCK>() else {
            return Skim::Odd;
        };
        let block = Block::load(simd, level_on);
        let close = block.equal(b']');
        let slot = slot(head, close);
        let dull = &self.dull[slot];
        let timed = head[0] == b'[' && head[5] == b'/';
        if timed && block.same(&Block::load(simd, &dull.bytes)) | dull.any == u64::MAX {
            return Skim::Dull;
        }
        let (open, blank) = (block.equal(b'['), block.equal(b' '));
        // Where one section ends and the next begins: behind the time, the level, the source.
        let joints = close & (blank >> 1) & (open >> 2);
        let behind_time = joints & (joints.wrapping_sub(1));
        let behind_level = behind_time & behind_time.wrapping_sub(1);
        let (level, source) = (behind_time.trailing_zeros(), behind_level.trailing_zeros());
        // No level and no source has a bracket or a blank.
        let through_source = behind_level ^ behind_level.wrapping_sub(1);
        let plain = ((close ^ joints) | (blank ^ (joints << 1))) & through_source == 0;
        let at = TIME_ENDS + source as usize;
        let last = head.get(at.wrapping_sub(1)).copied().unwrap_or_default();
        let quote = head.get(at + 3).is_some_and(|&byte| byte == b'"');
        let message = at + 3 + usize::from(quote);
        let usual = timed
            && joints & 1 == 1
            && LEVEL_ENDS.contains(&u64::from(level))
            && behind_level != 0
            && plain
            && (last.is_ascii_digit() || last == b'>');
        let first = chunk
            .get(..end)
            .and_then(|lines| word::load(lines, begin + message));
        let Some(first) = first.filter(|_| usual) else {
            return Skim::Odd;
        };
        let skim = self.message(head[34] == b'F', first);
        let decide = message + word::WORD - TIME_ENDS;
        if skim == Skim::Dull && decide <= BLOCK {
            self.dull[slot] = Dull {
                bytes: *level_on,
                any: if decide < BLOCK {
                    u64::MAX << decide
                } else {
                    0
                },
            };
        }
        skim
    }

    /// Whether a message that begins so may be an event; that of a panic is free.
    #[inline(always)]
    fn message(&self, fatal: bool, first: u64) -> Skim {
        let known = bit(&self.keys.eight, first) | bit(&self.keys.four, first & LOW_HALF);
        // An escape among the first bytes hides the words as well.
        let hidden = word::equal(first, b'\\') != 0;
        // So does a raft peer's number, or an id of etcd.
        let id = (first & 0xff).wrapping_sub(u64::from(b'0')) < 10 || word::may_be_hex(first);
        if (known == 1) | id | hidden | fatal {
            Skim::Candidate
        } else {
            Skim::Dull
        }
    }
}

/// Where the statement of a head is remembered: by the end of its source and the beginning of its
/// message, wherever the brackets are.
#[inline(always)]
fn slot(head: &[u8; HEAD], close: u64) -> usize {
    let source_ends = TIME_ENDS + (close & BEHIND_LEVEL).trailing_zeros() as usize;
    let (source, message) = (
        word::load(head, source_ends - word::WORD).unwrap_or_default(),
        word::load(head, source_ends + MESSAGE_BEGINS).unwrap_or_default(),
    );
    hash(source.rotate_left(29) ^ message) % DULL
}

/// Behind the places where the level's bracket may close.
const BEHIND_LEVEL: u64 = !0x1ff;

/// How far behind the source's bracket a quoted message begins.
const MESSAGE_BEGINS: usize = 4;

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;
    use crate::log_parser::catalogue::Pattern;

    fn line(message: &str) -> String {
        format!(
            "[2024/08/14 16:25:23.105 +08:00] [INFO] [raft.rs:1217] [\"{message}\"] [term=6] [region_id=2]"
        )
    }

    fn look(line: &str) -> Skim {
        let behind = "\n".repeat(HEAD);
        let chunk = format!("{line}{behind}");
        let look = |level| dispatch!(level, simd => Skimmer::default().look(simd, chunk.as_bytes(), 0, line.len()));
        let skim = look(Level::new());
        assert_eq!(skim, look(Level::baseline()), "{line}");
        skim
    }

    #[test]
    fn no_row_of_the_catalogue_is_overlooked() {
        for row in CATALOGUE {
            let words = match row.pattern {
                Pattern::Exact(text) | Pattern::Starts(text) => text.to_owned(),
                Pattern::Holds(start, part) => format!("{start}7{part}"),
            };
            for before in [
                "",
                "[region 5] 8 ",
                "45 ",
                "55ee66ff77aa88bb ",
                "raft: [55ee66ff77aa88bb ",
            ] {
                let line = line(&format!("{before}{words}"));
                assert_ne!(look(&line), Skim::Dull, "{line}");
            }
        }
    }

    #[test]
    fn what_stands_for_nothing_remembered_is_dull_and_another_statement_is_not() {
        let head = "[2024/08/14 16:25:23.105 +08:00";
        let example = String::from_utf8_lossy(&Dull::EXAMPLE.bytes).into_owned();
        assert_eq!(look(&format!("{head}{example}")), Skim::Dull);
        let mut skimmer = Skimmer::default();
        let mut look = |line: &str| {
            let chunk = format!("{line}{}", "\n".repeat(HEAD));
            dispatch!(Level::new(), simd => skimmer.look(simd, chunk.as_bytes(), 0, line.len()))
        };
        for _ in 0..3 {
            assert_eq!(look(&line("slow query")), Skim::Dull);
            assert_eq!(look(&line("slow que")), Skim::Dull, "all that decides");
            assert_eq!(look(&line("became leader at term 6")), Skim::Candidate);
            assert_eq!(look(&line("slow qu").replace('/', "-")), Skim::Odd);
            assert_eq!(
                look(&line("slow query")[..60]),
                Skim::Odd,
                "cut before it is known"
            );
        }
    }

    #[test]
    fn most_lines_are_dull() {
        for message in [
            "slow query",
            "using config, all of it",
            "Resolver initialized",
            "observe region error",
        ] {
            assert_eq!(look(&line(message)), Skim::Dull, "{message}");
        }
    }

    #[test]
    fn a_strange_head_is_never_dull() {
        for text in [
            "",
            "{\"level\":\"INFO\"}",
            "pd-2.log:[2026/02/03 11:12:13.140 +08:00] [INFO] [raft.go:706] [\"slow query, and much more text\"]",
            "[2026/02/03 11:12:13.140 +08:00] [INFO] [raft] [zap_raft.go:77] [\"8ebed became leader at term 6\"]",
            "[2026/02/03 11:12:13.140 +08:00] [DPANIC] [zap_raft.go:77] [\"slow query, and much more text\"]",
        ] {
            assert_eq!(look(text), Skim::Odd, "{text}");
        }
    }
}
