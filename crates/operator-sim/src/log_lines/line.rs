//! A line before it is text.

use crate::record::{Zone, push_field, push_head, push_stamp};

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
    let mut text = String::with_capacity(160);
    push_stamp(&mut text, unix_ms, Zone::UTC);
    let head = format!("[{}] [{}]", line.level, line.source);
    push_head(&mut text, &head, &line.message);
    for (key, value) in &line.fields {
        push_field(&mut text, key, value);
    }
    text
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
