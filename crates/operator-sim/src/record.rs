//! One record of the unified log format, as TiKV's and zap's formatters write it. Everything here that writes a line of a
//! log writes it with these.

use std::fmt::Write as _;

/// How far east of Greenwich the clock of the machine is that wrote a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zone {
    hours_east: i64,
}

impl Zone {
    pub(crate) const UTC: Self = Self { hours_east: 0 };
    /// Where most public logs were written.
    pub(crate) const CHINA: Self = Self { hours_east: 8 };
}

/// `[2024/08/14 16:25:23.105 +08:00]`
pub(crate) fn push_stamp(out: &mut String, unix_ms: i64, zone: Zone) {
    let local = unix_ms + zone.hours_east * 3_600_000;
    let (days, in_day) = (local.div_euclid(86_400_000), local.rem_euclid(86_400_000));
    let (year, month, day) = civil(days);
    // Writing into a String cannot fail.
    let _ = write!(
        out,
        "[{year:04}/{month:02}/{day:02} {:02}:{:02}:{:02}.{:03} +{:02}:00]",
        in_day / 3_600_000,
        in_day / 60_000 % 60,
        in_day / 1000 % 60,
        in_day % 1000,
        zone.hours_east
    );
}

/// ` [INFO] [raft.rs:1] ["one two"]`, where level and source have their brackets already.
pub(crate) fn push_head(out: &mut String, level_and_source: &str, message: &str) {
    out.push(' ');
    out.push_str(level_and_source);
    out.push_str(" [");
    push_text(out, message);
    out.push(']');
}

/// ` [key=value]`
pub(crate) fn push_field(out: &mut String, key: &str, value: &str) {
    out.push_str(" [");
    push_text(out, key);
    out.push('=');
    push_text(out, value);
    out.push(']');
}

/// Text in quotes where a byte demands it.
fn push_text(out: &mut String, text: &str) {
    let demands = |byte: u8| byte <= b' ' || matches!(byte, b'"' | b'=' | b'[' | b']');
    if !text.bytes().any(demands) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if other < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
    out.push('"');
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_of_the_machine_s_own_zone() {
        let stamp = |zone| {
            let mut text = String::new();
            push_stamp(&mut text, 1_795_167_270_143, zone);
            text
        };
        assert_eq!(stamp(Zone::UTC), "[2026/11/20 09:34:30.143 +00:00]");
        assert_eq!(stamp(Zone::CHINA), "[2026/11/20 17:34:30.143 +08:00]");
    }

    #[test]
    fn text_is_quoted_only_where_it_must_be() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("a b", "\"a b\""),
            ("[1]", "\"[1]\""),
            ("say \"x\\y\"", "\"say \\\"x\\\\y\\\"\""),
            ("a\nb\u{1}", "\"a\\nb\\u0001\""),
        ] {
            let mut out = String::new();
            push_text(&mut out, text);
            assert_eq!(out, expected);
        }
    }
}
