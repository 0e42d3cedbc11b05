//! How the objectives stand: now, and over the time that was watched.

use operator_core::{Engine, Entity, Spent};
use serde::Serialize;

use crate::report::reading::lasts_of;
use crate::text::{Line, Tone};
use crate::units;

/// One objective.
#[derive(Debug, Serialize)]
pub(super) struct ObjectiveForm {
    name: &'static str,
    code: &'static str,
    target_ratio: f64,
    window_seconds: f64,
    /// How many entities hold it now, break it, and could not be seen.
    holding: usize,
    breaking: usize,
    unseen: usize,
    /// What was accounted while somebody watched; empty without a state file.
    accounts: Vec<AccountForm>,
}

/// What was accounted for one entity.
#[derive(Debug, Serialize)]
struct AccountForm {
    entity: String,
    held_seconds: f64,
    broken_seconds: f64,
    blind_seconds: f64,
    held_ratio: Option<f64>,
    is_met: Option<bool>,
}

/// Every objective that the rules account.
pub(super) fn all(engine: &Engine) -> Vec<ObjectiveForm> {
    let with_slo = engine.rules().filter_map(|rule| Some((rule, rule.slo?)));
    with_slo
        .map(|(rule, slo)| {
            let is_broken = |entity: &Entity| {
                let open = engine
                    .open()
                    .filter(|open| open.code() == rule.code && !open.settling);
                let pending = engine
                    .pending()
                    .filter(|pending| pending.rule.code == rule.code);
                open.map(|open| &open.entity)
                    .chain(pending.map(|pending| pending.entity))
                    .any(|other| other == entity)
            };
            let unseen: Vec<Option<&Entity>> = engine
                .blind()
                .filter(|blind| blind.rule.code == rule.code)
                .map(|blind| blind.entity)
                .collect();
            let own = engine.objectives().filter(|one| one.rule.code == rule.code);
            let own: Vec<_> = own.collect();
            let is_unseen =
                |entity: &Entity| unseen.iter().any(|one| one.is_none_or(|one| one == entity));
            let breaking = own.iter().filter(|one| is_broken(one.entity)).count();
            let of_unseen = own
                .iter()
                .filter(|one| !is_broken(one.entity) && is_unseen(one.entity))
                .count();
            let spent = |spent: &Spent| !(spent.held.is_zero() && spent.broken.is_zero());
            ObjectiveForm {
                name: slo.name,
                code: rule.code,
                target_ratio: slo.target_ratio,
                window_seconds: slo.window.as_secs_f64(),
                holding: own.len() - breaking - of_unseen,
                breaking,
                unseen: of_unseen.max(unseen.len()),
                accounts: own
                    .iter()
                    .filter(|one| spent(&one.spent))
                    .map(|one| AccountForm {
                        entity: one.entity.to_string(),
                        held_seconds: one.spent.held.as_secs_f64(),
                        broken_seconds: one.spent.broken.as_secs_f64(),
                        blind_seconds: one.spent.blind.as_secs_f64(),
                        held_ratio: one.spent.held_ratio(),
                        is_met: one.is_met(),
                    })
                    .collect(),
            }
        })
        .collect()
}

impl ObjectiveForm {
    pub(super) fn line(&self) -> Line {
        let (target, window) = (
            units::percent(self.target_ratio),
            lasts_of(self.window_seconds),
        );
        let mut line = Line::default()
            .faint(format!("{:<19}", self.name))
            .plain(format!("{target} over {window}: "))
            .tone(Tone::Good, format!("{} hold now", self.holding))
            .hang(19);
        if self.breaking > 0 {
            line = line
                .plain(", ")
                .tone(Tone::Bad, format!("{} do not", self.breaking));
        }
        if self.unseen > 0 {
            line = line
                .plain(", ")
                .tone(Tone::Warn, format!("{} not seen", self.unseen));
        }
        let missed = self.accounts.iter().filter(|one| one.is_met == Some(false));
        let worst = missed.min_by(|a, b| {
            let ratio = |one: &AccountForm| one.held_ratio.unwrap_or(1.0);
            ratio(a).total_cmp(&ratio(b))
        });
        match worst {
            Some(worst) => {
                let ratio = units::percent(worst.held_ratio.unwrap_or_default());
                let seen = lasts_of(worst.held_seconds + worst.broken_seconds);
                let said = format!("missed by {}: held {ratio} of {seen} seen", worst.entity);
                line.plain("; ").tone(Tone::Warn, said)
            }
            None => line,
        }
    }
}
