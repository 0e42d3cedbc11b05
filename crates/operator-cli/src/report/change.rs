//! Changes, one a line: for programs with the keys that recordings are judged by, for people in a few words.

use std::collections::BTreeMap;

use operator_core::{Change, Ending, Engine, Entity, Evidence, Gap, Timestamp, Why, incidents};
use serde::Serialize;

use super::finding::{EvidenceForm, MaintenanceForm, Which};
use super::reasons::Told;
use super::tone;
use crate::context::Context;
use crate::span::lasts;
use crate::text::{Line, Page, Tone};
use crate::units;

/// One change.
#[derive(Debug, Serialize)]
pub(crate) struct ChangeForm {
    schema: &'static str,
    /// Seconds since the Unix epoch.
    t: f64,
    at: String,
    change: &'static str,
    code: &'static str,
    kind: String,
    entity: String,
    severity: String,
    cause: Option<Which>,
    summary: &'static str,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ending: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<MaintenanceForm>,
    evidence: Vec<EvidenceForm>,
}

/// What explains what is open; kept from look to look, for what ends takes its explanation along.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    known: BTreeMap<(&'static str, Entity), Option<Which>>,
}

impl Causes {
    /// Learns how things hang together now.
    pub(crate) fn learn(&mut self, engine: &Engine) {
        let ended = |key: &(&'static str, Entity)| {
            !engine
                .open()
                .any(|open| (open.code(), &open.entity) == (key.0, &key.1))
        };
        self.known.retain(|key, _| !ended(key));
        for incident in incidents(engine.open()) {
            let cause = Which::of(incident.cause());
            for own in &incident.causes {
                self.known.insert((own.code(), own.entity.clone()), None);
            }
            for own in &incident.symptoms {
                self.known
                    .insert((own.code(), own.entity.clone()), Some(cause.clone()));
            }
        }
    }

    fn of(&self, change: &Change) -> Option<Which> {
        let violation = change.violation()?;
        let key = (violation.code(), violation.entity.clone());
        self.known.get(&key).cloned().flatten()
    }
}

impl ChangeForm {
    /// What happened at a look. `before` knows the causes from before it, `now` those after it.
    pub(crate) fn of(change: &Change, at: Timestamp, before: &Causes, now: &Causes) -> Self {
        let violation = change.violation();
        let since = match change {
            Change::Blinded { since, .. } | Change::Sighted { since, .. } => *since,
            _ => violation.map_or(at, |violation| violation.since),
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds fit for 280,000 years"
        )]
        let t = at.unix_millis() as f64 / 1000.0;
        Self {
            schema: super::SCHEMA,
            t,
            at: at.to_string(),
            change: change.word(),
            code: change.rule().code,
            kind: change.kind().to_string(),
            entity: change.entity().to_string(),
            severity: change.severity().to_string(),
            cause: now.of(change).or_else(|| before.of(change)),
            summary: change.rule().summary,
            since: since.to_string(),
            from: match change {
                Change::Moved { from, .. } => Some(from.to_string()),
                _ => None,
            },
            ending: match change {
                Change::Resolved { ending, .. } => Some(match ending {
                    Ending::Healthy => "healthy",
                    Ending::Gone => "gone",
                }),
                _ => None,
            },
            why: match change {
                Change::Blinded { gap, .. } => Some(gap.to_string()),
                _ => None,
            },
            flaps: violation.map(|violation| violation.flaps),
            expected: violation
                .and_then(|violation| violation.expected.as_ref())
                .map(MaintenanceForm::of),
            evidence: EvidenceForm::all(violation.map_or(&Evidence::default(), |v| &v.evidence)),
        }
    }

    pub(crate) fn cause(&self) -> Option<&Which> {
        self.cause.as_ref()
    }
}

