//! `operator contract`: whether the queries can mean what they should.

use operator_tikv::{ContractCheck, ContractStanding};
use serde::Serialize;

use crate::args::Look;
use crate::config::Config;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Align, Cell, Page, Table, Tone, column, ordered};
use operator_core::{Gap, Why};

/// The queries.
#[derive(Debug, Serialize)]
struct Contract {
    queries: Vec<Row>,
    more: usize,
}

/// One query.
#[derive(Debug, Serialize)]
struct Row {
    query: &'static str,
    standing: &'static str,
    /// What is missing, or why it cannot be said.
    missing: Vec<String>,
    feeds: Vec<&'static str>,
    cost: &'static str,
}

impl Row {
    fn of(check: ContractCheck) -> Self {
        let (standing, missing) = match check.standing {
            ContractStanding::Live => ("live", Vec::new()),
            ContractStanding::Idle => ("idle", Vec::new()),
            ContractStanding::SeriesMissing(names) => ("series_missing", names),
            ContractStanding::ValueUnknown(values) => ("value_unknown", values),
            ContractStanding::Unseen(why) => ("unseen", vec![why]),
        };
        Self {
            query: check.query,
            standing,
            missing,
            feeds: check.feeds,
            cost: check.cost,
        }
    }
}

fn table() -> Table<Row> {
    Table::new([
        column("query", Align::Left, 0, |row: &Row| Cell::text(row.query)),
        column("standing", Align::Left, 0, |row| {
            Cell::text(row.standing.replace('_', " ")).tone(match row.standing {
                "live" => Tone::Good,
                "idle" => Tone::Plain,
                _ => Tone::Bad,
            })
        }),
        column("missing", Align::Left, 1, |row| {
            Cell::text(row.missing.join(", "))
        }),
        column("feeds", Align::Left, 2, |row| {
            Cell::text(row.feeds.join(", "))
        }),
        column("cost", Align::Left, 3, |row| Cell::text(row.cost)),
    ])
}

impl Payload for Contract {
    fn page(&self, context: &Context) -> Page {
        let mut page = table().page(&self.queries, context.terminal.width());
        page.more(self.more);
        page
    }
}

pub(crate) async fn run(look: Look, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&look.whom, config, Pace::Midway).await?;
    let (prometheus, mut reads) = (target.needed_prometheus()?, Reads::default());
    let checks = reads
        .keep("contract", prometheus.contract().await)
        .unwrap_or_default();
    for check in checks.iter().filter(|check| !check.holds()) {
        // A query that cannot mean what it should is blindness, not a fault of the cluster.
        let why = Why::Unusable {
            expected: "everything it relies on".into(),
            found: check.to_string(),
        };
        reads.miss(Gap::new(format!("query {}", check.query), why).at(prometheus.origin()));
    }
    let rows = checks.into_iter().map(Row::of).collect();
    let (queries, more) = ordered(&table(), rows, &look.order)?;
    let payload = Contract { queries, more };
    let seen = Seen::new(
        "contract",
        target.clock.now(),
        &target.shown,
        payload,
        reads,
    );
    context.say(&seen)?;
    let exit: Exit = seen.exit();
    Ok(exit)
}
