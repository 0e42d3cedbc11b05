//! What people ask of lines: words, fields, levels. Never used by the grammar.

use std::borrow::Cow;
use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

use super::super::level::Level;
use super::super::line::LogLine;
use super::super::text::Text;
use super::needle::Needle;

/// A question about a field: `region_id=5`, `region_id!=5`, or with a pattern `err=~timeout`,
/// `err!~timeout`.
#[derive(Clone, Debug)]
pub struct FieldFilter {
    key: String,
    ask: Ask,
    /// Whether the answer is to be no.
    not: bool,
}

#[derive(Clone, Debug)]
enum Ask {
    Is(String),
    Matches(Pattern),
}

/// A pattern, and the words of which one must stand in whatever it matches.
#[derive(Clone, Debug)]
struct Pattern {
    regex: Regex,
    needle: Option<Needle>,
}

/// A filter that says nothing that can be asked.
#[derive(Debug)]
pub struct BadFilter(String);

impl fmt::Display for BadFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadFilter {}

impl FieldFilter {
    /// Reads `key=value`, `key!=value`, `key=~pattern` or `key!~pattern`; `key~pattern` is a short
    /// form.
    ///
    /// # Errors
    /// [`BadFilter`] with what was expected.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        const SIGNS: [(&str, bool, bool); 5] = [
            ("=~", true, false),
            ("!~", true, true),
            ("!=", false, true),
            ("=", false, false),
            ("~", true, false),
        ];
        let bad = || {
            BadFilter(format!(
                "cannot read filter {text:?}: expected KEY=VALUE, KEY!=VALUE, KEY=~PATTERN or KEY!~PATTERN"
            ))
        };
        let at = text.find(['=', '~', '!']).filter(|&at| at > 0);
        let (key, rest) = text.split_at(at.ok_or_else(bad)?);
        let (value, matches, not) = SIGNS
            .iter()
            .find_map(|&(sign, matches, not)| Some((rest.strip_prefix(sign)?, matches, not)))
            .ok_or_else(bad)?;
        let ask = if matches {
            Ask::Matches(Pattern::parse(value)?)
        } else {
            Ask::Is(value.to_owned())
        };
        Ok(FieldFilter {
            key: key.to_owned(),
            ask,
            not,
        })
    }

    /// Whether any field under the key answers; keys may stand twice. Asked for the contrary, a
    /// line without the field passes.
    #[must_use]
    pub fn matches(&self, line: &LogLine<'_>) -> bool {
        let answers =
            line.fields()
                .filter(|field| field.key.is(&self.key))
                .any(|field| match &self.ask {
                    Ask::Is(value) => field.value.is(value),
                    Ask::Matches(pattern) => pattern.regex.is_match(&field.value.bytes()),
                });
        answers != self.not
    }

    /// What must stand in a line that passes.
    fn needle(&self) -> Option<Needle> {
        if self.not {
            return None;
        }
        let value = match &self.ask {
            Ask::Is(value) => Needle::exact(value),
            Ask::Matches(pattern) => pattern.needle.clone(),
        };
        value.or_else(|| Needle::exact(&self.key).map(Needle::common))
    }
}

/// What a line must be to be shown; everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    anywhere: Vec<Pattern>,
    in_message: Vec<Pattern>,
    fields: Vec<FieldFilter>,
    sources: Vec<String>,
    at_least: Option<Level>,
}

impl Filter {
    /// A filter that every line passes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The raw line matches this pattern; letters match in either case where the pattern has
    /// no capital.
    ///
    /// # Errors
    /// [`BadFilter`] with the place in the pattern.
    pub fn grep(mut self, text: &str) -> Result<Self, BadFilter> {
        self.anywhere.push(Pattern::parse(text)?);
        Ok(self)
    }

    /// The message matches this pattern, as with [`Filter::grep`]; of what is no record the line
    /// is asked.
    ///
    /// # Errors
    /// [`BadFilter`] with the place in the pattern.
    pub fn message(mut self, text: &str) -> Result<Self, BadFilter> {
        self.in_message.push(Pattern::parse(text)?);
        Ok(self)
    }

    /// A field answers.
    #[must_use]
    pub fn field(mut self, field: FieldFilter) -> Self {
        self.fields.push(field);
        self
    }

    /// One of these files wrote it: `raft.rs`, or with the line `raft.rs:1217`.
    #[must_use]
    pub fn source(mut self, file: &str) -> Self {
        self.sources.push(file.to_owned());
        self
    }

    /// The level is at least this; an unknown one passes, because it may be the worst.
    #[must_use]
    pub const fn at_least(mut self, level: Level) -> Self {
        self.at_least = Some(level);
        self
    }

    /// Whether a line that is a record passes.
    #[must_use]
    pub fn matches(&self, line: &LogLine<'_>) -> bool {
        let message = || line.message().map_or(Cow::Borrowed(&b""[..]), Text::bytes);
        self.at_least
            .is_none_or(|least| line.level().is_none_or(|level| level >= least))
            && self
                .anywhere
                .iter()
                .all(|pattern| pattern.regex.is_match(line.record()))
            && self
                .in_message
                .iter()
                .all(|pattern| pattern.regex.is_match(&message()))
            && self.matches_source(line)
            && self.fields.iter().all(|field| field.matches(line))
    }

    fn matches_source(&self, line: &LogLine<'_>) -> bool {
        self.sources.is_empty()
            || line.source_bytes().is_some_and(|source| {
                self.sources.iter().any(|wanted| {
                    source
                        .strip_prefix(wanted.as_bytes())
                        .is_some_and(|rest| matches!(rest.first(), None | Some(b':')))
                })
            })
    }

    /// Whether bytes that are no record pass: only patterns can be asked of them.
    #[must_use]
    pub fn matches_raw(&self, line: &[u8]) -> bool {
        self.fields.is_empty()
            && self.sources.is_empty()
            && self.at_least.is_none()
            && self
                .anywhere
                .iter()
                .chain(&self.in_message)
                .all(|pattern| pattern.regex.is_match(line))
    }

    /// The best of what must stand in a line that passes.
    pub(super) fn needle(&self) -> Option<Needle> {
        let patterns = self.anywhere.iter().chain(&self.in_message);
        let patterns = patterns.filter_map(|pattern| pattern.needle.clone());
        let fields = self.fields.iter().filter_map(FieldFilter::needle);
        patterns.chain(fields).max_by_key(Needle::worth)
    }
}

/// Compiled patterns may take this much memory.
const PATTERN_BYTES: usize = 4 << 20;

impl Pattern {
    fn parse(text: &str) -> Result<Self, BadFilter> {
        let either_case = !text.chars().any(char::is_uppercase);
        let regex = RegexBuilder::new(text)
            .case_insensitive(either_case)
            .size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| {
                // The library draws the place below the pattern; its last line says what is wrong.
                let error = error.to_string();
                let reason = error.lines().last().unwrap_or_default();
                let reason = reason.trim_start_matches("error: ");
                BadFilter(format!("cannot read pattern {text:?}: {reason}"))
            })?;
        Ok(Pattern {
            regex,
            needle: Needle::of_pattern(text, either_case),
        })
    }
}
