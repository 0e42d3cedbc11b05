//! What a query gave: series with labels and points, all text in one place.

use std::collections::BTreeMap;
use std::fmt;

use operator_core::Timestamp;

/// The series that a query gave. An instant vector is series of one point each.
#[derive(Clone, Default, PartialEq)]
pub struct Samples {
    text: String,
    labels: Vec<(Span, Span)>,
    points: Vec<Point>,
    series: Vec<Bounds>,
}

/// A part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    end: u32,
}

/// Where the labels and the points of one series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bounds {
    labels: Span,
    points: Span,
    native: bool,
}

/// A value at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The moment. Of an instant query it is the one that was asked about, not when it was measured.
    pub at: Timestamp,
    /// The value.
    pub value: Number,
}

/// A number as a server sends it. What is not finite passes every threshold, so it is never an `f64` here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A number to reckon with.
    Finite(f64),
    /// The outcome of a division of zero by zero, or of a quantile of nothing.
    NotANumber,
    /// Beyond all numbers.
    Infinite,
}

impl Number {
    /// The number, if it is one to reckon with.
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::Finite(value) => Some(value),
            Self::NotANumber | Self::Infinite => None,
        }
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Finite(value)
        } else if value.is_nan() {
            Self::NotANumber
        } else {
            Self::Infinite
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finite(value) => value.fmt(f),
            Self::NotANumber => f.write_str("NaN"),
            Self::Infinite => f.write_str("Inf"),
        }
    }
}

/// One series.
#[derive(Clone, Copy)]
pub struct Series<'a> {
    samples: &'a Samples,
    bounds: Bounds,
}

impl<'a> Series<'a> {
    /// Its labels, names before values.
    pub fn labels(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let text = self.samples;
        slice(&text.labels, self.bounds.labels)
            .iter()
            .map(|(name, value)| (text.text(*name), text.text(*value)))
    }

    /// The value of a label. A label that is absent is empty: a server makes no difference either.
    pub fn label(self, name: &str) -> &'a str {
        self.labels()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value)
    }

    /// Its points, earliest first.
    pub fn points(self) -> &'a [Point] {
        slice(&self.samples.points, self.bounds.points)
    }

    /// Its last point; `None` where there is a native histogram instead.
    pub fn last(self) -> Option<Point> {
        self.points().last().copied()
    }

    /// Whether it holds native histograms, which are recognised and not read.
    pub fn is_native_histogram(self) -> bool {
        self.bounds.native
    }
}

impl fmt::Debug for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.labels()).finish()?;
        write!(f, " {:?}", self.points())
    }
}

/// How many there were where one was to be.
#[derive(Debug, Clone, Copy)]
pub enum One<'a> {
    /// One.
    Only(Series<'a>),
    /// So many; none of them is the right one.
    Several(usize),
}

impl Samples {
    /// How many series there are.
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Every series, in no order that could be relied on.
    pub fn iter(&self) -> impl Iterator<Item = Series<'_>> {
        self.series.iter().map(|bounds| Series {
            samples: self,
            bounds: *bounds,
        })
    }

    /// The series of a query that gives one at most.
    pub fn single(&self) -> Option<One<'_>> {
        let mut all = self.iter();
        match (all.next(), all.count()) {
            (None, _) => None,
            (Some(only), 0) => Some(One::Only(only)),
            (Some(_), more) => Some(One::Several(more + 1)),
        }
    }

    /// The series by the value of a label that tells them apart, or where it does not, how many share it.
    pub fn by(&self, label: &str) -> BTreeMap<&str, One<'_>> {
        let mut found = BTreeMap::new();
        for series in self.iter() {
            found
                .entry(series.label(label))
                .and_modify(|one| {
                    *one = One::Several(match one {
                        One::Only(_) => 2,
                        One::Several(count) => *count + 1,
                    });
                })
                .or_insert(One::Only(series));
        }
        found
    }

    fn text(&self, span: Span) -> &str {
        let range = span.start as usize..span.end as usize;
        self.text.get(range).unwrap_or_default()
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn slice<T>(all: &[T], span: Span) -> &[T] {
    all.get(span.start as usize..span.end as usize)
        .unwrap_or_default()
}

/// An answer has more text than positions can be kept of: 4 GiB.
pub(super) struct TooMuch;

/// Building up, one series at a time.
impl Samples {
    pub(super) fn push_text(&mut self, text: &str) -> Result<Span, TooMuch> {
        let start = position(self.text.len())?;
        self.text.push_str(text);
        let end = position(self.text.len())?;
        Ok(Span { start, end })
    }

    pub(super) fn push_label(&mut self, name: Span, value: Span) {
        self.labels.push((name, value));
    }

    pub(super) fn push_point(&mut self, point: Point) {
        self.points.push(point);
    }

    /// Ends a series: what was pushed since the last one is its own.
    pub(super) fn end_series(&mut self, native: bool) -> Result<(), TooMuch> {
        let (labels, points) = match self.series.last() {
            Some(last) => (last.labels.end, last.points.end),
            None => (0, 0),
        };
        let bounds = Bounds {
            labels: Span {
                start: labels,
                end: position(self.labels.len())?,
            },
            points: Span {
                start: points,
                end: position(self.points.len())?,
            },
            native,
        };
        self.series.push(bounds);
        Ok(())
    }
}

fn position(length: usize) -> Result<u32, TooMuch> {
    u32::try_from(length).map_err(|_| TooMuch)
}

/// Series written by hand.
#[cfg(test)]
pub(crate) fn vector(at: Timestamp, rows: &[(&[(&str, &str)], f64)]) -> Samples {
    let mut samples = Samples::default();
    for (labels, value) in rows {
        for (name, value) in *labels {
            let spans = (samples.push_text(name), samples.push_text(value));
            if let (Ok(name), Ok(value)) = spans {
                samples.push_label(name, value);
            }
        }
        let value = Number::from(*value);
        samples.push_point(Point { at, value });
        assert!(samples.end_series(false).is_ok());
    }
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ups(rows: &[(&[(&str, &str)], f64)]) -> Samples {
        vector(Timestamp::EPOCH, rows)
    }

    #[test]
    fn a_single_series_is_one_or_says_how_many() {
        let value = |samples: &Samples| match samples.single() {
            None => "none".to_owned(),
            Some(One::Only(series)) => format!("{}", series.last().unwrap().value),
            Some(One::Several(count)) => format!("{count} of them"),
        };
        assert_eq!(value(&ups(&[])), "none");
        assert_eq!(value(&ups(&[(&[], 3.0)])), "3");
        assert_eq!(value(&ups(&[(&[], 3.0), (&[], 3.0)])), "2 of them");
    }

    #[test]
    fn what_shares_a_label_is_never_the_first_of_them() {
        let samples = ups(&[
            (&[("instance", "a"), ("job", "x")], 1.0),
            (&[("instance", "b")], 0.0),
            (&[("job", "y"), ("instance", "a")], 0.0),
            (&[("instance", "a")], 1.0),
            (&[("job", "z")], 1.0),
        ]);
        let by = samples.by("instance");
        let instances: Vec<_> = by.keys().copied().collect();
        assert_eq!(instances, ["", "a", "b"]);
        assert!(matches!(by["a"], One::Several(3)));
        assert!(matches!(by["b"], One::Only(series) if series.label("job").is_empty()));
    }

    #[test]
    fn what_is_not_finite_is_no_number() {
        assert_eq!(Number::from(1.5).finite(), Some(1.5));
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Number::from(odd).finite(), None);
        }
    }
}
