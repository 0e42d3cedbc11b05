//! Tells what changes, look by look: lines for programs; for people lines, and a panel where one can be drawn.

use std::time::Duration;

use operator_core::{Engine, Gap, Incident, Monitor, Subject, Tick, Timestamp, Violation};

use crate::args::Format;
use crate::context::{Context, json_line, print_on};
use crate::failure::Outcome;
use crate::findings::Findings;
use crate::report::change::{self, Causes, ChangeForm};
use crate::report::judged::verdict;
use crate::report::reasons::{Told, by_reason};
use crate::report::tone;
use crate::screen::Screen;
use crate::span::lasts;
use crate::text::{Line, Page, Tone};
use crate::units;

/// Tells what changes.
#[derive(Debug)]
pub(crate) struct Teller {
    context: Context,
    screen: Screen,
    target: String,
    heartbeat: Duration,
    causes: Causes,
    /// What could not be seen at the last look.
    unseen: Vec<Gap>,
    /// Why, as far as it was told.
    told: Told,
    /// When something was last said.
    said_at: Option<Timestamp>,
}

/// So many gaps are told one by one.
const MOST_GAPS: usize = 3;
/// So many things that are seen again are named.
const MOST_NAMES: usize = 5;
/// So many open violations are in the panel.
const MOST_OPEN: usize = 8;

impl Teller {
    pub(crate) fn new(
        context: Context,
        screen: Screen,
        target: String,
        heartbeat: Duration,
    ) -> Self {
        Self {
            context,
            screen,
            target,
            heartbeat,
            causes: Causes::default(),
            unseen: Vec::new(),
            told: Told::default(),
            said_at: None,
        }
    }

    /// Says what will be watched, and what was open before.
    pub(crate) fn begin<S: Subject>(
        &mut self,
        interval: Duration,
        monitor: &Monitor<S>,
    ) -> Outcome<()> {
        let rules = units::counted(monitor.engine().rules().count(), "rule", "rules");
        let every = units::seconds(interval.as_secs_f64());
        let mut page = Page::default();
        page.line(Line::default().faint(format!(
            "watching {} every {every} by {rules}; Ctrl-C ends it",
            self.target
        )));
        let open: Vec<&Violation> = monitor.engine().open().collect();
        if !open.is_empty() {
            page.line(Line::default().faint("open from before:"));
        }
        for violation in open {
            page.line(open_line(
                violation,
                monitor.engine().judged_at().unwrap_or(violation.last_seen),
            ));
        }
        self.causes.learn(monitor.engine());
        self.screen.update(&page, &Page::default())
    }

