//! The JSON format: one object per line, read without building a map, because a key may stand
//! twice (a field named `message` beside the message) and the first is the envelope's.

use memchr::memchr;

use super::fault::{Fault, Reason};
use super::level::Level;
use super::line::{Field, Format, LogLine};
use super::scan::{self, Broken};
use super::stamp::Stamp;
use super::stops::ByWord;
use super::text::Text;

/// Objects and arrays inside a value may nest this deep; no writer comes near.
const MAX_DEPTH: usize = 64;

/// Reads one whole JSON record.
pub(super) fn parse<'a>(
    record: &'a [u8],
    base: usize,
    mut each: impl FnMut(Option<Field<'a>>),
) -> Result<LogLine<'a>, Fault> {
    let fault = |reason| Fault { reason, at: base };
    let mut line = LogLine::new(record, Format::Json);
    line.sections = record;
    let mut members = Members::of(record);
    let mut envelope = Envelope::default();
    for field in members.by_ref() {
        match envelope.take(field) {
            Some(Part::Level) => {
                line.level_text = field.value.raw();
                line.level = Level::parse(line.level_text);
            }
            Some(Part::Time) => {
                line.time_text = field.value.raw();
                line.time = Stamp::parse(line.time_text);
            }
            Some(Part::Source) => line.source = Some(field.value.raw()),
            Some(Part::Message) => line.message = Some(field.value),
            Some(Part::Logger) => line.logger = Some(field.value.raw()),
            None => each(Some(field)),
        }
    }
    match members.end {
        End::Whole => {}
        End::Broken(Broken::Cut(at)) => {
            return Err(Fault {
                reason: Reason::CutOff,
                at: base + at,
            });
        }
        End::Open | End::Broken(Broken::At(_)) => return Err(fault(Reason::OtherJson)),
    }
    if line.level.is_some() && line.message.is_some() {
        Ok(line)
    } else {
        Err(fault(Reason::OtherJson))
    }
}

#[derive(Clone, Copy)]
enum Part {
    Level,
    Time,
    Source,
    Message,
    Logger,
}

/// Which keys of the envelope have been met.
#[derive(Clone, Copy, Debug, Default)]
struct Envelope {
    level: bool,
    time: bool,
    source: bool,
    message: bool,
    logger: bool,
}

impl Envelope {
    fn take(&mut self, field: Field<'_>) -> Option<Part> {
        if !field.value.is_quoted() {
            return None;
        }
        let (seen, part) = match field.key.raw() {
            b"level" => (&mut self.level, Part::Level),
            b"time" => (&mut self.time, Part::Time),
            b"caller" => (&mut self.source, Part::Source),
            b"message" => (&mut self.message, Part::Message),
            b"logger" => (&mut self.logger, Part::Logger),
            _ => return None,
        };
        let value = field.value.raw();
        let fits = match part {
            Part::Source => scan::is_source(value),
            Part::Time => Stamp::parse(value).is_some(),
            Part::Level | Part::Message | Part::Logger => true,
        };
        if *seen || !fits {
            return None;
        }
        *seen = true;
        Some(part)
    }
}

/// The fields of a record: its members without the envelope.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    members: Members<'a>,
    envelope: Envelope,
}

impl<'a> Fields<'a> {
    pub(super) fn of(record: &'a [u8]) -> Self {
        Fields {
            members: Members::of(record),
            envelope: Envelope::default(),
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let field = self.members.next()?;
            if self.envelope.take(field).is_none() {
                return Some(field);
            }
        }
    }
}

/// All members of a record in order, the envelope's among them.
pub(super) fn members(record: &[u8]) -> impl Iterator<Item = Field<'_>> {
    Members::of(record)
}

#[derive(Clone, Copy, Debug)]
enum End {
    Open,
    Whole,
    Broken(Broken),
}

/// The members of an object in order.
#[derive(Clone, Debug)]
struct Members<'a> {
    text: &'a [u8],
    at: usize,
    end: End,
    first: bool,
}

impl<'a> Members<'a> {
    fn of(text: &'a [u8]) -> Self {
        Members {
            text,
            at: 0,
            end: End::Open,
            first: true,
        }
    }

