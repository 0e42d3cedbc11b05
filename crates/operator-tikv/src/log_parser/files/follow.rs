//! Reading a log that grows, is rotated, or is truncated.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use memchr::memrchr;

use super::super::chunks::MAX_LINE;
use super::source::FileError;

/// Bytes read at a time.
const READ: usize = 64 << 10;

/// Follows a log: every call hands over what has been written since the last.
///
/// It neither waits nor asks the time; whoever follows decides how often to look. A rotated file
/// is read to its end before the new one is begun; a truncated one is begun again. A last line
/// without its line feed is held until it is whole.
#[derive(Debug)]
pub struct Follower {
    path: PathBuf,
    file: Option<Opened>,
    held: Vec<u8>,
}

#[derive(Debug)]
struct Opened {
    file: File,
    identity: Identity,
    offset: u64,
}

/// What tells one file from another under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Identity {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Identity(metadata.dev(), metadata.ino())
    }

    /// Elsewhere a file is known by when it was made, as far as the system says.
    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        let made = metadata
            .created()
            .ok()
            .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        Identity(
            0,
            made.map_or(0, |since| {
                since.as_secs() << 30 | u64::from(since.subsec_nanos())
            }),
        )
    }
}

impl Follower {
    /// Follows from the end of what is there now; a file that is not there yet is read from its
    /// beginning once it is.
    ///
    /// # Errors
    /// [`FileError`] where the file is there and cannot be read.
    pub fn from_end(path: &Path) -> Result<Self, FileError> {
        let mut follower = Self::from_start(path)?;
        if let Some(opened) = &mut follower.file {
            opened.offset = opened
                .file
                .seek(SeekFrom::End(0))
                .map_err(FileError::new("read", path))?;
        }
        Ok(follower)
    }

    /// Follows from the beginning.
    ///
    /// # Errors
    /// As [`Follower::from_end`].
    pub fn from_start(path: &Path) -> Result<Self, FileError> {
        let file = open(path).map_err(FileError::new("open", path))?;
        Ok(Follower {
            path: path.to_owned(),
            file,
            held: Vec::new(),
        })
    }

    /// Passes over what lies before a place at which a line begins, in the file that was opened: for
    /// who reads that file in another way first, and must not lose what is written meanwhile.
    ///
    /// # Errors
    /// [`FileError`] where the file cannot be read.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), FileError> {
        if let Some(opened) = &mut self.file {
            opened.offset = opened
                .file
                .seek(SeekFrom::Start(offset))
                .map_err(FileError::new("read", &self.path))?;
        }
        Ok(())
    }

    /// Hands over the lines written since the last call, in chunks of whole lines; says how many
    /// bytes that was.
    ///
    /// # Errors
    /// [`FileError`]; the next call goes on where this one failed.
    pub fn poll(&mut self, mut each: impl FnMut(&[u8])) -> Result<u64, FileError> {
        let path = self.path.clone();
        self.advance(&mut each)
            .map_err(FileError::new("follow", &path))
    }

    fn advance(&mut self, each: &mut impl FnMut(&[u8])) -> io::Result<u64> {
        let mut done = 0;
        if let Some(opened) = &mut self.file {
            if opened.file.metadata()?.len() < opened.offset {
                opened.offset = opened.file.seek(SeekFrom::Start(0))?;
                self.held.clear();
            }
            done += opened.read_new(&mut self.held, each)?;
        }
        let now = match fs::metadata(&self.path) {
            Ok(metadata) => Some(Identity::of(&metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let same = self.file.as_ref().map(|opened| opened.identity) == now;
        if now.is_some() && !same {
            // What came between the last read and the rotation is still in the old file.
            if let Some(opened) = &mut self.file {
                done += opened.read_new(&mut self.held, each)?;
                if !self.held.is_empty() {
                    each(&self.held);
                    self.held.clear();
                }
            }
            self.file = open(&self.path)?;
            if let Some(opened) = &mut self.file {
                done += opened.read_new(&mut self.held, each)?;
            }
        }
        Ok(done)
    }
}

fn open(path: &Path) -> io::Result<Option<Opened>> {
    match File::open(path) {
        Ok(file) => {
            let identity = Identity::of(&file.metadata()?);
            Ok(Some(Opened {
                file,
                identity,
                offset: 0,
            }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Opened {
    /// Reads to the end; what is no whole line yet stays in `held`, which is bounded.
    fn read_new(&mut self, held: &mut Vec<u8>, each: &mut impl FnMut(&[u8])) -> io::Result<u64> {
        let mut done = 0;
        loop {
            let before = held.len();
            let read = (&mut self.file).take(READ as u64).read_to_end(held)?;
            if read == 0 {
                return Ok(done);
            }
            self.offset += read as u64;
            done += read as u64;
            if let Some(end) = memrchr(b'\n', &held[before..]) {
                each(&held[..=before + end]);
                held.drain(..=before + end);
            } else if held.len() > MAX_LINE {
                each(held);
                held.clear();
            }
        }
    }
}
