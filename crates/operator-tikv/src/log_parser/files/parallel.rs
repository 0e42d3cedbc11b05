//! Events of files, on one core or on several.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::num::NonZero;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError, mpsc};
use std::thread;

use memchr::memchr;

use super::super::chunks::{CACHE_LINE, Chunks, MAX_LINE, cache_line};
use super::super::event::LogEvent;
use super::super::scanner::{EventScanner, Found};
use super::super::tally::Tally;
use super::source::{FileError, Progress, open};
use super::window::{Window, WindowedLines, is_before, time_of};

/// Bytes that a worker reads at a time.
const BLOCK: usize = 1 << 20;

/// Blocks that a worker takes at a time: waking each other for every block would cost more than the
/// second thread gains.
const GROUP: u64 = 4;

/// Groups that may be done ahead of the oldest one that is not: the bound of what waits in order.
const AHEAD: u64 = 8;

/// A file smaller than this is not worth a second thread.
const SMALL: u64 = 4 * BLOCK as u64;

/// An event and where its line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Which of the files, by its place in the list.
    pub file: usize,
    /// Where its line begins in the text of the file.
    pub offset: u64,
    /// What it says.
    pub event: LogEvent,
}

/// Hands over the events of files, one file after the other, in the order of their lines: the files
/// of one log in the order they were written. A compressed file is not opened up where the file
/// after it begins before the window.
///
/// `progress` is told after every chunk.
///
/// # Errors
/// [`FileError`] with the path; events of earlier lines have been handed over.
pub fn scan_files(
    files: &[PathBuf],
    window: Window,
    threads: NonZero<usize>,
    mut each: impl FnMut(Located),
    mut progress: impl FnMut(&Path, Progress),
) -> Result<Tally, FileError> {
    let mut tally = Tally::default();
    for (file, path) in files.iter().enumerate() {
        if let Some(next) = files.get(file + 1)
            && is_before(path, next, window)?
        {
            continue;
        }
        let told = scan_file(
            path,
            window,
            threads,
            |offset, event| {
                each(Located {
                    file,
                    offset,
                    event,
                });
            },
            |done| {
                progress(path, done);
                ControlFlow::Continue(())
            },
        )?;
        tally.add(&told);
    }
    Ok(tally)
}

/// Hands over the events of a file in the order of their lines.
///
/// Several threads share a plain file in blocks; compressed files and pipes are read by one, and so
/// is the rest of a file where a record that a container runtime cut lies on both sides of a border
/// between threads. The order, the events and the account are the same whatever the number.
/// `progress` may end the reading early.
///
/// # Errors
/// [`FileError`] with the path; events of earlier lines have been handed over.
pub fn scan_file(
    path: &Path,
    window: Window,
    threads: NonZero<usize>,
    mut each: impl FnMut(u64, LogEvent),
    mut progress: impl FnMut(Progress) -> ControlFlow<()>,
) -> Result<Tally, FileError> {
    let whole = window == Window::default();
    if whole && threads.get() > 1 {
        let mut source = open(path)?;
        if let Some((_, len)) = source.seekable()
            && len >= SMALL
        {
            return Blocks { path, len }
                .scan(threads, each, progress)
                .map_err(FileError::new("read", path));
        }
    }
    let mut scanner = EventScanner::new();
    let mut lines = WindowedLines::open(path, window)?;
    let mut carried = None;
    let mut wanted = |found: Found<'_>| {
        // A line without a time is as old as the event before it, as far as can be known.
        carried = found.event.time.or_else(|| time_of(found.line)).or(carried);
        if whole || carried.is_some_and(|time| window.holds(time)) {
            each(found.offset, found.event);
        }
    };
    while let Some(chunk) = lines.next_chunk().map_err(FileError::new("read", path))? {
        let (offset, end) = (chunk.offset, chunk.offset + chunk.bytes.len() as u64);
        if chunk.cut {
            scanner.count_too_long();
        }
        scanner.scan_at(offset, chunk.bytes, &mut wanted);
        if progress(lines.progress(end)).is_break() {
            return Ok(scanner.take_tally());
        }
    }
    scanner.finish(wanted);
    Ok(scanner.take_tally())
}

