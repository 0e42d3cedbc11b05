//! The three formats from before the unified one. None of them has a zone, so none has a time.

use memchr::memchr_iter;

use super::level::Level;
use super::line::{Damage, Format, LogLine};
use super::scan;
use super::stamp;
use super::text::Text;

/// Bytes of a local time.
const LOCAL_LEN: usize = 23;

/// How far into a line its head is looked for.
const MAX_PREFIX: usize = 256;

/// Reads a legacy line, with or without something before it.
pub(super) fn parse(line: &[u8]) -> Option<LogLine<'_>> {
    parse_at(line, 0).or_else(|| {
        // A prefix ends in a blank (compose, a test's name) or a colon (grep).
        (1..line.len().min(MAX_PREFIX))
            .filter(|&at| matches!(line[at - 1], b' ' | b':' | b'\t'))
            .find_map(|at| parse_at(line, at))
    })
}

fn parse_at(whole: &[u8], at: usize) -> Option<LogLine<'_>> {
    let line = &whole[at..];
    let local: &[u8; LOCAL_LEN] = line.get(..LOCAL_LEN)?.try_into().ok()?;
    let rest = line.get(LOCAL_LEN..)?.strip_prefix(b" ")?;
    let mut parsed = if stamp::local_ms(local, b'-', b',').is_some() {
        legacy_2016(rest)?
    } else {
        stamp::local_ms(local, b'/', b'.')?;
        legacy_2_1(rest).or_else(|| legacy_2_0(rest))?
    };
    parsed.record = whole;
    parsed.time_text = local;
    parsed.prefix = &whole[..at];
    parsed.damage = if at == 0 {
        Damage::LEGACY
    } else {
        Damage::LEGACY.and(Damage::PREFIX)
    };
    Some(parsed)
}

/// `raft.rs:582 - INFO  - text`
fn legacy_2016(rest: &[u8]) -> Option<LogLine<'_>> {
    let (source, rest) = word(rest)?;
    let (word, rest) = word(rest.strip_prefix(b"- ")?)?;
    let text = rest.trim_ascii_start().strip_prefix(b"-")?;
    legacy(Format::Legacy2016, source, word, text)
}

/// `raft.rs:732: [INFO] text`
fn legacy_2_0(rest: &[u8]) -> Option<LogLine<'_>> {
    let (source, rest) = word(rest)?;
    let end = memchr_iter(b']', rest).next()?;
    legacy(
        Format::Legacy20,
        source.strip_suffix(b":")?,
        rest[..end].strip_prefix(b"[")?,
        &rest[end + 1..],
    )
}

/// `INFO raft.rs:722: text`
fn legacy_2_1(rest: &[u8]) -> Option<LogLine<'_>> {
    let (level, rest) = word(rest)?;
    let (source, text) = match memchr_iter(b' ', rest).next() {
        Some(end) => (&rest[..end], &rest[end..]),
        None => (rest, &[][..]),
    };
    legacy(Format::Legacy21, source.strip_suffix(b":")?, level, text)
}

fn legacy<'a>(
    format: Format,
    source: &'a [u8],
    level: &'a [u8],
    text: &'a [u8],
) -> Option<LogLine<'a>> {
    let known = scan::is_source(source)
        || source
            .strip_prefix(b"<unknown>:")
            .is_some_and(|n| n.iter().all(u8::is_ascii_digit));
    let mut line = LogLine::new(text, format);
    line.level = Some(Level::parse(level)?);
    line.level_text = level;
    line.source = known.then_some(source);
    line.message = Some(Text::bare(text.trim_ascii()));
    known.then_some(line)
}

fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr_iter(b' ', text).next()?;
    Some((&text[..end], &text[end + 1..]))
}
