//! The metric families that the simulator has, one table entry each: name, kind, help, and how a page fills it.
//!
//! A page for a real Prometheus and a query of the simulated one read the same table, so they cannot disagree.

mod pd;
mod store;

pub(crate) use pd::PD;
pub(crate) use store::STORE;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// Labels of one series, without those of its target.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Where a family's series go.
pub(crate) trait Sink {
    fn value(&mut self, labels: Labels<'_>, value: f64);
    /// `counts` are per bucket, the last without a bound; `bounds` are the text of the finite ones.
    fn histogram(&mut self, labels: Labels<'_>, bounds: &[String], counts: &[f64], sum: f64);
}

type Fill<Page> = fn(&Page, &mut dyn Sink);

pub(crate) struct Family<Page: 'static> {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
    pub(crate) fill: Fill<Page>,
}

const fn family<Page>(
    name: &'static str,
    kind: Kind,
    help: &'static str,
    fill: Fill<Page>,
) -> Family<Page> {
    Family {
        name,
        kind,
        help,
        fill,
    }
}
