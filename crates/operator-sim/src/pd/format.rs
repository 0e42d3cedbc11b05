//! Values as Go writes them: JSON, sizes, durations and times.

use serde::Serialize;
use serde_json::Value;

use crate::http::{JSON, Reply};

/// A 200 answer, indented.
pub(super) fn ok(body: &impl Serialize) -> Reply {
    Reply::new(200, JSON, pretty(body))
}

/// A 200 answer of the region endpoints: compact, without a newline, and of another media type.
pub(super) fn ok_compact(body: &impl Serialize) -> Reply {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    Reply::new(200, "application/octet-stream", escaped(bytes))
}

/// JSON indented by two spaces, with a newline at the end.
pub(super) fn pretty(body: &impl Serialize) -> Vec<u8> {
    // Serialising these values cannot fail: their keys are strings, their numbers finite.
    let mut bytes = escaped(serde_json::to_vec_pretty(body).unwrap_or_default());
    bytes.push(b'\n');
    bytes
}

/// Go writes the three characters of HTML as escapes. They occur only within strings.
fn escaped(bytes: Vec<u8>) -> Vec<u8> {
    if !bytes.iter().any(|byte| matches!(byte, b'<' | b'>' | b'&')) {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len() + 64);
    for byte in bytes {
        match byte {
            b'<' => out.extend(b"\\u003c"),
            b'>' => out.extend(b"\\u003e"),
            b'&' => out.extend(b"\\u0026"),
            other => out.push(other),
        }
    }
    out
}

/// An answer as a newer release may give it: every object has a key more. What is no JSON stays as it is.
pub(super) fn with_unknown_keys(body: Vec<u8>) -> Vec<u8> {
    fn add(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                // Where keys are ids, a reader may rely on it.
                let ids = fields.keys().any(|key| key.parse::<u64>().is_ok());
                fields.values_mut().for_each(add);
                if !ids {
                    let unknown = serde_json::json!({"since": "later", "list": [1, null]});
                    fields.insert("unknown_key".to_owned(), unknown);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(add),
            _ => {}
        }
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) => {
            add(&mut value);
            serde_json::to_vec(&value).unwrap_or(body)
        }
        Err(_) => body,
    }
}

/// A float as Go writes it: whole ones without a decimal point.
pub(super) fn float(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        let size = crate::num::signed(crate::num::whole(number.abs()));
        Value::from(if number < 0.0 { -size } else { size })
    } else {
        Value::from(number)
    }
}

/// Bytes as `1.819TiB`: four significant digits.
pub(super) fn size(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in units {
        unit = next;
        if value < 1024.0 || next == "EiB" {
            break;
        }
        value /= 1024.0;
    }
    let decimals = match value {
        v if v >= 999.95 => 0,
        v if v >= 99.995 => 1,
        v if v >= 9.9995 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{unit}")
}

/// A span as `172h35m23.5s`.
pub(super) fn span(millis: u64) -> String {
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let seconds = format!("{:.3}", crate::num::seconds(millis % 60_000));
    let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A moment in RFC 3339, in UTC.
pub(super) fn moment(unix_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(unix_ms)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_four_digits() {
        for (bytes, expected) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (20 * 1024 * 1024 * 1024, "20GiB"),
            (2_000_398_934_016, "1.819TiB"),
            (751_728_394_240, "700.1GiB"),
            (1_073_741_824_000, "1000GiB"),
            (649 * 1024 * 1024, "649MiB"),
        ] {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn spans_are_those_of_go() {
        for (millis, expected) in [
            (500, "0.5s"),
            (30_000, "30s"),
            (1_800_000, "30m0s"),
            (621_323_500, "172h35m23.5s"),
        ] {
            assert_eq!(span(millis), expected);
        }
    }

    #[test]
    fn whole_floats_lose_their_point() {
        assert_eq!(float(3.0).to_string(), "3");
        assert_eq!(float(0.5).to_string(), "0.5");
    }
}
