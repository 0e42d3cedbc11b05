//! Spans of time, as people write and read them.

use std::time::Duration;

/// The longest span that is taken: a hundred years.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 86_400);

/// Reads `10s`, `1m30s`, `500ms`, `2h`, `1d`.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is no span of time: expected one as in 10s, 1m30s, 500ms, 2h or 1d");
    let mut rest = text.trim();
    let mut span = Duration::ZERO;
    if rest.is_empty() {
        return Err(wrong());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .ok_or_else(wrong)?;
        let (number, tail) = rest.split_at(digits);
        let unit = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit);
        let number: f64 = number.parse().map_err(|_| wrong())?;
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(wrong()),
        };
        let part = Duration::try_from_secs_f64(number * seconds).map_err(|_| wrong())?;
        span = span.checked_add(part).ok_or_else(wrong)?;
        rest = tail.trim_start();
    }
    match span <= LONGEST {
        true => Ok(span),
        false => Err(wrong()),
    }
}

/// A span as people say it: the two largest units, of which the smaller is left out where it is nothing.
pub(crate) fn lasts(span: Duration) -> String {
    let seconds = span.as_secs();
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let said = units[first..].iter().take(2).enumerate();
    let said = said.filter(|(place, (count, _))| *place == 0 || *count > 0);
    let said: Vec<String> = said
        .map(|(_, (count, unit))| format!("{count} {unit}"))
        .collect();
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, millis) in [
            ("10s", 10_000),
            ("1m30s", 90_000),
            ("1min 30s", 90_000),
            ("500ms", 500),
            ("0.5h", 1_800_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in [
            "",
            "10",
            "s",
            "1x",
            "-1s",
            "1.2.3s",
            "99999999999999999999d",
            "200000d",
        ] {
            assert!(parse(text).unwrap_err().contains("1m30s"), "{text}");
        }
    }

    #[test]
    fn spans_are_said_in_two_units() {
        for (seconds, expected) in [
            (0, "0 s"),
            (61, "1 min 1 s"),
            (7199, "1 h 59 min"),
            (90_000, "1 d 1 h"),
            (7200, "2 h"),
            (3605, "1 h"),
        ] {
            assert_eq!(lasts(Duration::from_secs(seconds)), expected);
        }
    }
}
