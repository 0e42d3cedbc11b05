//! Writing a JSON record back.

use super::json;
use super::line::{Format, LogLine};
use super::record::{Dialect, push_quoted};
use super::text::Text;

/// A JSON record with its strings unescaped: every member in its order, the envelope's among them,
/// because each version has an order of its own and keys may stand twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonRecord {
    /// Keys and values.
    pub members: Vec<(String, JsonValue)>,
}

/// The value of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonValue {
    /// A string, unescaped.
    Text(String),
    /// Anything else, as its JSON text stands in the line.
    Json(String),
}

impl JsonRecord {
    /// The record of a line in the JSON format; `None` for any other format, for bytes that are no
    /// UTF-8, and for half a surrogate pair, which no string holds.
    #[must_use]
    pub fn of(line: &LogLine<'_>) -> Option<JsonRecord> {
        if line.format() != Format::Json {
            return None;
        }
        let members: Option<Vec<_>> = json::members(line.sections)
            .map(|member| {
                let value = if member.value.is_quoted() {
                    JsonValue::Text(unescaped(member.value)?)
                } else {
                    JsonValue::Json(String::from_utf8(member.value.raw().to_vec()).ok()?)
                };
                Some((unescaped(member.key)?, value))
            })
            .collect();
        Some(JsonRecord { members: members? })
    }

    /// The dialect that this record's source is written in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        let zap = self.members.iter().any(|(key, value)| {
            key == "caller" && matches!(value, JsonValue::Text(source) if source.contains(".go:"))
        });
        if zap { Dialect::Zap } else { Dialect::Tikv }
    }

    /// Writes the record as its writer does, without blanks and without a line end.
    ///
    /// A record that a writer wrote comes back byte for byte. One that somebody formatted anew
    /// (blanks between the members, `\/`) comes back as its writer would have written it.
    ///
    /// ```
    /// use operator_tikv::log_parser::{JsonRecord, parse_line};
    /// let text = r#"{"level":"INFO","caller":"a.rs:1","message":"two\nlines","region_id":5,"message":"a field"}"#;
    /// let record = JsonRecord::of(&parse_line(text)?).expect("JSON");
    /// assert_eq!(record.write(record.dialect()), text);
    /// # Ok::<(), operator_tikv::log_parser::Fault>(())
    /// ```
    #[must_use]
    pub fn write(&self, dialect: Dialect) -> String {
        let mut out = String::from("{");
        for (number, (key, value)) in self.members.iter().enumerate() {
            if number > 0 {
                out.push(',');
            }
            push_quoted(&mut out, key, dialect);
            out.push(':');
            match value {
                JsonValue::Text(text) => push_quoted(&mut out, text, dialect),
                JsonValue::Json(json) => out.push_str(json),
            }
        }
        out.push('}');
        out
    }
}

fn unescaped(text: Text<'_>) -> Option<String> {
    let found = String::from_utf8(text.bytes().into_owned()).ok()?;
    // A lone surrogate reads as U+FFFD, which a line may hold as itself as well.
    let replaced = |text: &str| text.matches(char::REPLACEMENT_CHARACTER).count();
    let raw = std::str::from_utf8(text.raw()).ok()?;
    let lost = replaced(&found) > replaced(raw) && !raw.contains("\\ufffd");
    (!lost).then_some(found)
}
