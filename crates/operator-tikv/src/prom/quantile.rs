//! Quantiles from cumulative buckets, as far as buckets can tell.

use std::time::Duration;

use operator_core::{Measured, Reading, Source, Timestamp};

/// Buckets of one histogram: how much is at or below each bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Buckets {
    /// Bounds and what is at or below them, both ascending; the last bound is infinite.
    rungs: Vec<(f64, f64)>,
}

/// A quantile of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantile {
    /// Nothing was observed.
    OfNothing,
    /// About so much: between two bounds the histogram does not tell.
    About(f64),
    /// Above the highest bound, which is so much.
    AtLeast(f64),
}

impl Buckets {
    /// Buckets from the text of their bounds, in any order. A bound that is there as `2` and as `2.0` is
    /// one bound: servers rewrote it when they were upgraded to version 3.
    pub(super) fn new<'a>(rows: impl Iterator<Item = (&'a str, f64)>) -> Result<Self, String> {
        let mut texts: Vec<&str> = Vec::new();
        let mut rungs: Vec<(f64, f64)> = Vec::new();
        for (text, count) in rows {
            let bound: f64 = text.parse().unwrap_or(f64::NAN);
            if bound.is_nan() || !count.is_finite() || count < 0.0 {
                return Err(format!("a bucket `{text}` of {count}"));
            }
            if texts.contains(&text) {
                return Err(format!("several buckets `{text}`"));
            }
            texts.push(text);
            match rungs.iter_mut().find(|(known, _)| *known == bound) {
                Some((_, sum)) => *sum += count,
                None => rungs.push((bound, count)),
            }
        }
        rungs.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        if rungs
            .last()
            .is_none_or(|(bound, _)| *bound != f64::INFINITY)
        {
            return Err("no bucket `+Inf`".to_owned());
        }
        // Rates of buckets that were scraped at different moments may step back a little.
        let mut most = 0.0_f64;
        for (_, count) in &mut rungs {
            most = most.max(*count);
            *count = most;
        }
        Ok(Self { rungs })
    }

    /// Of a histogram in which nothing moves.
    pub(super) fn of_nothing() -> Self {
        Self {
            rungs: vec![(f64::INFINITY, 0.0)],
        }
    }

    /// All that was observed.
    pub(super) fn total(&self) -> f64 {
        self.rungs.last().map_or(0.0, |(_, count)| *count)
    }

    /// The bound below which a share of `ratio` is.
    pub(super) fn quantile(&self, ratio: f64) -> Quantile {
        let rank = ratio * self.total();
        let (mut low, mut below) = (0.0, 0.0);
        if self.total() > 0.0 {
            for (bound, count) in &self.rungs {
                if *count >= rank && *count > 0.0 {
                    return match bound.is_finite() {
                        // Observations are taken to lie evenly between the two bounds.
                        true if *count > below => {
                            let share = (rank - below) / (count - below);
                            Quantile::About(low + (bound - low) * share)
                        }
                        true => Quantile::About(*bound),
                        false => Quantile::AtLeast(low),
                    };
                }
                (low, below) = (*bound, *count);
            }
        }
        Quantile::OfNothing
    }

    /// A quantile of rates over a window. Too few requests for one are idleness: the slowest one of a few is
    /// not what 99 of 100 are.
    pub(super) fn reading(
        &self,
        ratio: f64,
        window: Duration,
        at: Timestamp,
        source: Source,
    ) -> Reading<f64> {
        let requests = self.total() * window.as_secs_f64();
        if requests * (1.0 - ratio) < 1.0 - 1e-6 {
            return Reading::Idle;
        }
        match self.quantile(ratio) {
            Quantile::OfNothing => Reading::Idle,
            Quantile::About(value) => Reading::Seen(Measured::new(value, at, source)),
            Quantile::AtLeast(value) => {
                let source = format!("at least, from {source}");
                Reading::Seen(Measured::new(value, at, source))
            }
        }
    }

    /// Both together, where their bounds are the same: between other bounds nothing is known to be added.
    pub(super) fn plus(mut self, other: &Self) -> Option<Self> {
        let mut alike = self.rungs.len() == other.rungs.len();
        let pairs = self.rungs.iter_mut().zip(&other.rungs);
        for ((bound, count), (other_bound, more)) in pairs {
            alike &= *bound == *other_bound;
            *count += more;
        }
        alike.then_some(self)
    }

    /// The share above a bound, from 0 to 1; exact where the bound is one of the histogram's, else `None`.
    pub(super) fn share_above(&self, bound: f64) -> Option<f64> {
        let (_, count) = self.rungs.iter().find(|(known, _)| *known == bound)?;
        let total = self.total();
        (total > 0.0).then(|| 1.0 - count / total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(rows: &[(&str, f64)]) -> Buckets {
        Buckets::new(rows.iter().copied()).unwrap()
    }

    #[test]
    fn a_quantile_lies_between_its_bounds_and_never_above_the_top() {
        let some = buckets(&[("0.1", 50.0), ("0.2", 90.0), ("0.4", 98.0), ("+Inf", 100.0)]);
        let table = [
            (0.25, Quantile::About(0.05)),
            (0.5, Quantile::About(0.1)),
            (0.7, Quantile::About(0.15)),
            (0.94, Quantile::About(0.3)),
            (0.99, Quantile::AtLeast(0.4)),
            (1.0, Quantile::AtLeast(0.4)),
        ];
        for (ratio, expected) in table {
            match (some.quantile(ratio), expected) {
                (Quantile::About(found), Quantile::About(expected)) => {
                    assert!((found - expected).abs() < 1e-9, "{ratio}: {found}");
                }
                (found, expected) => assert_eq!(found, expected, "{ratio}"),
            }
        }
    }

    #[test]
    fn buckets_are_added_where_their_bounds_are_the_same() {
        let some = buckets(&[("0.1", 1.0), ("+Inf", 2.0)]);
        let more = buckets(&[("0.10", 3.0), ("+Inf", 8.0)]);
        let both = buckets(&[("0.1", 4.0), ("+Inf", 10.0)]);
        assert_eq!(some.clone().plus(&more), Some(both));
        for other in [
            &[("0.2", 3.0), ("+Inf", 8.0)][..],
            &[("+Inf", 8.0)],
            &[("0.1", 1.0), ("0.2", 3.0), ("+Inf", 8.0)],
        ] {
            assert_eq!(some.clone().plus(&buckets(other)), None, "{other:?}");
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_no_share() {
        let none = buckets(&[("0.1", 0.0), ("+Inf", 0.0)]);
        assert_eq!(none.quantile(0.99), Quantile::OfNothing);
        assert_eq!(none.share_above(0.1), None);
    }

    #[test]
    fn the_share_above_a_bound_is_exact_and_asked_of_bounds_alone() {
        let some = buckets(&[("1024.0", 97.0), ("5120", 99.0), ("+Inf", 100.0)]);
        assert!((some.share_above(1024.0).unwrap() - 0.03).abs() < 1e-12);
        assert_eq!(some.share_above(2000.0), None);
    }

    #[test]
    fn bounds_are_read_as_versions_two_and_three_write_them() {
        let both = buckets(&[
            ("+Inf", 5.0),
            ("2.0", 1.0),
            ("1e-05", 0.5),
            ("2", 2.0),
            ("0.00001024", 1.0),
        ]);
        let bounds: Vec<_> = both.rungs.iter().map(|(bound, _)| *bound).collect();
        assert_eq!(bounds, [1e-5, 0.000_010_24, 2.0, f64::INFINITY]);
        assert_eq!(both.rungs[2].1, 3.0);
    }

    #[test]
    fn buckets_that_step_back_are_evened_out() {
        let uneven = buckets(&[("1", 10.0), ("2", 9.5), ("+Inf", 10.0)]);
        assert_eq!(uneven.quantile(0.99), Quantile::About(0.99));
    }

    #[test]
    fn what_is_no_histogram_says_what_is_wrong_with_it() {
        for (rows, expected) in [
            (&[("1", 1.0)][..], "no bucket `+Inf`"),
            (&[][..], "no bucket `+Inf`"),
            (&[("x", 1.0), ("+Inf", 1.0)][..], "a bucket `x` of 1"),
            (&[("", 1.0)][..], "a bucket `` of 1"),
            (&[("+Inf", f64::NAN)][..], "a bucket `+Inf` of NaN"),
            (&[("1", -1.0)][..], "a bucket `1` of -1"),
            (&[("1", 1.0), ("1", 1.0)][..], "several buckets `1`"),
        ] {
            assert_eq!(Buckets::new(rows.iter().copied()).unwrap_err(), expected);
        }
    }
}
