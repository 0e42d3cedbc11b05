//! Lines of container runtimes, which cut what is longer than 16 KiB into pieces.

use std::borrow::Cow;

use super::stamp::{STAMP_LEN, Stamp};
use super::text::Text;
use super::{json, parse_line};

/// Puts together what a container runtime cut: both runtimes split a line at 16 KiB.
///
/// CRI marks a piece with `P` and the last one with `F`; docker's pieces are JSON strings that do
/// not end in a line feed. Give it the lines of one stream in order. [`EventScanner`] and all that
/// is made of it do so themselves.
///
/// ```
/// use operator_tikv::log_parser::Joiner;
/// let mut joiner = Joiner::default();
/// assert_eq!(joiner.push(b"2024-08-14T08:25:23.1Z stderr P [2024/08/14 16:25"), None);
/// assert_eq!(joiner.push(b"2024-08-14T08:25:23.1Z stderr F :23.105 +08:00] [INFO] [a.rs:1] [x]"),
///     Some(&b"[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1] [x]"[..]));
/// ```
///
/// [`EventScanner`]: super::EventScanner
#[derive(Debug, Default)]
pub struct Joiner {
    held: Vec<u8>,
    out: Vec<u8>,
    holding: bool,
    joined: bool,
}

/// More than this is not held: it is handed out as it stands.
const MAX_JOINED: usize = 16 << 20;

impl Joiner {
    /// Takes a line; gives the line that is now whole. A line of no container comes back as it is.
    pub fn push<'a>(&'a mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        match Piece::of(line) {
            Some(piece) if self.holding || !piece.last => self.take(&piece),
            None if self.holding => {
                // A line of no container ends what was held: nothing is lost, both stand in one.
                self.held.extend_from_slice(line);
                self.joined = true;
                Some(self.hand_out())
            }
            _ => {
                self.joined = false;
                Some(line)
            }
        }
    }

    /// Takes a piece; gives the line that is now whole.
    pub(super) fn take(&mut self, piece: &Piece<'_>) -> Option<&[u8]> {
        self.joined = self.holding;
        self.held.extend_from_slice(&piece.bytes());
        if !piece.last && self.held.len() < MAX_JOINED {
            self.holding = true;
            return None;
        }
        Some(self.hand_out())
    }

    /// Whether what was given out last had been put together.
    #[must_use]
    pub const fn joined(&self) -> bool {
        self.joined
    }

    /// Whether more is awaited.
    pub(super) const fn is_holding(&self) -> bool {
        self.holding
    }

    /// Whether anything but emptiness is held.
    pub(super) const fn has_text(&self) -> bool {
        !self.held.is_empty()
    }

    /// What is still held when the stream ends.
    pub fn finish(&mut self) -> Option<&[u8]> {
        let text = self.hand_out();
        (!text.is_empty()).then_some(text)
    }

    pub(super) fn hand_out(&mut self) -> &[u8] {
        self.holding = false;
        // Not swapped: after one that was long two buffers of its length would stay.
        self.out = std::mem::take(&mut self.held);
        &self.out
    }
}

/// A line of a container's log.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    text: Text<'a>,
    /// Whether its record ends with it.
    pub(super) last: bool,
    /// Which of the container's streams it is from: 0 or 1.
    pub(super) stream: usize,
}

/// How many streams a container has.
pub(super) const STREAMS: usize = 2;

impl<'a> Piece<'a> {
    /// The piece that a line is; `None` for one of no container.
    pub(super) fn of(line: &'a [u8]) -> Option<Self> {
        docker(line).or_else(|| cri(line))
    }

    /// What the container wrote, without a line feed.
    pub(super) fn bytes(&self) -> Cow<'a, [u8]> {
        let text = self.text.bytes();
        match text.ends_with(b"\n") {
            false => text,
            true => match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..text.len() - 1]),
                Cow::Owned(mut text) => {
                    text.pop();
                    Cow::Owned(text)
                }
            },
        }
    }

    /// Whether a record begins with it, so that it cannot be the rest of another: its head stands
    /// there, or all of a JSON record.
    pub(super) fn begins_record(&self) -> bool {
        let text = self.bytes();
        let stamp = text
            .strip_prefix(b"[")
            .and_then(|rest| rest.get(..STAMP_LEN));
        stamp.and_then(Stamp::parse).is_some()
            || text.starts_with(b"{") && parse_line(&text).is_ok()
    }
}

fn docker(line: &[u8]) -> Option<Piece<'_>> {
    let (text, mut rest) = json::docker(line)?;
    let stdout = rest.any(|member| member.key.raw() == b"stream" && member.value.is("stdout"));
    let last = ends_in_escaped_line_feed(text.raw()) || text.bytes().ends_with(b"\n");
    // A record of the JSON format may have a field of that name before all others.
    (last || parse_line(line).is_err()).then_some(Piece {
        text,
        last,
        stream: usize::from(stdout),
    })
}

/// Whether a JSON string ends in `\n`, seen without unescaping the kilobytes before it.
fn ends_in_escaped_line_feed(raw: &[u8]) -> bool {
    raw.strip_suffix(b"n").is_some_and(|raw| {
        let slashes = raw.iter().rev().take_while(|&&byte| byte == b'\\').count();
        slashes % 2 == 1
    })
}

/// `2024-08-14T08:25:23.1Z stderr P text`
fn cri(line: &[u8]) -> Option<Piece<'_>> {
    // Asked first: most lines are of no container, and have no blank for long.
    if line.get(10) != Some(&b'T') {
        return None;
    }
    let mut words = line.splitn(4, |&byte| byte == b' ');
    if words.next()?.len() < 20 {
        return None;
    }
    let (stream, tag, text) = (words.next()?, words.next()?, words.next()?);
    let stream = match stream {
        b"stderr" => 0,
        b"stdout" => 1,
        _ => return None,
    };
    matches!(tag, b"P" | b"F").then_some(Piece {
        text: Text::bare(text.strip_suffix(b"\r").unwrap_or(text)),
        last: tag == b"F",
        stream,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_last(line: &str) -> Option<bool> {
        Piece::of(line.as_bytes()).map(|piece| piece.last)
    }

    #[test]
    fn the_last_piece_of_docker_is_the_one_that_ends_in_a_line_feed() {
        for (log, last) in [
            (r"text\n", true),
            (r"text\u000a", true),
            (r"text\\\n", true),
            (r"text\\n", false),
            (r"text", false),
            (r"n", false),
            (r"\n", true),
            ("", false),
        ] {
            let line = format!(r#"{{"log":"{log}","stream":"stderr","time":"x"}}"#);
            assert_eq!(is_last(&line), Some(last), "{line}");
        }
        let record = r#"{"log":"a field","level":"INFO","caller":"a.rs:1","message":"x"}"#;
        assert_eq!(is_last(record), None);
    }

    #[test]
    fn the_last_piece_of_cri_is_marked() {
        for (line, last) in [
            ("2024-08-14T08:25:23.123456Z stderr F x", Some(true)),
            ("2024-08-14T08:25:23.123456Z stdout P x", Some(false)),
            ("2024-08-14T08:25:23.123456Z stdout P ", Some(false)),
            ("2024-08-14T08:25:23.123456Z stdout X x", None),
            ("2024-08-14T08:25:23.123456Z stdin P x", None),
            ("a line of nobody", None),
            ("", None),
        ] {
            assert_eq!(is_last(line), last, "{line}");
        }
    }
}
