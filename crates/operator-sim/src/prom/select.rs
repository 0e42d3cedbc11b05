//! From scrapes to series: what a selector finds in a span of time.

use std::collections::BTreeMap;

use promql_parser::label::Matchers;

use crate::cluster::Cluster;
use crate::num::{self, MINUTE, Millis};
use crate::shape::LabelStyle;

use super::families::{self, Family, Labels, Sink};
use super::pages::cumulative;
use super::series::{Outcome, Page, Scrape, Scraped, Target};

/// Labels of a series, sorted by name.
pub(crate) type Set = BTreeMap<String, String>;

/// How far back an instant looks for a sample.
pub(crate) const LOOKBACK: Millis = 5 * MINUTE;

/// The samples of one series: (model time, value), oldest first.
pub(crate) type Samples = Vec<(Millis, f64)>;

/// What is asked for: a name and matchers of labels, or matchers alone.
pub(crate) struct Wanted<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) matchers: &'a Matchers,
}

impl Wanted<'_> {
    fn is_named(&self, name: &str) -> bool {
        self.name.is_none_or(|wanted| wanted == name) && self.fits("__name__", name)
    }

    /// Whether a label's value is what the matchers want of it.
    fn fits(&self, label: &str, value: &str) -> bool {
        let mut of = self.matchers.matchers.iter().filter(|m| m.name == label);
        of.all(|matcher| matcher.is_match(value))
    }
}

/// The newest sample of each series at `at`. A series that its target's newest scrape lacks has ended.
pub(crate) fn instant(
    cluster: &Cluster,
    wanted: &Wanted<'_>,
    at: Millis,
) -> Vec<(Set, (Millis, f64))> {
    let mut found = Vec::new();
    for target in &cluster.scrapes.targets {
        let newest = visible(cluster, target)
            .take_while(|scrape| scrape.at <= at)
            .last()
            .filter(|scrape| scrape.at + LOOKBACK > at);
        if let Some(scrape) = newest {
            let mut collect = Collect::new(cluster, wanted, target.target);
            collect.take(scrape);
            let series = collect.found.into_iter();
            found.extend(series.filter_map(|(set, samples)| Some((set, samples.last().copied()?))));
        }
    }
    found
}

/// All samples from `from` to `to`, both included, per series.
pub(crate) fn range(
    cluster: &Cluster,
    wanted: &Wanted<'_>,
    from: Millis,
    to: Millis,
) -> Vec<(Set, Samples)> {
    let mut found = Vec::new();
    for target in &cluster.scrapes.targets {
        let mut collect = Collect::new(cluster, wanted, target.target);
        for scrape in visible(cluster, target).filter(|s| (from..=to).contains(&s.at)) {
            collect.take(scrape);
        }
        found.extend(collect.found);
    }
    found
}

/// Scrapes that can be read by now; a hanging target's outcome is known only at the time-out.
fn visible<'a>(cluster: &Cluster, target: &'a Scraped) -> impl Iterator<Item = &'a Scrape> {
    let now = cluster.now;
    target
        .scrapes
        .iter()
        .filter(move |scrape| scrape.visible <= now)
}

/// The labels that Prometheus gives a target.
fn target_labels(cluster: &Cluster, target: Target) -> Vec<(&'static str, String)> {
    let component = target.component();
    let number = match target {
        Target::Store(place) => u64::from(place),
        Target::Tiflash(place) => u64::from(place.saturating_sub(cluster.shape.stores)),
        Target::Member(place) => place as u64,
    };
    let instance = match (cluster.shape.labels, target) {
        (LabelStyle::Tiup, Target::Store(place) | Target::Tiflash(place)) => cluster
            .store(place)
            .map(crate::cluster::store::Store::status_address)
            .unwrap_or_default(),
        (LabelStyle::Tiup, Target::Member(place)) => {
            let member = cluster.pd.members.get(place);
            member
                .map(|m| m.client_url.trim_start_matches("http://").to_owned())
                .unwrap_or_default()
        }
        (LabelStyle::Operator, _) => format!("basic-{component}-{number}"),
        (LabelStyle::Compose, Target::Store(_)) => format!("tikv{number}:20180"),
        (LabelStyle::Compose, Target::Tiflash(_)) => format!("tiflash{number}:20292"),
        (LabelStyle::Compose, Target::Member(_)) => format!("pd{number}:2379"),
    };
    let name = if cluster.conditions.prometheus.renamed {
        "node"
    } else {
        "instance"
    };
    let mut labels = vec![(name, instance)];
    if cluster.shape.labels == LabelStyle::Operator {
        labels.extend([
            ("job", format!("tidb-basic-{component}")),
            ("cluster", "basic".to_owned()),
            ("component", component.to_owned()),
            ("kubernetes_namespace", "tidb".to_owned()),
            ("tidb_cluster", "tidb-basic".to_owned()),
        ]);
    } else {
        labels.push(("job", component.to_owned()));
    }
    labels
}

