//! `operator stores`: the list; `operator store ID`: one of them, with all that is known of it.

mod one;
mod row;

use operator_core::{Gap, Subject};
use serde::Serialize;

pub(crate) use one::run as one;
pub(crate) use row::{Row, table};

use crate::args::{Look, Order};
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen, reading};
use crate::target::{Pace, Target};
use crate::text::{Page, ordered};

/// The stores.
#[derive(Debug, Serialize)]
struct Stores {
    stores: Vec<Row>,
    /// How many more there are than were asked for.
    more: usize,
}

impl Payload for Stores {
    fn page(&self, context: &Context) -> Page {
        let mut page = table().page(&self.stores, context.terminal.width());
        page.more(self.more);
        page
    }
}

pub(crate) async fn run(look: Look, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&look.whom, config, Pace::Midway).await?;
    let mut reads = Reads::default();
    let rows = rows(&target, &mut reads).await?;
    let (stores, more) = in_order(rows, &look.order)?;
    let seen = Seen::new(
        "stores",
        target.clock.now(),
        &target.shown,
        Stores { stores, more },
        reads,
    );
    context.say(&seen)?;
    Ok(seen.exit())
}

fn in_order(rows: Vec<Row>, order: &Order) -> Outcome<(Vec<Row>, usize)> {
    ordered(&table(), rows, order)
}

/// Every store with what is measured of it.
async fn rows(target: &Target, reads: &mut Reads) -> Outcome<Vec<Row>> {
    // A wrong column is an error even where nothing can be seen.
    let subject = target.subject()?;
    let Some(stores) = reads.keep("stores", subject.stores().await) else {
        return Ok(Vec::new());
    };
    reads.misses(&stores.gaps);
    let metrics = subject.store_metrics(&stores.items).await;
    let metrics = reads.keep("store metrics", metrics);
    let now = target.clock.now();
    let rows: Vec<Row> = stores
        .items
        .iter()
        .map(|store| {
            let metrics = metrics.iter().flat_map(|listing| &listing.items);
            let measures = metrics
                .filter(|metrics| metrics.store == store.id)
                .flat_map(reading::of_metrics);
            Row::of(store, measures.collect(), now)
        })
        .collect();
    let gaps = rows.iter().flat_map(|row| row.gaps());
    let listed = metrics.iter().flat_map(|listing| listing.gaps.iter());
    let gaps: Vec<&Gap> = listed.chain(gaps).collect();
    reads.misses_readings(gaps);
    Ok(rows)
}
