//! Quantities that PD writes as text: sizes, moments.

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

/// Nanoseconds since the Unix epoch, as PD keeps a heartbeat; none where there never was one.
pub(crate) fn unix_nanos(nanos: i64) -> Option<Timestamp> {
    (nanos > 0).then(|| Timestamp::from_unix_millis(nanos / 1_000_000))
}

/// Seconds since the Unix epoch, as PD keeps a start; none where it is not known.
pub(crate) fn unix_seconds(seconds: i64) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_unix_seconds(seconds))
}
