//! What people ask of lines: words, fields, levels. Never used by the grammar.

use std::fmt;

use regex::bytes::{Regex, RegexBuilder};

use super::super::level::Level;
use super::super::line::LogLine;

/// A question about a field: `region_id=5`, or `err~timeout` for a pattern.
#[derive(Clone, Debug)]
pub struct FieldFilter {
    key: String,
    ask: Ask,
}

#[derive(Clone, Debug)]
enum Ask {
    Is(String),
    Matches(Regex),
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
    /// Reads `key=value` or `key~pattern`.
    ///
    /// # Errors
    /// [`BadFilter`] with what was expected.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let at = text.find(['=', '~']).filter(|&at| at > 0);
        let at = at.ok_or_else(|| {
            BadFilter(format!(
                "cannot read filter {text:?}: expected key=value or key~pattern"
            ))
        })?;
        let (key, value) = (text[..at].to_owned(), &text[at + 1..]);
        let ask = if text.as_bytes()[at] == b'=' {
            Ask::Is(value.to_owned())
        } else {
            Ask::Matches(pattern(value)?)
        };
        Ok(FieldFilter { key, ask })
    }

    /// Whether any field under the key answers; keys may stand twice.
    #[must_use]
    pub fn matches(&self, line: &LogLine<'_>) -> bool {
        line.fields()
            .filter(|field| field.key.is(&self.key))
            .any(|field| match &self.ask {
                Ask::Is(value) => field.value.is(value),
                Ask::Matches(pattern) => pattern.is_match(&field.value.bytes()),
            })
    }
}

/// What a line must be to be shown; everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    patterns: Vec<Regex>,
    fields: Vec<FieldFilter>,
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
        self.patterns.push(pattern(text)?);
        Ok(self)
    }

    /// A field answers.
    #[must_use]
    pub fn field(mut self, field: FieldFilter) -> Self {
        self.fields.push(field);
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
        self.at_least
            .is_none_or(|least| line.level().is_none_or(|level| level >= least))
            && self
                .patterns
                .iter()
                .all(|pattern| pattern.is_match(line.record()))
            && self.fields.iter().all(|field| field.matches(line))
    }

    /// Whether bytes that are no record pass: only patterns can be asked of them.
    #[must_use]
    pub fn matches_raw(&self, line: &[u8]) -> bool {
        self.fields.is_empty()
            && self.at_least.is_none()
            && self.patterns.iter().all(|pattern| pattern.is_match(line))
    }
}

/// Compiled patterns may take this much memory.
const PATTERN_BYTES: usize = 4 << 20;

fn pattern(text: &str) -> Result<Regex, BadFilter> {
    RegexBuilder::new(text)
        .case_insensitive(!text.chars().any(char::is_uppercase))
        .size_limit(PATTERN_BYTES)
        .build()
        .map_err(|error| BadFilter(format!("cannot read pattern {text:?}: {error}")))
}
