//! `operator hot`: where reads and writes gather.

use futures_util::future::join;
use operator_core::{Result as ReadResult, Timestamp};
use operator_tikv::{HotPeer, HotSpots};
use serde::Serialize;

use crate::args::Hot;
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Align, Cell, Line, Page, Table, column, ordered};
use crate::units;

/// What is hot.
#[derive(Debug, Serialize)]
struct HotList {
    hot: Vec<Row>,
    more: usize,
    /// What all of each store does, in each direction that was asked for.
    stores: Vec<StoreRow>,
}

/// A hot peer.
#[derive(Debug, Serialize)]
struct Row {
    flow: &'static str,
    region: u64,
    store: u64,
    leads: bool,
    degree: i64,
    bytes_per_second: f64,
    keys_per_second: f64,
    queries_per_second: f64,
    stores: Vec<u64>,
    updated_at: Option<String>,
}

/// What one store does.
#[derive(Debug, Serialize)]
struct StoreRow {
    flow: &'static str,
    store: u64,
    bytes_per_second: f64,
    keys_per_second: f64,
    queries_per_second: f64,
    hot_peers: u64,
}

impl Row {
    fn of(flow: &'static str, peer: &HotPeer) -> Self {
        Self {
            flow,
            region: peer.region.0,
            store: peer.store.0,
            leads: peer.is_leader,
            degree: peer.degree,
            bytes_per_second: peer.bytes_per_second,
            keys_per_second: peer.keys_per_second,
            queries_per_second: peer.queries_per_second,
            stores: peer.stores.iter().map(|store| store.0).collect(),
            updated_at: peer.updated_at.map(|at: Timestamp| at.to_string()),
        }
    }
}

fn table() -> Table<Row> {
    use Align::{Left, Right};
    fn per_second(number: f64) -> Cell {
        Cell::number(number, format!("{}/s", units::amount(number)))
    }
    Table::new([
        column("flow", Left, 0, |row: &Row| Cell::text(row.flow)),
        column("region", Right, 0, |row| Cell::count(row.region)),
        column("store", Right, 0, |row| Cell::count(row.store)),
        column("bytes", Right, 0, |row| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "three digits are shown"
            )]
            let bytes = row.bytes_per_second.max(0.0) as u64;
            Cell::number(row.bytes_per_second, format!("{}/s", units::bytes(bytes)))
        }),
        column("keys", Right, 1, |row| per_second(row.keys_per_second)),
        column("queries", Right, 1, |row| {
            per_second(row.queries_per_second)
        }),
        column("degree", Right, 2, |row| {
            #[expect(clippy::cast_precision_loss, reason = "it is for sorting")]
            let key = row.degree as f64;
            Cell::number(key, row.degree.to_string())
        }),
        column("leads", Left, 2, |row| {
            Cell::text(if row.leads { "leads" } else { "" })
        }),
    ])
}

impl Payload for HotList {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        match self.hot.is_empty() {
            true => {
                page.line("nothing is hot: PD lists a region after about three minutes of heat")
            }
            false => page = table().page(&self.hot, context.terminal.width()),
        }
        page.more(self.more);
        page.gap();
        for store in &self.stores {
            let (keys, queries) = (
                units::amount(store.keys_per_second),
                units::amount(store.queries_per_second),
            );
            let hot = store.hot_peers;
            let line = format!(
                "store/{} {}: {keys} keys/s, {queries} queries/s, {hot} hot",
                store.store, store.flow
            );
            page.line(Line::default().faint(line));
        }
        page
    }
}

pub(crate) async fn run(args: Hot, config: Config, context: &Context) -> Outcome {
    let target = Target::resolve(&args.whom, config, Pace::Midway).await?;
    let (pd, mut reads) = (target.pd()?, Reads::default());
    let writes = async {
        match args.reads {
            true => None,
            false => Some(pd.hot_writes().await),
        }
    };
    let reading = async {
        match args.writes {
            true => None,
            false => Some(pd.hot_reads().await),
        }
    };
    let (writes, reading) = join(writes, reading).await;
    let (mut rows, mut stores) = (Vec::new(), Vec::new());
    for (flow, what, spots) in [
        ("write", "hot writes", writes),
        ("read", "hot reads", reading),
    ] {
        let spots: Option<ReadResult<HotSpots>> = spots;
        let Some(spots) = spots.and_then(|spots| reads.keep(what, spots)) else {
            continue;
        };
        reads.misses(&spots.gaps);
        let by = match spots.by_peer.is_empty() {
            true => &spots.by_leader,
            false => &spots.by_peer,
        };
        for (store, on) in by {
            rows.extend(on.peers.iter().map(|peer| Row::of(flow, peer)));
            stores.push(StoreRow {
                flow,
                store: store.0,
                bytes_per_second: on.store.bytes_per_second,
                keys_per_second: on.store.keys_per_second,
                queries_per_second: on.store.queries_per_second,
                hot_peers: on.peers.len() as u64,
            });
        }
    }
    rows.sort_by(|a, b| b.bytes_per_second.total_cmp(&a.bytes_per_second));
    let (hot, more) = ordered(&table(), rows, &args.order)?;
    let payload = HotList { hot, more, stores };
    let seen = Seen::new("hot", target.clock.now(), &target.shown, payload, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}
