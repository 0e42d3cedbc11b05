//! Turns verdicts and time into changes: grace, settle, flaps, blindness, maintenance.

mod blindness;
mod case;
mod state;
mod violation;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

pub use state::{RestoreError, State};
pub use violation::{Blind, Change, Ending, Maintenance, Pending, Violation};

use crate::observer::panic_message;
use crate::slo::{Ledger, Standing};
use crate::{Entity, Gap, Invariant, Rule, Snapshot, Timestamp, Verdict, Verdicts, Why};
use blindness::{Blindness, Sight};
use case::{Case, Step};
use state::Orphans;

/// Judges snapshots by rules, and remembers what has to be remembered between two of them.
///
/// It is a state machine without clock or I/O: the time is the snapshot's, so an hour of history is
/// judged in an instant and twice alike. What it does:
/// - **Grace and settle.** A case is raised after its grace *seen* broken and resolved after its settle
///   time *seen* healthy. The time between two looks counts only if both saw it alike; blind time counts
///   for neither.
/// - **Flaps.** Broken again while it settles: the violation is open again without a word, one flap more.
/// - **Freeze.** An entity that no verdict names, or that is unseen, stays as it is. Only a settled
///   `holds` or a `gone` ends what is open.
/// - **Blindness** is said once, after two blind looks and the rule's grace, and taken back once.
/// - **Maintenance.** What is raised inside it is expected, and info; when it ends, what still stands
///   becomes as bad as it is.
///
/// ```
/// use operator_core::{Broken, Change, Engine, Entity, Evidence, Gap, Invariant, Rule, Severity, Snapshot,
///                     Timestamp, Verdicts};
/// use std::time::Duration;
///
/// #[derive(Debug)]
/// struct AlwaysBroken(Rule);
///
/// impl Invariant for AlwaysBroken {
///     fn rule(&self) -> &Rule {
///         &self.0
///     }
///     fn check(&self, _: &Snapshot, verdicts: &mut Verdicts) -> Result<(), Gap> {
///         verdicts.broken(Entity::Cluster, Broken::new(Severity::Warning, Evidence::default()));
///         Ok(())
///     }
/// }
///
/// let rule = Rule::cluster("broken", "it is broken").grace(Duration::from_secs(10));
/// let mut engine = Engine::new(vec![Box::new(AlwaysBroken(rule))])?;
/// let at = |seconds| Snapshot::unseen(Timestamp::from_unix_seconds(seconds));
/// assert!(engine.judge(&at(0)).is_empty());
/// assert_eq!(engine.pending().next().unwrap().grace_left, Duration::from_secs(10));
/// assert!(matches!(engine.judge(&at(10))[..], [Change::Raised(_)]));
/// # Ok::<(), operator_core::DuplicateCode>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Judged>,
    maintenance: Vec<Maintenance>,
    judged_at: Option<Timestamp>,
    /// What was restored for rules that this engine does not have: kept, so that judging with fewer rules
    /// for a while forgets nothing.
    orphans: Orphans,
    /// Room that one look leaves for the next, so that judging healthy entities allocates nothing.
    verdicts: Verdicts,
    telling: Vec<(Entity, Verdict)>,
}

/// A rule with everything that is remembered of it.
#[derive(Debug)]
struct Judged {
    invariant: Box<dyn Invariant>,
    rule: Arc<Rule>,
    cases: BTreeMap<Entity, Case>,
    blindness: Blindness,
    /// What could not be judged at the last look; without an entity, the rule as a whole.
    unseen: Vec<(Option<Entity>, Gap)>,
    ledger: Option<Ledger>,
}

/// Two rules with one code: one of them would judge in the other's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two rules have the code `{code}`")]
pub struct DuplicateCode {
    /// The code they share.
    pub code: &'static str,
}

impl Engine {
    /// An engine that judges by these rules.
    ///
    /// # Errors
    /// When two rules have one code.
    pub fn new(rules: Vec<Box<dyn Invariant>>) -> Result<Self, DuplicateCode> {
        let mut judged: Vec<Judged> = Vec::with_capacity(rules.len());
        for invariant in rules {
            let rule = Arc::new(invariant.rule().clone());
            if judged.iter().any(|other| other.rule.code == rule.code) {
                return Err(DuplicateCode { code: rule.code });
            }
            judged.push(Judged {
                ledger: rule.slo.map(Ledger::new),
                invariant,
                rule,
                cases: BTreeMap::new(),
                blindness: Blindness::default(),
                unseen: Vec::new(),
            });
        }
        Ok(Self {
            rules: judged,
            maintenance: Vec::new(),
            judged_at: None,
            orphans: Orphans::default(),
            verdicts: Verdicts::default(),
            telling: Vec::new(),
        })
    }

    /// Judges a snapshot, and tells what has changed since the last one, rule by rule and entity by
    /// entity. Snapshots come in the order of their times; of one that is older no time counts.
    pub fn judge(&mut self, snapshot: &Snapshot) -> Vec<Change> {
        let at = snapshot.at();
        let mut changes = Vec::new();
        for judged in &mut self.rules {
            self.verdicts.begin(!judged.remembers());
            self.telling.clear();
            let sight = check(&*judged.invariant, snapshot, &mut self.verdicts);
            let sight = judged.take(sight, &mut self.verdicts, &mut self.telling);
            judged.account(at, &self.telling);
            judged.step(at, &mut self.telling, &self.maintenance, &mut changes);
            judged.review_maintenance(at, &self.maintenance, &mut changes);
            judged.review_sight(at, sight, &mut changes);
        }
        self.maintenance
            .retain(|maintenance| at < maintenance.until);
        self.judged_at = Some(at);
        tracing::debug!(%at, changes = changes.len(), "judged");
        changes
    }

