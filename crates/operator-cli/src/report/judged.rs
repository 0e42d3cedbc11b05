//! What was judged, for programs and for people.

use operator_core::{Gap, Incident, Rule, Severity, Timestamp, Violation};
use serde::Serialize;

use super::reasons::{by_reason, together};
use super::{BlindForm, IncidentForm, PendingForm, RuleForm, SCHEMA, ViolationForm, tone};
use crate::context::{Answer, Context};
use crate::findings::{Findings, Pending, Unseen};
use crate::span::lasts;
use crate::target::Shown;
use crate::text::{Line, Page, Tone};
use crate::units;

/// What was judged.
#[derive(Debug, Serialize)]
pub(crate) struct Judged<'a> {
    schema: &'static str,
    command: &'static str,
    at: String,
    target: &'a Shown,
    exit: u8,
    incidents: Vec<IncidentForm>,
    violations: Vec<ViolationForm>,
    pending: Vec<PendingForm>,
    blind: Vec<BlindForm>,
    not_configured: &'a [&'static str],
    rules: Vec<RuleForm>,
    #[serde(skip)]
    findings: &'a Findings,
}

impl<'a> Judged<'a> {
    pub(crate) fn of(command: &'static str, target: &'a Shown, findings: &'a Findings) -> Self {
        Self {
            schema: SCHEMA,
            command,
            at: findings.at.to_string(),
            target,
            exit: findings.exit().status(),
            incidents: findings.incidents.iter().map(IncidentForm::of).collect(),
            violations: findings
                .incidents
                .iter()
                .flat_map(ViolationForm::all)
                .collect(),
            pending: findings.pending.iter().map(PendingForm::of).collect(),
            blind: findings.unseen.iter().map(BlindForm::of).collect(),
            not_configured: &findings.not_configured,
            rules: findings
                .rules
                .iter()
                .map(|rule| RuleForm::of(rule).standing(findings.standing(rule.code)))
                .collect(),
            findings,
        }
    }
}

impl Answer for Judged<'_> {
    fn page(&self, context: &Context) -> Page {
        let mut page = wrong(self.findings, usize::MAX, context);
        page.line(last_line(self.target, self.findings, context));
        page
    }
}

/// What is wrong, what may be, and what could not be seen; worst first, and of each so many at most.
pub(crate) fn wrong(findings: &Findings, most: usize, context: &Context) -> Page {
    let mut page = Page::default();
    for incident in findings.incidents.iter().take(most) {
        page.add(incident_page(incident, most, findings.at, context));
    }
    page.add(rest(findings.incidents.len(), most, "more that are wrong"));
    for pending in findings.pending.iter().take(most) {
        page.add(pending_page(pending));
    }
    page.add(rest(findings.pending.len(), most, "more pending"));
    let unseen = by_reason(findings.missing(), |unseen| &unseen.gap);
    for alike in unseen.iter().take(most) {
        page.add(unseen_page(alike));
    }
    page.add(rest(unseen.len(), most, "more that were not seen"));
    page.add(super::seen::advice_page(
        findings.missing().map(|unseen| &unseen.gap),
    ));
    page.add(beside_page(findings));
    if !findings.not_configured.is_empty() {
        let codes = findings.not_configured.join(", ");
        page.line(
            Line::default()
                .faint(format!("not configured {codes}"))
                .hang(4),
        );
    }
    page
}

/// Says how many were left out.
fn rest(all: usize, most: usize, what: &str) -> Page {
    let mut page = Page::default();
    if all > most {
        let line = format!("and {} {what}; operator check lists all", all - most);
        page.line(Line::default().faint(line));
    }
    page
}

fn incident_page(incident: &Incident, most: usize, at: Timestamp, context: &Context) -> Page {
    let mut page = Page::default();
    for cause in incident.causes.iter().take(most) {
        violation(&mut page, "", cause, at, context);
    }
    for symptom in incident.symptoms.iter().take(most) {
        violation(&mut page, "    ", symptom, at, context);
    }
    page.add(rest(
        incident.symptoms.len(),
        most,
        "more that follow from it",
    ));
    page
}