/// A plain file cut into blocks: a line belongs to the block that holds the line feed before it, so
/// that a block need not be asked what stands before it.
struct Blocks<'a> {
    path: &'a Path,
    len: u64,
}

/// What a worker made of a group of blocks.
struct Done {
    group: u64,
    events: Vec<(u64, LogEvent)>,
    tally: Tally,
    /// Whether a record that a container runtime cut goes on behind the group. The groups behind it
    /// do not know what came before: one thread reads from here on.
    goes_on: bool,
}

/// Which group is next, and how far the order has come.
struct Turn {
    next: u64,
    handed_out: u64,
    stop: bool,
}

impl Blocks<'_> {
    fn scan(
        &self,
        threads: NonZero<usize>,
        mut each: impl FnMut(u64, LogEvent),
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> io::Result<Tally> {
        let count = self.len.div_ceil(BLOCK as u64 * GROUP);
        let turn = Mutex::new(Turn {
            next: 0,
            handed_out: 0,
            stop: false,
        });
        let moved = Condvar::new();
        let mut tally = Tally::default();
        // From where on one thread must read.
        let mut rest = None;
        let mut ended = false;
        let stop = || {
            turn.lock().unwrap_or_else(PoisonError::into_inner).stop = true;
            moved.notify_all();
        };
        let shared = thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let workers: Vec<_> = (0..threads.get())
                .map(|_| {
                    let sender = sender.clone();
                    let (turn, moved) = (&turn, &moved);
                    scope.spawn(move || self.work(count, turn, moved, &sender))
                })
                .collect();
            drop(sender);
            let mut waiting = BTreeMap::new();
            let mut next = 0;
            let mut failed = None;
            for done in receiver {
                match done {
                    Ok(done) => {
                        waiting.insert(done.group, done);
                    }
                    Err(error) => {
                        failed.get_or_insert(error);
                        stop();
                    }
                }
                while let Some(done) = waiting.remove(&next).filter(|_| rest.is_none()) {
                    if done.goes_on {
                        rest = Some(next * GROUP * BLOCK as u64);
                        stop();
                        break;
                    }
                    tally.add(&done.tally);
                    done.events
                        .into_iter()
                        .for_each(|(offset, event)| each(offset, event));
                    next += 1;
                    turn.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .handed_out = next;
                    moved.notify_all();
                    let done = Progress {
                        done_bytes: (next * GROUP * BLOCK as u64).min(self.len),
                        total_bytes: Some(self.len),
                    };
                    if progress(done).is_break() {
                        ended = true;
                        stop();
                    }
                }
            }
            for worker in workers {
                if let Err(panic) = worker.join() {
                    std::panic::resume_unwind(panic);
                }
            }
            failed.map_or(Ok(()), Err)
        });
        shared?;
        if let Some(start) = rest.filter(|_| !ended) {
            tally.add(&self.scan_from(start, each, progress)?);
        }
        Ok(tally)
    }

    /// Reads from a border on, as one thread does.
    fn scan_from(
        &self,
        border: u64,
        mut each: impl FnMut(u64, LogEvent),
        mut progress: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> io::Result<Tally> {
        let mut file = BufReader::new(File::open(self.path)?);
        file.seek(SeekFrom::Start(border))?;
        let mut start = border;
        if border > 0 {
            // The line that is begun there was read with what stands before the border.
            start += file.skip_until(b'\n')? as u64;
        }
        let rest = file.take(self.len.saturating_sub(start));
        let mut scanner = EventScanner::new();
        let mut chunks = Chunks::new(rest).at_offset(start);
        while let Some(chunk) = chunks.next_chunk()? {
            if chunk.cut {
                scanner.count_too_long();
            }
            scanner.scan_at(chunk.offset, chunk.bytes, |found| {
                each(found.offset, found.event);
            });
            let done = Progress {
                done_bytes: chunk.offset + chunk.bytes.len() as u64,
                total_bytes: Some(self.len),
            };
            if progress(done).is_break() {
                return Ok(scanner.take_tally());
            }
        }
        scanner.finish(|found| each(found.offset, found.event));
        Ok(scanner.take_tally())
    }

    fn work(
        &self,
        count: u64,
        turn: &Mutex<Turn>,
        moved: &Condvar,
        sender: &mpsc::Sender<io::Result<Done>>,
    ) {
        let mut scanner = EventScanner::new();
        let mut buffer = Vec::new();
        let mut file = None;
        while let Some(group) = claim(count, turn, moved) {
            let mut events = Vec::new();
            let blocks = group * GROUP..((group + 1) * GROUP).min(self.len.div_ceil(BLOCK as u64));
            let scanned: io::Result<()> = blocks.into_iter().try_for_each(|block| {
                self.scan_block(block, &mut file, &mut buffer, &mut scanner, &mut events)
            });
            let goes_on = group + 1 < count && scanner.is_holding();
            if !goes_on {
                scanner.finish(|found| events.push((found.offset, found.event)));
            }
            let failed = scanned.is_err();
            let done = scanned.map(|()| Done {
                group,
                events,
                tally: scanner.take_tally(),
                goes_on,
            });
            if sender.send(done).is_err() || failed || goes_on {
                break;
            }
        }
    }

    fn scan_block(
        &self,
        block: u64,
        file: &mut Option<File>,
        buffer: &mut Vec<u8>,
        scanner: &mut EventScanner,
        events: &mut Vec<(u64, LogEvent)>,
    ) -> io::Result<()> {
        let file = match file {
            Some(file) => file,
            None => file.insert(File::open(self.path)?),
        };
        let start = block * BLOCK as u64;
        let stop = (start + BLOCK as u64).min(self.len);
        let size = usize::try_from(stop - start).unwrap_or(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        buffer.resize((size + CACHE_LINE).max(buffer.len()), 0);
        let front = cache_line(buffer);
        file.read_exact(&mut buffer[front..front + size])?;
        let first = if block == 0 {
            Some(front)
        } else {
            memchr(b'\n', &buffer[front..front + size]).map(|at| front + at + 1)
        };
        let Some(first) = first else { return Ok(()) };
        let most = front as u64 + self.len - start;
        let mut end = complete_last_line(file, buffer, front + size, most)?;
        if end - first > MAX_LINE + BLOCK {
            scanner.count_too_long();
            end = first + MAX_LINE + BLOCK;
        }
        let base = start + (first - front) as u64;
        scanner.scan_at(base, &buffer[first..end], |found| {
            events.push((found.offset, found.event));
        });
        if buffer.len() > 4 * BLOCK {
            *buffer = Vec::new();
        }
        Ok(())
    }
}

/// Reads on behind the block to the end of the line that is begun in it, or until that is too long;
/// says where it ends.
fn complete_last_line(
    file: &mut File,
    buffer: &mut Vec<u8>,
    block: usize,
    most: u64,
) -> io::Result<usize> {
    const STEP: usize = 16 << 10;
    let mut size = block;
    while (size as u64) < most && size <= MAX_LINE + 2 * BLOCK {
        buffer.resize(buffer.len().max(size + STEP), 0);
        let read = super::source::read_up_to(file, &mut buffer[size..size + STEP])?;
        if let Some(at) = memchr(b'\n', &buffer[size..size + read]) {
            return Ok(size + at);
        }
        if read == 0 {
            break;
        }
        size += read;
    }
    Ok(size)
}

/// The next group, once it is not too far ahead of the order.
fn claim(count: u64, turn: &Mutex<Turn>, moved: &Condvar) -> Option<u64> {
    let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    while !turn.stop && turn.next < count && turn.next >= turn.handed_out + AHEAD {
        turn = moved.wait(turn).unwrap_or_else(PoisonError::into_inner);
    }
    if turn.stop || turn.next >= count {
        return None;
    }
    turn.next += 1;
    Some(turn.next - 1)
}

/// The events of a stream, on this thread: for pipes and for bytes at hand.
///
/// # Errors
/// What the stream reports.
pub fn scan_stream<R: Read>(stream: R, mut each: impl FnMut(u64, LogEvent)) -> io::Result<Tally> {
    let mut scanner = EventScanner::new();
    let mut chunks = Chunks::new(stream);
    while let Some(chunk) = chunks.next_chunk()? {
        if chunk.cut {
            scanner.count_too_long();
        }
        scanner.scan_at(chunk.offset, chunk.bytes, |found| {
            each(found.offset, found.event);
        });
    }
    scanner.finish(|found| each(found.offset, found.event));
    Ok(scanner.take_tally())
}
