//! Reads the lines of one log, in pieces of bounded size.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use memchr::memrchr;
use operator_tikv::log_parser::Tally;
use operator_tikv::log_parser::files::{FileError, Follower, Window, WindowedLines, is_before};

use super::inputs::Log;
use super::merging::Sink;

/// Lines are handed on in pieces of about so many bytes: what is made of a piece is held in memory.
const PIECE: usize = 64 << 10;

/// Some whole lines of a log, and where they stand.
#[derive(Debug, Clone)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// The file, where it matters which.
    pub(super) path: &'a Arc<Path>,
    /// Where the first begins in the text of the file; not known of what is followed.
    pub(super) offset: Option<u64>,
    /// Whether a new file of the log begins here.
    pub(super) begins: bool,
    /// Whether the last line was too long and is cut.
    pub(super) cut: bool,
}

/// Makes something of the lines of one log.
pub(super) trait Maker: Send + 'static {
    /// Takes the next lines.
    fn take(&mut self, piece: &Piece<'_>, sink: &mut Sink);

    /// A file ends here: what waits for its next line waits in vain.
    fn end(&mut self, _path: &Arc<Path>, _sink: &mut Sink) {}

    /// How the lines so far were read.
    fn tally(&self) -> &Tally;

    /// Whether lines before the window may be passed over unseen.
    fn seeks(&self) -> bool {
        true
    }
}

/// How a log is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Manner {
    pub(super) window: Window,
    /// Whether it will be followed: then a last line without its end is left to whoever follows.
    pub(super) follows: bool,
}

/// Reads a log to its end, and hands over what is made of it. Gives what follows it from there, where
/// it will be followed.
pub(super) fn read(
    log: &Log,
    manner: Manner,
    maker: &mut impl Maker,
    done: &AtomicU64,
    mut hand_over: impl FnMut(&mut Sink) -> ControlFlow<()>,
) -> Result<Option<Follower>, FileError> {
    let mut sink = Sink::default();
    let mut follower = None;
    let window = match maker.seeks() {
        true => manner.window,
        false => Window::default(),
    };
    for (at, path) in log.files.iter().enumerate() {
        let next = log.files.get(at + 1);
        if let Some(next) = next
            && is_before(path, next, window)?
        {
            continue;
        }
        let last = next.is_none() && manner.follows && path != Path::new("-");
        // Opened before it is read: if it is rotated meanwhile, this is still the file that was read.
        if last {
            follower = Some(Follower::from_start(path)?);
        }
        let mut lines = WindowedLines::open(path, window)?;
        let shared: Arc<Path> = Arc::from(path.as_path());
        let mut begins = true;
        let fail = |source| FileError {
            doing: "read",
            path: path.clone(),
            source,
        };
        let mut end = lines.start();
        while let Some(chunk) = lines.next_chunk().map_err(fail)? {
            let whole = match last && !chunk.cut {
                true => memrchr(b'\n', chunk.bytes).map_or(0, |at| at + 1),
                false => chunk.bytes.len(),
            };
            done.fetch_add(chunk.bytes.len() as u64, Ordering::Relaxed);
            let mut rest = chunk.bytes.get(..whole).unwrap_or_default();
            let mut offset = chunk.offset;
            while !rest.is_empty() {
                let (bytes, after) = rest.split_at(piece_of(rest));
                let piece = Piece {
                    bytes,
                    path: &shared,
                    offset: Some(offset),
                    begins: std::mem::take(&mut begins),
                    cut: chunk.cut && after.is_empty(),
                };
                maker.take(&piece, &mut sink);
                if hand_over(&mut sink).is_break() {
                    return Ok(None);
                }
                offset += bytes.len() as u64;
                rest = after;
            }
            end = offset;
        }
        match &mut follower {
            // It goes on with what is written from now on.
            Some(follower) => follower.skip_to(end)?,
            None => {
                maker.end(&shared, &mut sink);
                if hand_over(&mut sink).is_break() {
                    return Ok(None);
                }
            }
        }
    }
    Ok(follower)
}

/// How long the first piece of these lines is: a line is never parted.
pub(super) fn piece_of(lines: &[u8]) -> usize {
    match lines.get(..PIECE) {
        None => lines.len(),
        Some(first) => match memrchr(b'\n', first) {
            Some(at) => at + 1,
            None => memchr::memchr(b'\n', lines).map_or(lines.len(), |at| at + 1),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_where_a_line_does() {
        assert_eq!(piece_of(b"one\ntwo"), 7);
        let long = vec![b'x'; PIECE + 10];
        assert_eq!(piece_of(&long), PIECE + 10);
        let mut lines = b"first\n".to_vec();
        lines.extend(&long);
        assert_eq!(piece_of(&lines), 6);
        let mut lines = long.clone();
        lines.extend(b"\nnext\n");
        assert_eq!(piece_of(&lines), PIECE + 11);
    }
}
