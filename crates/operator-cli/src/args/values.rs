//! Values that are names: what they may be, and what was probably meant where they are not.

use std::path::PathBuf;
use std::time::Duration;

use operator_core::{Entity, Severity};
use operator_sim::{Scenario, scenarios};

use crate::{nearest, span};

pub(super) fn scenario(name: &str) -> Result<&'static Scenario, String> {
    Scenario::named(name).ok_or_else(|| {
        let known = scenarios().iter().map(|scenario| scenario.name);
        nearest::unknown("scenario", name, known)
    })
}

/// The code of a rule.
pub(super) fn code(name: &str) -> Result<&'static str, String> {
    let codes = || crate::rulebook::codes();
    codes()
        .into_iter()
        .find(|code| *code == name)
        .ok_or_else(|| nearest::unknown("rule", name, codes()))
}

pub(super) fn severity(word: &str) -> Result<Severity, String> {
    const ALL: [Severity; 3] = [Severity::Critical, Severity::Warning, Severity::Info];
    let words = || ALL.iter().map(ToString::to_string);
    ALL.iter()
        .find(|severity| severity.to_string() == word)
        .copied()
        .ok_or_else(|| nearest::unknown("severity", word, words()))
}

pub(super) fn span(text: &str) -> Result<Duration, String> {
    span::parse(text)
}

pub(super) fn entity(text: &str) -> Result<Entity, String> {
    text.parse::<Entity>().map_err(|error| error.to_string())
}

/// A key, as bytes: hexadecimal, as keys are printed everywhere.
pub(super) fn key(text: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => Ok(digits
            .chunks(2)
            .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap_or_default())
            .collect()),
        _ => Err("expected pairs of hexadecimal digits, as in 7480FF".to_owned()),
    }
}

pub(super) fn path(text: &str) -> Result<PathBuf, String> {
    match text.is_empty() {
        true => Err("expected the name of a file".to_owned()),
        false => Ok(text.into()),
    }
}
