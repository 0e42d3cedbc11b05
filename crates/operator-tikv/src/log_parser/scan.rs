//! The smallest pieces of the grammar: bare text, quoted text, a section.

use super::line::Field;
use super::stamp::{STAMP_LEN, Stamp};
use super::stops::Stops;
use super::text::{Text, hex4};

/// Why a piece does not scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The bytes end too early.
    Cut(usize),
    /// A byte is wrong.
    At(usize),
}

/// What stands between two brackets after the source.
#[derive(Clone, Copy, Debug)]
pub(super) enum Section<'a> {
    Empty,
    Message(Text<'a>),
    Field(Field<'a>),
}

/// Bytes that may not stand in bare text.
static ENDS_BARE: [bool; 256] = ends_bare();

const fn ends_bare() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte <= 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'=' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
}

/// Whether this byte makes a writer quote.
pub(super) const fn needs_quotes(byte: u8) -> bool {
    ENDS_BARE[byte as usize]
}

/// Scans `[..]` whose bracket opens at `at`; gives the section and the place behind it.
#[inline(always)]
pub(super) fn section<'a>(
    line: &'a [u8],
    at: usize,
    stops: &mut impl Stops,
) -> Result<(Section<'a>, usize), Broken> {
    match line.get(at) {
        Some(b'[') => {}
        Some(_) => return Err(Broken::At(at)),
        None => return Err(Broken::Cut(at)),
    }
    let (first, after) = token(line, at + 1, stops)?;
    match line.get(after) {
        Some(b']') if first.is_empty() && !first.is_quoted() => Ok((Section::Empty, after + 1)),
        Some(b']') => Ok((Section::Message(first), after + 1)),
        Some(b'=') => {
            let (value, end) = value(line, after + 1, stops)?;
            close(line, end)?;
            Ok((Section::Field(Field { key: first, value }), end + 1))
        }
        Some(_) => Err(Broken::At(after)),
        None => Err(Broken::Cut(after)),
    }
}

#[inline(always)]
fn close(line: &[u8], at: usize) -> Result<(), Broken> {
    match line.get(at) {
        Some(b']') => Ok(()),
        Some(_) => Err(Broken::At(at)),
        None => Err(Broken::Cut(at)),
    }
}

/// A value may also be a time, which zap writes raw with its blanks.
#[inline(always)]
fn value<'a>(
    line: &'a [u8],
    at: usize,
    stops: &mut impl Stops,
) -> Result<(Text<'a>, usize), Broken> {
    if let Some(b' ') = line.get(at + 10)
        && let Some(raw) = line.get(at..at + STAMP_LEN)
        && Stamp::parse(raw).is_some()
    {
        return Ok((Text::bare(raw), at + STAMP_LEN));
    }
    token(line, at, stops)
}

#[inline(always)]
fn token<'a>(
    line: &'a [u8],
    at: usize,
    stops: &mut impl Stops,
) -> Result<(Text<'a>, usize), Broken> {
    if line.get(at) == Some(&b'"') {
        quoted(line, at, stops)
    } else {
        Ok(bare(line, at, stops))
    }
}

#[inline(always)]
pub(super) fn bare<'a>(line: &'a [u8], at: usize, stops: &mut impl Stops) -> (Text<'a>, usize) {
    let end = stops.bare(line, at);
    (Text::bare(line.get(at..end).unwrap_or_default()), end)
}

/// A JSON string whose quote opens at `at`.
#[inline(always)]
pub(super) fn quoted<'a>(
    line: &'a [u8],
    at: usize,
    stops: &mut impl Stops,
) -> Result<(Text<'a>, usize), Broken> {
    let start = at + 1;
    let mut from = start;
    loop {
        let Some(stop) = stops.quoted(line, from) else {
            return Err(Broken::Cut(line.len()));
        };
        match line[stop] {
            b'"' => return Ok((Text::quoted(&line[start..stop]), stop + 1)),
            _ if matches!(line.get(stop + 1), Some(b'"' | b'\\')) => from = stop + 2,
            _ => from = stop + escape_len(line, stop)?,
        }
    }
}

#[inline]
fn escape_len(line: &[u8], at: usize) -> Result<usize, Broken> {
    match line.get(at + 1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(2),
        Some(b'u') if hex4(line, at + 2).is_some() => Ok(6),
        Some(b'u') if line.len() < at + 6 => Err(Broken::Cut(line.len())),
        Some(_) => Err(Broken::At(at)),
        None => Err(Broken::Cut(line.len())),
    }
}

/// Whether this names a log statement: `file:line`, or the word for an unknown one.
#[inline]
pub(super) fn is_source(text: &[u8]) -> bool {
    let digits = text
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    if digits == 0 {
        return text == b"<unknown>";
    }
    match text[..text.len() - digits].split_last() {
        Some((b':', file)) => file
            .iter()
            .all(|&b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')),
        _ => false,
    }
}
