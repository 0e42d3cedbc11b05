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
    /// Something that only this subject has: a placement driver's member, a query, an origin. Made by
    /// [`Entity::named`].
    Named(Name),
}

/// The kind and the id of an entity that only one subject has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    kind: Cow<'static, str>,
    id: Arc<str>,
}

impl Name {
    /// What kind of thing, in one word: `pd`, `query`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Which one, as its subject calls it.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Entity {
    /// An entity of a kind that only this subject has.
    ///
    /// Whatever it is given, what it makes prints unlike every other entity and parses back: a kind of
    /// this module's own gives that entity (`named("store", "5")` is store 5), a slash in the kind becomes
    /// a dot, and what is empty becomes `?`.
    pub fn named(kind: impl Into<Cow<'static, str>>, id: impl Into<Arc<str>>) -> Self {
        let (mut kind, mut id) = (kind.into(), id.into());
        if kind.contains('/') {
            kind = kind.replace('/', ".").into();
        }
        if kind.is_empty() {
            kind = "?".into();
        }
        if id.is_empty() {
            id = "?".into();
        }
        match kind.as_ref() {
            "store" => id.parse().map(Self::Store).ok(),
            "region" => id.parse().map(Self::Region).ok(),
            _ => None,
        }
        .unwrap_or(Self::Named(Name { kind, id }))
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => f.pad("cluster"),
            Self::Store(id) => write!(f, "store/{id}"),
            Self::Region(id) => write!(f, "region/{id}"),
            Self::Named(Name { kind, id }) => write!(f, "{kind}/{id}"),
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
        match text.split_once('/') {
            Some((kind, id)) if !kind.is_empty() && !id.is_empty() => {
                Ok(Self::named(kind.to_owned(), id))
            }
            _ => Err(wrong()),
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
            // What nobody should say, and somebody will.
            Entity::named("store", "nas-1"),
            Entity::named("region", "-1"),
            Entity::named("cluster", "a"),
            Entity::named("a/b", "c"),
            Entity::named("", ""),
            Entity::named("backup", ""),
        ] {
            assert_eq!(entity.to_string().parse(), Ok(entity));
        }
    }

    #[test]
    fn entities_that_print_alike_are_equal() {
        assert_eq!(Entity::named("store", "5"), Entity::Store(StoreId(5)));
        assert_eq!(Entity::named("region", "5"), Entity::Region(RegionId(5)));
        assert_ne!(Entity::named("a/b", "c"), Entity::named("a", "b/c"));
        assert_ne!(
            Entity::named("a/b", "c").to_string(),
            Entity::named("a", "b/c").to_string()
        );
    }

    #[test]
    fn what_names_nothing_is_refused_with_what_was_expected() {
        for text in ["", "stor", "store/", "/5", "pd/"] {
            let error = text.parse::<Entity>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` names no entity: expected")));
        }
    }
}
