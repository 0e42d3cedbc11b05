//! Histories for the engine: a rule that answers what the snapshot tells it to.

#![allow(dead_code, reason = "each test binary uses its share")]

use std::time::Duration;

use operator_core::{
    Broken, Change, Engine, Entity, Evidence, Gap, Invariant, Quantity, Rule, Severity, Snapshot,
    StoreId, Timestamp, Verdicts, Why,
};

/// What a look sees of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum See {
    Broken(Severity),
    /// Broken, and proved to be so since that many seconds before the look.
    BrokenFor(u64),
    Holds,
    Unseen,
    Gone,
}

/// What a look sees: nothing at all, or something of each entity that it names, and maybe of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Look {
    Blind,
    Named(Vec<(Entity, See)>),
    NamedAndOthers(Vec<(Entity, See)>, See),
}

/// A rule that answers what the look in the snapshot sees.
#[derive(Debug)]
pub(crate) struct Told(pub(crate) Rule);

impl Invariant for Told {
    fn rule(&self) -> &Rule {
        &self.0
    }

    fn check(&self, snapshot: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
        let look = snapshot.part::<Look>()?;
        let (named, others) = match &look.value {
            Look::Blind => return Err(gap()),
            Look::Named(named) => (named, None),
            Look::NamedAndOthers(named, others) => (named, Some(*others)),
        };
        match others {
            Some(See::Holds) => verdicts.others_hold(),
            Some(See::Gone) => verdicts.others_are_gone(),
            _ => {}
        }
        for (entity, see) in named.clone() {
            let broken = |severity| {
                let seen = Quantity::new("seen", "broken", "", "told", look.sampled_at);
                Broken::new(severity, Evidence::of([seen]))
            };
            match see {
                See::Broken(severity) => verdicts.broken(entity, broken(severity)),
                See::BrokenFor(seconds) => {
                    let since = snapshot.at() - Duration::from_secs(seconds);
                    verdicts.broken(entity, broken(Severity::Warning).since(since));
                }
                See::Holds => verdicts.holds(entity),
                See::Unseen => verdicts.unseen(entity, gap()),
                See::Gone => verdicts.gone(entity),
            }
        }
        Ok(())
    }
}

pub(crate) fn gap() -> Gap {
    Gap::new("the look", Why::Unsaid)
}

pub(crate) fn rule(grace: u64, settle: u64) -> Rule {
    Rule::new("told", "it is as told")
        .grace(Duration::from_secs(grace))
        .settle(Duration::from_secs(settle))
}

pub(crate) fn engine(rule: Rule) -> Engine {
    Engine::new(vec![Box::new(Told(rule))]).expect("one rule")
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::EPOCH + Duration::from_secs(seconds)
}

pub(crate) fn store(id: u64) -> Entity {
    Entity::Store(StoreId(id))
}

/// Judges one look, and tells the changes as lines: `raised store/1 warning`.
pub(crate) fn judge(engine: &mut Engine, seconds: u64, look: Look) -> Vec<String> {
    let snapshot = Snapshot::unseen(at(seconds)).with_part("look", Ok(look));
    engine.judge(&snapshot).iter().map(line).collect()
}

pub(crate) fn line(change: &Change) -> String {
    format!(
        "{} {} {}",
        change.word(),
        change.entity(),
        change.severity()
    )
}
