//! The moment a line was written: a fixed-width local time with its zone.

use std::fmt;

use super::word;

/// A moment in milliseconds since the Unix epoch (UTC), with the zone that the writer was in.
///
/// Two stamps are ordered by the moment alone: the same instant written in two zones is the same
/// place on a timeline.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub utc_ms: i64,
    /// Minutes east of Greenwich, as the line says.
    pub offset_minutes: i16,
}

/// Bytes of a stamp as TiKV and zap write it: `2024/08/14 16:25:23.105 +08:00`.
pub const STAMP_LEN: usize = 30;

const MS_PER_MINUTE: i64 = 60_000;
const MS_PER_DAY: i64 = 86_400_000;

impl Stamp {
    /// A moment in UTC.
    #[must_use]
    pub const fn utc(utc_ms: i64) -> Self {
        Stamp {
            utc_ms,
            offset_minutes: 0,
        }
    }

    /// Reads exactly the 30 bytes of a stamp; anything else, a 31st of April included, is `None`.
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text: &[u8; STAMP_LEN] = text.try_into().ok()?;
        let local_ms = local_ms(text[..23].try_into().ok()?, b'/', b'.')?;
        let sign = match text[24] {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        let zone = is_like(
            text,
            22,
            [b'0', b' ', text[24], b'0', b'0', b':', b'0', b'0'],
        );
        let pairs = pairs(text, 22);
        let (hours, minutes) = (pair(pairs, 3), pair(pairs, 6));
        if !zone || hours > 23 || minutes > 59 {
            return None;
        }
        let east = hours * 60 + minutes;
        // Neither writer has a negative zero; taking it would lose a byte on the way back.
        if sign < 0 && east == 0 {
            return None;
        }
        let offset = sign * i64::from(east);
        Some(Stamp {
            utc_ms: local_ms - offset * MS_PER_MINUTE,
            offset_minutes: i16::try_from(offset).ok()?,
        })
    }

    /// The text that [`Stamp::parse`] reads. Years outside 0 to 9999 have no such text.
    #[must_use]
    pub fn to_log_text(self) -> Option<String> {
        let local = self
            .utc_ms
            .checked_add(i64::from(self.offset_minutes) * MS_PER_MINUTE)?;
        let c = Civil::of(local);
        let east = self.offset_minutes.unsigned_abs();
        (0..=9999).contains(&c.year).then(|| {
            format!(
                "{:04}/{:02}/{:02} {:02}:{:02}:{:02}.{:03} {}{:02}:{:02}",
                c.year,
                c.month,
                c.day,
                c.hour,
                c.minute,
                c.second,
                c.ms,
                if self.offset_minutes < 0 { '-' } else { '+' },
                east / 60,
                east % 60
            )
        })
    }
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        self.utc_ms == other.utc_ms
    }
}

impl Eq for Stamp {}

impl PartialOrd for Stamp {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Stamp {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.utc_ms.cmp(&other.utc_ms)
    }
}

/// RFC 3339 in UTC with milliseconds.
impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = Civil::of(self.utc_ms);
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year, c.month, c.day, c.hour, c.minute, c.second, c.ms
        )
    }
}

/// Milliseconds of a local time whose date separator and fraction mark are given: the unified and
/// the newer legacy formats write `2024/08/14 16:25:23.105`, the oldest `2016-09-27 02:27:26,279`.
#[inline]
pub(super) fn local_ms(t: &[u8; 23], date: u8, fraction: u8) -> Option<i64> {
    // All bytes are asked about at once: a branch for each would cost more than the sums.
    let right = is_like(t, 0, [b'0', b'0', b'0', b'0', date, b'0', b'0', date])
        & is_like(t, 8, [b'0', b'0', b' ', b'0', b'0', b':', b'0', b'0'])
        & is_like(t, 15, [b'0', b':', b'0', b'0', fraction, b'0', b'0', b'0']);
    if !right {
        return None;
    }
    let (date, time, rest) = (pairs(t, 0), pairs(t, 8), pairs(t, 15));
    let year = pair(date, 0) * 100 + pair(date, 2);
    let (month, day) = (pair(date, 5), pair(time, 0));
    let (hour, minute, second) = (pair(time, 3), pair(time, 6), pair(rest, 2));
    let ms = pair(rest, 5) * 10 + u32::from(t[22] & 15);
    let fits = (1..=12).contains(&month)
        && day >= 1
        && day <= days_in(year, month)
        && hour < 24
        && minute < 60
        && second < 60;
    fits.then(|| {
        days_from_civil(year, month, day) * MS_PER_DAY
            + i64::from(((hour * 60 + minute) * 60 + second) * 1000 + ms)
    })
}

