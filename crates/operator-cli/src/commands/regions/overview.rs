//! `operator regions` without more: how many there are, and what ails them.

use clap::ValueEnum;
use futures_util::StreamExt;
use futures_util::stream;
use operator_core::Regions as _;
use operator_tikv::PdClient;
use serde::Serialize;

use super::MOST;
use crate::args::AilmentWord;
use crate::context::Context;
use crate::failure::Outcome;
use crate::report::{Payload, Reads, Seen};
use crate::target::Target;
use crate::text::{Line, Page, Tone};

/// So many are asked for at the same time: PD walks all regions for some of them.
const TOGETHER: usize = 2;

/// How many regions there are, and what ails them.
#[derive(Debug, Serialize)]
struct Overview {
    region_count: Option<u64>,
    ailments: Vec<Ailing>,
}

#[derive(Debug, Serialize)]
struct Ailing {
    ailment: String,
    about: String,
    count: Option<u64>,
    /// Whether there are more than were counted.
    at_least: bool,
}

pub(super) async fn run(pd: &PdClient, target: &Target, context: &Context) -> Outcome {
    let mut reads = Reads::default();
    let region_count = reads.keep("region count", pd.region_count().await);
    let words = AilmentWord::value_variants();
    let mut counts: Vec<_> = stream::iter(words.iter().enumerate())
        .map(|(at, word)| async move { (at, pd.ailing(word.ailment(), MOST).await) })
        .buffer_unordered(TOGETHER)
        .collect()
        .await;
    counts.sort_by_key(|(at, _)| *at);
    let ailments = words.iter().zip(counts).map(|(word, (_, listing))| {
        let listing = reads.keep("ailing regions", listing);
        let value = word.to_possible_value();
        let value = value.as_ref();
        Ailing {
            ailment: value.map_or("", |value| value.get_name()).to_owned(),
            about: value
                .and_then(|value| value.get_help())
                .map_or_else(String::new, ToString::to_string),
            count: listing
                .as_ref()
                .map(|listing| (listing.items.len() + listing.gaps.len()) as u64),
            at_least: listing.is_some_and(|listing| listing.next.is_some()),
        }
    });
    let overview = Overview {
        ailments: ailments.collect(),
        region_count,
    };
    let seen = Seen::new(
        "regions",
        target.clock.now(),
        &target.shown,
        overview,
        reads,
    );
    context.say(&seen)?;
    Ok(seen.exit())
}

impl Payload for Overview {
    fn page(&self, _: &Context) -> Page {
        let mut page = Page::default();
        let count = self
            .region_count
            .map_or_else(|| "?".to_owned(), |count| count.to_string());
        page.fact("regions", count);
        for Ailing {
            ailment,
            about,
            count,
            at_least,
        } in &self.ailments
        {
            let tone = match (count, ailment.as_str()) {
                (Some(0), _) => Tone::Faint,
                (Some(_), "miss-peer" | "down-peer") => Tone::Bad,
                (Some(_), "empty" | "undersized" | "oversized") => Tone::Plain,
                _ => Tone::Warn,
            };
            let least = if *at_least { "at least " } else { "" };
            let count = count.map_or_else(|| "?".to_owned(), |count| format!("{least}{count}"));
            let line = Line::default().tone(tone, count);
            page.fact(ailment, line.faint(format!("  {}", about.to_lowercase())));
        }
        let hint = "--ailing AILMENT, --on STORE, --top QUANTITY or --from KEY lists them";
        page.line(Line::default().faint(hint));
        page
    }
}
