//! Whole lines out of a stream, through one buffer that is used again.

use std::io::{self, Read};

use memchr::{memchr, memrchr};

use super::ends::Ends;

/// Bytes asked for at a time.
const READ: usize = 1 << 20;

/// Where a read should put its bytes: the kernel copies to the beginning of a cache line several
/// times as fast as to some places behind it.
pub(super) const CACHE_LINE: usize = 64;

/// Bytes that may stay unused at the front of a buffer for that.
const FRONT: usize = 2 * CACHE_LINE;

/// The first place in this buffer at which a cache line begins.
pub(super) fn cache_line(buffer: &[u8]) -> usize {
    buffer.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE)
}

/// Lines may be this long before they are cut, unless told otherwise.
pub const MAX_LINE: usize = 4 << 20;

/// Some whole lines.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// The lines, each with its line feed; the stream's last may have none.
    pub bytes: &'a [u8],
    /// Where they begin in the stream.
    pub offset: u64,
    /// Whether the last line was longer than the bound and is cut here; its rest is passed over.
    pub cut: bool,
}

/// Reads a stream in chunks of whole lines, in memory that the longest line bounds.
///
/// ```
/// use operator_tikv::log_parser::Chunks;
/// let mut chunks = Chunks::new(&b"one\ntwo\nthree"[..]);
/// let first = chunks.next_chunk()?.expect("a chunk");
/// assert_eq!(first.bytes, b"one\ntwo\n");
/// assert_eq!(chunks.next_chunk()?.expect("the last line").bytes, b"three");
/// assert!(chunks.next_chunk()?.is_none());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Chunks<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What is read and not handed out.
    start: usize,
    end: usize,
    /// Where `start` is in the stream.
    offset: u64,
    max_line: usize,
    skipping: bool,
    ended: bool,
}

impl<R: Read> Chunks<R> {
    /// Chunks of this stream.
    pub fn new(reader: R) -> Self {
        Chunks {
            reader,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset: 0,
            max_line: MAX_LINE,
            skipping: false,
            ended: false,
        }
    }

    /// Another bound for the length of a line, at least 1 KiB.
    #[must_use]
    pub fn with_max_line(mut self, bytes: usize) -> Self {
        self.max_line = bytes.max(1 << 10);
        self
    }

    /// Says that the stream begins at this place of the file.
    #[must_use]
    pub fn at_offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The stream.
    pub fn get_ref(&self) -> &R {
        &self.reader
    }

