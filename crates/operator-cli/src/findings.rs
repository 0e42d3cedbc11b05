//! What looks found, put together from what was seen and what was judged.

use std::time::Duration;

use operator_core::{
    Engine, Entity, Evidence, Gap, Incident, Kind, Rule, Severity, Snapshot, Timestamp, Why,
    incidents,
};

use crate::args::Judge;
use crate::exit::Exit;

/// What was found.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) at: Timestamp,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) unseen: Vec<Unseen>,
    /// The rules that need what nobody configured.
    pub(crate) not_configured: Vec<&'static str>,
    pub(crate) rules: Vec<Rule>,
    /// How many stores were seen; `None` where they could not be.
    pub(crate) stores: Option<usize>,
    counts: Counts,
}

/// What counts as broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) from: Severity,
    pub(crate) pending: bool,
    pub(crate) asked: Asked,
}

/// What was asked: it decides which gap is blindness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    /// How the cluster is: whatever is configured and was not seen is missing from the answer.
    Whole,
    /// Whether the rules that were named hold: what none of them went without is not missing.
    TheseRules,
}

impl Counts {
    pub(crate) fn of(judge: &Judge) -> Self {
        Self {
            from: judge.fail_on.unwrap_or(Severity::Warning),
            pending: judge.no_grace,
            asked: match judge.only.is_empty() {
                true => Asked::Whole,
                false => Asked::TheseRules,
            },
        }
    }
}

/// What is seen broken and may still pass.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) rule: Rule,
    pub(crate) entity: Entity,
    pub(crate) severity: Severity,
    pub(crate) since: Timestamp,
    pub(crate) evidence: Evidence,
    pub(crate) grace_left: Duration,
}

/// What could not be seen, and which rules could not judge for that reason.
#[derive(Debug)]
pub(crate) struct Unseen {
    pub(crate) gap: Gap,
    pub(crate) rules: Vec<&'static str>,
}

impl Findings {
    pub(crate) fn of(snapshot: &Snapshot, engine: &Engine, counts: Counts) -> Self {
        let pending = engine.pending().map(|pending| Pending {
            rule: pending.rule.clone(),
            entity: pending.entity.clone(),
            severity: pending.severity,
            since: pending.since,
            evidence: pending.evidence.clone(),
            grace_left: pending.grace_left,
        });
        let (mut unseen, mut not_configured) = (Vec::new(), Vec::new());
        for gap in snapshot.gaps().filter(|gap| is_configured(gap)) {
            note(&mut unseen, gap, None);
        }
        for blind in engine.blind() {
            match is_configured(blind.gap) {
                true => note(&mut unseen, blind.gap, Some(blind.rule.code)),
                false => not_configured.push(blind.rule.code),
            }
        }
        not_configured.dedup();
        Self {
            at: snapshot.at(),
            incidents: incidents(engine.open()),
            pending: pending.collect(),
            unseen,
            not_configured,
            rules: engine.rules().cloned().collect(),
            stores: snapshot.stores().ok().map(|stores| stores.items.len()),
            counts,
        }
    }

    /// How bad the worst is that is broken of the cluster.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let open = self.incidents.iter().flat_map(Incident::violations);
        let open = open
            .filter(|open| open.rule.kind == Kind::Cluster)
            .map(|open| open.severity);
        let counts = |pending: &&Pending| self.counts.pending && pending.rule.kind == Kind::Cluster;
        let pending = self
            .pending
            .iter()
            .filter(counts)
            .map(|pending| pending.severity);
        open.chain(pending).max()
    }

    /// Whether something that is configured, and that was asked for, could not be seen.
    pub(crate) fn is_blind(&self) -> bool {
        let mut open = self.incidents.iter().flat_map(Incident::violations);
        self.missing().next().is_some() || open.any(|open| open.rule.kind == Kind::Sight)
    }

    /// What could not be seen, and is missing from the answer.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Unseen> {
        let is_missing =
            |unseen: &&Unseen| self.counts.asked == Asked::Whole || !unseen.rules.is_empty();
        self.unseen.iter().filter(is_missing)
    }

    /// What could not be seen, and none of the rules that were asked for went without.
    pub(crate) fn beside_the_point(&self) -> impl Iterator<Item = &Unseen> {
        let is_beside =
            |unseen: &&Unseen| self.counts.asked == Asked::TheseRules && unseen.rules.is_empty();
        self.unseen.iter().filter(is_beside)
    }

    /// What was found, as one status. Findings about our sight are blindness, never brokenness.
    pub(crate) fn exit(&self) -> Exit {
        match self.worst().filter(|worst| *worst >= self.counts.from) {
            Some(Severity::Critical) => Exit::Critical,
            Some(Severity::Warning | Severity::Info) => Exit::Warning,
            None => Exit::of_look(!self.is_blind()),
        }
    }

    /// How a rule stands.
    pub(crate) fn standing(&self, code: &str) -> &'static str {
        let mut open = self.incidents.iter().flat_map(Incident::violations);
        if open.any(|open| open.code() == code) {
            return "broken";
        }
        if self.pending.iter().any(|pending| pending.rule.code == code) {
            return "pending";
        }
        if self
            .unseen
            .iter()
            .any(|unseen| unseen.rules.contains(&code))
        {
            return "blind";
        }
        match self.not_configured.contains(&code) {
            true => "not_configured",
            false => "holds",
        }
    }
}

pub(crate) fn is_configured(gap: &Gap) -> bool {
    *gap.why() != Why::NotConfigured
}

/// Notes each gap once, with every rule that it blinds.
fn note(unseen: &mut Vec<Unseen>, gap: &Gap, rule: Option<&'static str>) {
    let known = unseen.iter_mut().find(|unseen| unseen.gap == *gap);
    match known {
        Some(known) => {
            let rule = rule.filter(|rule| !known.rules.contains(rule));
            known.rules.extend(rule);
        }
        None => unseen.push(Unseen {
            gap: gap.clone(),
            rules: rule.into_iter().collect(),
        }),
    }
}
