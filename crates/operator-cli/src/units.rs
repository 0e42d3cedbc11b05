//! Numbers as people read them. Programs get them raw.

use std::time::Duration;

use operator_core::{Evidence, Quantity, Value};

use crate::span;

/// `1.5 GiB`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = 0;
    while amount >= 1023.5 && unit + 1 < UNITS.len() {
        amount /= 1024.0;
        unit += 1;
    }
    format!("{} {}", three(amount), UNITS[unit])
}

/// `12.3 k`: an amount that is shown with three digits.
pub(crate) fn amount(number: f64) -> String {
    let (divided, unit) = match number.abs() {
        size if size >= 999.5e6 => (number / 1e9, " G"),
        size if size >= 999.5e3 => (number / 1e6, " M"),
        size if size >= 9_999.5 => (number / 1e3, " k"),
        _ => (number, ""),
    };
    format!("{}{unit}", three(divided))
}

/// `12.3 %`.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{} %", three(ratio * 100.0))
}

/// `1.5 ms`, `12 s`, `2 min 3 s`.
pub(crate) fn seconds(seconds: f64) -> String {
    match seconds {
        s if s.abs() < 0.000_000_5 => "0 s".to_owned(),
        s if s.abs() < 0.000_999_5 => format!("{} us", three(s * 1e6)),
        s if s.abs() < 0.999_5 => format!("{} ms", three(s * 1e3)),
        s if s.abs() < 120.0 => format!("{} s", three(s)),
        s => Duration::try_from_secs_f64(s).map_or_else(|_| format!("{s} s"), span::lasts),
    }
}

/// Three digits, without what says nothing behind the point.
fn three(number: f64) -> String {
    let digits = match number.abs() {
        n if n >= 99.95 => 0,
        n if n >= 9.995 => 1,
        _ => 2,
    };
    let text = format!("{number:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// The numbers of a finding in one line.
pub(crate) fn evidence(evidence: &Evidence) -> String {
    let quantities: Vec<String> = evidence.quantities.iter().map(quantity).collect();
    quantities.join(", ")
}

pub(crate) fn quantity(quantity: &Quantity) -> String {
    let said = value(&quantity.value, &quantity.unit);
    match &quantity.threshold {
        Some(threshold) => {
            let threshold = value(threshold, &quantity.unit);
            format!("{} {said} (threshold {threshold})", quantity.name)
        }
        None => format!("{} {said}", quantity.name),
    }
}

/// A value in its unit.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub(crate) fn value(value: &Value, unit: &str) -> String {
    let number = match value {
        Value::Count(count) => *count as f64,
        Value::Number(number) => *number,
        Value::Text(text) if unit.is_empty() => return text.clone(),
        Value::Text(text) => return format!("{text} {unit}"),
    };
    match (unit, value) {
        ("s" | "seconds", _) => seconds(number),
        ("bytes" | "B", Value::Count(count)) => bytes(*count),
        ("ratio", _) => percent(number),
        ("", Value::Count(count)) => count.to_string(),
        ("", _) => three(number),
        (_, Value::Count(count)) => format!("{count} {unit}"),
        (_, _) => format!("{} {unit}", amount(number)),
    }
}

/// `1 store`, `2 stores`.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {several}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use operator_core::Timestamp;

    #[test]
    fn numbers_are_read_in_three_digits_and_a_unit() {
        for (count, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1_048_300, "1 MiB"),
            (500 << 30, "500 GiB"),
            (u64::MAX, "16 EiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        for (number, expected) in [
            (0.0, "0 s"),
            (0.000_5, "500 us"),
            (0.012_34, "12.3 ms"),
            (0.999_6, "1 s"),
            (75.5, "75.5 s"),
            (7200.0, "2 h"),
        ] {
            assert_eq!(seconds(number), expected);
        }
        assert_eq!(amount(12_345.0), "12.3 k");
        assert_eq!(amount(1_234.0), "1234");
        assert_eq!(percent(0.123_4), "12.3 %");
    }

    #[test]
    fn evidence_reads_in_human_units() {
        let at = Timestamp::EPOCH;
        let evidence_of = |value: Value, unit: &'static str, threshold: Value| {
            evidence(&Evidence::of([
                Quantity::new("it", value, unit, "pd", at).against(threshold)
            ]))
        };
        assert_eq!(
            evidence_of(7200.0.into(), "s", 60.0.into()),
            "it 2 h (threshold 60 s)"
        );
        assert_eq!(
            evidence_of((3_u64 << 30).into(), "bytes", (1_u64 << 30).into()),
            "it 3 GiB (threshold 1 GiB)"
        );
    }
}