    /// The next lines; `None` at the end.
    ///
    /// # Errors
    /// What the stream reports; what was read before has been handed out or stays.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk<'_>>> {
        loop {
            self.make_room();
            let read = self.fill()?;
            if self.skipping {
                self.skip_rest_of_line();
                if self.skipping && self.ended {
                    return Ok(None);
                }
            }
            let fresh = self.end.saturating_sub(read).max(self.start);
            let found = memrchr(b'\n', &self.buffer[fresh..self.end]).map(|at| fresh + at + 1);
            let stop = match found {
                Some(stop) => stop,
                None if self.ended && self.start == self.end => return Ok(None),
                None if self.ended => self.end,
                None if self.end - self.start >= self.max_line => return Ok(Some(self.cut())),
                None => continue,
            };
            return Ok(Some(self.hand_out(stop, false)));
        }
    }

    /// The beginning of a line that is too long; the rest is passed over.
    fn cut(&mut self) -> Chunk<'_> {
        self.skipping = true;
        self.hand_out(self.start + self.max_line, true)
    }

    fn hand_out(&mut self, stop: usize, cut: bool) -> Chunk<'_> {
        let (from, offset) = (self.start, self.offset);
        self.start = stop;
        self.offset += (stop - from) as u64;
        Chunk {
            bytes: &self.buffer[from..stop],
            offset,
            cut,
        }
    }

    /// Moves what is left to the front, and grows only for a line that fills the buffer.
    fn make_room(&mut self) {
        if self.start >= FRONT {
            let left = self.end - self.start;
            let end = cache_line(&self.buffer) + left.next_multiple_of(CACHE_LINE);
            let begin = end - left;
            self.buffer.copy_within(self.start..self.end, begin);
            (self.start, self.end) = (begin, end);
        }
        let wanted = if self.end >= READ {
            (self.end * 2).min(self.max_line + READ + FRONT)
        } else {
            READ * 2
        };
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        if self.end == 0 {
            self.start = cache_line(&self.buffer);
            self.end = self.start;
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        if self.ended {
            return Ok(0);
        }
        let room = (self.buffer.len() - self.end).min(READ);
        loop {
            match self
                .reader
                .read(&mut self.buffer[self.end..self.end + room])
            {
                Ok(read) => {
                    self.ended = read == 0;
                    self.end += read;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn skip_rest_of_line(&mut self) {
        let stop = match memchr(b'\n', &self.buffer[self.start..self.end]) {
            Some(at) => {
                self.skipping = false;
                self.start + at + 1
            }
            None => self.end,
        };
        self.offset += (stop - self.start) as u64;
        self.start = stop;
    }
}

/// A line of a stream.
#[derive(Clone, Copy, Debug)]
pub struct RawLine<'a> {
    /// Without its line feed.
    pub bytes: &'a [u8],
    /// Where it begins in the stream.
    pub offset: u64,
    /// Whether it was longer than the bound and is cut.
    pub cut: bool,
}

/// Reads a stream line by line, at its line feeds only: U+2028 and its like stay inside.
pub struct LineReader<R> {
    chunks: Chunks<R>,
    /// The rest of the chunk at hand, as a place in the buffer of `chunks`.
    at: usize,
    stop: usize,
    offset: u64,
    cut: bool,
    ends: Box<Ends>,
    /// How many ends were found and how many of them are behind.
    found: usize,
    passed: usize,
}

impl<R> std::fmt::Debug for LineReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineReader")
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}

impl<R: Read> LineReader<R> {
    /// Lines of this stream.
    pub fn new(reader: R) -> Self {
        Self::of(Chunks::new(reader))
    }

    /// Lines of these chunks.
    pub fn of(chunks: Chunks<R>) -> Self {
        LineReader {
            chunks,
            at: 0,
            stop: 0,
            offset: 0,
            cut: false,
            ends: Box::new(Ends::new()),
            found: 0,
            passed: 0,
        }
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// What the stream reports.
    #[inline]
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        while self.passed == self.found {
            if !self.find_ends()? {
                return Ok(None);
            }
        }
        let end = self.ends.at(self.passed);
        self.passed += 1;
        let begin = self.at;
        self.at = (end + 1).min(self.stop);
        let line = RawLine {
            bytes: self.chunks.buffer.get(begin..end).unwrap_or_default(),
            offset: self.offset,
            cut: self.cut && self.at == self.stop,
        };
        self.offset += (self.at - begin) as u64;
        Ok(Some(line))
    }

    /// Finds the ends of the next lines, of the next chunk where this one is done; `false` at the
    /// end of the stream.
    fn find_ends(&mut self) -> io::Result<bool> {
        if self.at == self.stop {
            let Some(chunk) = self.chunks.next_chunk()? else {
                return Ok(false);
            };
            let (len, offset, cut) = (chunk.bytes.len(), chunk.offset, chunk.cut);
            (self.at, self.stop) = (self.chunks.start - len, self.chunks.start);
            (self.offset, self.cut) = (offset, cut);
        }
        let lines = self.chunks.buffer.get(..self.stop).unwrap_or_default();
        self.found = self.ends.find_next(lines, self.at);
        self.passed = 0;
        Ok(true)
    }

    /// Where the next line begins in the stream.
    #[cfg(feature = "logs")]
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// The stream.
    pub fn get_ref(&self) -> &R {
        self.chunks.get_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buffer.len()).min(self.0.len());
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn lines(text: &[u8], step: usize, max_line: usize) -> Vec<(Vec<u8>, u64, bool)> {
        let mut reader = LineReader::of(Chunks::new(Trickle(text, step)).with_max_line(max_line));
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line().expect("no error") {
            lines.push((line.bytes.to_vec(), line.offset, line.cut));
        }
        lines
    }

    #[test]
    fn a_stream_split_anywhere_gives_the_same_lines() {
        let text = b"one\n\ntwo\r\n\xff\xfe three\nfour";
        let whole = lines(text, usize::MAX, MAX_LINE);
        assert_eq!(
            whole.iter().map(|line| line.1).collect::<Vec<_>>(),
            [0, 4, 5, 10, 19]
        );
        for step in 1..text.len() {
            assert_eq!(lines(text, step, MAX_LINE), whole, "{step} bytes at a time");
        }
    }

    #[test]
    fn a_line_beyond_the_bound_is_cut_and_the_next_is_whole() {
        let mut text = vec![b'x'; 3000];
        text.extend_from_slice(b"\nnext\n");
        for step in [7, 1000, 4000] {
            let lines = lines(&text, step, 1024);
            assert_eq!(lines.len(), 2, "{step}");
            assert_eq!(
                lines.last(),
                Some(&(b"next".to_vec(), 3001, false)),
                "{step}"
            );
            assert!(lines[0].0.len() >= 1024);
        }
    }

    #[test]
    fn a_line_longer_than_a_read_is_whole_within_the_bound() {
        let mut text = vec![b'y'; READ * 2 + 3];
        text.push(b'\n');
        let found = lines(&text, usize::MAX, MAX_LINE);
        assert_eq!(
            (found.len(), found[0].0.len(), found[0].2),
            (1, READ * 2 + 3, false)
        );
    }

    #[test]
    fn an_endless_line_takes_no_endless_memory() {
        let mut chunks = Chunks::new(io::repeat(b'z').take(64 << 20)).with_max_line(1 << 20);
        let first = chunks
            .next_chunk()
            .expect("no error")
            .expect("the beginning");
        assert!(first.cut);
        assert!(chunks.next_chunk().expect("no error").is_none());
        assert!(chunks.buffer.len() <= (1 << 20) + READ + FRONT);
    }
}
