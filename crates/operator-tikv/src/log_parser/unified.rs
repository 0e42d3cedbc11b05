//! The unified text format, read strictly or, past a known head, as far as it goes.

use fearless_simd::{Level, Simd, dispatch};

use super::fault::{Fault, Reason};
use super::level::Level as LogLevel;
use super::line::{Damage, Field, Format, LogLine};
use super::scan::{self, Broken, Section};
use super::stamp::{STAMP_LEN, Stamp};
use super::stops::{ByBlock, ByWord, Stops};
use super::text::Text;

/// Bytes of `[time]`.
const TIME_SECTION: usize = STAMP_LEN + 2;

/// Reads one whole record. `base` is where the record starts in the line, for faults.
pub(super) fn parse<'a>(
    record: &'a [u8],
    base: usize,
    each: impl FnMut(Option<Field<'a>>),
) -> Result<LogLine<'a>, Fault> {
    let mut line = LogLine::new(record, Format::Unified);
    dispatch!(Level::new(), simd => fill(&mut line, ByBlock::new(simd), base, each))?;
    Ok(line)
}

#[inline(always)]
fn fill<'a, S: Simd>(
    line: &mut LogLine<'a>,
    mut stops: ByBlock<S>,
    base: usize,
    mut each: impl FnMut(Option<Field<'a>>),
) -> Result<(), Fault> {
    let record = line.record;
    let fault = |reason, at: usize| Fault {
        reason,
        at: base + at,
    };
    let at = head(line, &mut stops).map_err(|(reason, at)| fault(reason, at))?;
    let mut at = source(record, at, line, &mut stops).map_err(|(reason, at)| fault(reason, at))?;
    let mut first = true;
    if let Some((text, after)) = stops.usual_message(record, at) {
        line.message = Some(text);
        (first, at) = (false, after);
    }
    line.sections = record.get(at..).unwrap_or_default();
    while at < record.len() {
        if !first && let Some((field, after)) = stops.usual_field(record, at) {
            each(Some(field));
            at = after;
            continue;
        }
        if record[at] != b' ' {
            return Err(fault(Reason::Section, at));
        }
        let (section, after) =
            scan::section(record, at + 1, &mut stops).map_err(|broken| match broken {
                Broken::Cut(at) => fault(Reason::CutOff, at),
                Broken::At(at) => fault(Reason::Section, at),
            })?;
        match section {
            Section::Field(field) => each(Some(field)),
            Section::Message(text) if first => {
                line.message = Some(text);
                line.sections = &record[after..];
            }
            Section::Empty if first => {
                line.message = Some(Text::bare(b""));
                line.sections = &record[after..];
            }
            Section::Empty => each(None),
            Section::Message(_) => return Err(fault(Reason::Section, at + 1)),
        }
        first = false;
        at = after;
    }
    // Everywhere else a control byte is no part of the grammar.
    if stops.found_control() {
        let at = record.iter().position(|&byte| byte < 0x20).unwrap_or(0);
        return Err(fault(Reason::ControlByte, at));
    }
    Ok(())
}

/// Looks at every byte whatever it finds: without a way out of the loop the compiler looks at many
/// at once.
fn has_control_byte(record: &[u8]) -> bool {
    record
        .iter()
        .fold(false, |found, &byte| found | (byte < 0x20))
}

/// Reads what can be read of a record that begins with its head at the start of `record`.
pub(super) fn parse_loosely<'a>(record: &'a [u8], whole: &'a [u8]) -> Option<LogLine<'a>> {
    let mut line = LogLine::new(record, Format::Unified);
    dispatch!(Level::new(), simd => fill_loosely(&mut line, ByBlock::new(simd)))?;
    line.record = whole;
    Some(line)
}

#[inline(always)]
fn fill_loosely<S: Simd>(line: &mut LogLine<'_>, mut stops: ByBlock<S>) -> Option<()> {
    let record = line.record;
    let at = head(line, &mut stops).ok()?;
    loose_sections(line, at, &mut stops);
    // A line of any length is fetched from memory once: only what nobody has looked at is left to ask about.
    if stops.found_control() || has_control_byte(stops.behind(record)) {
        line.damage = line.damage.and(Damage::LOOSE);
    }
    Some(())
}