/// The changes of one look as people read them. Rules that go blind or see again together, for one thing that
/// they all need, are told in one line.
pub(crate) fn all(
    changes: &[Change],
    forms: &[ChangeForm],
    at: Timestamp,
    reasons: &mut Told,
    context: &Context,
) -> Page {
    let mut told = Page::default();
    let mut together: Vec<(String, Vec<&Change>)> = Vec::new();
    for (change, form) in changes.iter().zip(forms) {
        let group = match change {
            // One server that is away takes much with it, for one reason.
            Change::Blinded { gap, .. } => match gap.why() {
                Why::Failed(error) => format!("blinded by {:?} {}", error.origin, error.fault),
                _ => format!("blinded for {}", gap.what()),
            },
            Change::Sighted { since, .. } => format!("sighted since {since}"),
            _ => {
                told.add(page(change, form, at, context));
                continue;
            }
        };
        match together.iter_mut().find(|(known, _)| *known == group) {
            Some((_, members)) => members.push(change),
            None => together.push((group, vec![change])),
        }
    }
    for (_, members) in together {
        told.line(sight(&members, at, reasons, context));
    }
    told
}

/// Rules that go blind, or see again.
fn sight(members: &[&Change], at: Timestamp, reasons: &mut Told, context: &Context) -> Line {
    let codes: Vec<&str> = members.iter().map(|change| change.rule().code).collect();
    let word = members.first().map_or("", |change| change.word());
    let tone = match word {
        "sighted" => Tone::Good,
        _ => Tone::Warn,
    };
    let line = Line::default()
        .faint(context.time_of_day(at))
        .plain(" ")
        .tone(tone, format!("{word:<8}"))
        .plain(" ")
        .strong(codes.join(", "))
        .hang(INDENT);
    match members.first() {
        Some(Change::Blinded { .. }) => {
            line.plain(format!(": {}", reasons.together(&gaps(members))))
        }
        Some(Change::Sighted { since, .. }) => {
            line.plain(format!(", blind for {}", lasts(at.since(*since))))
        }
        _ => line,
    }
}

/// Why rules went blind, each thing that was not seen once.
fn gaps<'a>(members: &[&'a Change]) -> Vec<&'a Gap> {
    let mut gaps: Vec<&Gap> = Vec::new();
    for change in members {
        if let Change::Blinded { gap, .. } = change
            && !gaps.iter().any(|known| known.what() == gap.what())
        {
            gaps.push(gap);
        }
    }
    gaps
}

/// A change as people read it: what, and by which numbers.
fn page(change: &Change, form: &ChangeForm, at: Timestamp, context: &Context) -> Page {
    let mut page = Page::default();
    let word_tone = match change {
        Change::Resolved { .. } => Tone::Good,
        _ => tone(change.severity()),
    };
    let rule = change.rule();
    let head = Line::default()
        .faint(context.time_of_day(at))
        .plain(" ")
        .tone(word_tone, format!("{:<8}", change.word()))
        .plain(" ");
    let severity = change.severity();
    let said = head
        .tone(tone(severity), severity.to_string())
        .plain(" ")
        .strong(format!("{} {}", rule.code, change.entity()))
        .plain(format!(": {}", rule.summary));
    page.line(said.hang(INDENT));
    let indent = " ".repeat(INDENT);
    let note = |text: String| {
        Line::default()
            .faint(format!("{indent}{text}"))
            .hang(INDENT)
    };
    match change {
        Change::Raised(violation) => {
            page.line(
                Line::new(format!("{indent}{}", units::evidence(&violation.evidence))).hang(INDENT),
            );
            if let Some(cause) = form.cause() {
                page.line(note(format!(
                    "follows from {} {}",
                    cause.code, cause.entity
                )));
            }
            if let Some(expected) = &violation.expected {
                page.line(note(format!("expected: {}", expected.why)));
            }
        }
        Change::Moved { violation, from } => {
            let evidence = units::evidence(&violation.evidence);
            page.line(note(format!("from {from}; {evidence}")));
        }
        Change::Resolved { violation, ending } => {
            let lasted = lasts(at.since(violation.since));
            let gone = match ending {
                Ending::Healthy => String::new(),
                Ending::Gone => format!("; {} is gone", violation.entity),
            };
            let flaps = match violation.flaps {
                0 => String::new(),
                flaps => format!(
                    ", broken again {}",
                    units::counted(flaps as usize, "time", "times")
                ),
            };
            page.line(note(format!("after {lasted}{flaps}{gone}")));
        }
        Change::Blinded { .. } | Change::Sighted { .. } => {}
    }
    page
}

/// Where the text of a change begins: behind the time and the word.
const INDENT: usize = 18;
