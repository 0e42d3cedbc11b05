//! Walks over the lines of a chunk and looks at the head of each.

use fearless_simd::{Level, Simd, dispatch};
use memchr::memchr_iter;

use super::block::{BLOCK, Block};
use super::skim::{HEAD, Skim, Skimmer};

/// A line that must be read, as its head says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) begin: usize,
    pub(super) end: usize,
    pub(super) skim: Skim,
}

/// Some lines.
pub(super) struct Batch<'a> {
    /// How many there are.
    pub(super) lines: usize,
    /// Those of them that are not dull, in order.
    pub(super) of_interest: &'a [Head],
}

/// Lines are taken by the batch: first all ends are found, then all heads are looked at. The looks
/// do not wait for each other, as they would for the search of the end before each. So many lines
/// stay in the first-level cache between the two.
const LINES: usize = 64;

/// Bytes in which ends are found at a time: few hold one end and hardly any hold two in a block, so
/// one question for all blocks saves one for each.
const STRIDE: usize = 4 * BLOCK;

/// The last stride of a batch may end as many lines as it has bytes.
const ROOM: usize = (LINES + STRIDE).next_power_of_two();

/// The walk.
pub(super) struct Heads<'a> {
    chunk: &'a [u8],
    at: usize,
    ends: [usize; ROOM],
    heads: [Head; ROOM],
    level: Level,
}

impl<'a> Heads<'a> {
    pub(super) fn new(chunk: &'a [u8]) -> Self {
        let none = Head {
            begin: 0,
            end: 0,
            skim: Skim::Dull,
        };
        Heads {
            chunk,
            at: 0,
            ends: [0; ROOM],
            heads: [none; ROOM],
            level: Level::new(),
        }
    }

    /// The next lines; a last line without an end is one.
    pub(super) fn next(&mut self, skimmer: &mut Skimmer) -> Option<Batch<'_>> {
        if self.at >= self.chunk.len() {
            return None;
        }
        let (lines, heads) = dispatch!(self.level, simd => self.fill(simd, skimmer));
        Some(Batch {
            lines,
            of_interest: self.heads.get(..heads).unwrap_or_default(),
        })
    }

    #[inline(always)]
    fn fill<S: Simd>(&mut self, simd: S, skimmer: &mut Skimmer) -> (usize, usize) {
        let lines = self.find_ends(simd);
        let (chunk, mut begin) = (self.chunk, self.at);
        let mut heads = 0;
        for &end in self.ends.iter().take(lines) {
            let skim = if begin + HEAD <= chunk.len() {
                skimmer.look(simd, chunk, begin, end)
            } else {
                look_at_last(simd, skimmer, &chunk[begin..end])
            };
            // Written in any case, kept where it counts: nobody can foretell which it will be.
            self.heads[heads % ROOM] = Head { begin, end, skim };
            heads += usize::from(skim != Skim::Dull);
            begin = end + 1;
        }
        self.at = begin;
        (lines, heads)
    }

    /// Finds the ends of the next lines, at least one; says how many.
    #[inline(always)]
    fn find_ends<S: Simd>(&mut self, simd: S) -> usize {
        let rest = &self.chunk[self.at..];
        let (strides, tail) = rest.as_chunks::<STRIDE>();
        let mut base = self.at;
        let mut lines = 0;
        for stride in strides {
            let (blocks, _) = stride.as_chunks::<BLOCK>();
            let mut feeds = [0; STRIDE / BLOCK];
            for (feeds, block) in feeds.iter_mut().zip(blocks) {
                *feeds = Block::load(simd, block).equal(b'\n');
            }
            let crowded = feeds
                .iter()
                .any(|feeds| feeds & feeds.wrapping_sub(1) != 0);
            for mut feeds in feeds {
                // Written without asking whether there is one: a guess would often be wrong.
                self.ends[lines % ROOM] = base + feeds.trailing_zeros() as usize;
                lines += usize::from(feeds != 0);
                feeds &= feeds.wrapping_sub(1);
                while crowded && feeds != 0 {
                    self.ends[lines % ROOM] = base + feeds.trailing_zeros() as usize;
                    lines += 1;
                    feeds &= feeds - 1;
                }
                base += BLOCK;
            }
            if lines >= LINES {
                return lines;
            }
        }
        let unended = self.chunk.last().is_some_and(|&byte| byte != b'\n');
        let feeds = memchr_iter(b'\n', tail).map(|found| base + found);
        for end in feeds.chain(unended.then_some(self.chunk.len())) {
            self.ends[lines % ROOM] = end;
            lines += 1;
        }
        lines
    }
}

/// A look at a line so near the end of the chunk that a head's bytes are not all there.
#[inline(always)]
fn look_at_last<S: Simd>(simd: S, skimmer: &mut Skimmer, line: &[u8]) -> Skim {
    let mut padded = [b'\n'; HEAD + HEAD];
    let shown = line.len().min(padded.len());
    padded[..shown].copy_from_slice(&line[..shown]);
    skimmer.look(simd, &padded, 0, shown)
}