    /// The rules, in the order they were given.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|judged| &*judged.rule)
    }

    /// When it last judged, if it has.
    pub fn judged_at(&self) -> Option<Timestamp> {
        self.judged_at
    }

    /// What is broken, by rule and entity.
    pub fn open(&self) -> impl Iterator<Item = &Violation> {
        self.cases().filter_map(Case::open)
    }

    /// What is seen broken and has grace left.
    pub fn pending(&self) -> impl Iterator<Item = Pending<'_>> {
        self.cases().filter_map(Case::pending)
    }

    /// What could not be judged at the last look. What is not configured is among it, and is no
    /// blindness: see [`Why::NotConfigured`].
    pub fn blind(&self) -> impl Iterator<Item = Blind<'_>> {
        self.rules.iter().flat_map(|judged| {
            judged.unseen.iter().map(|(entity, gap)| Blind {
                rule: &judged.rule,
                entity: entity.as_ref(),
                gap,
            })
        })
    }

    /// How the objectives stand.
    pub fn slos(&self) -> impl Iterator<Item = Standing<'_>> {
        self.rules.iter().flat_map(|judged| {
            judged.ledger.iter().flat_map(|ledger| {
                ledger.accounts.iter().map(|(entity, account)| Standing {
                    rule: &judged.rule,
                    slo: ledger.slo,
                    entity,
                    spent: account.spent(),
                })
            })
        })
    }

    /// Declares maintenance; in place of what was declared for that entity before.
    pub fn expect(&mut self, maintenance: Maintenance) {
        self.unexpect(&maintenance.entity);
        self.maintenance.push(maintenance);
    }

    /// Ends the maintenance of an entity early; tells whether there was any.
    pub fn unexpect(&mut self, entity: &Entity) -> bool {
        let before = self.maintenance.len();
        self.maintenance.retain(|other| other.entity != *entity);
        self.maintenance.len() < before
    }

    /// The maintenance that is declared.
    pub fn expected(&self) -> &[Maintenance] {
        &self.maintenance
    }

    /// Forgets what is known of a rule and an entity, as if it had never been seen broken; `None` means
    /// every rule, or every entity. Gives back the violations that were open, of which no change tells.
    pub fn forget(&mut self, code: Option<&str>, entity: Option<&Entity>) -> Vec<Violation> {
        let concerns_code = |other: &str| code.is_none_or(|code| code == other);
        let concerns = |other: &Entity| entity.is_none_or(|entity| entity == other);
        let mut forgotten = Vec::new();
        for judged in self
            .rules
            .iter_mut()
            .filter(|judged| concerns_code(judged.rule.code))
        {
            judged.cases.retain(|_, case| {
                let keep = !concerns(&case.violation.entity);
                forgotten.extend(case.open().filter(|_| !keep).cloned());
                keep
            });
        }
        self.orphans
            .cases
            .retain(|case| !(concerns_code(&case.code) && concerns(&case.entity)));
        forgotten
    }

    fn cases(&self) -> impl Iterator<Item = &Case> {
        self.rules.iter().flat_map(|judged| judged.cases.values())
    }
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

impl Judged {
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
            saw |= !matches!(verdict, Verdict::Unseen(_));
            let healthy = matches!(verdict, Verdict::Holds);
            if !healthy || self.ledger.is_some() || self.cases.contains_key(&entity) {
                telling.push((entity, verdict));
            }
        }
        telling.sort_unstable_by(|(a, x), (b, y)| a.cmp(b).then_with(|| rank(x).cmp(&rank(y))));
        telling.dedup_by(|(a, _), (b, _)| a == b);
        if let Some(verdict) = verdicts.take_others() {
            let cases = unnamed(self.cases.keys(), telling);
            let accounts = self.ledger.iter().flat_map(|ledger| ledger.accounts.keys());
            let mut others = unnamed(accounts, telling);
            others.extend(cases);
            telling.extend(others.into_iter().map(|entity| (entity, verdict.clone())));
            telling.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            telling.dedup_by(|(a, _), (b, _)| a == b);
        }
        for (entity, verdict) in telling {
            if let Verdict::Unseen(gap) = verdict {
                self.unseen.push((Some(entity.clone()), gap.clone()));
            }
        }
        match self.unseen.first() {
            Some((_, gap)) if !saw => Err(gap.clone()),
            _ => Ok(()),
        }
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
                    case.broken(at, *broken, covering)
                }
                Verdict::Holds => self.on(&entity, |case| case.holds(at)),
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

/// Of two verdicts about one entity the lower rank counts: the worse, and what is known over what is not.
fn rank(verdict: &Verdict) -> (u8, Option<Reverse<crate::Severity>>) {
    match verdict {
        Verdict::Broken(broken) => (0, Some(Reverse(broken.severity))),
        Verdict::Unseen(_) => (1, None),
        Verdict::Holds => (2, None),
        Verdict::Gone => (3, None),
    }
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
