//! Where text ends: by words, for a few looks, or by masks of blocks, for a whole record.

use fearless_simd::Simd;
use memchr::memchr2;

use super::block::{BLOCK, Block};
use super::line::Field;
use super::scan::{is_source, needs_quotes};
use super::text::Text;
use super::word;

/// Finds the next byte that matters.
pub(super) trait Stops {
    /// Told that a section begins here: what follows will be asked about.
    fn begin(&mut self, _line: &[u8], _at: usize) {}

    /// The first byte from `at` on that may not stand in bare text, or the end.
    fn bare(&mut self, line: &[u8], at: usize) -> usize;

    /// The first quote or backslash from `at` on; controls may be found as well.
    fn quoted(&mut self, line: &[u8], at: usize) -> Option<usize>;

    /// Told of a control byte in quoted text.
    fn control(&mut self) {}

    /// Whether bare text, from `at` on, names a log statement.
    fn is_source(&self, _line: &[u8], _at: usize, text: &[u8]) -> bool {
        is_source(text)
    }
}

/// Nothing is kept between two looks.
pub(super) struct ByWord;

impl Stops for ByWord {
    #[inline(always)]
    fn bare(&mut self, line: &[u8], at: usize) -> usize {
        let mut end = at;
        while let Some(eight) = word::load(line, end) {
            let mut ends = word::may_end_bare(eight);
            while ends != 0 {
                let stop = end + word::first(ends);
                if needs_quotes(line[stop]) {
                    return stop;
                }
                ends &= ends - 1;
            }
            end += word::WORD;
        }
        let rest = line.get(end..).unwrap_or_default();
        end + rest
            .iter()
            .position(|&byte| needs_quotes(byte))
            .unwrap_or(rest.len())
    }

    #[inline(always)]
    fn quoted(&mut self, line: &[u8], at: usize) -> Option<usize> {
        memchr2(b'"', b'\\', line.get(at..)?).map(|found| at + found)
    }
}

/// Where a field's blank and its bracket stand.
const BLANK_AND_BRACKET: u64 = 0b11;

/// The stops in the sixty-four bytes from some place on. All looks must be at the same line.
///
/// Each section begins a window of its own. Windows that lie side by side would be fewer, but where
/// a text crosses from one to the next nobody can foretell, and a wrong guess costs more than a look.
pub(super) struct ByBlock<S: Simd> {
    simd: S,
    bare: Seen,
    quoted: Seen,
    controls: bool,
}

/// A bit for every stop in a window.
#[derive(Clone, Copy)]
struct Seen {
    base: usize,
    stops: u64,
}

impl Seen {
    const NOTHING: Seen = Seen {
        base: usize::MAX,
        stops: 0,
    };

    /// The first stop from `at` on, if the window shows one.
    #[inline(always)]
    fn first(self, at: usize) -> Option<usize> {
        let from = at.wrapping_sub(self.base);
        if from >= BLOCK {
            return None;
        }
        let stops = self.stops >> from;
        (stops != 0).then_some(at + stops.trailing_zeros() as usize)
    }
}

impl<S: Simd> ByBlock<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        ByBlock {
            simd,
            bare: Seen::NOTHING,
            quoted: Seen::NOTHING,
            controls: false,
        }
    }

    /// Whether quoted text holds a raw control byte.
    #[inline(always)]
    pub(super) fn found_control(&self) -> bool {
        self.controls
    }

    /// The field whose blank and bracket stand at `at`, and the place behind it, where it is of the
    /// two usual kinds: all bare, or with a value in quotes that needs no second look. `None` says
    /// nothing about any other.
    #[inline(always)]
    pub(super) fn usual_field<'a>(&self, line: &'a [u8], at: usize) -> Option<(Field<'a>, usize)> {
        let stops = self.bare_stops(line, at) & !BLANK_AND_BRACKET;
        let (key, value) = (stops, stops & stops.wrapping_sub(1));
        let (key, value) = (
            key.trailing_zeros() as usize,
            value.trailing_zeros() as usize,
        );
        let text = line.get(at..)?.get(..=value)?;
        let (Some([b' ', b'[']), Some(b'=')) = (text.first_chunk(), text.get(key)) else {
            return None;
        };
        let key = Text::bare(text.get(2..key)?);
        let from = at + 2 + key.raw().len() + 1;
        match text.last() {
            Some(b']') => {
                let value = Text::bare(line.get(from..at + value)?);
                Some((Field { key, value }, from + value.raw().len() + 1))
            }
            Some(b'"') if at + value == from => {
                let stops = self.quoted_stops(line, from + 1);
                let end = from + 1 + stops.trailing_zeros() as usize;
                let value = Text::quoted(line.get(from + 1..end)?);
                (line.get(end..end + 2) == Some(b"\"]")).then_some((Field { key, value }, end + 2))
            }
            _ => None,
        }
    }

    /// The bytes from `at` on, behind as many others as the second number says. What is behind the
    /// end of the line is no stop.
    #[inline(always)]
    fn look(&self, line: &[u8], at: usize) -> (Block<S>, usize) {
        let rest = line.get(at..).unwrap_or_default();
        if let Some(here) = rest.first_chunk() {
            (Block::load(self.simd, here), 0)
        } else if let Some(last) = line.last_chunk()
            && !rest.is_empty()
        {
            (Block::load(self.simd, last), BLOCK - rest.len())
        } else {
            let mut padded = [b'x'; BLOCK];
            padded[..rest.len()].copy_from_slice(rest);
            (Block::load(self.simd, &padded), 0)
        }
    }

    #[inline(always)]
    fn bare_stops(&self, line: &[u8], at: usize) -> u64 {
        let (block, before) = self.look(line, at);
        block.ends_bare() >> before
    }

    #[inline(always)]
    fn quoted_stops(&self, line: &[u8], at: usize) -> u64 {
        let (block, before) = self.look(line, at);
        block.stops_quoted() >> before
    }

    #[inline(always)]
    fn look_bare(&mut self, line: &[u8], at: usize) {
        self.bare = Seen {
            base: at,
            stops: self.bare_stops(line, at),
        };
    }
}

