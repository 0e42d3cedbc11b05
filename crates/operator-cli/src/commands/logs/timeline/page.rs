//! The story for people: what happened first, then how the elections went, then what is not known.

use operator_tikv::log_parser::{Election, ElectionKind, Finding, ReignEnd, Server, Stamp};

use super::Story;
use super::gaps::{NoLeader, gaps};
use super::weight::Weight;
use super::words::{ms, words};
use crate::commands::logs::Manner;
use crate::commands::logs::when::Zone;
use crate::text::{Align, Cell, Line, Page, Table, Tone, column};
use crate::units::counted;

/// So many of a list are shown unless more are asked for.
const SHOWN: usize = 20;
/// Where the words of a finding begin: behind time and mark.
const HANG: usize = 17;

pub(super) fn page(story: &Story, manner: &Manner) -> Page {
    let zone = &manner.zone;
    let mut page = Page::default();
    head(&mut page, story, zone);
    findings(&mut page, story, zone);
    elections(&mut page, story, manner);
    no_leader(&mut page, story, manner);
    if !story.regions.is_empty() {
        reigns(&mut page, story, manner);
    }
    missing(&mut page, story);
    page
}

fn head(page: &mut Page, story: &Story, zone: &Zone) {
    let names: Vec<&str> = story.logs.iter().map(|log| &*log.name).collect();
    let logs = match names.as_slice() {
        [one] => format!("Log of {one}"),
        names if names.len() <= 8 => format!("{} logs ({})", names.len(), names.join(", ")),
        names => format!("{} logs", names.len()),
    };
    let span = story.read.span.map_or_else(
        || "without a time".to_owned(),
        |(first, last)| format!("{} to {}", zone.moment(first), zone.moment(last)),
    );
    page.line(
        Line::default()
            .strong(logs)
            .plain(format!(": {span}"))
            .hang(2),
    );
    let window = story.window;
    if window.from.is_some() || window.until.is_some() {
        let from = window
            .from
            .map(|from| format!(" from {}", zone.moment(from)));
        let until = window
            .until
            .map(|until| format!(" until {}", zone.moment(until)));
        let text = format!(
            "told{}{}",
            from.unwrap_or_default(),
            until.unwrap_or_default()
        );
        page.line(Line::default().faint(text).hang(2));
        if let Some((first, last)) = story.read.span
            && !story.is_within(first, Some(last))
        {
            page.line(Line::default().tone(
                Tone::Warn,
                "the logs do not reach into that stretch of time",
            ));
        }
    }
}

fn findings(page: &mut Page, story: &Story, zone: &Zone) {
    let all = story.findings();
    page.heading("What happened");
    if all.is_empty() {
        page.line("  nothing that has a name");
    }
    let limit = story.limit.unwrap_or(SHOWN * 5);
    let mut day = String::new();
    for finding in story.weightiest(limit) {
        let at = finding.at();
        let today = zone.day(at);
        if today != day {
            page.line(Line::default().faint(format!("{today} ({})", zone.name(at))));
            day = today;
        }
        page.line(one(finding, zone));
    }
    more(page, all.len(), limit);
}

fn one(finding: &Finding, zone: &Zone) -> Line {
    let (mark, tone) = match Weight::of(finding) {
        Weight::Bad => ("!!", Tone::Bad),
        Weight::Warn => (" !", Tone::Warn),
        Weight::Note => ("  ", Tone::Plain),
    };
    Line::default()
        .faint(zone.clock(finding.at()))
        .tone(tone, format!("  {mark} "))
        .tone(tone, words(finding))
        .hang(HANG)
}

fn more(page: &mut Page, all: usize, shown: usize) {
    if all > shown {
        page.line(
            Line::default().faint(format!("  {} more: --limit {all} shows them", all - shown)),
        );
    }
}

/// When an election counts as having been.
fn when(election: &Election) -> Stamp {
    election
        .leader
        .as_ref()
        .map_or(election.first_seen, |(.., at)| *at)
}

fn told(story: &Story) -> Vec<&Election> {
    let all = story.read.timeline.elections().iter();
    let mut told: Vec<&Election> = all
        .filter(|election| story.is_about(election.region))
        .filter(|election| story.is_within(election.first_seen, Some(when(election))))
        .collect();
    told.sort_by_key(|election| (when(election), election.region, election.term));
    told
}

