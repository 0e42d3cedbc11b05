//! Where text ends: by words, for a few looks, or by masks of blocks, for a whole record.

use fearless_simd::Simd;
use memchr::memchr2;

use super::block::{BLOCK, Block};
use super::scan::needs_quotes;
use super::word;

/// Finds the next byte that matters.
pub(super) trait Stops {
    /// The first byte from `at` on that may not stand in bare text, or the end.
    fn bare(&mut self, line: &[u8], at: usize) -> usize;

    /// The first quote or backslash from `at` on; controls may be found as well.
    fn quoted(&mut self, line: &[u8], at: usize) -> Option<usize>;

    /// Told of a control byte in quoted text.
    fn control(&mut self) {}
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

/// The stops of the block that was looked at last. All looks must be at the same line.
pub(super) struct ByBlock<S: Simd> {
    simd: S,
    base: usize,
    bare: u64,
    quoted: u64,
    controls: bool,
}

impl<S: Simd> ByBlock<S> {
    #[inline(always)]
    pub(super) fn new(simd: S) -> Self {
        ByBlock {
            simd,
            base: usize::MAX,
            bare: 0,
            quoted: 0,
            controls: false,
        }
    }

    /// Whether quoted text holds a raw control byte.
    #[inline(always)]
    pub(super) fn found_control(&self) -> bool {
        self.controls
    }

    /// Looks at the block that holds `at`; says where in it that is.
    #[inline(always)]
    fn turn_to(&mut self, line: &[u8], at: usize) -> usize {
        let base = at - at % BLOCK;
        if base != self.base {
            self.base = base;
            let here = line.get(base..).and_then(|rest| rest.first_chunk());
            if let Some(here) = here {
                self.take(here, 0);
            } else if let Some(last) = line.last_chunk() {
                // The block that ends with the line, without what lies before this one.
                self.take(last, base + BLOCK - line.len());
            } else {
                let mut padded = [b'x'; BLOCK];
                padded[..line.len()].copy_from_slice(line);
                self.take(&padded, 0);
            }
        }
        at % BLOCK
    }

    #[inline(always)]
    fn take(&mut self, bytes: &[u8; BLOCK], before: usize) {
        let block = Block::load(self.simd, bytes);
        self.bare = block.ends_bare() >> before;
        self.quoted = block.stops_quoted() >> before;
    }
}

impl<S: Simd> Stops for ByBlock<S> {
    #[inline(always)]
    fn bare(&mut self, line: &[u8], mut at: usize) -> usize {
        while at < line.len() {
            let stops = {
                let from = self.turn_to(line, at);
                self.bare >> from
            };
            if stops != 0 {
                return at + stops.trailing_zeros() as usize;
            }
            at = self.base + BLOCK;
        }
        line.len()
    }

    #[inline(always)]
    fn quoted(&mut self, line: &[u8], mut at: usize) -> Option<usize> {
        while at < line.len() {
            let stops = {
                let from = self.turn_to(line, at);
                self.quoted >> from
            };
            if stops != 0 {
                return Some(at + stops.trailing_zeros() as usize);
            }
            at = self.base + BLOCK;
        }
        None
    }

    #[inline(always)]
    fn control(&mut self) {
        self.controls = true;
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
}
