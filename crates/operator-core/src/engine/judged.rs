//! One rule with everything that is remembered of it, and what a look does to it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::blindness::{Blindness, Sight};
use super::case::{Case, Step};
use super::violation::{Change, Maintenance};
use crate::observer::panic_message;
use crate::slo::Ledger;
use crate::{Entity, Gap, Invariant, Rule, Snapshot, Timestamp, Verdict, Verdicts, Why};

/// A rule with everything that is remembered of it.
#[derive(Debug)]
pub(super) struct Judged {
    invariant: Box<dyn Invariant>,
    pub(super) rule: Arc<Rule>,
    pub(super) cases: BTreeMap<Entity, Case>,
    pub(super) blindness: Blindness,
    /// What could not be judged at the last look; without an entity, the rule as a whole.
    pub(super) unseen: Vec<(Option<Entity>, Gap)>,
    pub(super) ledger: Option<Ledger>,
}

/// Room that one look leaves for the next.
#[derive(Debug, Default)]
pub(super) struct Room {
    verdicts: Verdicts,
    /// The verdicts that tell something.
    telling: Vec<(Entity, Verdict)>,
}

impl Judged {
    pub(super) fn new(invariant: Box<dyn Invariant>, rule: Arc<Rule>) -> Self {
        Self {
            ledger: rule.slo.map(Ledger::new),
            invariant,
            rule,
            cases: BTreeMap::new(),
            blindness: Blindness::default(),
            unseen: Vec::new(),
        }
    }

    /// Judges one snapshot by this rule, and tells what has changed.
    pub(super) fn judge(
        &mut self,
        snapshot: &Snapshot,
        maintenance: &[Maintenance],
        room: &mut Room,
        changes: &mut Vec<Change>,
    ) {
        let (at, Room { verdicts, telling }) = (snapshot.at(), room);
        verdicts.begin(!self.remembers());
        telling.clear();
        let sight = check(&*self.invariant, snapshot, verdicts);
        let seen_at = verdicts.moment(at);
        let sight = self.take(sight, verdicts, telling);
        self.review_sight(at, sight, changes);
        self.account(seen_at, telling);
        self.step(at, seen_at, telling, maintenance, changes);
        self.review_maintenance(at, maintenance, changes);
    }

    /// Whether there is anything that the health of an entity could change.
    fn remembers(&self) -> bool {
        !self.cases.is_empty() || self.ledger.is_some()
    }

