//! What a rule tells of a snapshot, for the tests of rules: as the text that people read, or as no more than
//! which verdict it is.

use operator_core::{Entity, Gap, Invariant, Severity, Snapshot, Verdict, Verdicts};

use super::Settings;
use super::registry::Documented;
use super::scene;

/// What a rule says of an entity, by its usual settings.
pub(super) fn told<R: Documented>(snapshot: &Snapshot, entity: &str) -> String {
    told_with::<R>(&Settings::default(), snapshot, entity)
}

/// What a rule says of an entity, by these settings.
pub(super) fn told_with<R: Documented>(
    settings: &Settings,
    snapshot: &Snapshot,
    entity: &str,
) -> String {
    let entity = entity.parse().expect("an entity");
    let verdict = match judged(&R::new(settings), snapshot, &entity) {
        Ok(verdict) => verdict,
        Err(gap) => return format!("blind: {gap}"),
    };
    match verdict {
        None => "not named".into(),
        Some(Verdict::Holds) => "holds".into(),
        Some(Verdict::Gone) => "gone".into(),
        Some(Verdict::Unseen(gap)) => format!("unseen: {gap}"),
        Some(Verdict::Broken(broken)) => {
            let since = broken
                .since
                .map(|since| snapshot.at().since(since).as_secs());
            let since = since.map_or(String::new(), |since| format!(" for {since} s"));
            format!("{}{since}: {}", broken.severity, broken.evidence)
        }
    }
}

/// A verdict, as far as many tests ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Holds,
    Broken(Severity),
    Unseen,
    Gone,
    Nothing,
}

pub(super) const WARNING: Told = Told::Broken(Severity::Warning);
pub(super) const CRITICAL: Told = Told::Broken(Severity::Critical);
pub(super) const INFO: Told = Told::Broken(Severity::Info);

impl Told {
    pub(super) fn of(rule: &impl Invariant, snapshot: &Snapshot, entity: &Entity) -> Self {
        match verdict(rule, snapshot, entity) {
            Some(Verdict::Holds) => Self::Holds,
            Some(Verdict::Broken(broken)) => Self::Broken(broken.severity),
            Some(Verdict::Unseen(_)) => Self::Unseen,
            Some(Verdict::Gone) => Self::Gone,
            None => Self::Nothing,
        }
    }
}

/// What is said of the first store.
#[track_caller]
pub(super) fn check(rule: &impl Invariant, snapshot: &Snapshot, expected: Told) {
    assert_eq!(Told::of(rule, snapshot, &scene::entity(1)), expected);
}

/// What is said of the cluster.
#[track_caller]
pub(super) fn check_cluster(rule: &impl Invariant, snapshot: &Snapshot, expected: Told) {
    assert_eq!(Told::of(rule, snapshot, &Entity::Cluster), expected);
}

/// The evidence against an entity, as one line.
#[track_caller]
pub(super) fn evidence(rule: &impl Invariant, snapshot: &Snapshot, entity: &Entity) -> String {
    match verdict(rule, snapshot, entity) {
        Some(Verdict::Broken(broken)) => broken.evidence.to_string(),
        other => panic!("{entity} is not broken: {other:?}"),
    }
}

/// A rule's verdict on an entity. A rule that is blind as a whole sees nothing of it.
pub(super) fn verdict(
    rule: &impl Invariant,
    snapshot: &Snapshot,
    entity: &Entity,
) -> Option<Verdict> {
    judged(rule, snapshot, entity).unwrap_or_else(|gap| Some(Verdict::Unseen(gap)))
}

/// The same, with blindness as a whole told from an entity that is not seen.
fn judged(
    rule: &impl Invariant,
    snapshot: &Snapshot,
    entity: &Entity,
) -> Result<Option<Verdict>, Gap> {
    let mut verdicts = Verdicts::default();
    rule.check(snapshot, &mut verdicts)?;
    Ok(verdicts.of(entity))
}