/// All behind the level, as far as it goes.
#[inline(always)]
fn loose_sections<S: Simd>(line: &mut LogLine<'_>, at: usize, stops: &mut ByBlock<S>) {
    let record = line.record;
    let Ok(mut at) = source(record, at, line, stops) else {
        line.damage = line.damage.and(Damage::SOURCE);
        line.trailing = &record[at..];
        return;
    };
    let mut first = true;
    let mut start = at;
    while at < record.len() {
        let blanks = record[at..]
            .iter()
            .take_while(|&&byte| byte == b' ')
            .count();
        if at + blanks == record.len() {
            break;
        }
        if blanks != 1 {
            line.damage = line.damage.and(Damage::LOOSE);
        }
        match scan::section(record, at + blanks, stops) {
            Ok((Section::Message(text), after)) if first => {
                line.message = Some(text);
                (start, at) = (after, after);
            }
            Ok((Section::Empty, after)) if first => {
                line.message = Some(Text::bare(b""));
                (start, at) = (after, after);
            }
            Ok((Section::Field(_) | Section::Empty, after)) => at = after,
            broken => {
                line.damage = line.damage.and(Damage::TAIL);
                line.trailing = &record[at..];
                if first && matches!(broken, Err(Broken::Cut(_))) {
                    cut_message(&record[at + blanks..], line);
                }
                break;
            }
        }
        first = false;
    }
    line.sections = &record[start..at];
}

/// The beginning of a message whose end is missing.
fn cut_message<'a>(tail: &'a [u8], line: &mut LogLine<'a>) {
    if let Some(text) = tail.strip_prefix(b"[\"") {
        line.message = Some(Text::quoted(text));
        line.damage = line.damage.and(Damage::CUT_MESSAGE);
    }
}

type Miss = (Reason, usize);

/// Time and level. Without a time TiKV leaves the blank that follows it, zap does not.
#[inline(always)]
fn head(line: &mut LogLine<'_>, stops: &mut impl Stops) -> Result<usize, Miss> {
    let record = line.record;
    let mut at = match record {
        [b'[', b'0'..=b'9', ..] => {
            let stamp = record.get(1..=STAMP_LEN).ok_or((Reason::NoHeader, 0))?;
            line.time = Some(Stamp::parse(stamp).ok_or((Reason::NoHeader, 1))?);
            line.time_text = stamp;
            match record.get(TIME_SECTION - 1..TIME_SECTION + 2) {
                Some(b"] [") => TIME_SECTION + 1,
                Some([b']', b'[', _]) => return Err((Reason::RocksDb, TIME_SECTION)),
                _ => return Err((Reason::NoHeader, TIME_SECTION - 1)),
            }
        }
        [b'[', ..] => 0,
        [b' ', b'[', ..] => 1,
        _ => return Err((Reason::NoHeader, 0)),
    };
    at += 1;
    let (word, after) = scan::bare(record, at, stops);
    line.level = Some(LogLevel::parse(word.raw()).ok_or((
        if line.time.is_some() {
            Reason::Level
        } else {
            Reason::NoHeader
        },
        at,
    ))?);
    line.level_text = word.raw();
    if record.get(after) != Some(&b']') {
        return Err((Reason::Level, after));
    }
    Ok(after + 1)
}

/// The source, after the name of a named logger where there is one.
#[inline(always)]
fn source<'a>(
    record: &'a [u8],
    at: usize,
    line: &mut LogLine<'a>,
    stops: &mut impl Stops,
) -> Result<usize, Miss> {
    let begin = at + 2;
    let (text, at) = bare_section(record, at, stops)?;
    if stops.is_source(record, begin, text) {
        line.source = Some(text);
        return Ok(at);
    }
    let (source, after) = bare_section(record, at, stops)?;
    if text.is_empty() || !scan::is_source(source) {
        return Err((Reason::Source, at));
    }
    line.logger = Some(text);
    line.source = Some(source);
    Ok(after)
}

#[inline(always)]
fn bare_section<'a>(
    record: &'a [u8],
    at: usize,
    stops: &mut impl Stops,
) -> Result<(&'a [u8], usize), Miss> {
    if record.get(at..at + 2) != Some(b" [") {
        return Err((Reason::Source, at));
    }
    let (text, after) = scan::bare(record, at + 2, stops);
    match record.get(after) {
        Some(b']') => Ok((text.raw(), after + 1)),
        Some(_) => Err((Reason::Source, after)),
        None => Err((Reason::CutOff, after)),
    }
}

/// Walks over sections that were found good once.
#[derive(Clone, Debug)]
pub(super) struct Sections<'a> {
    rest: &'a [u8],
}

impl<'a> Sections<'a> {
    pub(super) const fn of(rest: &'a [u8]) -> Self {
        Sections { rest }
    }
}

impl<'a> Iterator for Sections<'a> {
    type Item = Option<Field<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let blanks = self.rest.iter().take_while(|&&byte| byte == b' ').count();
        let (section, after) = scan::section(self.rest, blanks, &mut ByWord).ok()?;
        self.rest = &self.rest[after..];
        match section {
            Section::Field(field) => Some(Some(field)),
            Section::Empty => Some(None),
            Section::Message(_) => None,
        }
    }
}