    /// A new look begins, with what the rule's check gave. Picks the verdicts that tell something: all
    /// but the health of what was healthy before. They come out sorted and each entity once, so that
    /// the order in which a rule gives them does not matter. Tells whether the rule saw anything.
    fn take(
        &mut self,
        sight: Result<(), Gap>,
        verdicts: &mut Verdicts,
        telling: &mut Vec<(Entity, Verdict)>,
    ) -> Result<(), Gap> {
        self.unseen.clear();
        self.cases.values_mut().for_each(Case::begin_look);
        if let Err(gap) = sight {
            self.unseen.push((None, gap.clone()));
            return Err(gap);
        }
        let mut saw = verdicts.healthy() > 0;
        for (entity, verdict) in verdicts.drain() {
            saw |= matches!(verdict, Verdict::Broken(_));
            let healthy = matches!(verdict, Verdict::Holds);
            if !healthy || self.ledger.is_some() || self.cases.contains_key(&entity) {
                telling.push((entity, verdict));
            }
        }
        telling.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| rank(x).cmp(&rank(y))));
        telling.dedup_by(|(a, _), (b, _)| a == b);
        if verdicts.speaks_of_others() {
            self.tell_of_others(verdicts, telling);
        }
        for (entity, verdict) in telling {
            if let Verdict::Unseen(gap) = verdict {
                self.unseen.push((Some(entity.clone()), gap.clone()));
            }
        }
        // What nobody configured explains no blindness, unless it explains all of it.
        let gaps = || self.unseen.iter().map(|(_, gap)| gap);
        let reason = gaps()
            .find(|gap| *gap.why() != Why::NotConfigured)
            .or(gaps().next());
        match reason {
            Some(gap) if !saw => Err(gap.clone()),
            _ => Ok(()),
        }
    }

    /// Adds what is said of those who are remembered and were not named.
    fn tell_of_others(&self, verdicts: &Verdicts, telling: &mut Vec<(Entity, Verdict)>) {
        let accounts = self.ledger.iter().flat_map(|ledger| ledger.accounts.keys());
        let mut others = unnamed(accounts, telling);
        others.extend(unnamed(self.cases.keys(), telling));
        for entity in others {
            if let Some(verdict) = verdicts.of_unnamed(&entity) {
                telling.push((entity, verdict));
            }
        }
        telling.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        telling.dedup_by(|(a, _), (b, _)| a == b);
    }

    fn account(&mut self, at: Timestamp, telling: &[(Entity, Verdict)]) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        let holds = telling.iter().map(|(entity, verdict)| match verdict {
            Verdict::Holds => (entity, Some(true)),
            Verdict::Broken(_) => (entity, Some(false)),
            Verdict::Unseen(_) | Verdict::Gone => (entity, None),
        });
        ledger.look(at, holds);
        for (entity, verdict) in telling {
            if matches!(verdict, Verdict::Gone) {
                ledger.close(entity);
            }
        }
    }

    fn step(
        &mut self,
        at: Timestamp,
        seen_at: Timestamp,
        telling: &mut Vec<(Entity, Verdict)>,
        maintenance: &[Maintenance],
        changes: &mut Vec<Change>,
    ) {
        for (entity, verdict) in telling.drain(..) {
            let step = match verdict {
                Verdict::Broken(broken) => {
                    let covering = covering(maintenance, &entity, at);
                    let fresh = || Case::new(&self.rule, entity.clone(), at, &broken);
                    let case = self.cases.entry(entity.clone()).or_insert_with(fresh);
                    case.broken(at, seen_at, *broken, covering)
                }
                Verdict::Holds => self.on(&entity, |case| case.holds(seen_at)),
                Verdict::Gone => self.on(&entity, |case| case.gone()),
                Verdict::Unseen(_) => Step::Nothing,
            };
            changes.extend(self.change(&entity, step));
        }
    }

    fn review_maintenance(
        &mut self,
        at: Timestamp,
        maintenance: &[Maintenance],
        changes: &mut Vec<Change>,
    ) {
        for case in self.cases.values_mut() {
            let covering = covering(maintenance, &case.violation.entity, at);
            if let Step::Moved { from } = case.review_maintenance(covering) {
                let violation = case.violation.clone();
                changes.push(Change::Moved { violation, from });
            }
        }
    }

    fn review_sight(&mut self, at: Timestamp, sight: Result<(), Gap>, changes: &mut Vec<Change>) {
        let (said, gap) = match sight {
            Ok(()) => (self.blindness.seen(), None),
            Err(gap) => (self.blindness.blind(at, &gap, self.rule.grace), Some(gap)),
        };
        let rule = Arc::clone(&self.rule);
        match (said, gap) {
            (Sight::Blinded { since }, Some(gap)) => {
                changes.push(Change::Blinded { rule, since, gap });
            }
            (Sight::Sighted { since }, _) => changes.push(Change::Sighted { rule, since }),
            _ => {}
        }
    }

    fn on(&mut self, entity: &Entity, step: impl FnOnce(&mut Case) -> Step) -> Step {
        self.cases.get_mut(entity).map_or(Step::Nothing, step)
    }

    /// What a step of a case tells the world. A case that has ended is forgotten.
    fn change(&mut self, entity: &Entity, step: Step) -> Option<Change> {
        match step {
            Step::Nothing => None,
            Step::Raised => Some(Change::Raised(self.cases.get(entity)?.violation.clone())),
            Step::Moved { from } => {
                let violation = self.cases.get(entity)?.violation.clone();
                Some(Change::Moved { violation, from })
            }
            Step::Resolved(ending) => {
                let violation = self.cases.remove(entity)?.violation;
                Some(Change::Resolved { violation, ending })
            }
            Step::Dropped => {
                self.cases.remove(entity);
                None
            }
        }
    }
}

/// Those of `known` that are not named; both are in the order of entities.
fn unnamed<'a>(
    known: impl Iterator<Item = &'a Entity>,
    named: &[(Entity, Verdict)],
) -> Vec<Entity> {
    let mut named = named.iter().map(|(entity, _)| entity).peekable();
    let is_unnamed = |entity: &&Entity| {
        while named.next_if(|named| named < entity).is_some() {}
        named.peek() != Some(entity)
    };
    known.filter(is_unnamed).cloned().collect()
}

/// Of two verdicts about one entity the lower rank counts: the worse, what is known over what is not, and
/// what stands longer.
fn rank(verdict: &Verdict) -> (u8, impl Ord + use<>) {
    let (kind, broken) = match verdict {
        Verdict::Broken(broken) => (0, Some(broken)),
        Verdict::Unseen(_) => (1, None),
        Verdict::Holds => (2, None),
        Verdict::Gone => (3, None),
    };
    let order = broken.map(|broken| {
        let since = broken.since.map_or(i64::MAX, Timestamp::unix_millis);
        (Reverse(broken.severity), since, broken.grace)
    });
    (kind, order)
}

fn covering<'a>(
    maintenance: &'a [Maintenance],
    entity: &Entity,
    at: Timestamp,
) -> Option<&'a Maintenance> {
    maintenance
        .iter()
        .filter(|maintenance| maintenance.covers(entity, at))
        .max_by_key(|maintenance| maintenance.until)
}

/// A rule that panics is blind: it must not take the others with it.
fn check(
    invariant: &dyn Invariant,
    snapshot: &Snapshot,
    verdicts: &mut Verdicts,
) -> Result<(), Gap> {
    catch_unwind(AssertUnwindSafe(|| invariant.check(snapshot, verdicts))).unwrap_or_else(|panic| {
        let message = panic_message(&*panic);
        Err(Gap::new("the verdict", Why::Panicked { message }))
    })
}