fn elections(page: &mut Page, story: &Story, manner: &Manner) {
    let told = told(story);
    page.heading("Elections");
    page.line(Line::new(format!("  {}", counts(&told))).hang(2));
    let slowest = told
        .iter()
        .filter_map(|election| Some((election.took_ms()?, election)))
        .max_by_key(|(took, _)| *took);
    if let Some((took, election)) = slowest {
        let (region, term) = (election.region, election.term);
        let tries = match election.tries {
            0 | 1 => String::new(),
            tries => format!(", {tries} campaigns"),
        };
        let text = format!(
            "  the slowest: {} from campaign to leader (region {region}, term {term}{tries})",
            ms(took)
        );
        page.line(Line::new(text).hang(2));
    }
    if story.elections || !story.regions.is_empty() {
        let limit = story.limit.unwrap_or(match story.elections {
            true => usize::MAX,
            false => SHOWN,
        });
        let rows: Vec<Row> = told
            .iter()
            .take(limit)
            .map(|election| Row::of(election, &manner.zone))
            .collect();
        if !rows.is_empty() {
            page.gap();
            page.add(table().page(&rows, manner.terminal.width()));
        }
        more(page, told.len(), limit);
    }
}

fn counts(told: &[&Election]) -> String {
    let won = told.iter().filter(|election| election.leader.is_some());
    let of = |kind: ElectionKind| won.clone().filter(|election| election.kind == kind).count();
    let kinds = [
        (ElectionKind::Timeout, "by timeout"),
        (ElectionKind::Transfer, "by transfer"),
        (ElectionKind::Birth, "of new regions"),
        (ElectionKind::Forced, "forced"),
        (ElectionKind::Unknown, "for a reason that is in no log"),
    ];
    let parts: Vec<String> = kinds
        .iter()
        .map(|(kind, words)| (of(*kind), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{count} {words}"))
        .collect();
    let won = won.count();
    let vain = told.len() - won;
    let mut text = match won {
        0 => "none was won".to_owned(),
        _ => format!("{won} won: {}", parts.join(", ")),
    };
    if vain > 0 {
        text += &format!("; {vain} not won");
    }
    text
}

struct Row {
    at: String,
    region: u64,
    term: u64,
    why: &'static str,
    leader: Option<String>,
    before: Option<String>,
    took_ms: Option<u64>,
    tries: u32,
}

impl Row {
    fn of(election: &Election, zone: &Zone) -> Self {
        Self {
            at: zone.moment(when(election)),
            region: election.region,
            term: election.term,
            why: kind(election.kind),
            leader: election
                .leader
                .as_ref()
                .map(|(server, ..)| server.to_string()),
            before: election.previous.as_ref().map(Server::to_string),
            took_ms: election.took_ms(),
            tries: election.tries,
        }
    }
}

pub(super) fn kind(kind: ElectionKind) -> &'static str {
    match kind {
        ElectionKind::Birth => "birth",
        ElectionKind::Transfer => "transfer",
        ElectionKind::Timeout => "timeout",
        ElectionKind::Forced => "forced",
        ElectionKind::Unknown => "unknown",
    }
}

fn table() -> Table<Row> {
    Table::new([
        column("when", Align::Left, 0, |row: &Row| {
            Cell::text(row.at.clone())
        }),
        column("region", Align::Right, 0, |row: &Row| {
            Cell::count(row.region)
        }),
        column("term", Align::Right, 1, |row: &Row| Cell::count(row.term)),
        column("why", Align::Left, 0, |row: &Row| Cell::text(row.why)),
        column("leader", Align::Left, 0, |row: &Row| match &row.leader {
            Some(leader) => Cell::text(leader.clone()),
            None => Cell::none("not won").tone(Tone::Warn),
        }),
        column("before", Align::Left, 2, |row: &Row| match &row.before {
            Some(before) => Cell::text(before.clone()),
            None => Cell::none("?"),
        }),
        column("took", Align::Right, 3, |row: &Row| match row.took_ms {
            Some(took) => Cell::text(ms(took)),
            None => Cell::none("?"),
        }),
        column("tries", Align::Right, 4, |row: &Row| {
            Cell::count(row.tries.into())
        }),
    ])
}

fn no_leader(page: &mut Page, story: &Story, manner: &Manner) {
    let all = gaps(story);
    let Some(longest) = all.first() else { return };
    page.heading("Without a leader");
    page.line(Line::new(format!("  {}", how_many(&all, longest.ms().unsigned_abs()))).hang(2));
    let open = all.iter().filter(|gap| gap.until.is_none()).count();
    if open > 0 {
        let text = format!(
            "  {} none when the logs end",
            counted(open, "region has", "regions have")
        );
        page.line(Line::default().tone(Tone::Bad, text));
    }
    let limit = story.limit.unwrap_or(SHOWN / 2);
    let rows: Vec<Gap> = all
        .iter()
        .take(limit)
        .map(|gap| Gap::of(gap, &manner.zone))
        .collect();
    page.gap();
    let table = Table::new([
        column("region", Align::Right, 0, |gap: &Gap| {
            Cell::count(gap.region)
        }),
        column("from", Align::Left, 0, |gap: &Gap| {
            Cell::text(gap.from.clone())
        }),
        column("for", Align::Right, 0, |gap: &Gap| {
            Cell::text(gap.lasts.clone())
        }),
        column("before", Align::Left, 1, |gap: &Gap| {
            Cell::text(gap.before.clone())
        }),
        column("after", Align::Left, 2, |gap: &Gap| match &gap.after {
            Some(after) => Cell::text(after.clone()),
            None => Cell::none("nobody yet").tone(Tone::Bad),
        }),
    ]);
    page.add(table.page(&rows, manner.terminal.width()));
    more(page, all.len(), limit);
}

fn how_many(all: &[NoLeader<'_>], longest: u64) -> String {
    let mut regions: Vec<u64> = all.iter().map(|gap| gap.region).collect();
    regions.sort_unstable();
    regions.dedup();
    let regions = counted(regions.len(), "region", "regions");
    format!("{regions} for a second or more, {} at most", ms(longest))
}

struct Gap {
    region: u64,
    from: String,
    lasts: String,
    before: String,
    after: Option<String>,
}

impl Gap {
    fn of(gap: &NoLeader<'_>, zone: &Zone) -> Self {
        Self {
            region: gap.region,
            from: zone.moment(gap.from),
            lasts: ms(gap.ms().unsigned_abs()),
            before: gap.before.to_string(),
            after: gap.after.map(ToString::to_string),
        }
    }
}

fn reigns(page: &mut Page, story: &Story, manner: &Manner) {
    let zone = &manner.zone;
    for region in &story.regions {
        page.heading(format!("Leaders of region {region}"));
        let all = story.read.timeline.reigns_of(*region);
        if all.is_empty() {
            page.line("  none in these logs");
        }
        for reign in all
            .iter()
            .filter(|reign| story.is_within(reign.from, reign.until))
        {
            let until = match (reign.until, reign.end) {
                (Some(until), Some(end)) => format!("until {}, {}", zone.moment(until), how(end)),
                (Some(until), None) => format!("until {}", zone.moment(until)),
                (None, _) => "to the end of the logs".to_owned(),
            };
            let line = Line::default()
                .faint(format!("  {} ", zone.moment(reign.from)))
                .strong(reign.leader.to_string())
                .plain(format!(" (term {}) {until}", reign.term));
            page.line(line.hang(4));
        }
    }
}

/// How a leadership ended, in words.
fn how(end: ReignEnd) -> &'static str {
    match end {
        ReignEnd::Followed => "then followed another",
        ReignEnd::SteppedDown => "when it had lost its quorum",
        ReignEnd::Died => "when its process died",
        ReignEnd::Stopped => "when its process was stopped",
        ReignEnd::OutOfReach => "when it was out of reach",
        ReignEnd::Replaced => "when another was elected",
    }
}

fn missing(page: &mut Page, story: &Story) {
    let all = story.read.timeline.missing();
    if all.is_empty() {
        return;
    }
    page.heading("Not known");
    let limit = story.limit.unwrap_or(SHOWN);
    for missing in all.iter().take(limit) {
        page.line(Line::new(format!("  {missing}")).hang(4));
    }
    more(page, all.len(), limit);
}
