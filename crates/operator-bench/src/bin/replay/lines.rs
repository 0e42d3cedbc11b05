//! The lines that are printed. Their keys are fixed: others read them.

use std::collections::BTreeMap;

use operator_bench::replay::{Story, Tally};
use operator_core::{Change, Engine, Incident, Kind, Timestamp, Violation};
use serde::Serialize;

/// One change.
#[derive(Serialize)]
pub(crate) struct ChangeLine {
    t: f64,
    at: String,
    change: &'static str,
    code: &'static str,
    kind: &'static str,
    entity: String,
    severity: String,
    cause: Option<Cause>,
}

/// What an incident is named by: its earliest cause.
#[derive(Serialize)]
struct Cause {
    code: &'static str,
    entity: String,
}

impl ChangeLine {
    /// A change at a moment. What is open belongs to an incident of now, what has ended to one of before;
    /// blindness to none.
    pub(crate) fn new(
        change: &Change,
        at: Timestamp,
        before: &[Incident],
        now: &[Incident],
        as_recorded: &dyn Fn(&str) -> String,
    ) -> Self {
        let incidents = match change {
            Change::Resolved { .. } => before,
            _ => now,
        };
        let cause = change.violation().and_then(|violation| {
            let incident = incidents
                .iter()
                .find(|incident| holds(incident, violation))?;
            Some(Cause {
                code: incident.cause().code(),
                entity: as_recorded(&incident.cause().entity.to_string()),
            })
        });
        Self {
            t: seconds(at),
            at: at.to_string(),
            change: change.word(),
            code: change.rule().code,
            kind: kind(change.kind()),
            entity: as_recorded(&change.entity().to_string()),
            severity: change.severity().to_string(),
            cause,
        }
    }
}

fn holds(incident: &Incident, violation: &Violation) -> bool {
    let same =
        |other: &Violation| other.code() == violation.code() && other.entity == violation.entity;
    incident.violations().any(same)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Cluster => "cluster",
        Kind::Sight => "sight",
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds of these centuries fit"
)]
fn seconds(at: Timestamp) -> f64 {
    at.unix_millis() as f64 / 1000.0
}

/// How it ended, and what it took.
#[derive(Serialize)]
pub(crate) struct SummaryLine {
    open: Vec<OpenItem>,
    pending: Vec<PendingItem>,
    blind: Vec<BlindItem>,
    rules: Vec<&'static str>,
    requests: Requests,
    pd_paths: Vec<Counted>,
    not_recorded: Vec<Counted>,
    answered_from: Vec<AnsweredFrom>,
    prometheus: String,
    elections: BTreeMap<String, u64>,
    timeline: Vec<TimelineItem>,
    logs_missing: Vec<String>,
}

#[derive(Serialize)]
struct OpenItem {
    code: &'static str,
    kind: &'static str,
    entity: String,
    severity: String,
    since: String,
    cause: Option<Cause>,
}

#[derive(Serialize)]
struct PendingItem {
    code: &'static str,
    kind: &'static str,
    entity: String,
    severity: String,
    grace_left_seconds: f64,
}

#[derive(Serialize)]
struct BlindItem {
    code: &'static str,
    entity: Option<String>,
}

/// What was asked, each path and query counted once a look.
#[derive(Serialize)]
struct Requests {
    looks: u64,
    pd: u64,
    prometheus: u64,
}

#[derive(Serialize)]
struct Counted {
    path: String,
    looks: u64,
}

#[derive(Serialize)]
struct AnsweredFrom {
    path: String,
    from: &'static str,
    looks: u64,
}

#[derive(Serialize)]
struct TimelineItem {
    at: String,
    text: String,
}

impl SummaryLine {
    pub(crate) fn new(
        engine: &Engine,
        tally: &Tally,
        no_prometheus: Option<String>,
        story: Option<&Story>,
    ) -> Self {
        let incidents = operator_core::incidents(engine.open());
        let cause = |violation: &Violation| {
            let incident = incidents
                .iter()
                .find(|incident| holds(incident, violation))?;
            let cause = incident.cause();
            Some(Cause {
                code: cause.code(),
                entity: cause.entity.to_string(),
            })
        };
        let open = engine.open().map(|violation| OpenItem {
            code: violation.code(),
            kind: kind(violation.rule.kind),
            entity: violation.entity.to_string(),
            severity: violation.severity.to_string(),
            since: violation.since.to_string(),
            cause: cause(violation),
        });
        let pending = engine.pending().map(|pending| PendingItem {
            code: pending.rule.code,
            kind: kind(pending.rule.kind),
            entity: pending.entity.to_string(),
            severity: pending.severity.to_string(),
            grace_left_seconds: pending.grace_left.as_secs_f64(),
        });
        let blind = engine.blind().map(|blind| BlindItem {
            code: blind.rule.code,
            entity: blind.entity.map(ToString::to_string),
        });
        let moments = story.map(Story::moments).unwrap_or_default();
        Self {
            open: open.collect(),
            pending: pending.collect(),
            blind: blind.collect(),
            rules: engine.rules().map(|rule| rule.code).collect(),
            requests: Requests {
                looks: tally.looks,
                pd: tally.pd.values().sum(),
                prometheus: tally.prometheus.values().sum(),
            },
            pd_paths: counted(&tally.pd),
            not_recorded: counted(&tally.not_recorded),
            answered_from: answered_from(tally),
            prometheus: no_prometheus.unwrap_or_else(|| "played".into()),
            elections: story.map(Story::elections).unwrap_or_default(),
            timeline: moments
                .into_iter()
                .map(|moment| TimelineItem {
                    at: moment.at.to_string(),
                    text: moment.text,
                })
                .collect(),
            logs_missing: story.map(Story::missing).unwrap_or_default(),
        }
    }
}

fn counted(paths: &BTreeMap<String, u64>) -> Vec<Counted> {
    let counted = paths.iter().map(|(path, looks)| Counted {
        path: path.clone(),
        looks: *looks,
    });
    counted.collect()
}

fn answered_from(tally: &Tally) -> Vec<AnsweredFrom> {
    let derived = tally.derived.iter();
    let derived = derived.map(|((path, from), looks)| AnsweredFrom {
        path: path.clone(),
        from,
        looks: *looks,
    });
    derived.collect()
}
