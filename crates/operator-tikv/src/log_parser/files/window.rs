//! A stretch of time out of a file, by seeking where the file is ordered.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::path::Path;

use memchr::{memchr, memrchr_iter};

use super::super::chunks::{Chunk, Chunks};
use super::super::stamp::Stamp;
use super::super::{STAMP_LEN, parse_lenient};
use super::source::{FileError, LogSource, Progress, open, read_up_to};

/// Neighbouring lines of zap may be out of order by some milliseconds, and a clock may be stepped
/// back a little: this much more is read at both ends.
const MARGIN_MS: i64 = 2_000;

/// Bytes looked at in one probe for a line with a time, before looking at more.
const PROBE: usize = 4 << 10;

/// A probe that finds no time in this many bytes gives up, and the file is read whole.
const MAX_PROBE: usize = 1 << 20;

/// So many probes, evenly spread, must be in order before a search is trusted: a search alone sees
/// only its own path, and a clock that was set back elsewhere would hide what it should find.
const SPREAD: u64 = 32;

/// Before every line.
const BEGINNING: Stamp = Stamp::utc(i64::MIN);

/// A stretch of time, both ends included; an open end reaches as far as there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// From this moment on.
    pub from: Option<Stamp>,
    /// Up to this moment.
    pub until: Option<Stamp>,
}

impl Window {
    /// Whether a moment is inside.
    #[must_use]
    pub fn holds(&self, time: Stamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time <= until)
    }

    fn after(&self, time: Stamp) -> bool {
        self.until
            .is_some_and(|until| time.utc_ms > until.utc_ms.saturating_add(MARGIN_MS))
    }
}

/// The chunks of a file that a window can concern.
///
/// Where the file is plain and ordered, reading begins by a search for the window's start and ends
/// behind its end. Where it is compressed, a pipe, or not ordered, all of it is read. The chunks
/// hold a little more than the window: [`Window::holds`] decides about each line.
#[derive(Debug)]
pub struct WindowedLines {
    chunks: Chunks<LogSource>,
    window: Window,
    sought: bool,
    ended: bool,
    from: u64,
}

impl WindowedLines {
    /// Opens a file at the start of a window.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    pub fn open(path: &Path, window: Window) -> Result<Self, FileError> {
        let mut source = open(path)?;
        let wanted = window.from.or(window.until.map(|_| BEGINNING));
        let (start, sought) = match (wanted, source.seekable()) {
            (Some(from), Some((file, len))) => {
                seek_to(file, len, from).map_err(FileError::new("search", path))?
            }
            _ => (0, false),
        };
        if let Some((file, _)) = source.seekable() {
            file.seek(SeekFrom::Start(start))
                .map_err(FileError::new("search", path))?;
        }
        Ok(WindowedLines {
            chunks: Chunks::new(source).at_offset(start),
            window,
            sought,
            ended: false,
            from: start,
        })
    }

    /// The window.
    #[must_use]
    pub const fn window(&self) -> Window {
        self.window
    }

    /// Where in the text of the file reading begins.
    #[must_use]
    pub const fn start(&self) -> u64 {
        self.from
    }

    /// Whether reading began by a search; otherwise the whole file is read.
    #[must_use]
    pub const fn sought(&self) -> bool {
        self.sought
    }

    /// The next lines; `None` behind the window or at the end of the file.
    ///
    /// # Errors
    /// What the file reports.
    pub fn next_chunk(&mut self) -> io::Result<Option<Chunk<'_>>> {
        if self.ended {
            return Ok(None);
        }
        let Some(chunk) = self.chunks.next_chunk()? else {
            return Ok(None);
        };
        // Only a file whose order was seen may end early: one clock jump must not cut the rest.
        if self.sought
            && self.window.until.is_some()
            && time_of_first(chunk.bytes).is_some_and(|time| self.window.after(time))
        {
            self.ended = true;
            return Ok(None);
        }
        Ok(Some(chunk))
    }

    /// How much of the file is done once a chunk that ends here is.
    #[must_use]
    pub fn progress(&self, offset: u64) -> Progress {
        Progress {
            done_bytes: offset.saturating_sub(self.from),
            total_bytes: self
                .chunks
                .get_ref()
                .len()
                .map(|len| len.saturating_sub(self.from)),
        }
    }
}

/// The time of the last line that has one; `None` where none of the last lines has.
///
/// # Errors
/// [`FileError`] with the path.
pub fn last_time(path: &Path) -> Result<Option<Stamp>, FileError> {
    let mut source = open(path)?;
    let Some((file, len)) = source.seekable() else {
        return Ok(None);
    };
    let mut size = PROBE;
    loop {
        let start = len.saturating_sub(size as u64);
        let bytes = read_at(file, start, size).map_err(FileError::new("read", path))?;
        let found = lines_backwards(&bytes).find_map(time_of);
        if found.is_some() || start == 0 || size >= MAX_PROBE {
            return Ok(found);
        }
        size *= 4;
    }
}

