//! What is seen of the demonstration: a story of what is done and what is found, above a picture of the cluster.

use std::time::Duration;

use operator_core::{Change, Engine, Listing, Snapshot, Store, StoreState, Tick, Timestamp};
use operator_sim::{Scenario, Truth};
use operator_tikv::{PdHealth, PdLeadership};

use crate::args::Format;
use crate::commands::watch::{open_page, pulse};
use crate::context::{Context, json_line, print_on};
use crate::failure::{Failure, Outcome};
use crate::findings::Findings;
use crate::report::change::{self, Causes, ChangeForm};
use crate::screen::Screen;
use crate::span::lasts;
use crate::target::{Shown, Simulated};
use crate::text::{Line, Page, Tone};
use crate::units;

/// After so long a scenario without an end has shown what it has to show; the cluster's time.
const LONGEST: Duration = Duration::from_secs(360);
/// So long is watched that nothing happens, where nothing does.
const QUIET: Duration = Duration::from_secs(120);
/// So long is watched on after all is over.
const AFTER: Duration = Duration::from_secs(10);
/// Where there is no picture, how the whole is is said this often.
const PULSE: Duration = Duration::from_secs(30);

/// What is seen.
#[derive(Debug)]
pub(super) struct Stage {
    context: Context,
    screen: Screen,
    scenario: &'static Scenario,
    speed: f64,
    begin: Timestamp,
    now: Timestamp,
    length: Duration,
    truth: Vec<Truth>,
    causes: Causes,
    seen: Option<(Snapshot, Findings)>,
    said_at: Timestamp,
    /// When nothing was left to happen.
    over_at: Option<Timestamp>,
    tally: Tally,
    failure: Option<Failure>,
}

/// What the last lines sum up.
#[derive(Debug, Default)]
struct Tally {
    onset: Option<Timestamp>,
    /// The first finding after the onset, and when it was raised.
    found: Option<(String, Timestamp)>,
    raised: usize,
    resolved: usize,
    resolved_at: Option<Timestamp>,
    ended: Option<Timestamp>,
    interrupted: bool,
}

fn millis(unix_ms: u64) -> Timestamp {
    Timestamp::from_unix_millis(i64::try_from(unix_ms).unwrap_or(i64::MAX))
}

impl Stage {
    pub(super) fn new(
        context: Context,
        screen: Screen,
        scenario: &'static Scenario,
        speed: f64,
        simulated: &Simulated,
    ) -> Self {
        let (begin, truth) = simulated.with(|cluster| (millis(cluster.unix_ms()), cluster.truth()));
        let ends: Option<Vec<Timestamp>> = truth
            .iter()
            .map(|one| one.end_unix_ms.map(millis))
            .collect();
        let length = match ends {
            Some(ends) if ends.is_empty() => QUIET,
            // Recovery takes its time too: this is what the bar is drawn against, not a promise.
            Some(ends) => ends
                .iter()
                .max()
                .map_or(QUIET, |end| end.since(begin) + Duration::from_secs(60)),
            None => LONGEST,
        };
        Self {
            context,
            screen,
            scenario,
            speed,
            begin,
            now: begin,
            length: length.min(LONGEST),
            // None of it has begun: what is active will be news.
            truth: truth
                .into_iter()
                .map(|one| Truth {
                    active: false,
                    ..one
                })
                .collect(),
            causes: Causes::default(),
            seen: None,
            said_at: begin,
            over_at: None,
            tally: Tally::default(),
            failure: None,
        }
    }

    /// What there is to see.
    pub(super) fn open(&mut self, shown: &Shown) -> Outcome<()> {
        if self.context.format == Format::Json {
            return Ok(());
        }
        let mut page = Page::default();
        let summary = self.scenario.summary;
        page.line(
            Line::default()
                .strong(format!("operator demo {}", self.scenario.name))
                .plain(format!(": {summary}")),
        );
        let speed = units::amount(self.speed);
        page.line(Line::default().faint(format!(
            "A simulated cluster under load. Its time goes {speed} times as fast as yours; Ctrl-C ends it."
        )));
        if let (Some(pd), Some(prometheus)) = (&shown.pd, &shown.prometheus) {
            let first = pd.split(',').next().unwrap_or_default();
            page.line(Line::default().faint(format!("PD answers at {first}, Prometheus at {prometheus}: Operator knows no more than they say.")).hang(4));
        }
        page.line(Line::default());
        self.screen.update(&page, &Page::default())
    }

