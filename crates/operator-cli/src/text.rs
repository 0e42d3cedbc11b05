//! Text for people: lines with colour, broken where the terminal ends.

mod table;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(crate) use table::{Align, Cell, Table, column, ordered};

use crate::term::Terminal;

/// How a piece of text is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Strong,
    Faint,
    Good,
    Warn,
    Bad,
    Note,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
            Self::Note => "\x1b[36m",
        }
    }
}

/// A piece of text in one tone. What it is made of is made visible first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    tone: Tone,
    text: String,
}

/// One line, or one paragraph where it is too long for the terminal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Line {
    spans: Vec<Span>,
    /// Where the lines after the first begin.
    hang: usize,
}

impl Line {
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self::default().plain(text)
    }

    pub(crate) fn tone(mut self, tone: Tone, text: impl AsRef<str>) -> Self {
        let text = visible(text.as_ref());
        if !text.is_empty() {
            self.spans.push(Span { tone, text });
        }
        self
    }

    pub(crate) fn plain(self, text: impl AsRef<str>) -> Self {
        self.tone(Tone::Plain, text)
    }

    pub(crate) fn strong(self, text: impl AsRef<str>) -> Self {
        self.tone(Tone::Strong, text)
    }

    pub(crate) fn faint(self, text: impl AsRef<str>) -> Self {
        self.tone(Tone::Faint, text)
    }

    pub(crate) fn hang(mut self, columns: usize) -> Self {
        self.hang = columns;
        self
    }

    pub(crate) fn width(&self) -> usize {
        self.spans.iter().map(|span| width(&span.text)).sum()
    }

    /// Adds what another line holds.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self
    }

    fn pad_to(mut self, columns: usize) -> Self {
        let missing = columns.saturating_sub(self.width());
        if missing > 0 {
            let text = " ".repeat(missing);
            let tone = Tone::Plain;
            self.spans.push(Span { tone, text });
        }
        self
    }

    /// Cut to a width; that something was cut shows.
    pub(crate) fn cut(mut self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        let mut left = columns.saturating_sub(CUT.len());
        for span in &mut self.spans {
            let fits = fitting(&span.text, left);
            left -= width(&span.text[..fits]);
            span.text.truncate(fits);
        }
        self.spans.retain(|span| !span.text.is_empty());
        self.tone(Tone::Faint, &CUT[..CUT.len().min(columns)])
    }

    /// Writes it out as one line.
    fn write(&self, colour: bool, text: &mut String) {
        for Span { tone, text: words } in &self.spans {
            match colour && *tone != Tone::Plain {
                true => text.extend([tone.code(), words, "\x1b[0m"]),
                false => text.push_str(words),
            }
        }
    }

    /// Broken at spaces into lines of a width; a word that is longer is broken where it must be.
    fn broken(&self, columns: usize) -> Vec<Self> {
        if self.width() <= columns {
            return vec![self.clone()];
        }
        let hang = self.hang.min(columns / 2);
        let mut lines = vec![Self::default()];
        let mut used = 0;
        for Span { tone, text } in &self.spans {
            for word in text.split_inclusive(' ') {
                let mut word = word;
                if used + width(word.trim_end()) > columns && used > hang {
                    lines.push(Self::new(" ".repeat(hang)));
                    used = hang;
                }
                while used + width(word.trim_end()) > columns {
                    let fits = fitting(word, columns - used).max(first_char(word));
                    let (head, tail) = word.split_at(fits);
                    push(&mut lines, *tone, head);
                    lines.push(Self::new(" ".repeat(hang)));
                    (word, used) = (tail, hang);
                }
                push(&mut lines, *tone, word);
                used += width(word);
            }
        }
        lines
    }
}

const CUT: &str = "..";

fn first_char(word: &str) -> usize {
    word.chars().next().map_or(0, char::len_utf8)
}

fn push(lines: &mut [Line], tone: Tone, word: &str) {
    let Some(line) = lines.last_mut() else { return };
    match line.spans.last_mut() {
        Some(span) if span.tone == tone => span.text.push_str(word),
        _ => line.spans.push(Span {
            tone,
            text: word.to_owned(),
        }),
    }
}

