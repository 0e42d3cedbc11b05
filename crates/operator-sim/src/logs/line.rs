//! One line as TiKV's or zap's formatter writes it.

use crate::record::{Zone, push_field, push_head, push_stamp};

/// A line and when it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Unix milliseconds.
    pub ms: i64,
    /// The record, without a line feed.
    pub text: String,
}

/// Puts a record together section by section.
#[derive(Debug)]
pub(crate) struct Builder {
    ms: i64,
    text: String,
}

impl Builder {
    pub(crate) fn new(ms: i64, level: &str, source: &str, message: &str) -> Self {
        let mut text = String::with_capacity(160);
        push_stamp(&mut text, ms, Zone::CHINA);
        push_head(&mut text, &format!("[{level}] [{source}]"), message);
        Builder { ms, text }
    }

    pub(crate) fn field(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        push_field(&mut self.text, key, &value.to_string());
        self
    }

    pub(crate) fn done(self) -> Line {
        Line {
            ms: self.ms,
            text: self.text,
        }
    }
}
