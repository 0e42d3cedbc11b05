//! Opening what a user names: a file, a compressed file, standard input.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

/// Compressed bytes read at a time.
const COMPRESSED_READ: usize = 64 << 10;

/// A file that could not be read.
#[derive(Debug)]
pub struct FileError {
    /// What was being done.
    pub doing: &'static str,
    /// Where.
    pub path: PathBuf,
    /// What happened.
    pub source: io::Error,
}

impl FileError {
    pub(super) fn new(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        let path = path.to_owned();
        move |source| FileError {
            doing,
            path,
            source,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}", self.doing, self.path.display())
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// How far a long reading has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of log text done so far.
    pub done_bytes: u64,
    /// Bytes in all, where they are known: not for standard input and compressed files.
    pub total_bytes: Option<u64>,
}

/// An opened log.
pub struct LogSource {
    reader: Reader,
    len: Option<u64>,
}

enum Reader {
    Plain(File),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
    Stdin(io::Stdin),
}

/// Opens a log: `-` is standard input; a compressed file is known by its first bytes, whatever
/// its name.
///
/// # Errors
/// [`FileError`] with the path.
pub fn open(path: &Path) -> Result<LogSource, FileError> {
    if path == Path::new("-") {
        return Ok(LogSource {
            reader: Reader::Stdin(io::stdin()),
            len: None,
        });
    }
    let mut file = File::open(path).map_err(FileError::new("open", path))?;
    let metadata = file.metadata().map_err(FileError::new("open", path))?;
    if !metadata.is_file() {
        return Ok(LogSource {
            reader: Reader::Plain(file),
            len: None,
        });
    }
    let mut magic = [0; 2];
    let read = read_up_to(&mut file, &mut magic).map_err(FileError::new("read", path))?;
    file.seek(SeekFrom::Start(0))
        .map_err(FileError::new("read", path))?;
    if read == 2 && magic == [0x1f, 0x8b] {
        let decoder = MultiGzDecoder::new(BufReader::with_capacity(COMPRESSED_READ, file));
        return Ok(LogSource {
            reader: Reader::Gzip(Box::new(decoder)),
            len: None,
        });
    }
    Ok(LogSource {
        reader: Reader::Plain(file),
        len: Some(metadata.len()),
    })
}

/// Reads until the buffer is full or the end is met.
pub(super) fn read_up_to(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

impl LogSource {
    /// Bytes of text, where they are known without reading.
    #[must_use]
    pub const fn len(&self) -> Option<u64> {
        self.len
    }

    /// Whether it is known to hold nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == Some(0)
    }

    /// The file, where places in it are places in the text.
    pub(super) fn seekable(&mut self) -> Option<(&mut File, u64)> {
        match (&mut self.reader, self.len) {
            (Reader::Plain(file), Some(len)) => Some((file, len)),
            _ => None,
        }
    }
}

impl Read for LogSource {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.reader {
            Reader::Plain(file) => file.read(buffer),
            Reader::Gzip(decoder) => decoder.read(buffer),
            Reader::Stdin(stdin) => stdin.read(buffer),
        }
    }
}

impl fmt::Debug for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.reader {
            Reader::Plain(_) => "plain",
            Reader::Gzip(_) => "gzip",
            Reader::Stdin(_) => "standard input",
        };
        f.debug_struct("LogSource")
            .field("kind", &kind)
            .field("len", &self.len)
            .finish()
    }
}
