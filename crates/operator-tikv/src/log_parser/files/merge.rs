//! Lines of several stores as one stream, by time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::chunks::LineReader;
use super::super::stamp::Stamp;
use super::rotation::rotation_set;
use super::source::{FileError, LogSource, Progress, open};
use super::window::time_of;

/// Merges logs by time.
///
/// A line without a time (a panic's raw text, a legacy line) stays behind the line it follows.
/// Lines of one log never change their order, even where its clock was stepped; lines of several
/// logs at the same moment keep the order in which the logs were given. Memory is one buffer per
/// log.
#[derive(Debug)]
pub struct Merge {
    inputs: Vec<Input>,
    line: Vec<u8>,
}

#[derive(Debug)]
struct Input {
    store: Arc<str>,
    /// Files still to be read, the next one last.
    files: Vec<PathBuf>,
    path: Arc<Path>,
    reader: Option<LineReader<LogSource>>,
    next: Vec<u8>,
    /// The time the next line sorts by.
    time: Option<Stamp>,
    ended: bool,
    /// Bytes of the files that were read to their end.
    done_bytes: u64,
    /// Bytes of all its files, where they are known.
    total_bytes: Option<u64>,
}

/// A line and where it is from.
#[derive(Clone, Debug)]
pub struct MergedLine<'a> {
    /// The name that its log was given.
    pub store: Arc<str>,
    /// The file it stands in.
    pub path: Arc<Path>,
    /// The line, without its line feed.
    pub bytes: &'a [u8],
    /// Its time, or that of the last line of its log that has one.
    pub time: Option<Stamp>,
}

impl Merge {
    /// A merge of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Merge {
            inputs: Vec::new(),
            line: Vec::new(),
        }
    }

    /// Adds a store's log with everything it was rotated into.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    pub fn add_store(&mut self, store: &str, log: &Path) -> Result<(), FileError> {
        self.add_files(store, rotation_set(log)?)
    }

    /// Adds a store's files in this order.
    ///
    /// # Errors
    /// [`FileError`] with the path.
    pub fn add_files(&mut self, store: &str, mut files: Vec<PathBuf>) -> Result<(), FileError> {
        let total_bytes = files.iter().map(|path| size(path)).sum();
        files.reverse();
        let mut input = Input {
            store: Arc::from(store),
            files,
            path: Arc::from(Path::new("")),
            reader: None,
            next: Vec::new(),
            time: None,
            ended: false,
            done_bytes: 0,
            total_bytes,
        };
        input.advance()?;
        self.inputs.push(input);
        Ok(())
    }

    /// How far the reading of all files has come; all bytes are known where no file is compressed
    /// or a pipe. Lines that are read ahead, one of each log, count as done. A log that grows may
    /// have more bytes done than it had when it was added.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            done_bytes: self.inputs.iter().map(Input::done_bytes).sum(),
            total_bytes: self.inputs.iter().map(|input| input.total_bytes).sum(),
        }
    }

    /// The next line; `None` at the end of all.
    ///
    /// # Errors
    /// [`FileError`] with the path; the merge is over then.
    pub fn next_line(&mut self) -> Result<Option<MergedLine<'_>>, FileError> {
        // `min_by_key` gives the first of equals: the order in which the logs were given.
        let next = self
            .inputs
            .iter()
            .enumerate()
            .filter(|(_, input)| !input.ended)
            .min_by_key(|(_, input)| input.time);
        let Some((index, _)) = next else {
            return Ok(None);
        };
        let input = &mut self.inputs[index];
        std::mem::swap(&mut self.line, &mut input.next);
        let (store, path, time) = (
            Arc::clone(&input.store),
            Arc::clone(&input.path),
            input.time,
        );
        input.advance()?;
        Ok(Some(MergedLine {
            store,
            path,
            bytes: &self.line,
            time,
        }))
    }
}

/// Bytes of text, where they are known before a file's turn; one that cannot be opened is told then.
fn size(path: &Path) -> Option<u64> {
    // A pipe can be opened only once.
    path.is_file().then(|| open(path).ok()?.len())?
}

impl Default for Merge {
    fn default() -> Self {
        Self::new()
    }
}

impl Input {
    fn done_bytes(&self) -> u64 {
        self.done_bytes + self.reader.as_ref().map_or(0, LineReader::offset)
    }

    fn advance(&mut self) -> Result<(), FileError> {
        loop {
            if self.reader.is_none() {
                let Some(path) = self.files.pop() else {
                    self.ended = true;
                    return Ok(());
                };
                self.reader = Some(LineReader::new(open(&path)?));
                self.path = Arc::from(path);
            }
            match self.read_line() {
                Ok(true) => return Ok(()),
                Ok(false) => {
                    self.done_bytes = self.done_bytes();
                    self.reader = None;
                }
                Err(error) => {
                    self.ended = true;
                    return Err(FileError::new("read", &self.path)(error));
                }
            }
        }
    }

    fn read_line(&mut self) -> io::Result<bool> {
        let Some(reader) = &mut self.reader else {
            return Ok(false);
        };
        let Some(line) = reader.next_line()? else {
            return Ok(false);
        };
        self.next.clear();
        self.next.extend_from_slice(line.bytes);
        // A clock that was stepped back does not let a line overtake the one before it.
        self.time = time_of(line.bytes).max(self.time);
        Ok(true)
    }
}
