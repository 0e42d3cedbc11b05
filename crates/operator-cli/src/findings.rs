//! What one look found, put together from what was seen and what was judged.

use std::time::Duration;

use operator_core::{
    Engine, Entity, Evidence, Gap, Incident, Kind, Severity, Snapshot, Timestamp, Why, incidents,
};

/// What one look found.
#[derive(Debug)]
pub(crate) struct Findings {
    pub(crate) at: Timestamp,
    pub(crate) incidents: Vec<Incident>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) unseen: Vec<Unseen>,
    /// The rules that need what nobody configured.
    pub(crate) not_configured: Vec<&'static str>,
    pub(crate) rules: usize,
    /// How many stores were seen; `None` where they could not be.
    pub(crate) stores: Option<usize>,
    no_grace: bool,
}

/// What is seen broken and may still pass.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) code: &'static str,
    kind: Kind,
    pub(crate) summary: &'static str,
    pub(crate) entity: Entity,
    pub(crate) severity: Severity,
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
    pub(crate) fn of(snapshot: &Snapshot, engine: &Engine, no_grace: bool) -> Self {
        let pending = engine.pending().map(|pending| Pending {
            code: pending.rule.code,
            kind: pending.rule.kind,
            summary: pending.rule.summary,
            entity: pending.entity.clone(),
            severity: pending.severity,
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
            rules: engine.rules().count(),
            stores: snapshot.stores().ok().map(|stores| stores.items.len()),
            no_grace,
        }
    }

    /// How bad the worst is that is broken of the cluster.
    pub(crate) fn worst(&self) -> Option<Severity> {
        let open = self.incidents.iter().flat_map(Incident::violations);
        let open = open
            .filter(|open| open.rule.kind == Kind::Cluster)
            .map(|open| open.severity);
        let counts = |pending: &&Pending| self.no_grace && pending.kind == Kind::Cluster;
        let pending = self
            .pending
            .iter()
            .filter(counts)
            .map(|pending| pending.severity);
        open.chain(pending).max()
    }

    /// Whether something that is configured could not be seen.
    pub(crate) fn is_blind(&self) -> bool {
        let mut open = self.incidents.iter().flat_map(Incident::violations);
        !self.unseen.is_empty() || open.any(|open| open.rule.kind == Kind::Sight)
    }
}

fn is_configured(gap: &Gap) -> bool {
    *gap.why() != Why::NotConfigured
}

/// Notes each gap once, with every rule that it blinds.
fn note(unseen: &mut Vec<Unseen>, gap: &Gap, rule: Option<&'static str>) {
    let known = unseen.iter_mut().find(|unseen| unseen.gap == *gap);
    match known {
        Some(known) => known.rules.extend(rule),
        None => unseen.push(Unseen {
            gap: gap.clone(),
            rules: rule.into_iter().collect(),
        }),
    }
}