impl<S: Simd> Stops for ByBlock<S> {
    #[inline(always)]
    fn begin(&mut self, line: &[u8], at: usize) {
        self.look_bare(line, at);
    }

    #[inline(always)]
    fn bare(&mut self, line: &[u8], at: usize) -> usize {
        if let Some(stop) = self.bare.first(at) {
            return stop;
        }
        let mut at = at;
        while at < line.len() {
            self.look_bare(line, at);
            if let Some(stop) = self.bare.first(at) {
                return stop;
            }
            at += BLOCK;
        }
        line.len()
    }

    #[inline(always)]
    fn quoted(&mut self, line: &[u8], at: usize) -> Option<usize> {
        if let Some(stop) = self.quoted.first(at) {
            return Some(stop);
        }
        let mut at = at;
        while at < line.len() {
            self.quoted = Seen {
                base: at,
                stops: self.quoted_stops(line, at),
            };
            if let Some(stop) = self.quoted.first(at) {
                return Some(stop);
            }
            at += BLOCK;
        }
        None
    }

    #[inline(always)]
    fn control(&mut self) {
        self.controls = true;
    }

    #[inline(always)]
    fn is_source(&self, line: &[u8], at: usize, text: &[u8]) -> bool {
        let here = line.get(at..).and_then(|rest| rest.first_chunk());
        let Some(here) = here.filter(|_| text.len() < BLOCK) else {
            return is_source(text);
        };
        let block = Block::load(self.simd, here);
        let within = (1 << text.len()) - 1;
        let digits = block.digits() & within;
        let others = !digits & within;
        // The last byte that is no digit is the colon, and there are digits behind it.
        let behind = others.leading_zeros();
        let colon = 1_u64
            .checked_shl(63_u32.wrapping_sub(behind))
            .unwrap_or_default();
        let names = block.letters() | block.equal(b'.') | block.equal(b'_') | block.equal(b'-');
        if block.equal(b':') & colon != 0 && digits > colon && others & !names == colon {
            true
        } else {
            text == b"<unknown>"
        }
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::{Level, dispatch};

    use super::*;

    #[inline(always)]
    fn agree<S: Simd>(simd: S, line: &[u8]) {
        let mut blocks = ByBlock::new(simd);
        for at in [0, 1, 62, 63, 64, 65, 128]
            .into_iter()
            .filter(|&at| at < line.len())
        {
            assert_eq!(
                blocks.bare(line, at),
                ByWord.bare(line, at),
                "{line:?} {at}"
            );
            blocks.begin(line, at / 2);
            assert_eq!(
                blocks.bare(line, at),
                ByWord.bare(line, at),
                "{line:?} {at}"
            );
            let stop = blocks.quoted(line, at);
            let expected = line[at..]
                .iter()
                .position(|&byte| byte < b' ' || byte == b'"' || byte == b'\\')
                .map(|found| at + found);
            assert_eq!(stop, expected, "{line:?} {at}");
        }
    }

    #[test]
    fn blocks_stop_where_words_stop_wherever_the_byte_and_however_long_the_line() {
        for level in [Level::new(), Level::baseline()] {
            for len in [1, 9, 63, 64, 65, 128, 150] {
                for byte in 0..=255_u8 {
                    for at in [0, len / 3, len / 2, len - 1] {
                        let mut line = vec![b'a'; len];
                        line[at] = byte;
                        dispatch!(level, simd => agree(simd, &line));
                    }
                }
            }
        }
    }

    #[test]
    fn a_source_is_known_by_blocks_where_it_is_known_by_bytes() {
        for text in [
            "raft.rs:1217",
            "<unknown>",
            "<unknown>:722",
            ":1",
            "a-b_c.go:7",
            "1:2",
            "1",
            "",
            ":",
            "raft.rs:",
            "raft.rs",
            "ra:ft.rs:1",
            "ra/ft.rs:1",
            "r\u{e9}.rs:1",
            "raft.rs:12x",
            "raft",
        ] {
            for behind in [
                "",
                "] [\"became leader at term 6\"] [term=6] [region_id=2] [raft_id=5]",
            ] {
                let line = format!("[{text}{behind}");
                for level in [Level::new(), Level::baseline()] {
                    let found = dispatch!(level, simd => ByBlock::new(simd).is_source(line.as_bytes(), 1, text.as_bytes()));
                    assert_eq!(found, is_source(text.as_bytes()), "{line}");
                }
            }
        }
    }
}
