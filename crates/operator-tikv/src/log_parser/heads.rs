//! Walks over the lines of a chunk and looks at the head of each.

use fearless_simd::{Level, Simd, dispatch};

use super::ends::{Ends, ROOM};
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

/// The walk: first the ends of a batch of lines are found, then all their heads are looked at. The
/// looks do not wait for each other, as they would for the search of the end before each.
pub(super) struct Heads<'a> {
    chunk: &'a [u8],
    at: usize,
    ends: Ends,
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
            ends: Ends::new(),
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
        let (chunk, mut begin) = (self.chunk, self.at);
        let lines = self.ends.find(simd, chunk, begin);
        let mut heads = 0;
        for &end in self.ends.first(lines) {
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
}

/// A look at a line so near the end of the chunk that a head's bytes are not all there.
#[inline(always)]
fn look_at_last<S: Simd>(simd: S, skimmer: &mut Skimmer, line: &[u8]) -> Skim {
    let mut padded = [b'\n'; HEAD + HEAD];
    let shown = line.len().min(padded.len());
    padded[..shown].copy_from_slice(&line[..shown]);
    skimmer.look(simd, &padded, 0, shown)
}