    pub(super) fn interrupt(&mut self) {
        self.tally.interrupted = true;
    }

    /// The cluster's time has moved: tells what was done to it, and draws the picture. False when it is over.
    pub(super) fn frame(&mut self, simulated: &Simulated) -> bool {
        let (now, truth) = simulated.with(|cluster| (millis(cluster.unix_ms()), cluster.truth()));
        self.now = now;
        let mut said = Page::default();
        for (before, after) in self.truth.iter().zip(&truth) {
            match (before.active, after.active) {
                (false, true) => {
                    self.tally.onset = self.tally.onset.or(Some(millis(after.onset_unix_ms)));
                    said.add(done(after, "begins", now, &self.context));
                }
                (true, false) => {
                    self.tally.ended = after.end_unix_ms.map(millis);
                    said.add(done(after, "ends", now, &self.context));
                }
                _ => {}
            }
        }
        self.truth = truth;
        self.draw(&said);
        self.failure.is_none() && self.screen.is_open() && !self.is_over()
    }

    /// Operator has looked.
    pub(super) fn look(&mut self, tick: Tick, engine: &Engine, findings: Findings) {
        let at = findings.at;
        let mut now = Causes::default();
        now.learn(engine);
        let mut said = Page::default();
        for what in &tick.changes {
            let form = ChangeForm::of(what, at, &self.causes, &now);
            if self.context.format == Format::Json {
                self.print(&form);
            }
            said.add(change::page(what, &form, at, &self.context));
            self.count(what, at, &mut said);
        }
        self.causes = now;
        self.seen = Some((tick.snapshot, findings));
        if !self.screen.redraws()
            && said.lines.is_empty()
            && at.since(self.said_at) >= PULSE
            && let Some((_, findings)) = &self.seen
        {
            let time = Line::default()
                .faint(self.context.time_of_day(at))
                .plain(" ");
            said.line(time.join(pulse(findings)));
        }
        if !said.lines.is_empty() {
            self.said_at = at;
        }
        self.draw(&said);
    }

    /// The last lines; the terminal is as it was.
    pub(super) fn close(mut self) -> Outcome<()> {
        self.screen.end();
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.context.format == Format::Json || !self.screen.is_open() {
            return Ok(());
        }
        let mut page = Page::default();
        page.line(Line::default());
        page.line(Line::default().strong(self.sum()).hang(4));
        let name = self.scenario.name;
        let mut next = |command: &str, what: &str| {
            page.line(Line::new(format!("  {command:<38}")).faint(what).hang(40));
        };
        next(
            &format!("operator status --sim={name}"),
            "the same cluster, two minutes into it",
        );
        next(
            "operator explain store_down",
            "what a finding means, and what to do",
        );
        next("operator demo --list", "other things that can happen");
        next("operator watch --pd http://HOST:2379", "a cluster of yours");
        self.context.write(&page)
    }

    fn sum(&self) -> String {
        let Tally {
            onset,
            found,
            raised,
            resolved,
            resolved_at,
            ended,
            interrupted,
        } = &self.tally;
        let mut said = match (onset, found) {
            (None, _) if *interrupted => "Ended before anything happened".to_owned(),
            (None, None) => {
                let watched = lasts(self.now.since(self.begin));
                format!("Nothing is wrong in it, and nothing was found in {watched}")
            }
            (_, None) => "Nothing was found: none of the rules has it as its own, or it was over within their grace".to_owned(),
            (Some(onset), Some((what, at))) => format!("Found {} after it began, by {what}", lasts(at.since(*onset))),
            (None, Some((what, _))) => format!("Found {what} though nothing was done"),
        };
        if let (Some(ended), Some(at)) = (ended, resolved_at) {
            said += &format!(
                "; the last finding was resolved {} after it ended",
                lasts(at.since(*ended))
            );
        }
        if raised > resolved {
            said += &format!("; {} still open", raised - resolved);
        }
        said + "."
    }

