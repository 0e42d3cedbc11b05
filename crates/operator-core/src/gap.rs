//! What could not be seen, and why.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::time::seconds;
use crate::{Entity, Error, Fault, Timestamp};

/// Something that could not be seen: what, why, from where, since when, and which entity it is about.
///
/// A gap is how ignorance travels: from a read, through the snapshot and a rule's `?`, to the screen.
/// It is never a value and never a failure of the whole. Cloning one is cheap.
///
/// ```
/// use operator_core::{Entity, Gap, StoreId, Why};
///
/// let gap = Gap::new("disk used", Why::Unsaid)
///     .about(Entity::Store(StoreId(5)))
///     .at("http://prom:9090");
/// assert_eq!(
///     gap.to_string(),
///     "disk used of store/5 not seen: the answer does not say (from http://prom:9090)"
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Gap(Arc<Body>);

#[derive(Debug, Clone, PartialEq)]
struct Body {
    what: Cow<'static, str>,
    why: Why,
    entity: Option<Entity>,
    origin: Option<String>,
    since: Option<Timestamp>,
}

impl Gap {
    /// A gap where `what` should be.
    pub fn new(what: impl Into<Cow<'static, str>>, why: Why) -> Self {
        Self(Arc::new(Body {
            what: what.into(),
            why,
            entity: None,
            origin: None,
            since: None,
        }))
    }

    /// The same gap, about one entity.
    #[must_use]
    pub fn about(mut self, entity: Entity) -> Self {
        Arc::make_mut(&mut self.0).entity = Some(entity);
        self
    }

    /// The same gap, with who should have answered.
    #[must_use]
    pub fn at(mut self, origin: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.0).origin = Some(origin.into());
        self
    }

    /// The same gap, with the time since when it stands.
    #[must_use]
    pub fn since(mut self, since: Timestamp) -> Self {
        Arc::make_mut(&mut self.0).since = Some(since);
        self
    }

    /// What is missing.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// Why it is missing.
    pub fn why(&self) -> &Why {
        &self.0.why
    }

    /// The entity it is about, if it is about one.
    pub fn entity(&self) -> Option<&Entity> {
        self.0.entity.as_ref()
    }

    /// Who should have answered, if that is known.
    pub fn origin(&self) -> Option<&str> {
        self.0.origin.as_deref()
    }

    /// Since when it stands, if that is known.
    pub fn standing_since(&self) -> Option<Timestamp> {
        self.0.since
    }
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        match &*error.fault {
            Fault::NotConfigured { .. } => Self::NotConfigured,
            _ => Self::Failed(Arc::new(error)),
        }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Body {
            what,
            why,
            entity,
            origin,
            since,
        } = &*self.0;
        f.write_str(what)?;
        if let Some(entity) = entity {
            write!(f, " of {entity}")?;
        }
        write!(f, " not seen: {why}")?;
        match (origin, since) {
            (Some(origin), Some(since)) => write!(f, " (from {origin}, since {since})"),
            (Some(origin), None) => write!(f, " (from {origin})"),
            (None, Some(since)) => write!(f, " (since {since})"),
            (None, None) => Ok(()),
        }
    }
}

/// What is missing from a list, with those about one entity found at once.
///
/// Reads as a slice; made from a `Vec`, or collected, and added to like one.
#[derive(Debug, Clone, Default)]
pub struct Gaps {
    list: Vec<Gap>,
    by_entity: OnceLock<HashMap<Entity, Vec<usize>>>,
}

impl Gaps {
    /// One gap more.
    pub fn push(&mut self, gap: Gap) {
        self.extend([gap]);
    }

    /// The gaps about an entity, in the order they were added.
    pub fn about(&self, entity: &Entity) -> impl Iterator<Item = &Gap> {
        let positions = match self.list.is_empty() {
            true => None,
            false => self.by_entity.get_or_init(|| self.index()).get(entity),
        };
        let positions = positions.map_or(&[][..], Vec::as_slice);
        positions
            .iter()
            .filter_map(|position| self.list.get(*position))
    }

    fn index(&self) -> HashMap<Entity, Vec<usize>> {
        let mut index: HashMap<Entity, Vec<usize>> = HashMap::new();
        for (position, gap) in self.list.iter().enumerate() {
            if let Some(entity) = gap.entity() {
                index.entry(entity.clone()).or_default().push(position);
            }
        }
        index
    }
}

impl Extend<Gap> for Gaps {
    fn extend<I: IntoIterator<Item = Gap>>(&mut self, gaps: I) {
        self.list.extend(gaps);
        self.by_entity = OnceLock::new();
    }
}

impl Deref for Gaps {
    type Target = [Gap];

    fn deref(&self) -> &[Gap] {
        &self.list
    }
}

impl From<Vec<Gap>> for Gaps {
    fn from(list: Vec<Gap>) -> Self {
        Self {
            list,
            by_entity: OnceLock::new(),
        }
    }
}

