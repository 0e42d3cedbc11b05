//! Lines that cannot pass a filter are not looked at: what must stand in a line that passes is
//! looked for first, in all lines at once.

use std::ops::Range;

use memchr::{memchr, memrchr};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Hir, HirKind};

use super::search::Filter;

/// A word shorter than this stands in too many lines to be worth looking for.
const SHORTEST: usize = 2;

/// More alternatives than this are slower to look for than every line is to read.
const MOST: usize = 16;

/// Words of which one must stand in a line that passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needle {
    words: Vec<Vec<u8>>,
    either_case: bool,
    common: bool,
}

impl Needle {
    /// This text, as far as no writer escapes it.
    pub(super) fn exact(text: &str) -> Option<Self> {
        Self::of_words([text.as_bytes()], false)
    }

    /// What must stand in a text that a pattern matches, if that is known.
    pub(super) fn of_pattern(text: &str, either_case: bool) -> Option<Self> {
        // Whether letters match in either case is asked when the words are looked for.
        let parsed = ParserBuilder::new().utf8(false).build().parse(text).ok()?;
        let ends = [ExtractKind::Prefix, ExtractKind::Suffix].map(|kind| {
            let found = Extractor::new().kind(kind).clone().extract(&parsed);
            Self::of_seq(&found, either_case)
        });
        let middle = inner_words(&parsed).map(|word| Self::of_words([word], either_case));
        ends.into_iter()
            .chain(middle)
            .flatten()
            .max_by_key(Self::worth)
    }

    fn of_seq(seq: &Seq, either_case: bool) -> Option<Self> {
        let words = seq.literals()?.iter().map(|literal| literal.as_bytes());
        Self::of_words(words, either_case)
    }

    fn of_words<'a>(words: impl IntoIterator<Item = &'a [u8]>, either_case: bool) -> Option<Self> {
        let words: Vec<Vec<u8>> = words
            .into_iter()
            .map(|word| plain_part(word).to_vec())
            .collect();
        let needle = Needle {
            words,
            either_case,
            common: false,
        };
        (!needle.words.is_empty() && needle.words.len() <= MOST && needle.shortest() >= SHORTEST)
            .then_some(needle)
    }

    /// One that stands in many lines: better than nothing.
    pub(super) fn common(mut self) -> Self {
        self.common = true;
        self
    }

    /// How much a search for it passes over, as far as can be guessed.
    pub(super) fn worth(&self) -> usize {
        if self.common { 1 } else { self.shortest() }
    }

    fn shortest(&self) -> usize {
        self.words.iter().map(Vec::len).min().unwrap_or_default()
    }

    /// A search for the words, and for what may be one of them escaped.
    fn search(&self) -> Option<Regex> {
        let words = self
            .words
            .iter()
            .filter_map(|word| std::str::from_utf8(word).ok());
        let words: Vec<String> = words.map(regex::escape).collect();
        RegexBuilder::new(&format!(r"{}|\\u", words.join("|")))
            .case_insensitive(self.either_case)
            .build()
            .ok()
    }
}

/// The literals that stand between other things.
fn inner_words(parsed: &Hir) -> impl Iterator<Item = &[u8]> {
    let parts = match parsed.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(parsed),
    };
    parts.iter().filter_map(|part| match part.kind() {
        HirKind::Literal(literal) => Some(&*literal.0),
        _ => None,
    })
}

/// The longest part of which every byte stands for itself in a quoted text, but for `\u` escapes.
fn plain_part(word: &[u8]) -> &[u8] {
    let plain = |byte: &u8| (b' '..=b'~').contains(byte) && !matches!(byte, b'"' | b'\\' | b'/');
    word.split(|byte| !plain(byte))
        .max_by_key(|part| part.len())
        .unwrap_or_default()
}

/// Finds the lines of a chunk that may pass a filter, and passes over the others unread.
///
/// ```
/// use operator_tikv::log_parser::files::{Filter, Finder};
/// let filter = Filter::new().message("became leader at term [67]$")?;
/// let finder = Finder::of(&filter);
/// let chunk = b"nothing here\n[..] [\"became leader at term 6\"]\nnor here\n";
/// assert_eq!(finder.next_line(chunk, 0), Some(13..45));
/// assert_eq!(finder.next_line(chunk, 46), None);
/// # Ok::<(), operator_tikv::log_parser::files::BadFilter>(())
/// ```
#[derive(Clone, Debug)]
pub struct Finder {
    search: Option<Regex>,
}

impl Finder {
    /// A finder for this filter. Where nothing is known of what passes, it finds every line.
    #[must_use]
    pub fn of(filter: &Filter) -> Self {
        Finder {
            search: filter.needle().and_then(|needle| needle.search()),
        }
    }

    /// Whether lines are passed over.
    #[must_use]
    pub const fn skips(&self) -> bool {
        self.search.is_some()
    }

    /// The next line, without its line feed, that begins at or after this place and may pass. The
    /// place is one at which a line begins.
    #[must_use]
    pub fn next_line(&self, chunk: &[u8], from: usize) -> Option<Range<usize>> {
        let rest = chunk.get(from..).filter(|rest| !rest.is_empty())?;
        let hit = match &self.search {
            Some(search) => search.find(rest)?.start(),
            None => 0,
        };
        let begin = memrchr(b'\n', &rest[..hit]).map_or(0, |at| at + 1);
        let end = memchr(b'\n', &rest[hit..]).map_or(rest.len(), |at| hit + at);
        Some(from + begin..from + end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(pattern: &str) -> Option<Vec<String>> {
        let needle = Needle::of_pattern(pattern, false)?;
        let text = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
        Some(needle.words.iter().map(text).collect())
    }

    #[test]
    fn a_pattern_says_what_must_stand_there() {
        let check = |pattern: &str, expected: &[&str]| {
            let found = words(pattern).unwrap_or_default();
            assert_eq!(found, expected, "{pattern}");
        };
        check("became leader", &["became leader"]);
        check(
            r"became (leader|candidate) at",
            &["became leader at", "became candidate at"],
        );
        check(r"\d+ is not leader of \d+", &[" is not leader of "]);
        check(r".*not promotable$", &["not promotable"]);
        check(r#"say "hello""#, &["hello"]);
        for pattern in ["", ".", ".*", r"\d+", "a?", "x", "a|bc|", r"(?i)ä"] {
            assert_eq!(words(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_may_be_escaped_is_not_passed_over() {
        let filter = Filter::new().message("leader").expect("a pattern");
        let finder = Finder::of(&filter);
        assert!(finder.skips());
        let chunk = b"no\n[\"l\\u0065ader\"]\nLEADER\nno";
        assert_eq!(finder.next_line(chunk, 0), Some(3..18));
        assert_eq!(finder.next_line(chunk, 19), Some(19..25), "in either case");
        assert_eq!(finder.next_line(chunk, 26), None);
    }

    #[test]
    fn without_a_word_every_line_is_found_once() {
        let finder = Finder::of(&Filter::new());
        let chunk = b"one\n\ntwo";
        let mut found = Vec::new();
        let mut from = 0;
        while let Some(line) = finder.next_line(chunk, from) {
            found.push(line.clone());
            from = line.end + 1;
        }
        assert_eq!(found, [0..3, 4..4, 5..8]);
    }
}
