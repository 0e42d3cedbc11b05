//! What people read.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::time::Duration;

use operator_core::{Severity, Timestamp, Violation};

use crate::findings::{Findings, Pending, Unseen};

/// What was found, worst first.
pub(crate) fn text(target: &str, findings: &Findings) -> String {
    let mut text = String::new();
    for incident in &findings.incidents {
        for cause in &incident.causes {
            violation(&mut text, "", cause, findings.at);
        }
        for symptom in &incident.symptoms {
            violation(&mut text, "    ", symptom, findings.at);
        }
    }
    for pending in &findings.pending {
        let Pending {
            code,
            entity,
            severity,
            summary,
            evidence,
            ..
        } = pending;
        line(
            &mut text,
            format_args!("pending {severity} {code} {entity}: {summary}"),
        );
        line(&mut text, format_args!("    {evidence}"));
        let left = lasts(pending.grace_left);
        line(
            &mut text,
            format_args!("    counts in {left}, unless it passes"),
        );
    }
    for Unseen { gap, rules } in &findings.unseen {
        line(&mut text, format_args!("{gap}"));
        if !rules.is_empty() {
            let rules = rules.join(", ");
            line(&mut text, format_args!("    not judged for it: {rules}"));
        }
    }
    if !findings.not_configured.is_empty() {
        let codes = findings.not_configured.join(", ");
        line(&mut text, format_args!("not configured {codes}"));
    }
    line(&mut text, format_args!("{}", summary(target, findings)));
    text
}

fn violation(text: &mut String, indent: &str, violation: &Violation, at: Timestamp) {
    let (evidence, since) = (&violation.evidence, violation.since);
    let lasts = lasts(at.since(since));
    line(text, format_args!("{indent}{violation}"));
    line(text, format_args!("{indent}    {evidence}"));
    line(text, format_args!("{indent}    since {since} ({lasts})"));
}

fn summary(target: &str, findings: &Findings) -> String {
    let stores = match findings.stores {
        Some(1) => "1 store".to_owned(),
        Some(stores) => format!("{stores} stores"),
        None => "stores not seen".to_owned(),
    };
    let verdict = match (findings.worst(), findings.is_blind()) {
        (Some(Severity::Critical), _) => "critical",
        (Some(Severity::Warning), _) => "warning",
        (_, true) => "not everything was seen",
        (_, false) => "healthy",
    };
    let (rules, at) = (findings.rules, findings.at);
    let rules = if rules == 1 {
        "1 rule".to_owned()
    } else {
        format!("{rules} rules")
    };
    format!("{target}: {verdict} ({stores}, {rules}, at {at})")
}

/// One line is one line, whatever a server put into it: control characters are shown, not obeyed, and
/// what is very long is cut.
fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let line = line.to_string();
    for character in line.chars().take(LONGEST_LINE) {
        match character.is_control() {
            true => text.extend(character.escape_default()),
            false => text.push(character),
        }
    }
    let rest = line.chars().count().saturating_sub(LONGEST_LINE);
    if rest > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, " .. ({rest} characters more)");
    }
    text.push('\n');
}

const LONGEST_LINE: usize = 2000;

/// A time span as people say it: the two largest units.
fn lasts(span: Duration) -> String {
    let seconds = span.as_secs();
    match (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    ) {
        (0, 0, 0, seconds) => format!("{seconds} s"),
        (0, 0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes, _) => format!("{hours} h {minutes} min"),
        (days, hours, _, _) => format!("{days} d {hours} h"),
    }
}

/// Prints; a reader that has gone away has seen enough.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
