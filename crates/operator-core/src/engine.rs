//! Turns verdicts and time into changes: grace, settle, flaps, blindness, maintenance.

mod blindness;
mod case;
mod judged;
mod state;
mod violation;

use std::sync::Arc;

pub use state::{RestoreError, State};
pub use violation::{Blind, Change, Ending, Maintenance, Pending, Violation};

use crate::slo::Objective;
use crate::{Entity, Invariant, Rule, Snapshot, Timestamp};
use case::Case;
use judged::{Judged, Room};
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
/// let rule = Rule::new("broken", "it is broken").grace(Duration::from_secs(10));
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
    room: Room,
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
            judged.push(Judged::new(invariant, rule));
        }
        Ok(Self {
            rules: judged,
            maintenance: Vec::new(),
            judged_at: None,
            orphans: Orphans::default(),
            room: Room::default(),
        })
    }

    /// Judges a snapshot, and tells what has changed since the last one, rule by rule and entity by
    /// entity. Snapshots come in the order of their times; of one that is older no time counts.
    pub fn judge(&mut self, snapshot: &Snapshot) -> Vec<Change> {
        let at = snapshot.at();
        let mut changes = Vec::new();
        for judged in &mut self.rules {
            judged.judge(snapshot, &self.maintenance, &mut self.room, &mut changes);
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
    /// blindness: see [`Why::NotConfigured`](crate::Why::NotConfigured).
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
    pub fn objectives(&self) -> impl Iterator<Item = Objective<'_>> {
        self.rules.iter().flat_map(|judged| {
            judged.ledger.iter().flat_map(|ledger| {
                ledger.accounts.iter().map(|(entity, account)| Objective {
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
    /// What objectives have accounted stays: that time has passed.
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
