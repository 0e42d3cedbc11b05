//! `operator regions`: lists of regions, or what ails them all; `operator region ID`: one of them.

mod all;
mod one;
mod overview;
mod row;

use operator_core::{Cursor, Listing, Region, Regions as _};
use operator_tikv::PdClient;
use serde::Serialize;

pub(crate) use one::run as one;
use row::{Row, table};

use crate::args::Regions;
use crate::config::Config;
use crate::context::Context;
use crate::failure::{Failure, Outcome};
use crate::report::{Payload, Reads, Seen};
use crate::target::{Pace, Target};
use crate::text::{Line, Page, ordered};

/// So many are read where nobody says how many.
const USUAL: usize = 20;
/// So many are read at most: PD gives no more at once, and nobody reads more. `--all` sums up any number.
const MOST: usize = 10_000;

/// Some regions.
#[derive(Debug, Serialize)]
struct List {
    which: String,
    regions: Vec<Row>,
    /// Whether there are more than are shown.
    more: bool,
    /// Where the next page of keys begins.
    next: Option<String>,
}

impl Payload for List {
    fn page(&self, context: &Context) -> Page {
        let mut page = Page::default();
        if self.regions.is_empty() {
            page.line(format!("no region: {}", self.which));
            return page;
        }
        page = table().page(&self.regions, context.terminal.width());
        let shown = self.regions.len();
        let line = match (&self.next, self.more) {
            (Some(next), _) => format!("{shown} shown; the next begins at --from {next}"),
            (None, true) => format!("{shown} shown, and there are more: --limit N shows as many"),
            (None, false) => format!("{shown} shown: {}", self.which),
        };
        page.line(Line::default().faint(line));
        page
    }
}

pub(crate) async fn run(args: Regions, config: Config, context: &Context) -> Outcome {
    if args.order.limit.is_some_and(|limit| limit > MOST) {
        let what = format!("--limit: {MOST} regions are the most that are listed");
        return Err(Failure::usage(what).hint("--all, which reads every region and sums up"));
    }
    // A wrong column is an error before anything is asked.
    ordered(&table(), Vec::new(), &args.order)?;
    let target = Target::resolve(&args.whom, config, Pace::Midway).await?;
    let pd = target.pd()?;
    if args.all {
        return all::run(&pd, &target, context).await;
    }
    if args.ailing.is_none() && args.on.is_none() && args.top.is_none() && args.from.is_none() {
        return overview::run(&pd, &target, context).await;
    }
    let mut reads = Reads::default();
    let limit = args.order.limit.unwrap_or(USUAL);
    let (which, listing) = listed(&pd, &args, limit).await;
    let listing = match listing {
        Err(error) if error.is_not_found() => return Err(Failure::unseen(&error)),
        listing => reads.keep("regions", listing),
    };
    let mut list = List {
        which,
        regions: Vec::new(),
        more: false,
        next: None,
    };
    if let Some(listing) = listing {
        reads.misses(&listing.gaps);
        list.more = listing.next.is_some();
        if args.from.is_some() {
            list.next = listing.next.as_ref().map(Cursor::to_string);
        }
        let rows = listing.items.iter().map(Row::of).collect();
        list.regions = ordered(&table(), rows, &args.order)?.0;
    }
    let seen = Seen::new("regions", target.clock.now(), &target.shown, list, reads);
    context.say(&seen)?;
    Ok(seen.exit())
}

/// What was asked for, in words, and what came of it.
async fn listed(
    pd: &PdClient,
    args: &Regions,
    limit: usize,
) -> (String, operator_core::Result<Listing<Region>>) {
    if let Some(word) = args.ailing {
        let ailment = word.ailment();
        let name = clap::ValueEnum::to_possible_value(&word);
        let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
        return (format!("ailing {name}"), pd.ailing(ailment, limit).await);
    }
    if let Some(store) = args.on {
        return (
            format!("on store/{store}"),
            pd.regions_on(store, limit).await,
        );
    }
    if let Some(word) = args.top {
        let name = clap::ValueEnum::to_possible_value(&word);
        let name = name.map_or_else(String::new, |value| value.get_name().to_owned());
        return (
            format!("top {name}"),
            pd.top_regions(word.top(), limit).await,
        );
    }
    let from = Cursor::new(args.from.clone().unwrap_or_default());
    let page = pd.page(Some(&from), limit).await.map(|mut listing| {
        if let Some(to) = &args.to {
            let before = listing.items.len();
            listing.items.retain(|region| region.range.start < *to);
            if listing.items.len() < before {
                listing.next = None;
            }
            listing.next = listing.next.filter(|next| next.as_bytes() < to.as_slice());
        }
        listing
    });
    let to = args
        .to
        .as_ref()
        .map(|to| format!(" to {}", Cursor::new(to.clone())));
    (format!("from {from}{}", to.unwrap_or_default()), page)
}
