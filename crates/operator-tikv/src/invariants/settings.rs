//! Thresholds and graces other than the usual ones.

use std::collections::BTreeMap;
use std::time::Duration;

use super::page::{Knob, Page};
use super::registry;

/// What the rules are judged by: the defaults of their pages, and what was set otherwise.
///
/// ```
/// use operator_tikv::invariants::Settings;
///
/// let mut settings = Settings::default();
/// settings.set("store_down", "grace", "30s")?;
/// let typo = settings.set("store_dwon", "grace", "30s").unwrap_err();
/// assert_eq!(typo.to_string(), "there is no rule `store_dwon`; the nearest is `store_down`");
/// # Ok::<(), operator_tikv::invariants::SettingError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    set: BTreeMap<(&'static str, &'static str), f64>,
}

/// Why something cannot be set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// There is no such rule.
    #[error("there is no rule `{code}`; the nearest is `{nearest}`")]
    Code {
        /// What was written.
        code: String,
        /// A code that there is.
        nearest: &'static str,
    },
    /// The rule has no such thing.
    #[error("rule `{code}` has no `{knob}`; the nearest is `{nearest}`, and it has {}", .known.join(", "))]
    Knob {
        /// The rule.
        code: &'static str,
        /// What was written.
        knob: String,
        /// A name that there is.
        nearest: &'static str,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// It cannot be that.
    #[error("`{code}.{knob}` cannot be `{value}`: expected {expected}")]
    Value {
        /// The rule.
        code: &'static str,
        /// What of it.
        knob: &'static str,
        /// What was written.
        value: String,
        /// What would have been right.
        expected: String,
    },
    /// Two of them contradict each other.
    #[error("`{code}.{low}` is {low_value}, which is more than `{code}.{high}`, {high_value}")]
    Order {
        /// The rule.
        code: &'static str,
        /// What should be the lower one.
        low: &'static str,
        /// What it is.
        low_value: String,
        /// What should be the higher one.
        high: &'static str,
        /// What it is.
        high_value: String,
    },
}

impl Settings {
    /// Sets a threshold, or `grace` or `settle`, of a rule.
    ///
    /// # Errors
    /// When there is no such rule or knob, or it cannot be that. What stands in order with another one is
    /// checked by [`check`](Self::check), when all are set.
    pub fn set(&mut self, code: &str, knob: &str, value: &str) -> Result<(), SettingError> {
        let page = page(code)?;
        let known = || page.settable().map(|knob| knob.name);
        let found = page.settable().find(|other| other.name == knob);
        let found = found.ok_or_else(|| SettingError::Knob {
            code: page.code,
            knob: knob.to_owned(),
            nearest: nearest(knob, known()).unwrap_or("grace"),
            known: known().collect(),
        })?;
        let number = found.read(value).ok_or_else(|| SettingError::Value {
            code: page.code,
            knob: found.name,
            value: value.to_owned(),
            expected: found.expects(),
        })?;
        self.set.insert((page.code, found.name), number);
        Ok(())
    }

    /// Whether what is set can be together.
    ///
    /// # Errors
    /// When a threshold is beyond one that should come after it.
    pub fn check(&self) -> Result<(), SettingError> {
        for page in registry::pages() {
            let of = |name: &str| page.settable().find(|knob| knob.name == name);
            for (low, high) in page.ordered {
                let (Some(low), Some(high)) = (of(low), of(high)) else {
                    continue;
                };
                let (low_is, high_is) = (self.of(page.code, &low), self.of(page.code, &high));
                if low_is > high_is {
                    return Err(SettingError::Order {
                        code: page.code,
                        low: low.name,
                        low_value: low.show(low_is),
                        high: high.name,
                        high_value: high.show(high_is),
                    });
                }
            }
        }
        Ok(())
    }

    /// What a knob of a rule is: as set, or as by default.
    pub fn of(&self, code: &'static str, knob: &Knob) -> f64 {
        let set = self.set.get(&(code, knob.name));
        set.copied().unwrap_or(knob.default)
    }

    /// As [`of`](Self::of), for a time.
    pub(super) fn span(&self, code: &'static str, knob: &Knob) -> Duration {
        // Every knob of that unit lies between nothing and a day.
        Duration::from_secs_f64(self.of(code, knob).clamp(0.0, 86_400.0))
    }
}

/// The page of a rule.
///
/// # Errors
/// When there is no such rule; with the nearest one that there is.
pub fn page(code: &str) -> Result<&'static Page, SettingError> {
    let known = || registry::pages().map(|page| page.code);
    registry::pages()
        .find(|page| page.code == code)
        .ok_or_else(|| SettingError::Code {
            code: code.to_owned(),
            nearest: nearest(code, known()).unwrap_or("store_down"),
        })
}

/// The word that is most like another.
pub(super) fn nearest(
    word: &str,
    known: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    known
        .map(|known| (strsim::jaro_winkler(word, known), known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_set_says_what_could_be() {
        let mut settings = Settings::default();
        let says = |error: Result<(), SettingError>| error.unwrap_err().to_string();
        assert_eq!(
            says(settings.set("store_down", "grase", "1s")),
            "rule `store_down` has no `grase`; the nearest is `grace`, and it has grace, settle, two_witnesses_after, one_witness_after"
        );
        assert_eq!(
            says(settings.set("store_down", "grace", "soon")),
            "`store_down.grace` cannot be `soon`: expected a time from 0s to 24h, as in `10s`"
        );
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn thresholds_stand_in_order() {
        let mut settings = Settings::default();
        assert_eq!(settings.check(), Ok(()));
        settings
            .set("store_down", "two_witnesses_after", "2min")
            .expect("a time");
        assert_eq!(
            settings.check().expect_err("later than one").to_string(),
            "`store_down.two_witnesses_after` is 2min, which is more than `store_down.one_witness_after`, 1min"
        );
    }
}