impl FromIterator<Gap> for Gaps {
    fn from_iter<I: IntoIterator<Item = Gap>>(gaps: I) -> Self {
        Vec::from_iter(gaps).into()
    }
}

impl<'a> IntoIterator for &'a Gaps {
    type Item = &'a Gap;
    type IntoIter = std::slice::Iter<'a, Gap>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl PartialEq for Gaps {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

/// Why something could not be seen.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// Nobody configured where to look. Listed, never counted as blindness.
    NotConfigured,
    /// This subject has no such thing; a rule that needs it is blind for good.
    NotOffered,
    /// It has not been asked for yet.
    NotAsked,
    /// It can only be read by means of something else, which was not seen.
    Needs {
        /// What it needs.
        what: &'static str,
    },
    /// No answer came in time.
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The read failed.
    Failed(Arc<Error>),
    /// The code that reads it panicked: a fault of ours, kept to the part it hit.
    Panicked {
        /// What the panic said.
        message: String,
    },
    /// The source answered, and did not say.
    Unsaid,
    /// It was there, and is no more. The gap's `since` is when it was last seen, where that is known.
    Vanished,
    /// The source said something that cannot be used.
    Unusable {
        /// What would have been usable.
        expected: Cow<'static, str>,
        /// What came instead.
        found: String,
    },
    /// What there is has become too old.
    Stale {
        /// How old it is.
        age: Duration,
        /// How old it may be.
        limit: Duration,
    },
    /// The source said something that is known to be wrong just now.
    Distrusted {
        /// Why it is not believed.
        because: Cow<'static, str>,
    },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured => f.write_str("not configured"),
            Self::NotOffered => f.write_str("this subject does not offer it"),
            Self::NotAsked => f.write_str("not asked for yet"),
            Self::Needs { what } => write!(f, "it needs {what}, which were not seen"),
            Self::TimedOut { after } => write!(f, "no answer within {}", seconds(*after)),
            Self::Failed(error) => write!(f, "{error:#}"),
            Self::Panicked { message } => write!(f, "it panicked: {message}"),
            Self::Unsaid => f.write_str("the answer does not say"),
            Self::Vanished => f.write_str("it was there, and is no more"),
            Self::Unusable { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Stale { age, limit } => {
                let (age, limit) = (seconds(*age), seconds(*limit));
                write!(f, "{age} old, at most {limit} is believed")
            }
            Self::Distrusted { because } => write!(f, "not believed: {because}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Fault, StoreId};

    /// Golden: what a person reads.
    #[test]
    fn every_gap_says_what_and_why() {
        let failed = Error::new(
            "read stores",
            Fault::Status {
                code: 503,
                excerpt: "no leader".into(),
            },
        )
        .at("http://pd-0:2379");
        let table = [
            (Why::NotConfigured, "P99 not seen: not configured"),
            (
                Why::NotOffered,
                "P99 not seen: this subject does not offer it",
            ),
            (Why::NotAsked, "P99 not seen: not asked for yet"),
            (
                Why::Needs { what: "stores" },
                "P99 not seen: it needs stores, which were not seen",
            ),
            (
                Why::TimedOut {
                    after: Duration::from_millis(2500),
                },
                "P99 not seen: no answer within 2.5 s",
            ),
            (
                Why::from(failed),
                "P99 not seen: cannot read stores from http://pd-0:2379: status 503: no leader",
            ),
            (
                Why::Panicked {
                    message: "index out of bounds".into(),
                },
                "P99 not seen: it panicked: index out of bounds",
            ),
            (Why::Unsaid, "P99 not seen: the answer does not say"),
            (Why::Vanished, "P99 not seen: it was there, and is no more"),
            (
                Why::Unusable {
                    expected: "a number".into(),
                    found: "NaN".into(),
                },
                "P99 not seen: expected a number, found NaN",
            ),
            (
                Why::Stale {
                    age: Duration::from_secs(75),
                    limit: Duration::from_secs(60),
                },
                "P99 not seen: 75 s old, at most 60 s is believed",
            ),
            (
                Why::Distrusted {
                    because: "the leader changed 4 s ago".into(),
                },
                "P99 not seen: not believed: the leader changed 4 s ago",
            ),
        ];
        for (why, expected) in table {
            assert_eq!(Gap::new("P99", why).to_string(), expected);
        }
    }

    #[test]
    fn a_gap_says_about_whom_from_where_and_since_when() {
        let gap = Gap::new("P99", Why::Unsaid)
            .about(Entity::Store(StoreId(4)))
            .since(Timestamp::from_unix_seconds(1_700_000_000));
        assert_eq!(
            gap.to_string(),
            "P99 of store/4 not seen: the answer does not say (since 2023-11-14T22:13:20Z)"
        );
        assert_eq!(
            gap.at("http://prom:9090").to_string(),
            "P99 of store/4 not seen: the answer does not say (from http://prom:9090, since 2023-11-14T22:13:20Z)"
        );
    }
}