/// Whether the eight bytes here are digits where the pattern has zeros, and else the pattern's own.
#[inline(always)]
fn is_like(text: &[u8], at: usize, pattern: [u8; word::WORD]) -> bool {
    const ONES: u64 = u64::from_le_bytes([1; word::WORD]);
    let mut most = [0; word::WORD];
    let mut place = 0;
    while place < word::WORD {
        most[place] = if pattern[place] == b'0' { 9 } else { 0 };
        place += 1;
    }
    // A digit differs from zero by nine at most, a byte of the pattern by nothing.
    word::load(text, at).is_some_and(|bytes| {
        let off = bytes ^ u64::from_le_bytes(pattern);
        let over = (off & (ONES * 0x7f)) + (ONES * 0x7f - u64::from_le_bytes(most));
        (off | over) & (ONES << 7) == 0
    })
}

/// Eight bytes of digits and marks: each becomes the number that it makes with the one behind it.
/// None is above 165, so none runs over into its neighbour.
#[inline(always)]
fn pairs(text: &[u8], at: usize) -> u64 {
    let digits = word::load(text, at).unwrap_or_default() & u64::from_le_bytes([15; word::WORD]);
    digits * 10 + (digits >> 8)
}

/// The number that begins at this byte.
#[inline(always)]
const fn pair(pairs: u64, at: u32) -> u32 {
    ((pairs >> (at * 8)) & 0xff) as u32
}

#[inline]
fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin in
/// March, so that the leap day is the last of its year, and from 400 years earlier, so that the
/// January of the year zero has a year.
#[inline]
fn days_from_civil(year: u32, month: u32, day: u32) -> i64 {
    let y = year + 400 - u32::from(month <= 2);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    i64::from(y * 365 + y / 4 - y / 100 + y / 400 + day_of_year) - 719_468 - 146_097
}

struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    ms: i64,
}

impl Civil {
    fn of(ms: i64) -> Self {
        let (days, in_day) = (ms.div_euclid(MS_PER_DAY), ms.rem_euclid(MS_PER_DAY));
        let z = days + 719_468;
        let (era, day_of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = (from_march + 2) % 12 + 1;
        Civil {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            hour: in_day / 3_600_000,
            minute: in_day / 60_000 % 60,
            second: in_day / 1000 % 60,
            ms: in_day % 1000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> Option<String> {
        Stamp::parse(text.as_bytes()).map(|stamp| stamp.to_string())
    }

    #[test]
    fn the_zone_is_taken_off() {
        assert_eq!(
            utc("2022/03/01 19:09:54.620 +08:00").as_deref(),
            Some("2022-03-01T11:09:54.620Z")
        );
        assert_eq!(
            utc("2020/03/01 00:30:00.000 +05:30").as_deref(),
            Some("2020-02-29T19:00:00.000Z")
        );
        assert_eq!(
            utc("1969/12/31 23:59:59.999 -01:00").as_deref(),
            Some("1970-01-01T00:59:59.999Z")
        );
        assert_eq!(
            utc("0001/01/01 00:00:00.000 +00:00").as_deref(),
            Some("0001-01-01T00:00:00.000Z")
        );
    }

    #[test]
    fn a_day_that_is_not_in_the_calendar_is_no_stamp() {
        for text in [
            "2023/02/29 00:00:00.000 +00:00",
            "2024/13/01 00:00:00.000 +00:00",
            "2024/00/01 00:00:00.000 +00:00",
            "2024/01/01 24:00:00.000 +00:00",
            "2024/01/01 00:00:00,000 +00:00",
            "2024/01/01 00:00:00.000 -00:00",
            "2024/01/01 00:00:00.000 +0000",
            "2024/01/01 00:00:00.0x0 +00:00",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn the_text_comes_back() {
        for text in [
            "2024/02/29 23:59:59.999 +14:00",
            "1999/12/31 00:00:00.001 -03:30",
            "0000/03/01 00:00:00.000 +00:00",
        ] {
            assert_eq!(
                Stamp::parse(text.as_bytes())
                    .and_then(Stamp::to_log_text)
                    .as_deref(),
                Some(text)
            );
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for day in 0..146_097 {
            let ms = (day - 60_000) * MS_PER_DAY + 1;
            let c = Civil::of(ms);
            let [year, month, date] =
                [c.year, c.month, c.day].map(|part| u32::try_from(part).expect("not negative"));
            assert_eq!(days_from_civil(year, month, date), day - 60_000);
        }
    }
}
