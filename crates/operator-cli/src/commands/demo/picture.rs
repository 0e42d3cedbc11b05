//! A picture of the demonstration's cluster, as Operator sees it.

use std::time::Duration;

use operator_core::{Listing, Snapshot, Store, StoreState, Timestamp};
use operator_tikv::{PdHealth, PdLeadership};

use crate::commands::watch::{open_page, pulse};
use crate::context::Context;
use crate::findings::Findings;
use crate::span::lasts;
use crate::term::Terminal;
use crate::text::{Line, Page, Tone};
use crate::units;

/// How far the story is: the cluster's time, and how long all of it may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) now: Timestamp,
    pub(super) elapsed: Duration,
    pub(super) length: Duration,
}

/// The cluster at the last look, below how far the story is.
pub(super) fn picture(
    progress: Progress,
    seen: Option<&(Snapshot, Findings)>,
    terminal: &Terminal,
    context: &Context,
) -> Page {
    let columns = terminal.width().unwrap_or(80);
    let bars = match terminal.unicode {
        true => ("\u{2588}", "\u{2591}"),
        false => ("#", "."),
    };
    let mut page = Page::default();
    page.line(Line::default());
    page.line(progress_line(progress, columns, bars, context));
    let Some((snapshot, findings)) = seen else {
        return page;
    };
    match snapshot.stores() {
        Ok(stores) => page.add(stores_picture(stores, snapshot, columns, bars)),
        Err(gap) => page.line(Line::default().tone(Tone::Warn, gap.to_string())),
    }
    page.line(pd_picture(snapshot));
    page.line(Line::default());
    page.line(
        Line::default()
            .faint("Operator says  ")
            .join(pulse(findings)),
    );
    page.add(open_page(&findings.incidents, findings));
    page
}

fn progress_line(
    progress: Progress,
    columns: usize,
    bars: (&str, &str),
    context: &Context,
) -> Line {
    let Progress {
        now,
        elapsed,
        length,
    } = progress;
    let share = elapsed.as_secs_f64() / length.as_secs_f64().max(1.0);
    let time = format!("{} {} ", context.time_of_day(now), lasts(elapsed));
    let room = columns.saturating_sub(time.len() + 2).min(50);
    Line::default()
        .faint(format!("{time:<20} "))
        .tone(Tone::Note, bar(share, room, bars))
}

fn bar(share: f64, room: usize, (full, empty): (&str, &str)) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "between nothing and the room there is"
    )]
    let filled = (share.clamp(0.0, 1.0) * room as f64).round() as usize;
    full.repeat(filled) + &empty.repeat(room - filled)
}

#[expect(clippy::cast_precision_loss, reason = "bars are a few characters long")]
fn stores_picture(
    stores: &Listing<Store>,
    snapshot: &Snapshot,
    columns: usize,
    bars: (&str, &str),
) -> Page {
    let mut page = Page::default();
    let leaders = stores.items.iter().filter_map(|store| store.leader_count);
    let all = leaders.clone().sum::<u64>().max(1);
    for store in stores.items.iter().take(MOST_STORES) {
        let state = store
            .state
            .as_ref()
            .map_or_else(|| "?".to_owned(), StoreState::to_string);
        let tone = match &store.state {
            Some(StoreState::Up) => Tone::Good,
            Some(StoreState::Down) => Tone::Bad,
            _ => Tone::Warn,
        };
        let led = store.leader_count.unwrap_or(0);
        let metrics = snapshot.metrics_of(store.id).ok();
        let queries = metrics.and_then(|metrics| metrics.queries_per_second.value());
        let p99 = metrics.and_then(|metrics| metrics.write_p99_seconds.value());
        let traffic = match (queries, p99) {
            (Some(queries), Some(p99)) => {
                format!(
                    "{:>6}/s  P99 {}",
                    units::amount(*queries),
                    units::seconds(*p99)
                )
            }
            (Some(queries), None) => format!("{:>6}/s", units::amount(*queries)),
            (None, _) => match store.last_heartbeat {
                Some(at) if snapshot.at().since(at) > Duration::from_secs(15) => {
                    format!("silent for {}", lasts(snapshot.at().since(at)))
                }
                _ => "not measured".to_owned(),
            },
        };
        let room = columns.saturating_sub(62).clamp(8, 30);
        page.line(
            Line::default()
                .strong(format!("{:<9}", format!("store/{}", store.id)))
                .tone(tone, format!("{state:<13}"))
                .plain(format!("{led:>4} leaders "))
                .tone(tone, bar(led as f64 / all as f64, room, bars))
                .plain(format!("  {traffic}")),
        );
    }
    if stores.items.len() > MOST_STORES {
        page.line(format!("and {} more", stores.items.len() - MOST_STORES));
    }
    page
}

/// So many stores are in the picture.
const MOST_STORES: usize = 8;

fn pd_picture(snapshot: &Snapshot) -> Line {
    let line = Line::default().strong(format!("{:<9}", "PD"));
    let leadership = snapshot.part::<PdLeadership>();
    let line = match &leadership {
        Ok(part) => match &part.value.leader {
            Some(leader) => line.tone(Tone::Good, format!("{} leads", leader.name)),
            None => line.tone(Tone::Bad, "nobody leads"),
        },
        Err(gap) => line.tone(Tone::Warn, format!("not seen: {}", gap.why())),
    };
    match snapshot.part::<Listing<PdHealth>>() {
        Ok(part) => {
            let members = &part.value.items;
            let healthy = members.iter().filter(|member| member.healthy).count();
            line.plain(format!(", {healthy} of {} healthy", members.len()))
        }
        Err(_) => line,
    }
}
