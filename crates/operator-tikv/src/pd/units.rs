//! Quantities that PD writes as text: sizes, durations, moments, keys.

use std::time::Duration;

use operator_core::Timestamp;

/// A size as PD prints it, `1.819TiB`. PD keeps four digits: it is right to a twentieth of a percent.
/// All its units are powers of 1024, also the ones without an `i`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits)?;
    let value: f64 = number.parse().ok()?;
    let unit = unit.trim().to_ascii_uppercase();
    let power = match unit.strip_suffix('B').unwrap_or(&unit) {
        "" => 0,
        "K" | "KI" => 1,
        "M" | "MI" => 2,
        "G" | "GI" => 3,
        "T" | "TI" => 4,
        "P" | "PI" => 5,
        "E" | "EI" => 6,
        _ => return None,
    };
    whole(value * 1024_f64.powi(power))
}

/// The number rounded, where it is one that fits.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range is checked, and 2^64 is the first number that does not fit"
)]
fn whole(value: f64) -> Option<u64> {
    let rounded = value.round();
    (0.0..18_446_744_073_709_551_616.0)
        .contains(&rounded)
        .then_some(rounded as u64)
}

/// A number of which ordinary ones are about 1, in thousandths; none where it is below zero or no number. What is more
/// than nothing stays more than nothing.
pub(crate) fn permille(value: f64) -> Option<u64> {
    match value {
        0.0 => Some(0),
        value if value > 0.0 => whole(value * 1000.0).map(|permille| permille.max(1)),
        _ => None,
    }
}

/// A duration as Go prints it: `172h35m23.5s`, `1m0s`, `10ms`, `0s`. There are no negative ones here.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(letters)?;
        let unit_seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        seconds += number.parse::<f64>().ok()? * unit_seconds;
        rest = tail;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// Nanoseconds since the Unix epoch, as PD keeps a heartbeat; none where there never was one.
pub(crate) fn unix_nanos(nanos: i64) -> Option<Timestamp> {
    (nanos > 0).then(|| Timestamp::from_unix_millis(nanos / 1_000_000))
}

/// Seconds since the Unix epoch, as PD keeps a start; none where it is not known.
pub(crate) fn unix_seconds(seconds: i64) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_unix_seconds(seconds))
}

/// RFC 3339 in the zone of PD's machine. The years 1 and 1970 are how PD writes that there is none.
pub(crate) fn rfc3339(text: &str) -> Option<Timestamp> {
    let moment: Timestamp = text.parse().ok()?;
    (moment > Timestamp::EPOCH).then_some(moment)
}

/// A key from hexadecimal, in either case.
pub(crate) fn key(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let mut key = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks_exact(2) {
        let [high, low] = pair else { return None };
        key.push(nibble(*high)? << 4 | nibble(*low)?);
    }
    Some(key)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_size_is_read_in_all_its_spellings() {
        let table = [
            ("0B", Some(0)),
            ("1023B", Some(1023)),
            ("1000GiB", Some(1000 << 30)),
            ("1024GiB", Some(1 << 40)),
            ("1.5GiB", Some(3 << 29)),
            ("700.1KiB", Some(716_902)),
            // In PD's own input, units without an `i` are powers of 1024 as well.
            ("96MB", Some(96 << 20)),
            ("96m", Some(96 << 20)),
            (" 1.5 GiB ", Some(3 << 29)),
            ("15EiB", Some(15 << 60)),
            ("512", Some(512)),
            ("16EiB", None),
            ("", None),
            ("B", None),
            ("KiB", None),
            ("1iB", None),
            ("1XiB", None),
            ("1KiBB", None),
            ("1.2.3B", None),
            ("-1B", None),
            ("1e3B", None),
            ("NaN", None),
            ("inf", None),
        ];
        for (text, expected) in table {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn thousandths_are_whole_and_not_below_zero() {
        let table = [
            (1.0, Some(1000)),
            (0.3334, Some(333)),
            (0.0, Some(0)),
            (0.000_001, Some(1)),
            (-0.000_1, None),
            (-1.0, None),
            (1e300, None),
            (f64::NAN, None),
        ];
        for (value, expected) in table {
            assert_eq!(permille(value), expected, "{value}");
        }
    }

    #[test]
    fn a_duration_is_read_as_go_writes_it() {
        let table = [
            ("0s", Some(Duration::ZERO)),
            ("10ms", Some(Duration::from_millis(10))),
            ("1m0s", Some(Duration::from_secs(60))),
            ("48h0m0s", Some(Duration::from_secs(48 * 3600))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("7d", Some(Duration::from_secs(7 * 86_400))),
            ("250µs", Some(Duration::from_micros(250))),
            ("", None),
            ("5", None),
            ("s", None),
            ("5x", None),
            ("-5s", None),
            ("1.2.3s", None),
            ("99999999999999999999999h", None),
        ];
        for (text, expected) in table {
            assert_eq!(duration(text), expected, "{text}");
        }
    }

    #[test]
    fn the_years_that_mean_none_are_none() {
        for text in [
            "0001-01-01T00:00:00Z",
            "1970-01-01T08:00:00+08:00",
            "yesterday",
            "",
        ] {
            assert_eq!(rfc3339(text), None, "{text}");
        }
        let moment = rfc3339("2026-06-17T21:35:24.123456789+08:00").map(Timestamp::unix_millis);
        assert_eq!(moment, Some(1_781_703_324_123));
        assert_eq!(
            (unix_nanos(0), unix_nanos(-1), unix_seconds(0)),
            (None, None, None)
        );
        let moment = unix_nanos(1_781_703_324_123_456_789).map(Timestamp::unix_millis);
        assert_eq!(moment, Some(1_781_703_324_123));
    }

    #[test]
    fn a_key_is_whole_bytes_of_hexadecimal() {
        assert_eq!(key(""), Some(Vec::new()));
        assert_eq!(key("00fFA0"), Some(vec![0, 255, 160]));
        for text in ["0", "0g", "ü", "0x00"] {
            assert_eq!(key(text), None, "{text}");
        }
    }
}
