//! Two thresholds, of which the second is worse; and numbers as people read them.

use operator_core::Severity;

use super::Settings;
use super::page::{Knob, Page};

/// Above the first it is a warning, above the second it is critical.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tiers {
    warning: f64,
    critical: f64,
}

impl Tiers {
    pub(super) fn new(settings: &Settings, page: &Page, [warning, critical]: [&Knob; 2]) -> Self {
        Self {
            warning: settings.of(page.code, warning),
            critical: settings.of(page.code, critical),
        }
    }

    /// How bad a value is that must not exceed the thresholds, and which one it exceeds.
    pub(super) fn above(self, value: f64) -> Option<(Severity, f64)> {
        self.reached(|threshold| value > threshold)
    }

    /// How bad a value is that must not reach the thresholds, and which one it reaches.
    pub(super) fn at_least(self, value: f64) -> Option<(Severity, f64)> {
        self.reached(|threshold| value >= threshold)
    }

    fn reached(self, beyond: impl Fn(f64) -> bool) -> Option<(Severity, f64)> {
        let tiers = [
            (Severity::Critical, self.critical),
            (Severity::Warning, self.warning),
        ];
        tiers.into_iter().find(|(_, threshold)| beyond(*threshold))
    }
}

/// A share as so many of a hundred, as exactly as anybody wants to read it.
pub(super) fn percent(ratio: f64) -> f64 {
    rounded(ratio * 100.0)
}

/// A number without the digits that say nothing.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// What is in the middle, or between the two in the middle; nothing of nothing.
pub(super) fn median(values: Vec<f64>) -> Option<f64> {
    let sorted = Sorted::new(values);
    middle(sorted.0.len(), |nth| sorted.0.get(nth).copied())
}

/// Numbers in their order, so that each can be compared with the others without sorting these again.
pub(super) struct Sorted(Vec<f64>);

impl Sorted {
    pub(super) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// The median of all the others; nothing where there are none.
    pub(super) fn median_without(&self, value: f64) -> Option<f64> {
        let left_out = self.0.binary_search_by(|other| other.total_cmp(&value));
        let (Ok(at) | Err(at)) = left_out;
        let skipped = usize::from(left_out.is_ok());
        middle(self.0.len() - skipped, |nth| {
            let behind = if nth < at { 0 } else { skipped };
            self.0.get(nth + behind).copied()
        })
    }
}

fn middle(count: usize, nth: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let upper = nth(count / 2)?;
    match count % 2 {
        1 => Some(upper),
        _ => nth(count / 2 - 1).map(|lower| f64::midpoint(lower, upper)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_threshold_counts() {
        let tiers = Tiers {
            warning: 0.7,
            critical: 0.9,
        };
        for (value, above, at_least) in [
            (0.69, None, None),
            (0.7, None, Some((Severity::Warning, 0.7))),
            (
                0.71,
                Some((Severity::Warning, 0.7)),
                Some((Severity::Warning, 0.7)),
            ),
            (
                0.9,
                Some((Severity::Warning, 0.7)),
                Some((Severity::Critical, 0.9)),
            ),
            (
                0.91,
                Some((Severity::Critical, 0.9)),
                Some((Severity::Critical, 0.9)),
            ),
            (f64::NAN, None, None),
        ] {
            assert_eq!(tiers.above(value), above, "{value}");
            assert_eq!(tiers.at_least(value), at_least, "{value}");
        }
    }

    #[test]
    fn the_median_lies_in_the_middle() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[3.0, 1.0], Some(2.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
        ] {
            assert_eq!(median(values.to_vec()), expected, "{values:?}");
        }
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(percent(0.1 + 0.2), 30.0);
        assert_eq!(rounded(0.102_400_001), 0.1024);
    }

    #[test]
    fn the_median_of_the_others_is_that_of_a_list_without_the_one() {
        for values in [vec![], vec![1.0], vec![2.0, 1.0], vec![3.0, 1.0, 1.0, 9.0]] {
            let sorted = Sorted::new(values.clone());
            for (at, value) in values.iter().enumerate() {
                let mut others = values.clone();
                others.remove(at);
                assert_eq!(sorted.median_without(*value), median(others), "{values:?}");
            }
            assert_eq!(sorted.median_without(5.0), median(values));
        }
    }
}
