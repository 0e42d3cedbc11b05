//! Conversions between the counts and the quantities of the model, each with its rule said once.

/// Model time: milliseconds since the cluster began.
pub(crate) type Millis = u64;

pub(crate) const SECOND: Millis = 1_000;
pub(crate) const MINUTE: Millis = 60 * SECOND;
pub(crate) const MIB: u64 = 1024 * 1024;
pub(crate) const GIB: u64 = 1024 * MIB;

/// The whole part of a quantity; what is negative or no number is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates here, and the rule of this function is to saturate"
)]
pub(crate) fn whole(quantity: f64) -> u64 {
    quantity as u64
}

/// A place in a table; the tables of the model are far smaller than any address space.
#[expect(
    clippy::cast_possible_truncation,
    reason = "saturated first, so nothing is cut off"
)]
pub(crate) fn place(number: u64) -> usize {
    number.min(u64::from(u32::MAX)) as usize
}

/// The row number of a place: shapes are refused above `u32::MAX` rows.
pub(crate) fn row(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The ordinal of a store: shapes are refused above `u16::MAX` stores.
pub(crate) fn ordinal(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// A signed view of model time, for moments before the cluster began.
pub(crate) fn signed(millis: Millis) -> i64 {
    i64::try_from(millis).unwrap_or(i64::MAX)
}

/// Milliseconds from `then` to `now`; 0 where `then` lies ahead.
pub(crate) fn since(now: Millis, then: i64) -> Millis {
    u64::try_from(signed(now).saturating_sub(then)).unwrap_or(0)
}

/// Seconds as a number.
pub(crate) fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1_000.0
}

/// Milliseconds of a number of seconds.
pub(crate) fn millis(seconds: f64) -> Millis {
    whole(seconds * 1_000.0)
}