    fn count(&mut self, what: &Change, at: Timestamp, said: &mut Page) {
        match what {
            Change::Raised(violation) => {
                self.tally.raised += 1;
                if let (Some(onset), None) = (self.tally.onset, &self.tally.found) {
                    let after = lasts(at.since(onset));
                    let line = format!("{:18}found {after} after it began", "");
                    said.line(Line::default().tone(Tone::Note, line));
                    self.tally.found =
                        Some((format!("{} {}", violation.code(), violation.entity), at));
                }
            }
            Change::Resolved { .. } => {
                self.tally.resolved += 1;
                self.tally.resolved_at = Some(at);
            }
            _ => {}
        }
    }

    /// Whether nothing more will happen, and that has been watched for a while.
    fn is_over(&mut self) -> bool {
        let elapsed = self.now.since(self.begin);
        if elapsed >= LONGEST {
            return true;
        }
        if self.truth.is_empty() {
            return elapsed >= QUIET;
        }
        let ended = |one: &Truth| one.end_unix_ms.is_some_and(|end| millis(end) < self.now);
        let quiet = self.seen.as_ref().is_some_and(|(_, findings)| {
            findings.incidents.is_empty()
                && findings.pending.is_empty()
                && findings.unseen.is_empty()
        });
        if !(self.truth.iter().all(ended) && quiet) {
            self.over_at = None;
            return false;
        }
        self.now.since(*self.over_at.get_or_insert(self.now)) >= AFTER
    }

    fn print(&mut self, form: &ChangeForm) {
        let printed = json_line(form).and_then(|line| print_on(&line));
        match printed {
            Ok(true) => {}
            Ok(false) => self.failure = None,
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn draw(&mut self, said: &Page) {
        if self.context.format == Format::Json {
            return;
        }
        let panel = match self.screen.redraws() {
            true => self.picture(),
            false => Page::default(),
        };
        if let Err(failure) = self.screen.update(said, &panel) {
            self.failure = Some(failure);
        }
    }

    /// The cluster as Operator sees it.
    fn picture(&mut self) -> Page {
        let terminal = self.screen.measure();
        let columns = terminal.width().unwrap_or(80);
        let bars = match terminal.unicode {
            true => ("\u{2588}", "\u{2591}"),
            false => ("#", "."),
        };
        let mut page = Page::default();
        page.line(Line::default());
        let elapsed = self.now.since(self.begin);
        let share = elapsed.as_secs_f64() / self.length.as_secs_f64().max(1.0);
        let time = format!("{} {} ", self.context.time_of_day(self.now), lasts(elapsed));
        let room = columns.saturating_sub(time.len() + 2).min(50);
        page.line(
            Line::default()
                .faint(format!("{time:<20} "))
                .tone(Tone::Note, bar(share, room, bars)),
        );
        let Some((snapshot, findings)) = &self.seen else {
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
}

/// What was done to the cluster: Operator is not told.
fn done(truth: &Truth, word: &str, now: Timestamp, context: &Context) -> Page {
    let mut page = Page::default();
    let entities: Vec<String> = truth.entities.iter().map(ToString::to_string).collect();
    let (fault, entities) = (truth.fault, entities.join(", "));
    page.line(
        Line::default()
            .faint(context.time_of_day(now))
            .plain(" ")
            .tone(Tone::Note, "done     ")
            .strong(format!("{fault} {entities}"))
            .plain(format!(" {word}"))
            .faint(match word {
                "begins" => "  (Operator is not told)",
                _ => "",
            })
            .hang(18),
    );
    page
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
