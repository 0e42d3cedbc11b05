//! One record of the unified format.

/// A record: level, source, message and fields, at a model time.
#[derive(Debug, Clone)]
pub(super) struct Line {
    at: i64,
    level: &'static str,
    source: &'static str,
    message: String,
    fields: Vec<(&'static str, String)>,
}

pub(super) fn info(source: &'static str, message: impl Into<String>) -> Line {
    at_level("INFO", source, message)
}

pub(super) fn at_level(
    level: &'static str,
    source: &'static str,
    message: impl Into<String>,
) -> Line {
    Line {
        at: 0,
        level,
        source,
        message: message.into(),
        fields: Vec::new(),
    }
}

impl Line {
    pub(super) fn with(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.fields.push((key, format!("{value}")));
        self
    }

    pub(super) fn without(mut self, key: &str) -> Self {
        self.fields.retain(|(known, _)| *known != key);
        self
    }

    pub(super) fn at(mut self, moment: i64) -> Self {
        self.at = moment;
        self
    }

    pub(super) fn moment(&self) -> i64 {
        self.at
    }
}

/// The record as text.
pub(super) fn render(line: &Line, unix_ms: i64) -> String {
    let stamp = jiff::Timestamp::from_millisecond(unix_ms)
        .map(|at| at.strftime("%Y/%m/%d %H:%M:%S%.3f +00:00").to_string())
        .unwrap_or_default();
    let mut text = format!(
        "[{stamp}] [{}] [{}] [{}]",
        line.level,
        line.source,
        quoted(&line.message)
    );
    for (key, value) in &line.fields {
        text.push_str(&format!(" [{}={}]", quoted(key), quoted(value)));
    }
    text
}

/// Text as the format writes it: as a JSON string where a reader would stumble otherwise.
fn quoted(text: &str) -> String {
    let stumbles = |byte: u8| byte <= b' ' || matches!(byte, b'"' | b'=' | b'[' | b']');
    if text.bytes().any(stumbles) {
        serde_json::Value::from(text).to_string()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_quoted_where_it_must_be() {
        let line = at_level("WARN", "raft.rs:1", "one two")
            .with("msg type", "MsgVote")
            .with("to", "[1, 2]")
            .with("empty", "");
        assert_eq!(
            render(&line, 1_795_167_270_143),
            "[2026/11/20 09:34:30.143 +00:00] [WARN] [raft.rs:1] [\"one two\"] [\"msg type\"=MsgVote] [to=\"[1, 2]\"] [empty=]"
        );
    }
}
