//! Moments as people name them, and as they read them.

use std::time::Duration;

use jiff::civil;
use jiff::tz::TimeZone;
use operator_core::Timestamp;
use operator_tikv::log_parser::Stamp;
use operator_tikv::log_parser::files::Window;

use crate::failure::{Failure, Outcome};
use crate::span;

/// A moment on the command line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum When {
    /// So long before now.
    Ago(Duration),
    /// So long before the last line of the logs.
    BeforeEnd(Duration),
    /// This moment.
    At(Stamp),
    /// This time of day in the zone that times are written in.
    Civil(civil::DateTime),
}

/// What a moment is counted from.
pub(super) struct Moment<'a> {
    pub(super) now: Timestamp,
    pub(super) zone: &'a Zone,
    /// The last moment of the logs, where it can be known.
    pub(super) end: &'a dyn Fn() -> Option<Stamp>,
}

impl When {
    /// Reads a moment in any of the forms that people and logs have for it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let wrong = || {
            "expected a span as in 30m (ago), end-30m, 2026-11-21T18:00:00Z, '2026-11-21 18:00' or \
             '2026/11/21 18:00:00.000 +08:00'"
                .to_owned()
        };
        if text == "now" {
            return Ok(Self::Ago(Duration::ZERO));
        }
        if let Some(rest) = text.strip_prefix("end") {
            return match rest.trim_start().strip_prefix('-') {
                Some(span) => Ok(Self::BeforeEnd(span::parse(span)?)),
                None if rest.is_empty() => Ok(Self::BeforeEnd(Duration::ZERO)),
                None => Err(wrong()),
            };
        }
        let span = text.strip_suffix("ago").unwrap_or(text);
        if let Ok(span) = span::parse(span) {
            return Ok(Self::Ago(span));
        }
        if let Some(stamp) = Stamp::parse(text.as_bytes()) {
            return Ok(Self::At(stamp));
        }
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Ok(Self::At(Stamp::utc(moment.unix_millis())));
        }
        let text = text.replace('/', "-");
        let civil = text.parse::<civil::DateTime>();
        civil.map(Self::Civil).map_err(|_| wrong())
    }

    pub(super) fn at(&self, moment: &Moment<'_>) -> Outcome<Stamp> {
        let before = |ms: i64, span: Duration| {
            let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
            Stamp::utc(ms.saturating_sub(span))
        };
        match self {
            Self::Ago(span) => Ok(before(moment.now.unix_millis(), *span)),
            Self::BeforeEnd(span) => match (moment.end)() {
                Some(end) => Ok(before(end.utc_ms, *span)),
                None => Err(Failure::usage(
                    "the end of these logs is not known before they are read: standard input, compressed, or without times",
                )
                .hint("a moment as in 2026-11-21T18:00:00Z")),
            },
            Self::At(stamp) => Ok(*stamp),
            Self::Civil(civil) => moment.zone.at(*civil),
        }
    }
}

/// A stretch that ends before it begins holds nothing: that is a mistake.
pub(super) fn check(window: &Window, zone: &Zone) -> Outcome<()> {
    match (window.from, window.until) {
        (Some(from), Some(until)) if from > until => Err(Failure::usage(format!(
            "--since {} is after --until {}",
            zone.moment(from),
            zone.moment(until)
        ))),
        _ => Ok(()),
    }
}

/// The zone in which times are read and written.
#[derive(Debug, Clone)]
pub(super) struct Zone(TimeZone);

impl Zone {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    fn at(&self, civil: civil::DateTime) -> Outcome<Stamp> {
        let zoned = civil.to_zoned(self.0.clone());
        let zoned =
            zoned.map_err(|error| Failure::usage(format!("{civil} is no moment: {error}")))?;
        Ok(Stamp::utc(zoned.timestamp().as_millisecond()))
    }

    fn civil(&self, stamp: Stamp) -> Option<(civil::DateTime, jiff::tz::Offset)> {
        let moment = jiff::Timestamp::from_millisecond(stamp.utc_ms).ok()?;
        let offset = self.0.to_offset(moment);
        Some((offset.to_datetime(moment), offset))
    }

    /// Date, time and zone: RFC 3339 with milliseconds.
    pub(super) fn moment(&self, stamp: Stamp) -> String {
        match self.civil(stamp) {
            Some((_, offset)) if offset.seconds() == 0 => stamp.to_string(),
            Some((civil, offset)) => {
                let east = offset.seconds() / 60;
                let sign = if east < 0 { '-' } else { '+' };
                let east = east.unsigned_abs();
                format!("{civil:.3}{sign}{:02}:{:02}", east / 60, east % 60)
            }
            None => stamp.to_string(),
        }
    }

    /// The day, for a heading.
    pub(super) fn day(&self, stamp: Stamp) -> String {
        self.civil(stamp)
            .map_or_else(|| stamp.to_string(), |(civil, _)| civil.date().to_string())
    }

    /// The time of day, below a heading that says which.
    pub(super) fn clock(&self, stamp: Stamp) -> String {
        self.civil(stamp).map_or_else(
            || stamp.to_string(),
            |(civil, _)| format!("{:.3}", civil.time()),
        )
    }

    /// The zone's name at a moment.
    pub(super) fn name(&self, stamp: Stamp) -> String {
        let Some((_, offset)) = self.civil(stamp) else {
            return "UTC".to_owned();
        };
        match offset.seconds() {
            0 => "UTC".to_owned(),
            seconds => {
                let minutes = seconds.unsigned_abs() / 60;
                let sign = if seconds < 0 { '-' } else { '+' };
                format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let moment = Moment {
            now: Timestamp::from_unix_seconds(1_800_000_000),
            zone: &Zone::new(TimeZone::UTC),
            end: &|| Some(Stamp::utc(1_700_000_000_000)),
        };
        let when = When::parse(text).ok()?;
        Some(when.at(&moment).ok()?.to_string())
    }

    #[test]
    fn a_moment_is_read_in_every_form_that_people_and_logs_have() {
        for (text, expected) in [
            ("now", "2027-01-15T08:00:00.000Z"),
            ("90s", "2027-01-15T07:58:30.000Z"),
            ("1h30m ago", "2027-01-15T06:30:00.000Z"),
            ("end", "2023-11-14T22:13:20.000Z"),
            ("end-10m", "2023-11-14T22:03:20.000Z"),
            ("2026-11-21T18:00:00+01:00", "2026-11-21T17:00:00.000Z"),
            ("2026-11-21", "2026-11-21T00:00:00.000Z"),
            ("2026-11-21 18:00", "2026-11-21T18:00:00.000Z"),
            ("2026/11/21 18:00:01.5", "2026-11-21T18:00:01.500Z"),
            ("2026/11/21 18:00:00.250 +08:00", "2026-11-21T10:00:00.250Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "",
            "10",
            "ends",
            "end+1m",
            "yesterday",
            "2026-13-01",
            "18:00",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn times_say_their_zone() {
        let zone = Zone(TimeZone::fixed(jiff::tz::offset(-3)));
        let stamp = Stamp::utc(1_800_000_000_250);
        assert_eq!(zone.moment(stamp), "2027-01-15T05:00:00.250-03:00");
        assert_eq!(
            (zone.day(stamp).as_str(), zone.clock(stamp).as_str()),
            ("2027-01-15", "05:00:00.250")
        );
        assert_eq!(zone.name(stamp), "UTC-03:00");
        assert_eq!(
            Zone::new(TimeZone::UTC).moment(stamp),
            "2027-01-15T08:00:00.250Z"
        );
    }
}