/// How many bytes of a text fit into so many columns.
fn fitting(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, character) in text.char_indices() {
        used += character.width().unwrap_or(0);
        if used > columns {
            return at;
        }
    }
    text.len()
}

pub(crate) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Lines, one below the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) lines: Vec<Line>,
}

impl Page {
    pub(crate) fn line(&mut self, line: impl Into<Line>) {
        self.lines.push(line.into());
    }

    /// A line of nothing, unless there is nothing above it.
    pub(crate) fn gap(&mut self) {
        if self.lines.last().is_some_and(|last| last.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    /// A heading with room above it.
    pub(crate) fn heading(&mut self, text: impl AsRef<str>) {
        self.gap();
        self.line(Line::default().strong(text));
    }

    /// A name and what it is, the names in one column.
    pub(crate) fn fact(&mut self, name: &str, value: impl Into<Line>) {
        let line = Line::default().faint(name).pad_to(FACTS).plain(" ");
        self.line(line.join(value.into()).hang(FACTS + 1));
    }

    /// That a list goes on.
    pub(crate) fn more(&mut self, more: usize) {
        if more > 0 {
            self.line(Line::default().faint(format!("and {more} more; --limit N shows as many")));
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    /// The page as it is written to that terminal.
    pub(crate) fn written(&self, terminal: &Terminal) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let lines = match terminal.width() {
                Some(columns) => line.broken(columns),
                None => vec![line.clone()],
            };
            for line in lines {
                let start = text.len();
                line.write(terminal.colour, &mut text);
                let kept = text[start..].trim_end_matches(' ').len();
                text.truncate(start + kept);
                text.push('\n');
            }
        }
        text
    }
}

impl<T: AsRef<str>> From<T> for Line {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// Whatever a server put into it: control characters are shown, not obeyed, and so is what would turn the
/// direction of writing around. What is very long is cut.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars().take(LONGEST) {
        match character {
            '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}' => {
                shown.extend(character.escape_unicode());
            }
            other if other.is_control() => shown.extend(other.escape_default()),
            other => shown.push(other),
        }
    }
    let rest = text.chars().count().saturating_sub(LONGEST);
    if rest > 0 {
        shown.push_str(&format!(" .. ({rest} characters more)"));
    }
    shown
}

const LONGEST: usize = 2000;

/// How wide the column of names is.
const FACTS: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    fn on(columns: usize) -> Terminal {
        Terminal {
            size: Some((columns, 24)),
            ..Terminal::none()
        }
    }

    #[test]
    fn a_long_line_is_broken_at_spaces_and_hangs() {
        let mut page = Page::default();
        page.line(Line::new("one two three four five six").hang(4));
        assert_eq!(page.written(&on(20)), "one two three four\n    five six\n");
        assert_eq!(
            page.written(&Terminal::none()),
            "one two three four five six\n"
        );
    }

    #[test]
    fn a_word_without_spaces_is_broken_where_it_must_be() {
        let mut page = Page::default();
        page.line(Line::new("k ".to_owned() + &"x".repeat(45)).hang(2));
        let written = page.written(&on(20));
        assert!(written.lines().all(|line| line.len() <= 20), "{written}");
        assert_eq!(written.matches('x').count(), 45);
    }

    #[test]
    fn wide_characters_count_for_what_they_take() {
        let line = Line::new("日本語日本語").cut(7);
        assert_eq!(line.width(), 6);
        let mut page = Page::default();
        page.line("日本語 日本語 日本語 日本語");
        assert_eq!(page.written(&on(20)).lines().count(), 2);
    }

    #[test]
    fn colour_ends_where_it_began() {
        let colour = Terminal {
            colour: true,
            ..Terminal::none()
        };
        let mut page = Page::default();
        page.line(Line::default().tone(Tone::Bad, "critical").plain(" x"));
        assert_eq!(page.written(&colour), "\x1b[1;31mcritical\x1b[0m x\n");
    }

    #[test]
    fn what_a_server_sends_is_shown_and_not_obeyed() {
        assert_eq!(
            visible("a\u{1b}[2J\nb\u{202e}c"),
            "a\\u{1b}[2J\\nb\\u{202e}c"
        );
        assert!(visible(&"x".repeat(5000)).ends_with("(3000 characters more)"));
    }
}