/// The labels of a target as a set.
pub(crate) fn target_set(cluster: &Cluster, target: Target) -> Set {
    let labels = target_labels(cluster, target).into_iter();
    labels
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

struct Collect<'a> {
    wanted: &'a Wanted<'a>,
    target: Vec<(&'static str, String)>,
    at: Millis,
    /// The metric at hand.
    name: String,
    suffix: &'static str,
    found: BTreeMap<Set, Samples>,
}

impl<'a> Collect<'a> {
    fn new(cluster: &Cluster, wanted: &'a Wanted<'a>, target: Target) -> Self {
        Self {
            wanted,
            target: target_labels(cluster, target),
            at: 0,
            name: String::new(),
            suffix: "",
            found: BTreeMap::new(),
        }
    }

    fn take(&mut self, scrape: &Scrape) {
        self.at = scrape.at;
        match &scrape.outcome {
            Outcome::Gone => {}
            Outcome::Down => self.health(0.0),
            Outcome::Up(page) => {
                self.health(1.0);
                match page {
                    Page::Store(page) => self.fill(families::STORE, page),
                    Page::Tiflash => {}
                    Page::Pd(page) => self.fill(families::PD, page),
                }
            }
        }
    }

    fn health(&mut self, value: f64) {
        if self.wanted.is_named("up") {
            "up".clone_into(&mut self.name);
            self.add(&[], None, value);
        }
    }

    fn fill<T>(&mut self, families: &[Family<T>], page: &T) {
        for family in families {
            let suffixes: &[&str] = if family.kind == families::Kind::Histogram {
                &["_bucket", "_sum", "_count"]
            } else {
                &[""]
            };
            for suffix in suffixes {
                let beginning = self.wanted.name.is_none_or(|n| n.starts_with(family.name));
                let name = if beginning {
                    format!("{}{suffix}", family.name)
                } else {
                    continue;
                };
                if self.wanted.is_named(&name) {
                    (self.name, self.suffix) = (name, suffix);
                    (family.fill)(page, self);
                }
            }
        }
    }

    fn add(&mut self, labels: Labels<'_>, bound: Option<&str>, value: f64) {
        let all = || {
            let own = labels.iter().map(|(name, value)| (*name, *value));
            let target = self
                .target
                .iter()
                .map(|(name, value)| (*name, value.as_str()));
            own.chain(bound.map(|bound| ("le", bound)))
                .chain(target)
                .chain([("__name__", self.name.as_str())])
        };
        let matches = self.wanted.matchers.matchers.iter().all(|matcher| {
            let value = all().find(|(name, _)| *name == matcher.name);
            matcher.is_match(value.map_or("", |(_, value)| value))
        });
        if matches {
            let set: Set = all()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            self.found.entry(set).or_default().push((self.at, value));
        }
    }
}

impl Sink for Collect<'_> {
    fn value(&mut self, labels: Labels<'_>, value: f64) {
        if self.suffix.is_empty() {
            self.add(labels, None, value);
        }
    }

    fn histogram(&mut self, labels: Labels<'_>, bounds: &[String], counts: &[f64], sum: f64) {
        // Most of a page's histograms are not asked for: those are told by their own labels.
        let wanted = labels
            .iter()
            .all(|(label, value)| self.wanted.fits(label, value));
        match self.suffix {
            _ if !wanted => {}
            "_sum" => self.add(labels, None, sum),
            "_count" => self.add(labels, None, num::whole(counts.iter().sum()) as f64),
            _ => {
                for (bound, count) in cumulative(bounds, counts) {
                    self.add(labels, Some(bound), count);
                }
            }
        }
    }
}
