//! The pieces of records that container runtimes cut, held until the last one comes.

use super::container::{Joiner, Piece, STREAMS};

/// What is held of a container's streams.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    streams: [Stream; STREAMS],
    /// Where the next line of the container begins in the chunk, if it follows on the last.
    next: usize,
}

#[derive(Debug, Default)]
struct Stream {
    joiner: Joiner,
    /// Where the first piece begins.
    offset: u64,
}

/// Text that was put together, and where its first piece begins.
pub(super) struct Joined<'a> {
    pub(super) offset: u64,
    pub(super) text: &'a [u8],
}

/// What became of a container's line.
pub(super) enum Put<'a> {
    /// It is a whole record by itself.
    Alone,
    /// It waits for what comes.
    Held,
    /// It was the last.
    Whole(Joined<'a>),
}

impl Pieces {
    /// Whether anything waits for its last piece.
    pub(super) fn are_held(&self) -> bool {
        self.streams.iter().any(|stream| stream.joiner.is_holding())
    }

    /// Whether a line that begins here follows on the container's last.
    pub(super) const fn are_followed_by(&self, begin: usize) -> bool {
        self.next == begin
    }

    /// Says that the container's last line ended here.
    pub(super) const fn line_ended(&mut self, end: usize) {
        self.next = end + 1;
    }

    /// Goes over to the next chunk; `false` where other lines stand at the end of this one.
    pub(super) const fn chunk_ended(&mut self, len: usize) -> bool {
        let followed = self.next >= len;
        self.next = 0;
        followed
    }

    /// What a piece puts an end to by beginning a record: the last one of that was lost.
    pub(super) fn ended_by(&mut self, piece: &Piece<'_>) -> Option<Joined<'_>> {
        let stream = self.streams.get_mut(piece.stream)?;
        let ends = stream.joiner.is_holding() && stream.joiner.has_text() && piece.begins_record();
        ends.then(|| stream.hand_out())
    }

    /// Takes a piece of a line that begins here.
    pub(super) fn put(&mut self, piece: &Piece<'_>, offset: u64) -> Put<'_> {
        let Some(stream) = self.streams.get_mut(piece.stream) else {
            return Put::Alone;
        };
        if !stream.joiner.is_holding() {
            if piece.last {
                return Put::Alone;
            }
            stream.offset = offset;
        }
        let offset = stream.offset;
        match stream.joiner.take(piece) {
            Some(text) => Put::Whole(Joined { offset, text }),
            None => Put::Held,
        }
    }

    /// Gives up waiting: what is held, the stream that began first before the other.
    pub(super) fn end(&mut self) -> Option<Joined<'_>> {
        let held = self
            .streams
            .iter_mut()
            .filter(|stream| stream.joiner.is_holding());
        held.min_by_key(|stream| stream.offset)
            .map(Stream::hand_out)
    }
}

impl Stream {
    fn hand_out(&mut self) -> Joined<'_> {
        Joined {
            offset: self.offset,
            text: self.joiner.hand_out(),
        }
    }
}
