//! What is seen of the demonstration: a story of what is done and what is found, above a picture of the cluster.

use std::time::Duration;

use operator_core::{Engine, Incident, Severity, Snapshot, Tick, Timestamp};
use operator_sim::{Scenario, Truth};

use super::picture::{Progress, picture};
use super::tally::Tally;
use crate::args::Format;
use crate::commands::watch::pulse;
use crate::context::{Context, json_line, print_on};
use crate::failure::{Failure, Outcome};
use crate::findings::Findings;
use crate::report::change::{self, Causes, ChangeForm};
use crate::report::reasons::Told;
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
    told: Told,
    seen: Option<(Snapshot, Findings)>,
    said_at: Timestamp,
    /// When nothing was left to happen.
    over_at: Option<Timestamp>,
    tally: Tally,
    /// Whether anybody still reads the lines for programs.
    is_read: bool,
    failure: Option<Failure>,
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
            told: Told::default(),
            seen: None,
            said_at: begin,
            over_at: None,
            tally: Tally::default(),
            is_read: true,
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
            "A simulated cluster under load, {speed} times as fast as time; Ctrl-C ends it."
        )));
        if let (Some(pd), Some(prometheus)) = (&shown.pd, &shown.prometheus) {
            let first = pd.split(',').next().unwrap_or_default();
            page.line(Line::default().faint(format!("PD answers at {first}, Prometheus at {prometheus}: Operator knows no more than they say.")).hang(4));
        }
        page.line(Line::default());
        self.screen.update(&page, &Page::default())
    }

    pub(super) fn interrupt(&mut self) {
        self.tally.interrupted();
    }

    /// The cluster's time has moved: tells what was done to it, and draws the picture. False when it is over.
    pub(super) fn frame(&mut self, simulated: &Simulated) -> bool {
        let (now, truth) = simulated.with(|cluster| (millis(cluster.unix_ms()), cluster.truth()));
        self.now = now;
        let mut said = Page::default();
        for (before, after) in self.truth.iter().zip(&truth) {
            match (before.active, after.active) {
                (false, true) => {
                    self.tally.begun(millis(after.onset_unix_ms));
                    said.add(done(after, "begins", now, &self.context));
                }
                (true, false) => {
                    self.tally.ended(after.end_unix_ms.map(millis));
                    said.add(done(after, "ends", now, &self.context));
                }
                _ => {}
            }
        }
        self.truth = truth;
        self.draw(&said);
        self.failure.is_none() && self.is_read && self.screen.is_open() && !self.is_over()
    }

    /// Operator has looked.
    pub(super) fn look(&mut self, tick: Tick, engine: &Engine, findings: Findings) {
        let at = findings.at;
        let mut now = Causes::default();
        now.learn(engine);
        let mut said = Page::default();
        let form = |what| ChangeForm::of(what, at, &self.causes, &now);
        let forms: Vec<ChangeForm> = tick.changes.iter().map(form).collect();
        if self.context.format == Format::Json {
            forms.iter().for_each(|form| self.print(form));
        }
        self.told
            .look(findings.unseen.iter().map(|unseen| &unseen.gap));
        let changes = &tick.changes;
        said.add(change::all(
            changes,
            &forms,
            at,
            &mut self.told,
            &self.context,
        ));
        for what in &tick.changes {
            if let Some(after) = self.tally.count(what, at) {
                let line = format!("{:18}found {} after it began", "", lasts(after));
                said.line(Line::default().tone(Tone::Note, line));
            }
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
        page.line(
            Line::default()
                .strong(self.tally.sum(self.now.since(self.begin)))
                .hang(4),
        );
        let same = format!("operator status --sim={}", self.scenario.name);
        let next = [
            (same.as_str(), "the same cluster, two minutes into it"),
            (
                "operator explain store_down",
                "what a finding means, and what to do",
            ),
            ("operator demo --list", "other things that can happen"),
            ("operator watch --pd http://HOST:2379", "a cluster of yours"),
        ];
        let width = next.iter().map(|(command, _)| command.len()).max();
        let width = width.unwrap_or(0) + 4;
        for (command, what) in next {
            let command = format!("  {command:<0$}", width - 2);
            page.line(Line::new(command).faint(what).hang(width));
        }
        self.context.write(&page)
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
            let told = |incident: &Incident| incident.severity() > Severity::Info;
            !findings.incidents.iter().any(told) && findings.pending.is_empty()
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
            Ok(still_read) => self.is_read = still_read,
            Err(failure) => self.failure = Some(failure),
        }
    }

    fn draw(&mut self, said: &Page) {
        if self.context.format == Format::Json {
            return;
        }
        let panel = match self.screen.redraws() {
            true => {
                let progress = Progress {
                    now: self.now,
                    elapsed: self.now.since(self.begin),
                    length: self.length,
                };
                let terminal = self.screen.measure();
                picture(progress, self.seen.as_ref(), &terminal, &self.context)
            }
            false => Page::default(),
        };
        if let Err(failure) = self.screen.update(said, &panel) {
            self.failure = Some(failure);
        }
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