fn violation(
    page: &mut Page,
    indent: &str,
    violation: &Violation,
    at: Timestamp,
    context: &Context,
) {
    let hang = indent.len() + 8;
    page.line(headline(
        indent,
        violation.severity,
        &violation.rule,
        &violation.entity.to_string(),
    ));
    let evidence = units::evidence(&violation.evidence);
    page.line(Line::new(format!("{indent}    {evidence}")).hang(hang));
    let (since, lasts) = (
        context.when(violation.since),
        lasts(at.since(violation.since)),
    );
    let mut since = format!("{indent}    since {since} ({lasts})");
    if violation.flaps > 0 {
        let flaps = violation.flaps as usize;
        since += &format!(", broken again {}", units::counted(flaps, "time", "times"));
    }
    if violation.settling {
        since += ", healthy for now";
    }
    page.line(Line::default().faint(since).hang(hang));
    if let Some(expected) = &violation.expected {
        let until = context.when(expected.until);
        let said = format!("{indent}    expected until {until}: {}", expected.why);
        page.line(Line::default().tone(Tone::Note, said).hang(hang));
    }
}

pub(crate) fn headline(indent: &str, severity: Severity, rule: &Rule, entity: &str) -> Line {
    Line::new(indent)
        .tone(tone(severity), severity.to_string())
        .plain(" ")
        .strong(format!("{} {entity}", rule.code))
        .plain(format!(": {}", rule.summary))
        .hang(indent.len() + 4)
}

pub(crate) fn pending_page(pending: &Pending) -> Page {
    let mut page = Page::default();
    let entity = pending.entity.to_string();
    let head = headline("", pending.severity, &pending.rule, &entity);
    page.line(
        Line::default()
            .tone(Tone::Note, "pending")
            .plain(" ")
            .join(head)
            .hang(4),
    );
    page.line(Line::new(format!("    {}", units::evidence(&pending.evidence))).hang(8));
    let left = lasts(pending.grace_left);
    page.line(
        Line::default()
            .faint(format!("    counts in {left}, unless it passes"))
            .hang(8),
    );
    page
}

/// With `--only`: what was not seen and was not needed, so that nobody takes the answer for one about more.
fn beside_page(findings: &Findings) -> Page {
    let mut page = Page::default();
    let names: Vec<&str> = findings
        .beside_the_point()
        .map(|unseen| unseen.gap.what())
        .collect();
    if !names.is_empty() {
        let mut said = names[..names.len().min(MOST_NAMES)].join(", ");
        if names.len() > MOST_NAMES {
            said += &format!(" and {} more", names.len() - MOST_NAMES);
        }
        page.line(
            Line::default()
                .faint(format!(
                    "not seen, and needed by none of these rules: {said}"
                ))
                .hang(4),
        );
    }
    page
}

/// So many things that were not needed are named.
const MOST_NAMES: usize = 6;

fn unseen_page(alike: &[&Unseen]) -> Page {
    let mut page = Page::default();
    let gaps: Vec<&Gap> = alike.iter().map(|one| &one.gap).collect();
    page.line(Line::default().tone(Tone::Warn, together(&gaps)).hang(4));
    let mut rules: Vec<&str> = Vec::new();
    for rule in alike.iter().flat_map(|one| &one.rules) {
        if !rules.contains(rule) {
            rules.push(rule);
        }
    }
    if !rules.is_empty() {
        let rules = rules.join(", ");
        page.line(
            Line::default()
                .faint(format!("    not judged for it: {rules}"))
                .hang(8),
        );
    }
    page
}

/// The verdict in one word, with its tone.
pub(crate) fn verdict(findings: &Findings) -> (&'static str, Tone) {
    match (findings.worst(), findings.is_blind()) {
        (Some(Severity::Critical), _) => ("critical", Tone::Bad),
        (Some(Severity::Warning), _) => ("warning", Tone::Warn),
        (_, true) => ("not everything was seen", Tone::Warn),
        (_, false) => ("healthy", Tone::Good),
    }
}

fn last_line(target: &Shown, findings: &Findings, context: &Context) -> Line {
    let stores = match findings.stores {
        Some(stores) => units::counted(stores, "store", "stores"),
        None => "stores not seen".to_owned(),
    };
    let (verdict, tone) = verdict(findings);
    let rules = units::counted(findings.rules.len(), "rule", "rules");
    let at = context.when(findings.at);
    Line::new(format!("{target}: "))
        .tone(tone, verdict)
        .plain(format!(" ({stores}, {rules}, at {at})"))
        .hang(4)
}
