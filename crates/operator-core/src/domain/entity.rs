//! What a verdict is about.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{RegionId, StoreId};

/// The thing a verdict, a gap or an incident is about.
///
/// Entities print in one form and parse back from it, so that a person, a script and a state file all
/// say the same: `cluster`, `store/5`, `region/12`, or `KIND/ID` for what only one subject has.
///
/// ```
/// use operator_core::{Entity, StoreId};
///
/// assert_eq!(Entity::Store(StoreId(5)).to_string(), "store/5");
/// assert_eq!("pd/pd-0".parse(), Ok(Entity::named("pd", "pd-0")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entity {
    /// The cluster as a whole.
    Cluster,
    /// One store.
    Store(StoreId),
    /// One region.
    Region(RegionId),
    /// Something that only this subject has: a placement driver's member, a query, an origin.
    ///
    /// Build it with [`Entity::named`], which keeps the printed form unambiguous.
    Named {
        /// What kind of thing, in one word without a slash: `pd`, `query`.
        kind: Cow<'static, str>,
        /// Which one, as its subject calls it.
        id: Arc<str>,
    },
}

impl Entity {
    /// An entity of a kind that only this subject has.
    ///
    /// A kind of this module's own gives that entity (`named("store", "5")` is store 5), so that two
    /// entities which print alike are always equal.
    pub fn named(kind: impl Into<Cow<'static, str>>, id: impl Into<Arc<str>>) -> Self {
        let (kind, id) = (kind.into(), id.into());
        match kind.as_ref() {
            "store" => id.parse().map(Self::Store).ok(),
            "region" => id.parse().map(Self::Region).ok(),
            _ => None,
        }
        .unwrap_or(Self::Named { kind, id })
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.pad("cluster"),
            Self::Store(id) => write!(f, "store/{id}"),
            Self::Region(id) => write!(f, "region/{id}"),
            Self::Named { kind, id } => write!(f, "{kind}/{id}"),
        }
    }
}

/// A text that names no entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` names no entity: expected `cluster`, `store/ID`, `region/ID` or `KIND/ID`")]
pub struct ParseEntityError {
    text: String,
}

impl FromStr for Entity {
    type Err = ParseEntityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseEntityError { text: text.into() };
        if text == "cluster" {
            return Ok(Self::Cluster);
        }
        let (kind, id) = text.split_once('/').ok_or_else(wrong)?;
        match Self::named(kind.to_owned(), id) {
            Self::Named { kind, .. } if matches!(kind.as_ref(), "" | "store" | "region") => {
                Err(wrong())
            }
            Self::Named { id, .. } if id.is_empty() => Err(wrong()),
            entity => Ok(entity),
        }
    }
}

#[cfg(feature = "serde")]
mod serde_form {
    use super::Entity;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    impl Serialize for Entity {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Entity {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            String::deserialize(deserializer)?
                .parse()
                .map_err(D::Error::custom)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prints_parses_back() {
        for entity in [
            Entity::Cluster,
            Entity::Store(StoreId(u64::MAX)),
            Entity::Region(RegionId(0)),
            Entity::named("pd", "pd-0"),
            Entity::named("origin", "10.0.0.1:9090/prom"),
        ] {
            assert_eq!(entity.to_string().parse(), Ok(entity));
        }
    }

    #[test]
    fn entities_that_print_alike_are_equal() {
        assert_eq!(Entity::named("store", "5"), Entity::Store(StoreId(5)));
        assert_eq!(Entity::named("region", "5"), Entity::Region(RegionId(5)));
    }

    #[test]
    fn what_names_nothing_is_refused_with_what_was_expected() {
        for text in ["", "stor", "store/", "store/x", "region/-1", "/5", "pd/"] {
            let error = text.parse::<Entity>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` names no entity: expected")));
        }
    }
}
