//! The numbers a finding was judged by.

use std::borrow::Cow;
use std::fmt;

use crate::{Measured, Source, Timestamp};

/// The numbers a finding was judged by, most telling first.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Evidence {
    /// Each of them.
    pub quantities: Vec<Quantity>,
}

impl Evidence {
    /// Evidence made of these quantities.
    pub fn of(quantities: impl IntoIterator<Item = Quantity>) -> Self {
        Self {
            quantities: quantities.into_iter().collect(),
        }
    }
}

impl fmt::Display for Evidence {
    /// The quantities in one line, without their sources.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, quantity) in self.quantities.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{quantity}")?;
        }
        Ok(())
    }
}

/// One number of the evidence: what, how much, against what, from where, and when it was sampled.
///
/// ```
/// use operator_core::{Measured, Quantity, Timestamp};
///
/// let p99 = Measured::new(0.25, Timestamp::EPOCH, "http://prom:9090");
/// let quantity = Quantity::measured("write P99", &p99, "s").against(0.1024);
/// assert_eq!(quantity.to_string(), "write P99 0.25 s (threshold 0.1024 s)");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Quantity {
    /// What it is.
    pub name: Cow<'static, str>,
    /// How much it is.
    pub value: Value,
    /// In what unit; empty for what has none.
    pub unit: Cow<'static, str>,
    /// What it was compared with.
    pub threshold: Option<Value>,
    /// Where it comes from.
    pub source: Source,
    /// When its source sampled it.
    pub sampled_at: Timestamp,
}

impl Quantity {
    /// A quantity that was derived, with where and when what it was derived from was sampled.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
        unit: impl Into<Cow<'static, str>>,
        source: impl Into<Source>,
        sampled_at: Timestamp,
    ) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            unit: unit.into(),
            threshold: None,
            source: source.into(),
            sampled_at,
        }
    }

    /// A quantity as it was measured.
    pub fn measured<T: Clone + Into<Value>>(
        name: impl Into<Cow<'static, str>>,
        measured: &Measured<T>,
        unit: impl Into<Cow<'static, str>>,
    ) -> Self {
        let Measured {
            value,
            sampled_at,
            source,
        } = measured.clone();
        Self {
            name: name.into(),
            value: value.into(),
            unit: unit.into(),
            threshold: None,
            source,
            sampled_at,
        }
    }

    /// The same quantity, with what it was compared with.
    #[must_use]
    pub fn against(mut self, threshold: impl Into<Value>) -> Self {
        self.threshold = Some(threshold.into());
        self
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = &*self.unit;
        let space = if unit.is_empty() { "" } else { " " };
        write!(f, "{} {}{space}{unit}", self.name, self.value)?;
        match &self.threshold {
            Some(threshold) => write!(f, " (threshold {threshold}{space}{unit})"),
            None => Ok(()),
        }
    }
}

/// How much a quantity is.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(untagged))]
pub enum Value {
    /// A count or an amount.
    Count(u64),
    /// A finite number.
    Number(#[cfg_attr(feature = "serde", serde(serialize_with = "finite_or_word"))] f64),
    /// A word: a state, a version, a list of ids.
    Text(String),
}

/// No format has a word for what is not finite; it is written as the word it prints as.
#[cfg(feature = "serde")]
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it by reference"
)]
fn finite_or_word<S: serde::Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match number.is_finite() {
        true => serializer.serialize_f64(*number),
        false => serializer.collect_str(number),
    }
}

impl From<f64> for Value {
    /// What is not finite is no number; it is kept as the word it prints as.
    fn from(number: f64) -> Self {
        match number.is_finite() {
            true => Self::Number(number),
            false => Self::Text(number.to_string()),
        }
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_reads_as_one_line() {
        let evidence = Evidence::of([
            Quantity::new("heartbeat age", 75.5, "s", "pd", Timestamp::EPOCH).against(20u64),
            Quantity::new("state", "Disconnected", "", "pd", Timestamp::EPOCH),
            Quantity::new("rate", f64::NAN, "1/s", "pd", Timestamp::EPOCH),
        ]);
        assert_eq!(
            evidence.to_string(),
            "heartbeat age 75.5 s (threshold 20 s), state Disconnected, rate NaN 1/s"
        );
    }
}
