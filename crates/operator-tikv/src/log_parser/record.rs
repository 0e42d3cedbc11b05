//! Writing a record back: the two writers' quoting rules.

use std::fmt::Write as _;

use super::level::Level;
use super::line::{Format, LogLine};
use super::scan::{is_source, needs_quotes};
use super::stamp::Stamp;
use super::text::Text;

/// Whose quoting rules a record is written by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// TiKV: a backslash alone does not quote; `\b` and `\f` have short escapes.
    Tikv,
    /// zap (PD, TiDB): a backslash quotes; `\b` and `\f` are `\u0008` and `\u000c`.
    Zap,
}

/// A record with everything unescaped: what [`LogLine`] borrows, owned and free to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When; without it the section is left out.
    pub time: Option<Stamp>,
    /// The level.
    pub level: Level,
    /// The name of a named logger.
    pub logger: Option<String>,
    /// `file:line`, or `<unknown>`.
    pub source: String,
    /// The message; `None` leaves the section out, as zap does.
    pub message: Option<String>,
    /// Keys and values in order; `None` is an empty section.
    pub fields: Vec<Option<(String, String)>>,
}

/// Why a record cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// The year has more than four digits, or is before year 0.
    Time,
    /// A source is `<unknown>` or `file:line`; a logger's name is bare and no source.
    Source,
    /// An empty section directly after the source would be read as an empty message.
    EmptyFirst,
}

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unwritable::Time => "cannot write record: year outside 0 to 9999",
            Unwritable::Source => "cannot write record: no such source or logger name",
            Unwritable::EmptyFirst => "cannot write record: empty section where the message stands",
        })
    }
}

impl std::error::Error for Unwritable {}

impl Record {
    /// The record of a line in the unified text format; `None` for any other format
    /// ([`JsonRecord`](super::JsonRecord) is for JSON), for bytes
    /// that are no UTF-8, and for a level that the format does not write.
    #[must_use]
    pub fn of(line: &LogLine<'_>) -> Option<Record> {
        let owned = |text: Text<'_>| String::from_utf8(text.bytes().into_owned()).ok();
        let utf8 = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
        let level = line.level.filter(|level| {
            line.format == Format::Unified && level.as_str().as_bytes() == line.level_text
        })?;
        let fields: Option<Vec<_>> = line
            .sections()
            .map(|section| match section {
                None => Some(None),
                Some(field) => Some(Some((owned(field.key)?, owned(field.value)?))),
            })
            .collect();
        Some(Record {
            time: line.time,
            level,
            logger: match line.logger {
                Some(name) => Some(utf8(name)?),
                None => None,
            },
            source: utf8(line.source?)?,
            message: match line.message {
                Some(text) => Some(owned(text)?),
                None => None,
            },
            fields: fields?,
        })
    }

    /// The dialect that this record's source is written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if self.source.contains(".go:") {
            Dialect::Zap
        } else {
            Dialect::Tikv
        }
    }

    /// Writes the record in the unified text format, without a line end.
    ///
    /// ```
    /// use operator_tikv::log_parser::{Dialect, Record, parse_line};
    /// let text = r#"[2024/08/14 16:25:23.105 +08:00] [INFO] [a.rs:1] ["two words"] ["a key"=1] [path=C:\x]"#;
    /// let record = Record::of(&parse_line(text)?).expect("unified text");
    /// assert_eq!(record.write(Dialect::Tikv)?, text);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Unwritable`] where no text would be read back as this record.
    pub fn write(&self, dialect: Dialect) -> Result<String, Unwritable> {
        let mut out = String::new();
        match self.time {
            Some(time) => out.push_str(&format!(
                "[{}] ",
                time.to_log_text().ok_or(Unwritable::Time)?
            )),
            None if dialect == Dialect::Tikv => out.push(' '),
            None => {}
        }
        out.push_str(&format!("[{}]", self.level));
        let nameable = |name: &str| {
            !name.is_empty() && !is_source(name.as_bytes()) && !name.bytes().any(needs_quotes)
        };
        if !is_source(self.source.as_bytes()) || !self.logger.as_deref().is_none_or(nameable) {
            return Err(Unwritable::Source);
        }
        for section in self
            .logger
            .as_deref()
            .into_iter()
            .chain([self.source.as_str()])
        {
            out.push_str(&format!(" [{section}]"));
        }
        match &self.message {
            Some(message) => {
                out.push_str(" [");
                push_text(&mut out, message, dialect);
                out.push(']');
            }
            None if self.fields.first() == Some(&None) => return Err(Unwritable::EmptyFirst),
            None => {}
        }
        for field in &self.fields {
            out.push_str(" [");
            if let Some((key, value)) = field {
                push_text(&mut out, key, dialect);
                out.push('=');
                push_value(&mut out, value, dialect);
            }
            out.push(']');
        }
        Ok(out)
    }
}

/// zap writes a time as it is, blanks and all.
fn push_value(out: &mut String, value: &str, dialect: Dialect) {
    if dialect == Dialect::Zap && Stamp::parse(value.as_bytes()).is_some() {
        out.push_str(value);
    } else {
        push_text(out, value, dialect);
    }
}

fn push_text(out: &mut String, text: &str, dialect: Dialect) {
    let quotes = text
        .bytes()
        .any(|byte| needs_quotes(byte) || (dialect == Dialect::Zap && byte == b'\\'));
    if quotes {
        push_quoted(out, text, dialect);
    } else {
        out.push_str(text);
    }
}

pub(super) fn push_quoted(out: &mut String, text: &str, dialect: Dialect) {
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' if dialect == Dialect::Tikv => out.push_str("\\b"),
            '\u{c}' if dialect == Dialect::Tikv => out.push_str("\\f"),
            control if control < ' ' => {
                // Writing into a String cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
