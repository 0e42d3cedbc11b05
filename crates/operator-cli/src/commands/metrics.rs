//! `operator metrics`: everything that is measured of every store, one value a line.

use operator_core::{Gap, Subject, Timestamp};
use serde::Serialize;

use crate::args::Look;
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::reading::{self, Is, Measure};
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Align, Cell, Page, Table, column, ordered};
use crate::units;

/// What is measured.
#[derive(Debug, Serialize)]
struct Metrics {
    metrics: Vec<Row>,
    more: usize,
}

/// One value.
#[derive(Debug, Serialize)]
struct Row {
    store: u64,
    metric: &'static str,
    age_seconds: Option<f64>,
    #[serde(flatten)]
    is: Is,
    #[serde(skip)]
    measure: Measure,
}

impl Row {
    fn of(store: u64, measure: Measure, now: Timestamp) -> Self {
        Self {
            store,
            metric: measure.name,
            age_seconds: measure.at().map(|at| now.since(at).as_secs_f64()),
            is: measure.is.clone(),
            measure,
        }
    }
}

fn table() -> Table<Row> {
    Table::new([
        column("store", Align::Right, 0, |row| Cell::count(row.store)),
        column("metric", Align::Left, 0, |row| Cell::text(row.metric)),
        column("value", Align::Right, 0, |row| row.measure.cell()),
        column("age", Align::Right, 1, |row| match row.age_seconds {
            Some(age) => Cell::number(age, units::seconds(age)),
            None => Cell::none("-"),
        }),
        column("source", Align::Left, 2, |row| match &row.is {
            Is::Seen { source, .. } => Cell::text(source),
            _ => Cell::none(""),
        }),
    ])
}

impl Payload for Metrics {
    fn page(&self, context: &Context) -> Page {
        let mut page = table().page(&self.metrics, context.terminal.width());
        page.more(self.more);
        page
    }
}

pub(crate) async fn run(look: Look, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&look.whom, config, Pace::Midway).await?;
    let (subject, mut reads) = (target.subject()?, Reads::default());
    let mut rows = Vec::new();
    if let Some(stores) = reads.keep("stores", subject.stores().await) {
        reads.misses(&stores.gaps);
        let metrics = subject.store_metrics(&stores.items).await;
        let metrics = reads.keep("store metrics", metrics);
        let strains = match subject.prometheus() {
            Some(prometheus) => reads.keep("strain", prometheus.store_strains(&stores.items).await),
            None => None,
        };
        let now = target.clock.now();
        let metrics_of = metrics.iter().flat_map(|listing| &listing.items);
        let metrics_of = metrics_of.map(|one| (one.store, reading::of_metrics(one)));
        let strains_of = strains.iter().flat_map(|listing| &listing.items);
        let strains_of = strains_of.map(|one| (one.store, reading::of_strain(one)));
        for (store, measures) in metrics_of.chain(strains_of) {
            rows.extend(
                measures
                    .into_iter()
                    .map(|measure| Row::of(store.0, measure, now)),
            );
        }
        rows.sort_by_key(|row| row.store);
        let gaps = metrics.iter().flat_map(|listing| listing.gaps.iter());
        let gaps = gaps.chain(strains.iter().flat_map(|listing| listing.gaps.iter()));
        let gaps: Vec<&Gap> = gaps
            .chain(rows.iter().filter_map(|row| row.measure.gap()))
            .collect();
        reads.misses_readings(gaps);
    }
    let (metrics, more) = ordered(&table(), rows, &look.order)?;
    let payload = Metrics { metrics, more };
    let seen = Seen::new("metrics", target.clock.now(), &target.shown, payload, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}
