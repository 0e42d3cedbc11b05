//! `operator regions --all`: reads every region, holds none, and sums up.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};

use operator_core::KeyRange;
use operator_tikv::{PdClient, Tally};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen};
use crate::target::Target;
use crate::text::{Align, Cell, Line, Page, Table, Tone, column};
use crate::units;
use operator_core::{Gap, Why};

/// The sums over every region.
#[derive(Debug, Default, Serialize)]
struct Sums {
    /// Whether every region was read; else these are the sums up to where reading failed.
    complete: bool,
    regions: u64,
    size_bytes: u64,
    keys: u64,
    unsized_regions: u64,
    empty: u64,
    leaderless: u64,
    with_down_peers: u64,
    with_pending_peers: u64,
    with_learners: u64,
    seen_again: u64,
    unread: u64,
    holes: Vec<String>,
    further_holes: u64,
    stores: BTreeMap<u64, OnStore>,
}

/// What one store holds of them.
#[derive(Debug, Clone, Serialize)]
struct OnStore {
    leaders: u64,
    peers: u64,
    peer_bytes: u64,
}

impl Sums {
    fn of(tally: &Tally, complete: bool) -> Self {
        let stores = tally.stores.iter().map(|(store, sums)| {
            let on = OnStore {
                leaders: sums.leaders,
                peers: sums.peers,
                peer_bytes: sums.peer_bytes,
            };
            (store.0, on)
        });
        Self {
            complete,
            regions: tally.regions,
            size_bytes: tally.size_bytes,
            keys: tally.keys,
            unsized_regions: tally.unsized_regions,
            empty: tally.empty,
            leaderless: tally.leaderless,
            with_down_peers: tally.with_down_peers,
            with_pending_peers: tally.with_pending_peers,
            with_learners: tally.with_learners,
            seen_again: tally.seen_again,
            unread: tally.unread,
            holes: tally.holes.iter().map(KeyRange::to_string).collect(),
            further_holes: tally.further_holes,
            stores: stores.collect(),
        }
    }
}

pub(super) async fn run(pd: &PdClient, target: &Target, context: &Context) -> Outcome {
    let mut reads = Reads::default();
    let expected = pd.region_count().await.ok();
    let mut progress = Progress::begin(expected);
    let mut so_far = Tally::default();
    let tally = pd
        .tally(|tally| {
            progress.tell(tally.regions);
            so_far = tally.clone();
        })
        .await;
    progress.end();
    let tally = reads.keep("every region", tally);
    let sums = Sums::of(tally.as_ref().unwrap_or(&so_far), tally.is_some());
    if sums.unread > 0 {
        let why = Why::Unusable {
            expected: "regions that can be read".into(),
            found: "others".to_owned(),
        };
        reads.miss(Gap::new(format!("{} regions", sums.unread), why));
    }
    let seen = Seen::new("regions", target.clock.now(), &target.shown, sums, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}

/// How far the scan is, on one line of a terminal's standard error.
struct Progress {
    shown: bool,
    expected: Option<u64>,
    last: String,
}

impl Progress {
    fn begin(expected: Option<u64>) -> Self {
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        Self {
            shown: io::stderr().is_terminal() && !dumb,
            expected,
            last: String::new(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a share is no exact number")]
    fn tell(&mut self, regions: u64) {
        let said = match self.expected.filter(|expected| *expected > 0) {
            Some(expected) => {
                let done = (regions as f64 / expected as f64).min(1.0);
                format!(
                    "{regions} of about {expected} regions, {:.0} %",
                    done * 100.0
                )
            }
            None => format!("{regions} regions"),
        };
        if self.shown && said != self.last {
            let _ = write!(io::stderr(), "\r\x1b[K{said}");
            let _ = io::stderr().flush();
            self.last = said;
        }
    }

    fn end(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
            let _ = io::stderr().flush();
        }
    }
}

fn table() -> Table<(u64, OnStore)> {
    Table::new([
        column("store", Align::Right, 0, |row: &(u64, OnStore)| {
            Cell::count(row.0)
        }),
        column("leaders", Align::Right, 0, |row| Cell::count(row.1.leaders)),
        column("peers", Align::Right, 0, |row| Cell::count(row.1.peers)),
        column("size", Align::Right, 0, |row| {
            Cell::text(units::bytes(row.1.peer_bytes))
        }),
    ])
}

impl Payload for Sums {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        if !self.complete {
            let line = "these are the sums up to where reading failed";
            page.line(Line::default().tone(Tone::Warn, line));
        }
        page.fact("regions", self.regions.to_string());
        page.fact("size", units::bytes(self.size_bytes));
        page.fact("keys", self.keys.to_string());
        let bad = |count: u64| match count {
            0 => Line::default().faint("0"),
            count => Line::default().tone(Tone::Bad, count.to_string()),
        };
        page.fact("without a leader", bad(self.leaderless));
        page.fact("with down peers", bad(self.with_down_peers));
        page.fact("with pending", bad(self.with_pending_peers));
        page.fact("with learners", self.with_learners.to_string());
        page.fact("empty", self.empty.to_string());
        page.fact("of unknown size", self.unsized_regions.to_string());
        if self.seen_again > 0 {
            let line = format!(
                "{} (they split, merged or moved meanwhile)",
                self.seen_again
            );
            page.fact("seen again", line);
        }
        for hole in &self.holes {
            page.line(Line::default().tone(Tone::Bad, format!("no region for {hole}")));
        }
        if self.further_holes > 0 {
            page.line(format!("and {} holes more", self.further_holes));
        }
        page.gap();
        let rows: Vec<(u64, OnStore)> = self
            .stores
            .iter()
            .map(|(id, on)| (*id, on.clone()))
            .collect();
        page.add(table().page(&rows, context.terminal.width()));
        page
    }
}
