//! Finds where lines end, many at a time.

use fearless_simd::{Simd, dispatch};
use memchr::memchr_iter;

use super::block::{BLOCK, Block};

/// Lines are taken by the batch: a search for each end would wait for the one before it. So many
/// lines stay in the first-level cache until they are looked at.
const LINES: usize = 64;

/// Bytes in which ends are found at a time: hardly any block in them ends two lines, so one question
/// for all of them saves one for each.
const STRIDE: usize = 4 * BLOCK;

/// The last stride of a batch may end as many lines as it has bytes.
pub(super) const ROOM: usize = (LINES + STRIDE).next_power_of_two();

/// The ends of a batch of lines.
pub(super) struct Ends([usize; ROOM]);

impl Ends {
    pub(super) const fn new() -> Self {
        Ends([0; ROOM])
    }

    /// As [`Ends::find`], for who has not chosen registers yet.
    pub(super) fn find_next(&mut self, chunk: &[u8], from: usize) -> usize {
        dispatch!(fearless_simd::Level::new(), simd => self.find(simd, chunk, from))
    }

    /// Finds the ends of the next lines of a chunk, at least one if there is anything from there on;
    /// says how many. A last line without an end ends with the chunk.
    #[inline(always)]
    pub(super) fn find<S: Simd>(&mut self, simd: S, chunk: &[u8], from: usize) -> usize {
        let rest = chunk.get(from..).unwrap_or_default();
        let (strides, tail) = rest.as_chunks::<STRIDE>();
        let mut base = from;
        let mut lines = 0;
        for stride in strides {
            let (blocks, _) = stride.as_chunks::<BLOCK>();
            let mut feeds = [0; STRIDE / BLOCK];
            for (feeds, block) in feeds.iter_mut().zip(blocks) {
                *feeds = Block::load(simd, block).equal(b'\n');
            }
            let more = feeds
                .iter()
                .fold(0, |more, feeds| more | (feeds & feeds.wrapping_sub(1)));
            for mut feeds in feeds {
                // Written without asking whether there is one: a guess would often be wrong.
                self.0[lines % ROOM] = base + feeds.trailing_zeros() as usize;
                lines += usize::from(feeds != 0);
                feeds &= feeds.wrapping_sub(1);
                while more != 0 && feeds != 0 {
                    self.0[lines % ROOM] = base + feeds.trailing_zeros() as usize;
                    lines += 1;
                    feeds &= feeds - 1;
                }
                base += BLOCK;
            }
            if lines >= LINES {
                return lines;
            }
        }
        let unended = rest.last().is_some_and(|&byte| byte != b'\n');
        let feeds = memchr_iter(b'\n', tail).map(|found| base + found);
        for end in feeds.chain(unended.then_some(chunk.len())) {
            self.0[lines % ROOM] = end;
            lines += 1;
        }
        lines
    }

    /// The first so many.
    #[inline(always)]
    pub(super) fn first(&self, lines: usize) -> &[usize] {
        self.0.get(..lines).unwrap_or_default()
    }

    /// One of those found.
    #[inline(always)]
    pub(super) fn at(&self, line: usize) -> usize {
        self.0[line % ROOM]
    }
}

#[cfg(test)]
mod tests {
    use fearless_simd::Level;

    use super::*;

    fn ends(level: Level, chunk: &[u8]) -> Vec<usize> {
        let (mut ends, mut all, mut from) = (Ends::new(), Vec::new(), 0);
        while from < chunk.len() {
            let lines = dispatch!(level, simd => ends.find(simd, chunk, from));
            assert!(lines > 0, "at least one line from {from} on");
            all.extend_from_slice(ends.first(lines));
            from = all.last().map_or(chunk.len(), |end| end + 1);
        }
        all
    }

    #[test]
    fn the_ends_are_those_a_loop_finds_however_short_or_long_the_lines() {
        for every in [1, 2, 3, 63, 64, 65, 100, 255, 256, 257, 5000] {
            for len in [0, 1, 255, 256, 257, 4096, 20_001] {
                let chunk: Vec<u8> = (1..=len)
                    .map(|at| if at % every == 0 { b'\n' } else { b'x' })
                    .collect();
                let mut expected: Vec<usize> = memchr_iter(b'\n', &chunk).collect();
                if chunk.last().is_some_and(|&byte| byte != b'\n') {
                    expected.push(len);
                }
                for level in [Level::new(), Level::baseline()] {
                    assert_eq!(ends(level, &chunk), expected, "{len} bytes, {every} a line");
                }
            }
        }
    }
}
