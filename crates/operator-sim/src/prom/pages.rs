//! `/metrics` pages in the text format, for a real Prometheus.

use std::fmt::Write as _;

use crate::cluster::Cluster;
use crate::num;

use super::families::{self, Family, Labels, Sink};
use super::render::number;

/// A store's page; `None` where no process is there to write one.
pub(crate) fn store_page(cluster: &Cluster, place: u16) -> Option<String> {
    let running = cluster
        .store(place)
        .is_some_and(|store| store.is_running() && store.is_tikv());
    let page = cluster.store_page(place).filter(|_| running)?;
    Some(write(families::STORE, &page))
}

/// The page of a member of PD.
pub(crate) fn member_page(cluster: &Cluster, member: usize) -> Option<String> {
    cluster
        .pd
        .running(member)
        .then(|| write(families::PD, &cluster.pd_page(member)))
}

fn write<Page>(families: &[Family<Page>], page: &Page) -> String {
    let mut text = String::new();
    for family in families {
        let mut series = Series {
            name: family.name,
            text: String::new(),
        };
        (family.fill)(page, &mut series);
        if !series.text.is_empty() {
            let (name, help, kind) = (family.name, family.help, family.kind.name());
            // Writing to a String cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
            text.push_str(&series.text);
        }
    }
    text
}

struct Series {
    name: &'static str,
    text: String,
}

impl Series {
    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: f64) {
        let labels: Vec<String> = labels
            .iter()
            .copied()
            .chain(bound.map(|bound| ("le", bound)))
            .map(|(name, value)| format!("{name}=\"{value}\""))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _ = writeln!(self.text, "{}{suffix}{labels} {}", self.name, number(value));
    }
}

impl Sink for Series {
    fn value(&mut self, labels: Labels<'_>, value: f64) {
        self.line("", labels, None, value);
    }

    fn histogram(&mut self, labels: Labels<'_>, bounds: &[String], counts: &[f64], sum: f64) {
        for (bound, count) in cumulative(bounds, counts) {
            self.line("_bucket", labels, Some(bound), count);
        }
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, counts.iter().sum::<f64>().floor());
    }
}

/// Buckets as they are exported: each holds all below it, in whole requests, and the last is `+Inf`.
pub(super) fn cumulative<'a>(
    bounds: &'a [String],
    counts: &'a [f64],
) -> impl Iterator<Item = (&'a str, f64)> {
    let names = bounds.iter().map(String::as_str).chain(["+Inf"]);
    names.zip(counts).scan(0.0, |below, (bound, count)| {
        *below += count;
        Some((bound, num::whole(*below) as f64))
    })
}
