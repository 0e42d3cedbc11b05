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
    /// The first byte from `at` on that may not stand in bare text, or the end.
    fn bare(&mut self, line: &[u8], at: usize) -> usize;

    /// The first quote or backslash from `at` on; `at` itself is not within an escape. Escaped quotes may be
    /// passed over.
    fn quoted(&mut self, line: &[u8], at: usize) -> Option<usize>;

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

/// Blocks in which a window may begin, and one more is looked at with them: most lines are no longer.
const BLOCKS: usize = 8;

/// The stops of many blocks of a line, found before anybody asks. All looks must be at the same line.
///
/// A look from one field to the next would wait for the look before it, since nobody knows where to
/// look; and whether a text crosses from one block to the next nobody can foretell. Blocks that are
/// looked at side by side wait for nothing, and a window of their bits may begin anywhere.
pub(super) struct ByBlock<S: Simd> {
    simd: S,
    base: usize,
    bare: Seen,
    quoted: Seen,
    /// The least byte of all that was looked at, of each place in a block.
    least: Block<S>,
}

/// Every place of a line is before it, and so outside of what was looked at: no line is as long.
const NOWHERE: usize = usize::MAX / 2;

/// A bit for every stop from the base on; the last block is there for the windows that begin in the one
/// before it.
type Seen = [u64; BLOCKS + 1];

/// The sixty-four bits that begin so far behind the base, less than [`BLOCKS`] blocks.
#[inline(always)]
fn window(seen: &Seen, behind: usize) -> u64 {
    let (block, bit) = (behind / BLOCK % BLOCKS, behind % BLOCK);
    seen[block] >> bit | seen[block + 1] << 1 << (BLOCK - 1 - bit)
}

impl<S: Simd> ByBlock<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        ByBlock {
            simd,
            base: NOWHERE,
            bare: [0; BLOCKS + 1],
            quoted: [0; BLOCKS + 1],
            least: Block::load(simd, &[u8::MAX; BLOCK]),
        }
    }

    /// Whether there was a control byte in all that was looked at.
    #[inline(always)]
    pub(super) fn found_control(&self) -> bool {
        self.least.has_control()
    }

    /// What of this line nobody has looked at yet: all behind the last place that was asked about, but for the
    /// blocks that were looked at together with it.
    #[inline(always)]
    pub(super) fn behind<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let looked_at = match self.base {
            NOWHERE => 0,
            base => base + (BLOCKS + 1) * BLOCK,
        };
        line.get(looked_at..).unwrap_or_default()
    }

    /// The message in quotes whose blank, bracket and quote stand at `at`, and the place behind it, where it
    /// needs no second look. `None` says nothing about any other.
    #[inline(always)]
    pub(super) fn usual_message<'a>(
        &mut self,
        line: &'a [u8],
        at: usize,
    ) -> Option<(Text<'a>, usize)> {
        match line.get(at..)?.first_chunk() {
            Some(b" [\"") => self.quoted_to_bracket(line, at + 3),
            _ => None,
        }
    }

    /// The field whose blank and bracket stand at `at`, and the place behind it, where it is of the
    /// two usual kinds: all bare, or with a value in quotes that needs no second look. `None` says
    /// nothing about any other.
    #[inline(always)]
    pub(super) fn usual_field<'a>(
        &mut self,
        line: &'a [u8],
        at: usize,
    ) -> Option<(Field<'a>, usize)> {
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
                let (value, behind) = self.quoted_to_bracket(line, from + 1)?;
                Some((Field { key, value }, behind))
            }
            _ => None,
        }
    }

    /// Quoted text from here on, where a quote and a bracket end it, and the place behind the bracket.
    #[inline(always)]
    fn quoted_to_bracket<'a>(&mut self, line: &'a [u8], from: usize) -> Option<(Text<'a>, usize)> {
        let end = self.quoted(line, from)?;
        let text = Text::quoted(line.get(from..end)?);
        (line.get(end..end + 2) == Some(b"\"]")).then_some((text, end + 2))
    }

    /// A bit for every byte of the next sixty-four that may not stand in bare text.
    #[inline(always)]
    fn bare_stops(&mut self, line: &[u8], at: usize) -> u64 {
        let behind = self.behind_base(line, at);
        window(&self.bare, behind)
    }

    /// A bit for every byte of the next sixty-four that quoted text cannot be read over.
    #[inline(always)]
    fn quoted_stops(&mut self, line: &[u8], at: usize) -> u64 {
        let behind = self.behind_base(line, at);
        window(&self.quoted, behind)
    }

    #[inline(always)]
    fn behind_base(&mut self, line: &[u8], at: usize) -> usize {
        let behind = at.wrapping_sub(self.base);
        if behind < BLOCKS * BLOCK {
            return behind;
        }
        self.fill(line, at);
        0
    }

    #[inline(always)]
    fn fill(&mut self, line: &[u8], base: usize) {
        self.base = base;
        let mut at = base;
        for (bare, quoted) in self.bare.iter_mut().zip(&mut self.quoted) {
            if at >= line.len() {
                (*bare, *quoted) = (0, 0);
                continue;
            }
            let (block, before) = look(self.simd, line, at);
            *bare = block.ends_bare() >> before;
            *quoted = block.stops_quoted() >> before;
            self.least = self.least.least(&block);
            at += BLOCK;
        }
    }
}

