//! Findings as programs read them.

use operator_core::{
    Entity, Evidence, Gap, Incident, Maintenance, Quantity, Rule, Scope, Severity, Slo, Value,
    Violation,
};
use serde::Serialize;
use std::collections::BTreeMap;

use crate::findings::{Pending, Unseen};
use crate::text::Tone;

/// Which finding is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Which {
    pub(crate) code: &'static str,
    pub(crate) entity: String,
}

impl Which {
    pub(crate) fn of(violation: &Violation) -> Self {
        Self {
            code: violation.code(),
            entity: violation.entity.to_string(),
        }
    }
}

/// One thing that happened.
#[derive(Debug, Serialize)]
pub(crate) struct IncidentForm {
    severity: String,
    since: String,
    causes: Vec<Which>,
    symptoms: Vec<Which>,
}

impl IncidentForm {
    pub(crate) fn of(incident: &Incident) -> Self {
        Self {
            severity: incident.severity().to_string(),
            since: incident.since().to_string(),
            causes: incident.causes.iter().map(Which::of).collect(),
            symptoms: incident.symptoms.iter().map(Which::of).collect(),
        }
    }
}

/// A rule that is broken by an entity.
#[derive(Debug, Serialize)]
pub(crate) struct ViolationForm {
    code: &'static str,
    kind: String,
    entity: String,
    severity: String,
    summary: &'static str,
    since: String,
    raised_at: String,
    last_seen: String,
    flaps: u32,
    settling: bool,
    expected: Option<MaintenanceForm>,
    cause: Option<Which>,
    evidence: Vec<EvidenceForm>,
}

impl ViolationForm {
    pub(crate) fn of(violation: &Violation, cause: Option<&Violation>) -> Self {
        Self {
            code: violation.code(),
            kind: violation.rule.kind.to_string(),
            entity: violation.entity.to_string(),
            severity: violation.severity.to_string(),
            summary: violation.rule.summary,
            since: violation.since.to_string(),
            raised_at: violation.raised_at.to_string(),
            last_seen: violation.last_seen.to_string(),
            flaps: violation.flaps,
            settling: violation.settling,
            expected: violation.expected.as_ref().map(MaintenanceForm::of),
            cause: cause.map(Which::of),
            evidence: EvidenceForm::all(&violation.evidence),
        }
    }

    /// Every violation of an incident, each with what explains it.
    pub(crate) fn all(incident: &Incident) -> impl Iterator<Item = Self> {
        let cause = incident.causes.first();
        let causes = incident.causes.iter().map(|own| Self::of(own, None));
        let symptoms = incident
            .symptoms
            .iter()
            .map(move |own| Self::of(own, cause));
        causes.chain(symptoms)
    }
}

/// Maintenance that was declared.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MaintenanceForm {
    pub(crate) entity: String,
    pub(crate) until: String,
    pub(crate) why: String,
}

impl MaintenanceForm {
    pub(crate) fn of(maintenance: &Maintenance) -> Self {
        Self {
            entity: maintenance.entity.to_string(),
            until: maintenance.until.to_string(),
            why: maintenance.why.clone(),
        }
    }
}

/// One number that was judged by, in its raw unit.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EvidenceForm {
    name: String,
    value: Value,
    unit: String,
    threshold: Option<Value>,
    source: String,
    sampled_at: String,
}

impl EvidenceForm {
    pub(crate) fn all(evidence: &Evidence) -> Vec<Self> {
        evidence.quantities.iter().map(Self::of).collect()
    }

    fn of(quantity: &Quantity) -> Self {
        Self {
            name: quantity.name.to_string(),
            value: quantity.value.clone(),
            unit: quantity.unit.to_string(),
            threshold: quantity.threshold.clone(),
            source: quantity.source.to_string(),
            sampled_at: quantity.sampled_at.to_string(),
        }
    }
}

/// What is seen broken, and may still pass.
#[derive(Debug, Serialize)]
pub(crate) struct PendingForm {
    code: &'static str,
    kind: String,
    entity: String,
    severity: String,
    summary: &'static str,
    since: String,
    grace_left_seconds: f64,
    evidence: Vec<EvidenceForm>,
}

impl PendingForm {
    pub(crate) fn of(pending: &Pending) -> Self {
        Self {
            code: pending.rule.code,
            kind: pending.rule.kind.to_string(),
            entity: pending.entity.to_string(),
            severity: pending.severity.to_string(),
            summary: pending.rule.summary,
            since: pending.since.to_string(),
            grace_left_seconds: pending.grace_left.as_secs_f64(),
            evidence: EvidenceForm::all(&pending.evidence),
        }
    }
}

/// What could not be seen.
#[derive(Debug, Serialize)]
pub(crate) struct BlindForm {
    what: String,
    why: String,
    entity: Option<String>,
    origin: Option<String>,
    since: Option<String>,
    rules: Vec<&'static str>,
}

impl BlindForm {
    pub(crate) fn of(unseen: &Unseen) -> Self {
        Self {
            rules: unseen.rules.clone(),
            ..Self::of_gap(&unseen.gap)
        }
    }

    pub(crate) fn of_gap(gap: &Gap) -> Self {
        Self {
            what: gap.what().to_owned(),
            why: gap.why().to_string(),
            entity: gap.entity().map(Entity::to_string),
            origin: gap.origin().map(str::to_owned),
            since: gap.standing_since().map(|since| since.to_string()),
            rules: Vec::new(),
        }
    }
}

/// A rule, and how it stands where it was judged.
#[derive(Debug, Serialize)]
pub(crate) struct RuleForm {
    code: &'static str,
    kind: String,
    summary: &'static str,
    grace_seconds: f64,
    settle_seconds: f64,
    slo: Option<SloForm>,
    symptom_of: Vec<BTreeMap<&'static str, &'static str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<&'static str>,
}

impl RuleForm {
    pub(crate) fn of(rule: &Rule) -> Self {
        Self {
            code: rule.code,
            kind: rule.kind.to_string(),
            summary: rule.summary,
            grace_seconds: rule.grace.as_secs_f64(),
            settle_seconds: rule.settle.as_secs_f64(),
            slo: rule.slo.as_ref().map(SloForm::of),
            symptom_of: rule
                .symptom_of
                .iter()
                .map(|(code, scope)| {
                    let scope = match scope {
                        Scope::Same => "same",
                        Scope::Any => "any",
                    };
                    BTreeMap::from([("code", *code), ("entity", scope)])
                })
                .collect(),
            standing: None,
        }
    }

    /// Its code, and what is so when it is broken.
    pub(crate) fn named(&self) -> (&'static str, &'static str) {
        (self.code, self.summary)
    }

    pub(crate) fn standing(mut self, standing: &'static str) -> Self {
        self.standing = Some(standing);
        self
    }
}

/// An objective.
#[derive(Debug, Serialize)]
pub(crate) struct SloForm {
    name: &'static str,
    target_ratio: f64,
    window_seconds: f64,
}

impl SloForm {
    pub(crate) fn of(slo: &Slo) -> Self {
        Self {
            name: slo.name,
            target_ratio: slo.target_ratio,
            window_seconds: slo.window.as_secs_f64(),
        }
    }
}

/// How a severity looks.
pub(crate) fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Bad,
        Severity::Warning => Tone::Warn,
        Severity::Info => Tone::Note,
    }
}
