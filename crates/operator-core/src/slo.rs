//! How much of the time a rule held: held, broken and blind, each for itself.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::{Entity, Rule, Slo, Timestamp};

/// How an objective stands for one entity, over its window. An entity has one from the first look that
/// saw it, until it is gone or was not seen for a whole window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Objective<'a> {
    /// The rule that accounts it.
    pub rule: &'a Rule,
    /// The objective.
    pub slo: Slo,
    /// Who it is accounted for.
    pub entity: &'a Entity,
    /// The time it was spent in each way.
    pub spent: Spent,
}

impl Objective<'_> {
    /// Whether the share of seen time in which the rule held is enough; `None` while nothing was seen.
    pub fn is_met(&self) -> Option<bool> {
        self.spent
            .held_ratio()
            .map(|held| held >= self.slo.target_ratio)
    }
}

/// Time, by what was seen of it. Blind time stands beside the others and is part of neither.
///
/// A stretch between two looks counts as held or broken only if both looks saw it so; every other
/// stretch is blind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Spent {
    /// The rule was seen to hold.
    pub held: Duration,
    /// The rule was seen broken.
    pub broken: Duration,
    /// Nobody could tell.
    pub blind: Duration,
}

impl Spent {
    /// The share of the seen time in which the rule held; `None` while nothing was seen.
    pub fn held_ratio(&self) -> Option<f64> {
        let seen = self.held.saturating_add(self.broken);
        (!seen.is_zero()).then(|| self.held.as_secs_f64() / seen.as_secs_f64())
    }

    fn add(&mut self, kind: Option<bool>, time: Duration) {
        let spent = match kind {
            Some(true) => &mut self.held,
            Some(false) => &mut self.broken,
            None => &mut self.blind,
        };
        *spent = spent.saturating_add(time);
    }

    fn plus(mut self, other: &Self) -> Self {
        self.add(Some(true), other.held);
        self.add(Some(false), other.broken);
        self.add(None, other.blind);
        self
    }
}

/// The accounts of one rule.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) slo: Slo,
    pub(crate) accounts: BTreeMap<Entity, Account>,
}

/// The account of one entity: slots over the window, so that its size is bounded and old time falls out
/// of it. Most looks end in the slot they begin in, and touch nothing but that one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub(crate) struct Account {
    last: Look,
    current: Slot,
    past: VecDeque<Slot>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Look {
    at: Timestamp,
    holds: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Slot {
    begin: Timestamp,
    spent: Spent,
}

impl Slot {
    fn empty(begin: Timestamp) -> Self {
        Self {
            begin,
            spent: Spent::default(),
        }
    }
}

/// A window is kept in so many slots: what falls out of it falls out in steps of this fineness.
const SLOTS: u32 = 24;

impl Ledger {
    pub(crate) fn new(slo: Slo) -> Self {
        Self {
            slo,
            accounts: BTreeMap::new(),
        }
    }

    /// A look was taken. `seen` holds, in the order of entities and each once, whether the rule held;
    /// whoever has an account and is not among them was not seen.
    pub(crate) fn look<'a>(
        &mut self,
        at: Timestamp,
        seen: impl Iterator<Item = (&'a Entity, Option<bool>)>,
    ) {
        let (window, mut newcomers) = (self.slo.window, Vec::new());
        let mut seen = seen.peekable();
        // Accounts and looks are in the same order: one walk over both.
        for (entity, account) in &mut self.accounts {
            while let Some((newcomer, holds)) = seen.next_if(|(other, _)| *other < entity) {
                newcomers.push((newcomer, holds));
            }
            let holds = seen
                .next_if(|(other, _)| *other == entity)
                .and_then(|(_, holds)| holds);
            account.look(at, holds, window);
        }
        for (newcomer, holds) in newcomers.into_iter().chain(seen) {
            // Who was never seen has nothing to account.
            if holds.is_some() {
                self.accounts
                    .insert(newcomer.clone(), Account::opened(at, holds));
            }
        }
        self.accounts
            .retain(|_, account| account.is_worth_keeping(window));
    }

    pub(crate) fn close(&mut self, entity: &Entity) {
        self.accounts.remove(entity);
    }
}

impl Account {
    fn opened(at: Timestamp, holds: Option<bool>) -> Self {
        Self {
            last: Look { at, holds },
            current: Slot::empty(at),
            past: VecDeque::new(),
        }
    }

    /// The same account after an interruption: nobody knows how the entity is now.
    pub(crate) fn interrupted(mut self) -> Self {
        self.last.holds = None;
        self
    }

    pub(crate) fn spent(&self) -> Spent {
        let past = self.past.iter().map(|slot| &slot.spent);
        past.fold(self.current.spent, |sum, spent| sum.plus(spent))
    }

    fn look(&mut self, at: Timestamp, holds: Option<bool>, window: Duration) {
        // A look from the past adds no time, now or later.
        let at = at.max(self.last.at);
        let before = std::mem::replace(&mut self.last, Look { at, holds });
        let kind = if before.holds == holds { holds } else { None };
        let width = slot_width(window);
        let mut from = before.at.max(at - window);
        while from < at {
            let full_at = self.current.begin + width;
            if from >= full_at {
                self.turn_to(from, width, window);
                continue;
            }
            let until = at.min(full_at);
            self.current.spent.add(kind, until.since(from));
            from = until;
        }
    }

    /// Closes the current slot, opens the one that a moment lies in, and lets go of what has fallen out
    /// of the window.
    fn turn_to(&mut self, moment: Timestamp, width: Duration, window: Duration) {
        let next = Slot::empty(slot_begin(moment, width));
        self.past
            .push_back(std::mem::replace(&mut self.current, next));
        let is_past = |slot: &Slot| slot.begin + width + window <= moment;
        while self.past.front().is_some_and(is_past) {
            self.past.pop_front();
        }
    }

    /// Whoever was not seen for a whole window has left: the account would stay blind for ever.
    fn is_worth_keeping(&self, window: Duration) -> bool {
        if self.last.holds.is_some() {
            return true;
        }
        let Spent {
            held,
            broken,
            blind,
        } = self.spent();
        blind < window || !held.is_zero() || !broken.is_zero()
    }
}

fn slot_width(window: Duration) -> Duration {
    (window / SLOTS).max(Duration::from_millis(1))
}

fn slot_begin(at: Timestamp, width: Duration) -> Timestamp {
    let width = i64::try_from(width.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_unix_millis(at.unix_millis().div_euclid(width).saturating_mul(width))
}