/// The bytes from `at` on, behind as many others as the second number says. What is behind the
/// end of the line is no stop.
#[inline(always)]
fn look<S: Simd>(simd: S, line: &[u8], at: usize) -> (Block<S>, usize) {
    let rest = line.get(at..).unwrap_or_default();
    if let Some(here) = rest.first_chunk() {
        (Block::load(simd, here), 0)
    } else if let Some(last) = line.last_chunk()
        && !rest.is_empty()
    {
        (Block::load(simd, last), BLOCK - rest.len())
    } else {
        let mut padded = [b'x'; BLOCK];
        padded[..rest.len()].copy_from_slice(rest);
        (Block::load(simd, &padded), 0)
    }
}

impl<S: Simd> Stops for ByBlock<S> {
    #[inline(always)]
    fn bare(&mut self, line: &[u8], at: usize) -> usize {
        let mut at = at;
        while at < line.len() {
            let stops = self.bare_stops(line, at);
            if stops != 0 {
                return at + stops.trailing_zeros() as usize;
            }
            at += BLOCK;
        }
        line.len()
    }

    #[inline(always)]
    fn quoted(&mut self, line: &[u8], at: usize) -> Option<usize> {
        let mut at = at;
        while at < line.len() {
            let (quoted, bare) = (self.quoted_stops(line, at), self.bare_stops(line, at));
            // Bare text is ended by a quote, and not by a backslash. A backslash is passed over together with
            // a quote behind it: whether a text has any, and how many, nobody can foretell.
            let (quotes, escapes) = (quoted & bare, quoted & !bare);
            let odd = (quotes & !(escapes << 1)) | (escapes & !(quotes >> 1));
            if odd != 0 {
                return Some(at + odd.trailing_zeros() as usize);
            }
            at += BLOCK;
        }
        None
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

    use super::super::scan::{self, Broken};
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
            let stop = blocks.quoted(line, at);
            let expected = line[at..]
                .iter()
                .position(|&byte| byte == b'"' || byte == b'\\')
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

    #[inline(always)]
    fn quoted_alike<S: Simd>(simd: S, line: &[u8]) {
        let told = |read: Result<(Text<'_>, usize), Broken>| {
            read.map(|(text, after)| (text.raw().to_vec(), after))
        };
        let blocks = told(scan::quoted(line, 0, &mut ByBlock::new(simd)));
        let words = told(scan::quoted(line, 0, &mut ByWord));
        assert_eq!(blocks, words, "{}", String::from_utf8_lossy(line));
    }

    #[test]
    fn escapes_are_read_alike_at_the_edges_of_windows_and_of_what_is_looked_at_at_once() {
        let window = BLOCK - 4..BLOCK + 6;
        let base = (BLOCKS * BLOCK - 4)..(BLOCKS * BLOCK + 6);
        let last = ((BLOCKS + 1) * BLOCK - 4)..((BLOCKS + 1) * BLOCK + 6);
        for before in window.chain(base).chain(last) {
            for piece in [
                r#"\""#, r"\\", r#"\\""#, r#"\\\""#, r"\n", r"\x", r"\u0041", "\t", "\\\t", r"\",
            ] {
                for behind in ["", "b", r#"\"b"#, r#"b""#] {
                    let filler = "a".repeat(before);
                    let tail = "c".repeat(2 * BLOCK);
                    for line in [
                        format!("\"{filler}{piece}{behind}"),
                        format!("\"{filler}{piece}{behind}{tail}\" d"),
                    ] {
                        for level in [Level::new(), Level::baseline()] {
                            dispatch!(level, simd => quoted_alike(simd, line.as_bytes()));
                        }
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
