//! One line as TiKV's or zap's formatter writes it.

use std::fmt::Write as _;

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
        push_stamp(&mut text, ms);
        text.push_str(" [");
        text.push_str(level);
        text.push_str("] [");
        text.push_str(source);
        text.push_str("] [");
        push_text(&mut text, message);
        text.push(']');
        Builder { ms, text }
    }

    pub(crate) fn field(mut self, key: &str, value: impl std::fmt::Display) -> Self {
        self.text.push_str(" [");
        push_text(&mut self.text, key);
        self.text.push('=');
        push_text(&mut self.text, &value.to_string());
        self.text.push(']');
        self
    }

    pub(crate) fn done(self) -> Line {
        Line {
            ms: self.ms,
            text: self.text,
        }
    }
}

/// Text in quotes where a byte demands it.
pub(crate) fn push_text(out: &mut String, text: &str) {
    if !text
        .bytes()
        .any(|byte| byte <= b' ' || matches!(byte, b'"' | b'=' | b'[' | b']'))
    {
        out.push_str(text);
        return;
    }
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            other => out.push(other),
        }
    }
    out.push('"');
}

/// `[2024/08/14 16:25:23.105 +08:00]`, the zone of the machine that wrote most public logs.
pub(crate) fn push_stamp(out: &mut String, ms: i64) {
    const EAST_MS: i64 = 8 * 3_600_000;
    let local = ms + EAST_MS;
    let (days, in_day) = (local.div_euclid(86_400_000), local.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "[{year:04}/{month:02}/{day:02} {:02}:{:02}:{:02}.{:03} +08:00]",
        in_day / 3_600_000,
        in_day / 60_000 % 60,
        in_day / 1000 % 60,
        in_day % 1000
    );
}

/// The calendar's day, counted on from the year 1970 one year and one month at a time: slow, and
/// in no way the reader's arithmetic, so that one mistake cannot be in both.
fn civil(mut days: i64) -> (i64, i64, i64) {
    let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + i64::from(leap(year)) {
        days -= 365 + i64::from(leap(year));
        year += 1;
    }
    for (month, len) in (1..).zip([
        31,
        28 + i64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ]) {
        if days < len {
            return (year, month, days + 1);
        }
        days -= len;
    }
    (year, 12, 31)
}