/// The time of the first line that has one, looked for in the first mebibyte.
///
/// # Errors
/// [`FileError`] with the path.
pub fn first_time(path: &Path) -> Result<Option<Stamp>, FileError> {
    let mut chunks = Chunks::new(open(path)?);
    let first = chunks.next_chunk().map_err(FileError::new("read", path))?;
    Ok(first.and_then(|chunk| chunk.bytes.split(|&byte| byte == b'\n').find_map(time_of)))
}

/// Whether a file that cannot be searched lies wholly before a window, by the first line of the
/// file that was written after it: then it need not be opened up.
///
/// # Errors
/// [`FileError`] with the path.
pub fn is_before(path: &Path, next: &Path, window: Window) -> Result<bool, FileError> {
    let Some(from) = window.from else {
        return Ok(false);
    };
    if path == Path::new("-") || open(path)?.seekable().is_some() {
        return Ok(false);
    }
    let mut chunks = Chunks::new(open(next)?);
    let first = chunks.next_chunk().map_err(FileError::new("read", next))?;
    let time = first.and_then(|chunk| time_of_first(chunk.bytes));
    Ok(time.is_some_and(|time| time.utc_ms < from.utc_ms.saturating_sub(MARGIN_MS)))
}

/// Where lines at or after a moment begin, less the margin; and whether that was found by search.
/// Any sign that the file is not ordered means: from the start. A clock that was set back by little,
/// between two probes, can stay unseen.
fn seek_to(file: &mut File, len: u64, from: Stamp) -> io::Result<(u64, bool)> {
    let wanted = from.utc_ms.saturating_sub(MARGIN_MS);
    let Some((_, first)) = probe(file, 0, len)? else {
        return Ok((0, false));
    };
    let (mut low, mut high) = (0, len);
    let mut times = vec![(0, first.utc_ms)];
    for at in (1..SPREAD).map(|n| len / SPREAD * n) {
        if let Some((at, time)) = probe(file, at, len)? {
            times.push((at, time.utc_ms));
        }
    }
    while high - low > PROBE as u64 {
        let middle = low + (high - low) / 2;
        match probe(file, middle, high)? {
            // No line with a time begins in the upper half: the lower one decides.
            None => high = middle,
            Some((at, time)) => {
                times.push((at, time.utc_ms));
                if time.utc_ms < wanted {
                    low = at;
                } else {
                    high = middle;
                }
            }
        }
    }
    times.sort_unstable();
    let ordered = times
        .windows(2)
        .all(|pair| pair[0].1 <= pair[1].1 + MARGIN_MS);
    Ok(if ordered { (low, true) } else { (0, false) })
}

/// The first line with a time that begins at or after a place, and before another.
fn probe(file: &mut File, at: u64, before: u64) -> io::Result<Option<(u64, Stamp)>> {
    let mut size = PROBE;
    loop {
        let bytes = read_at(file, at, size)?;
        // In the middle of the file the first line has begun before: it is passed over.
        let mut start = if at == 0 {
            0
        } else {
            memchr(b'\n', &bytes).map_or(bytes.len(), |found| found + 1)
        };
        while start < bytes.len() && at + (start as u64) < before {
            let end = memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |found| start + found);
            if let Some(time) = time_of(&bytes[start..end]) {
                return Ok(Some((at + start as u64, time)));
            }
            start = end + 1;
        }
        if at + (bytes.len() as u64) >= before || bytes.len() < size || size >= MAX_PROBE {
            return Ok(None);
        }
        size *= 4;
    }
}

fn read_at(file: &mut File, at: u64, size: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; size];
    let read = read_up_to(file, &mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}

fn lines_backwards(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut end = bytes.len();
    memrchr_iter(b'\n', bytes)
        .map(|at| at + 1)
        .chain([0])
        .filter_map(move |start| {
            let line = bytes.get(start..end)?;
            end = start.saturating_sub(1);
            Some(line)
        })
}

/// The time of the first line of a chunk that has one.
fn time_of_first(bytes: &[u8]) -> Option<Stamp> {
    bytes
        .split(|&byte| byte == b'\n')
        .take(16)
        .find_map(time_of)
}

/// The time of a line, cheaply where its head is the usual one.
#[must_use]
pub fn time_of(line: &[u8]) -> Option<Stamp> {
    if let [b'[', rest @ ..] = line
        && let Some(time) = rest.get(..STAMP_LEN).and_then(Stamp::parse)
    {
        return Some(time);
    }
    parse_lenient(line, &mut Vec::new()).ok()?.time()
}
