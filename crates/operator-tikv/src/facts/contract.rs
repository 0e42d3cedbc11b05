//! Whether what the queries for measurements rely on is there.

use std::fmt;
use std::time::Duration;

use operator_core::{Entity, Timestamp};

/// What is known of everything that the queries rely on.
///
/// It costs a server two queries for each of ours, so it is checked seldom while all is well, and often
/// enough to be believed while something is not: the rule that judges it has a grace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contract {
    /// Each query's standing.
    pub checks: Vec<ContractCheck>,
    /// When they were checked.
    pub checked_at: Timestamp,
    /// When one of them was last found not to hold.
    pub doubtful_at: Option<Timestamp>,
}

impl Contract {
    /// While all of it holds it is checked this often: it is broken by an upgrade, not by a fault.
    pub const CHECKED_EVERY: Duration = Duration::from_secs(300);
    /// While one of it does not, and for a while after that, it is checked this often.
    pub const DOUBTED_EVERY: Duration = Duration::from_secs(60);

    /// What was found now, after what was found last.
    #[must_use]
    pub fn found(checks: Vec<ContractCheck>, at: Timestamp, last: Option<&Self>) -> Self {
        let doubtful = checks.iter().any(|check| !check.holds());
        let before = last.and_then(|last| last.doubtful_at);
        Self {
            checks,
            checked_at: at,
            doubtful_at: doubtful.then_some(at).or(before),
        }
    }

    /// Whether it is time to check again.
    pub fn is_due(&self, at: Timestamp) -> bool {
        let in_doubt = |doubtful: Timestamp| at.since(doubtful) < Self::CHECKED_EVERY;
        let every = match self.doubtful_at.is_some_and(in_doubt) {
            true => Self::DOUBTED_EVERY,
            false => Self::CHECKED_EVERY,
        };
        at.since(self.checked_at) >= every
    }
}

/// Whether a query can mean what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractCheck {
    /// The query's name.
    pub query: &'static str,
    /// What feeds on it.
    pub feeds: Vec<&'static str>,
    /// What its evaluation costs the server, where that is more than next to nothing.
    pub cost: &'static str,
    /// How it stands.
    pub standing: ContractStanding,
}

/// How a query stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContractStanding {
    /// Everything it relies on is there, and it has something to tell.
    Live,
    /// What it relies on is there or may be absent so far, and there is nothing to tell.
    Idle,
    /// Families that a healthy store exports from its start are not there.
    SeriesMissing(Vec<String>),
    /// Values of a label, as `label="value"`, are not there though their family is.
    ValueUnknown(Vec<String>),
    /// Those whom it asks about are not scraped, nor need be: what it would tell is read elsewhere.
    NotScraped,
    /// It cannot be said.
    Unseen(String),
}

impl ContractCheck {
    /// The entity that verdicts about this query name.
    pub fn entity(&self) -> Entity {
        Entity::named("query", self.query)
    }

    /// Whether the query's readings can be believed as far as this check can tell.
    pub fn holds(&self) -> bool {
        matches!(
            self.standing,
            ContractStanding::Live | ContractStanding::Idle | ContractStanding::NotScraped
        )
    }
}

impl fmt::Display for ContractCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.query)?;
        match &self.standing {
            ContractStanding::Live => f.write_str("live"),
            ContractStanding::Idle => f.write_str("idle"),
            ContractStanding::NotScraped => f.write_str("not scraped"),
            ContractStanding::SeriesMissing(names) => {
                write!(f, "series missing: {}", names.join(", "))
            }
            ContractStanding::ValueUnknown(values) => {
                write!(f, "label value unknown: {}", values.join(", "))
            }
            ContractStanding::Unseen(why) => write!(f, "unseen: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(standing: ContractStanding, at: i64, last: Option<&Contract>) -> Contract {
        let check = ContractCheck {
            query: "cpu",
            feeds: Vec::new(),
            cost: "",
            standing,
        };
        Contract::found(vec![check], Timestamp::from_unix_seconds(at), last)
    }

    /// When it is due, in seconds.
    fn due(contract: &Contract) -> i64 {
        let mut at = contract.checked_at;
        while !contract.is_due(at) {
            at = at + Duration::from_secs(10);
        }
        at.unix_millis() / 1000
    }

    #[test]
    fn what_is_in_doubt_is_checked_again_soon_and_for_a_while_after() {
        let well = found(ContractStanding::Live, 1000, None);
        assert_eq!(due(&well), 1300);
        let missing = ContractStanding::SeriesMissing(vec!["a".into()]);
        let broken = found(missing, 1300, Some(&well));
        assert_eq!(due(&broken), 1360);
        let mut last = broken;
        for at in [1360, 1420, 1480] {
            last = found(ContractStanding::Live, at, Some(&last));
            assert_eq!(due(&last), at + 60);
        }
        let last = found(ContractStanding::Live, 1540, Some(&last));
        assert_eq!(due(&last), 1840);
    }
}