    fn step(&mut self) -> Result<Option<Field<'a>>, Broken> {
        let mut at = skip_blanks(self.text, self.at);
        if self.first {
            at = skip_blanks(self.text, expect(self.text, at, b'{')?);
        }
        if self.text.get(at) == Some(&b'}') {
            return self.finish(at + 1);
        }
        if !self.first {
            at = skip_blanks(self.text, expect(self.text, at, b',')?);
        }
        self.first = false;
        let (key, after) = string(self.text, at)?;
        at = expect(self.text, skip_blanks(self.text, after), b':')?;
        let (value, after) = value(self.text, skip_blanks(self.text, at))?;
        self.at = after;
        Ok(Some(Field { key, value }))
    }

    fn finish(&mut self, at: usize) -> Result<Option<Field<'a>>, Broken> {
        let at = skip_blanks(self.text, at);
        if at != self.text.len() {
            return Err(Broken::At(at));
        }
        self.end = End::Whole;
        Ok(None)
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if !matches!(self.end, End::Open) {
            return None;
        }
        match self.step() {
            Ok(field) => field,
            Err(broken) => {
                self.end = End::Broken(broken);
                None
            }
        }
    }
}

fn skip_blanks(text: &[u8], at: usize) -> usize {
    at + text
        .get(at..)
        .unwrap_or_default()
        .iter()
        .take_while(|&&b| matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
        .count()
}

fn expect(text: &[u8], at: usize, byte: u8) -> Result<usize, Broken> {
    match text.get(at) {
        Some(&found) if found == byte => Ok(at + 1),
        Some(_) => Err(Broken::At(at)),
        None => Err(Broken::Cut(at)),
    }
}

fn string(text: &[u8], at: usize) -> Result<(Text<'_>, usize), Broken> {
    expect(text, at, b'"')?;
    let (string, after) = scan::quoted(text, at, &mut ByWord)?;
    match string.raw().iter().position(|&byte| byte < 0x20) {
        Some(control) => Err(Broken::At(at + 1 + control)),
        None => Ok((string, after)),
    }
}

/// A value: the inside of a string, or the JSON text of anything else.
fn value(text: &[u8], at: usize) -> Result<(Text<'_>, usize), Broken> {
    match text.get(at) {
        Some(b'"') => string(text, at),
        Some(b'{' | b'[') => {
            let after = nested(text, at)?;
            Ok((Text::bare(&text[at..after]), after))
        }
        Some(_) => {
            let rest = &text[at..];
            let len = rest
                .iter()
                .position(|b| matches!(b, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n'))
                .unwrap_or(rest.len());
            if is_literal(&rest[..len]) {
                Ok((Text::bare(&rest[..len]), at + len))
            } else {
                Err(Broken::At(at))
            }
        }
        None => Err(Broken::Cut(at)),
    }
}

fn is_literal(text: &[u8]) -> bool {
    matches!(text, b"null" | b"true" | b"false") || is_number(text)
}

/// A number as JSON knows it.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let len = digits(fraction);
        if len == 0 {
            return false;
        }
        rest = &fraction[len..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = if let [b'+' | b'-', digits @ ..] = exponent {
            digits
        } else {
            exponent
        };
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

/// Behind an object or array; only its brackets and strings are looked at, with a stack of fixed
/// size, so that no depth of nesting costs more than its bytes.
fn nested(text: &[u8], at: usize) -> Result<usize, Broken> {
    let mut stack = [0_u8; MAX_DEPTH];
    let mut depth = 0;
    let mut at = at;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => {
                at = string(text, at)?.1;
                continue;
            }
            b'{' | b'[' => {
                *stack.get_mut(depth).ok_or(Broken::At(at))? = byte + 2;
                depth += 1;
            }
            b'}' | b']' => {
                depth -= 1;
                if stack[depth] != byte {
                    return Err(Broken::At(at));
                }
                if depth == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Broken::Cut(at))
}

/// The text inside a container runtime's JSON line `{"log":"..","stream":"..","time":".."}`.
pub(super) fn docker_log(line: &[u8]) -> Option<Text<'_>> {
    docker(line).map(|(log, _)| log)
}

/// The same, and the members behind it.
pub(super) fn docker(line: &[u8]) -> Option<(Text<'_>, impl Iterator<Item = Field<'_>>)> {
    if !line.starts_with(b"{") || memchr(b'"', line) != Some(1) {
        return None;
    }
    let mut members = Members::of(line);
    let first = members.next()?;
    let is_log = first.key.raw() == b"log" && first.value.is_quoted();
    is_log.then_some((first.value, members))
}
