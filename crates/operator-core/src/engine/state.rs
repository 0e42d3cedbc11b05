//! What an engine remembers, as a value: written down before a restart and read back after it.

use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::blindness::{Blindness, Run};
use super::case::{Case, Stage};
use super::violation::{Maintenance, Violation};
use crate::slo::Account;
use crate::{Broken, Entity, Evidence, Severity, Timestamp};

/// Everything that an [`Engine`] remembers.
///
/// With the feature `serde` it can be written in any format; within one version of the format, what
/// was written is read back.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct State {
    version: u32,
    judged_at: Option<Timestamp>,
    cases: Vec<SavedCase>,
    blind: Vec<SavedRun>,
    maintenance: Vec<Maintenance>,
    accounts: Vec<SavedAccount>,
}

impl State {
    /// The version of the format that this code writes and reads.
    pub const VERSION: u32 = 1;

    /// When the engine last judged before it was exported, if it had.
    pub fn judged_at(&self) -> Option<Timestamp> {
        self.judged_at
    }
}

/// A state that cannot be restored. The engine is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It was written in another version of the format.
    #[error("the state has version {found}, expected version {}", State::VERSION)]
    Version {
        /// The version it has.
        found: u32,
    },
}

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SavedCase {
    pub(super) code: String,
    pub(super) entity: Entity,
    stage: Stage,
    severity: Severity,
    since: Timestamp,
    raised_at: Timestamp,
    last_seen: Timestamp,
    seen_broken: Duration,
    grace: Duration,
    seen_healthy: Duration,
    flaps: u32,
    expected: Option<Maintenance>,
    evidence: Evidence,
}

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct SavedRun {
    code: String,
    since: Timestamp,
    looks: u32,
    announced: bool,
}

#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(super) struct SavedAccount {
    code: String,
    entity: Entity,
    account: Account,
}

/// What was restored for rules that an engine does not have.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Orphans {
    pub(super) cases: Vec<SavedCase>,
    blind: Vec<SavedRun>,
    pub(super) accounts: Vec<SavedAccount>,
}

impl Engine {
    /// Everything it remembers.
    pub fn export(&self) -> State {
        let mut cases = self.orphans.cases.clone();
        cases.extend(self.cases().map(save));
        let mut accounts = self.orphans.accounts.clone();
        let mut blind = self.orphans.blind.clone();
        for judged in &self.rules {
            let code = || judged.rule.code.to_owned();
            let ledger = judged.ledger.iter().flat_map(|ledger| &ledger.accounts);
            accounts.extend(ledger.map(|(entity, account)| SavedAccount {
                code: code(),
                entity: entity.clone(),
                account: account.clone(),
            }));
            blind.extend(judged.blindness.run.as_ref().map(|run| SavedRun {
                code: code(),
                since: run.since,
                looks: run.looks,
                announced: run.announced,
            }));
        }
        State {
            version: State::VERSION,
            judged_at: self.judged_at,
            cases,
            blind,
            maintenance: self.maintenance.clone(),
            accounts,
        }
    }

    /// Goes on from an exported state, in place of what the engine remembers.
    ///
    /// It goes on as after a blind look: the time in between counts as neither broken nor healthy, what
    /// was open is open and is not raised again. What belongs to a rule that this engine does not have
    /// is kept for the next export. Accounts of objectives note the interruption, so that an export right
    /// after differs in that.
    ///
    /// # Errors
    /// When the state is of another version of the format.
    pub fn restore(&mut self, state: State) -> Result<(), RestoreError> {
        if state.version != State::VERSION {
            return Err(RestoreError::Version {
                found: state.version,
            });
        }
        self.judged_at = state.judged_at;
        self.maintenance = state.maintenance;
        self.orphans = Orphans::default();
        for judged in &mut self.rules {
            judged.cases.clear();
            judged.unseen.clear();
            judged.blindness = Blindness::default();
            judged
                .ledger
                .iter_mut()
                .for_each(|ledger| ledger.accounts.clear());
        }
        for saved in state.cases {
            match self
                .rules
                .iter_mut()
                .find(|judged| judged.rule.code == saved.code)
            {
                Some(judged) => {
                    let case = load(&judged.rule, saved);
                    judged.cases.insert(case.violation.entity.clone(), case);
                }
                None => self.orphans.cases.push(saved),
            }
        }
        for saved in state.blind {
            let rule = self
                .rules
                .iter_mut()
                .find(|judged| judged.rule.code == saved.code);
            match rule {
                Some(judged) => {
                    judged.blindness.run = Some(Run {
                        since: saved.since,
                        looks: saved.looks,
                        announced: saved.announced,
                    });
                }
                None => self.orphans.blind.push(saved),
            }
        }
        for saved in state.accounts {
            let rule = self
                .rules
                .iter_mut()
                .find(|judged| judged.rule.code == saved.code);
            match rule.and_then(|judged| judged.ledger.as_mut()) {
                Some(ledger) => {
                    ledger
                        .accounts
                        .insert(saved.entity, saved.account.interrupted());
                }
                None => self.orphans.accounts.push(saved),
            }
        }
        Ok(())
    }
}

fn save(case: &Case) -> SavedCase {
    let violation = &case.violation;
    SavedCase {
        code: violation.rule.code.to_owned(),
        entity: violation.entity.clone(),
        stage: case.stage,
        severity: case.actual,
        since: violation.since,
        raised_at: violation.raised_at,
        last_seen: violation.last_seen,
        seen_broken: case.seen_broken,
        grace: case.grace,
        seen_healthy: case.seen_healthy,
        flaps: violation.flaps,
        expected: violation.expected.clone(),
        evidence: violation.evidence.clone(),
    }
}

fn load(rule: &Arc<crate::Rule>, saved: SavedCase) -> Case {
    let found = Broken::new(saved.severity, Evidence::default());
    let mut case = Case::new(rule, saved.entity.clone(), saved.since, &found);
    case.stage = saved.stage;
    case.seen_broken = saved.seen_broken;
    case.grace = saved.grace;
    case.seen_healthy = saved.seen_healthy;
    case.violation = Violation {
        severity: match saved.expected {
            Some(_) => Severity::Info,
            None => saved.severity,
        },
        raised_at: saved.raised_at,
        last_seen: saved.last_seen,
        evidence: saved.evidence,
        flaps: saved.flaps,
        settling: saved.stage == Stage::Settling,
        expected: saved.expected,
        ..case.violation
    };
    case
}