    /// Tells what a look has changed; false when nobody reads any more.
    pub(crate) fn tell(
        &mut self,
        tick: &Tick,
        engine: &Engine,
        findings: &Findings,
    ) -> Outcome<bool> {
        let at = tick.snapshot.at();
        let mut now = Causes::default();
        now.learn(engine);
        let forms: Vec<ChangeForm> = tick
            .changes
            .iter()
            .map(|change| ChangeForm::of(change, at, &self.causes, &now))
            .collect();
        self.causes = now;
        if self.context.format == Format::Json {
            for form in &forms {
                if !print_on(&json_line(form)?)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let mut page = Page::default();
        self.told
            .look(findings.unseen.iter().map(|unseen| &unseen.gap));
        let changes = &tick.changes;
        page.add(change::all(
            changes,
            &forms,
            at,
            &mut self.told,
            &self.context,
        ));
        self.tell_sight(findings, &mut page);
        if tick.missed > 0 {
            let missed = usize::try_from(tick.missed).unwrap_or(usize::MAX);
            let looks = units::counted(missed, "look was", "looks were");
            page.line(
                self.timed(at)
                    .faint(format!("{looks} left out: the one before took too long")),
            );
        }
        if self.is_due(at, &page) {
            page.line(self.pulse(findings));
        }
        if !page.lines.is_empty() {
            self.said_at = Some(at);
        }
        let panel = self.panel(findings);
        self.screen.update(&page, &panel)?;
        Ok(self.screen.is_open())
    }

    /// Gives the terminal back.
    pub(crate) fn end(&mut self) {
        self.screen.end();
    }

    fn timed(&self, at: Timestamp) -> Line {
        Line::default()
            .faint(self.context.time_of_day(at))
            .plain(" ")
    }

    /// Sight comes and goes with sources: each is told when it goes, and when all are back.
    fn tell_sight(&mut self, findings: &Findings, page: &mut Page) {
        let now: Vec<Gap> = findings
            .missing()
            .map(|unseen| unseen.gap.clone())
            .collect();
        let alike = |a: &Gap, b: &Gap| (a.what(), a.entity()) == (b.what(), b.entity());
        let newly: Vec<&Gap> = now
            .iter()
            .filter(|gap| !self.unseen.iter().any(|known| alike(known, gap)))
            .collect();
        let groups = by_reason(newly, |gap| gap);
        for group in groups.iter().take(MOST_GAPS) {
            let line = self.timed(findings.at).tone(Tone::Warn, "unseen   ");
            page.line(line.plain(self.told.together(group)).hang(18));
        }
        if groups.len() > MOST_GAPS {
            let rest = groups.len() - MOST_GAPS;
            let line = self.timed(findings.at).tone(Tone::Warn, "unseen   ");
            page.line(line.plain(format!("and {rest} more")));
        }
        let back = self
            .unseen
            .iter()
            .filter(|known| !now.iter().any(|gap| alike(gap, known)));
        let back: Vec<String> = back.map(named).collect();
        if !back.is_empty() {
            let line = self.timed(findings.at).tone(Tone::Good, "seen     ");
            page.line(match now.len() {
                0 => line.plain("everything that is configured, again").hang(18),
                still => {
                    let more = match back.len().saturating_sub(MOST_NAMES) {
                        0 => String::new(),
                        more => format!(" and {more} more"),
                    };
                    let names = back[..back.len().min(MOST_NAMES)].join(", ");
                    line.plain(format!("{names}{more} again; {still} still unseen"))
                        .hang(18)
                }
            });
        }
        self.unseen = now;
    }

    /// Whether it is time to say how the whole is: at first, and when nothing was said for long.
    fn is_due(&self, at: Timestamp, page: &Page) -> bool {
        match self.said_at {
            None => true,
            Some(_) if self.screen.redraws() => false,
            Some(said_at) => page.lines.is_empty() && at.since(said_at) >= self.heartbeat,
        }
    }

    fn pulse(&self, findings: &Findings) -> Line {
        self.timed(findings.at).join(pulse(findings))
    }

    fn panel(&self, findings: &Findings) -> Page {
        let mut page = Page::default();
        if !self.screen.redraws() {
            return page;
        }
        page.line(Line::default());
        page.line(self.pulse(findings).faint(format!("  {}", self.target)));
        page.add(open_page(&findings.incidents, findings));
        page
    }
}

/// What is open and pending, one line each.
pub(crate) fn open_page(incidents: &[Incident], findings: &Findings) -> Page {
    let mut page = Page::default();
    let open = incidents.iter().flat_map(|incident| {
        let causes = incident.causes.iter().map(|one| ("", one));
        causes.chain(incident.symptoms.iter().map(|one| ("  ", one)))
    });
    let open: Vec<(&str, &Violation)> = open.collect();
    for (indent, violation) in open.iter().take(MOST_OPEN) {
        page.line(Line::new(*indent).join(open_line(violation, findings.at)));
    }
    if open.len() > MOST_OPEN {
        page.line(format!("  and {} more", open.len() - MOST_OPEN));
    }
    for pending in findings.pending.iter().take(MOST_OPEN) {
        let left = lasts(pending.grace_left);
        let what = format!("{} {}", pending.rule.code, pending.entity);
        let line = Line::default().tone(Tone::Note, "  pending  ").plain(what);
        page.line(line.faint(format!("  {left} of grace left")));
    }
    page
}

fn open_line(violation: &Violation, at: Timestamp) -> Line {
    let severity = violation.severity;
    let what = format!("{} {}", violation.code(), violation.entity);
    let since = lasts(at.since(violation.since));
    let settling = if violation.settling { ", settling" } else { "" };
    Line::default()
        .tone(tone(severity), format!("  {severity:<8}"))
        .plain(" ")
        .strong(what)
        .faint(format!("  for {since}{settling}"))
}

/// How the whole is, in one line.
pub(crate) fn pulse(findings: &Findings) -> Line {
    let (word, tone) = verdict(findings);
    let violations = findings
        .incidents
        .iter()
        .map(|incident| incident.violations().count());
    let open: usize = violations.sum();
    let stores = match findings.stores {
        Some(stores) => units::counted(stores, "store", "stores"),
        None => "? stores".to_owned(),
    };
    let (pending, unseen) = (findings.pending.len(), findings.missing().count());
    Line::default().tone(tone, word).plain(format!(
        ": {stores}, {open} open, {pending} pending, {unseen} unseen"
    ))
}

/// What a gap is about, in words.
fn named(gap: &Gap) -> String {
    match gap.entity() {
        Some(entity) => format!("{} of {entity}", gap.what()),
        None => gap.what().to_owned(),
    }
}
