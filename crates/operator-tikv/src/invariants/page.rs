//! What a person needs to know of a rule, and what of it can be set.

use std::time::Duration;

use operator_core::{Kind, Rule};

use super::Settings;

/// One rule's page: what it means, what it is judged by, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Page {
    /// Its name, stable for ever.
    pub code: &'static str,
    /// Whether it is about the cluster, or about our sight of it.
    pub kind: Kind,
    /// What is so when it is broken, in one line.
    pub summary: &'static str,
    /// When it is broken, and how bad that is.
    pub broken_when: &'static str,
    /// What it names: a store, a region, the cluster, a member of PD.
    pub entity: &'static str,
    /// What it reads.
    pub input: &'static str,
    /// What it means for those who use the cluster.
    pub meaning: &'static str,
    /// What a finding shows.
    pub evidence: &'static str,
    /// Where its thresholds come from.
    pub origin: &'static str,
    /// When it speaks though nothing is wrong, or is silent though something is.
    pub false_alarms: &'static str,
    /// What to do, first things first.
    pub what_to_do: &'static [&'static str],
    /// Time seen broken before it is raised, unless set otherwise.
    pub grace: Duration,
    /// Time seen healthy before it is resolved, unless set otherwise.
    pub settle: Duration,
    /// What else of it can be set.
    pub knobs: &'static [Knob],
    /// Pairs of knobs of which the first must not exceed the second.
    pub ordered: &'static [(&'static str, &'static str)],
}

impl Page {
    /// The rule as it is judged under these settings.
    pub(super) fn rule(&self, settings: &Settings) -> Rule {
        let rule = match self.kind {
            Kind::Cluster => Rule::new(self.code, self.summary),
            Kind::Sight => Rule::sight(self.code, self.summary),
        };
        rule.grace(settings.span(self.code, &self.grace_knob()))
            .settle(settings.span(self.code, &self.settle_knob()))
    }

    /// Everything that can be set: grace and settle first.
    pub fn settable(&self) -> impl Iterator<Item = Knob> {
        [self.grace_knob(), self.settle_knob()]
            .into_iter()
            .chain(self.knobs.iter().copied())
    }

    fn grace_knob(&self) -> Knob {
        Knob::span(
            "grace",
            self.grace.as_secs_f64(),
            "time seen broken before it is raised",
        )
    }

    fn settle_knob(&self) -> Knob {
        Knob::span(
            "settle",
            self.settle.as_secs_f64(),
            "time seen healthy before it is resolved",
        )
    }
}

/// Something about a rule that can be set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knob {
    /// Its name, unique within the rule.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is unless set otherwise.
    pub default: f64,
    /// The least it may be.
    pub low: f64,
    /// The most it may be.
    pub high: f64,
    /// What it decides.
    pub about: &'static str,
}

/// What a knob is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Seconds; written as `90s`, `10 min`, `1h`.
    Span,
    /// A share from 0 to 1; written as `0.7` or `70%`.
    Ratio,
    /// A number.
    Number,
}

const DAY: f64 = 86_400.0;

impl Knob {
    /// A time, of up to a day.
    pub(super) const fn span(name: &'static str, default: f64, about: &'static str) -> Self {
        Self {
            name,
            unit: Unit::Span,
            default,
            low: 0.0,
            high: DAY,
            about,
        }
    }

    /// A share from 0 to 1.
    pub(super) const fn ratio(name: &'static str, default: f64, about: &'static str) -> Self {
        Self {
            name,
            unit: Unit::Ratio,
            default,
            low: 0.0,
            high: 1.0,
            about,
        }
    }

    /// A number from `low` to `high`.
    pub(super) const fn number(
        name: &'static str,
        default: f64,
        (low, high): (f64, f64),
        about: &'static str,
    ) -> Self {
        Self {
            name,
            unit: Unit::Number,
            default,
            low,
            high,
            about,
        }
    }

    /// A value of it, as a person writes it.
    pub fn show(&self, value: f64) -> String {
        match self.unit {
            Unit::Ratio => format!("{}%", (value * 1e6).round() / 1e4),
            Unit::Number => value.to_string(),
            Unit::Span => match value {
                value if value >= 3600.0 && value % 3600.0 == 0.0 => format!("{}h", value / 3600.0),
                value if value >= 60.0 && value % 60.0 == 0.0 => format!("{}min", value / 60.0),
                value if value < 1.0 && value > 0.0 => format!("{}ms", value * 1000.0),
                value => format!("{value}s"),
            },
        }
    }

    /// What was written, as a value of it; nothing where it cannot be one.
    pub fn read(&self, text: &str) -> Option<f64> {
        let text = text.trim();
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
        let number: f64 = number.parse().ok()?;
        let value = match (self.unit, unit.trim()) {
            (_, "") | (Unit::Span, "s") => number,
            (Unit::Span, "ms") => number / 1000.0,
            (Unit::Span, "m" | "min") => number * 60.0,
            (Unit::Span, "h") => number * 3600.0,
            (Unit::Span, "d") => number * DAY,
            (Unit::Ratio, "%") => number / 100.0,
            _ => return None,
        };
        (self.low..=self.high).contains(&value).then_some(value)
    }

    /// What may be written for it.
    pub fn expects(&self) -> String {
        let what = match self.unit {
            Unit::Span => "a time",
            Unit::Ratio => "a share",
            Unit::Number => "a number",
        };
        let (low, high) = (self.show(self.low), self.show(self.high));
        let like = self.show(self.default);
        format!("{what} from {low} to {high}, as in `{like}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read() {
        let span = Knob::span("grace", 60.0, "");
        for text in ["60s", "10min", "1h", "500ms", "90s"] {
            let value = span.read(text).expect("a time");
            assert_eq!(span.read(&span.show(value)), Some(value), "{text}");
        }
        assert_eq!(span.read("10 min"), Some(600.0));
        assert_eq!(span.read("90"), Some(90.0));
        assert_eq!(span.read("2d"), None);
        assert_eq!(span.read("soon"), None);
        let ratio = Knob::ratio("fill", 0.7, "");
        assert_eq!(ratio.read("70%"), Some(0.7));
        assert_eq!(ratio.show(0.7), "70%");
        assert_eq!(ratio.read("70"), None);
        assert_eq!(ratio.read("-1"), None);
    }
}
