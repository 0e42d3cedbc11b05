//! Values that say how they were come by, and lists that say what is missing from them.

use std::fmt;
use std::sync::Arc;

use super::Entity;
use super::region::write_hex;
use crate::{Gap, Gaps, Timestamp, Why};

/// A measured quantity: seen, idle, or not seen.
///
/// Empty, not-a-number, zero and missing are four different things. A zero is a [`Seen`] zero; a
/// latency in a minute without requests is [`Idle`]; everything else that is not a number is [`Blind`]
/// with the reason.
///
/// [`Seen`]: Reading::Seen
/// [`Idle`]: Reading::Idle
/// [`Blind`]: Reading::Blind
#[derive(Debug, Clone, PartialEq)]
pub enum Reading<T> {
    /// The value, with when and where it was measured.
    Seen(Measured<T>),
    /// The source answered, and nothing happened that could have a value.
    Idle,
    /// It could not be seen.
    Blind(Gap),
}

impl<T> Reading<T> {
    /// What was measured, `None` when idle.
    ///
    /// Made for `?` in a rule: what cannot be seen ends the judgement of this entity as unseen.
    ///
    /// # Errors
    /// The gap, when the quantity could not be seen.
    ///
    /// ```
    /// use operator_core::{Gap, Reading, Why};
    ///
    /// let blind: Reading<f64> = Reading::Blind(Gap::new("write P99", Why::NotConfigured));
    /// assert!(blind.measured().is_err());
    /// assert_eq!(Reading::<f64>::Idle.measured(), Ok(None));
    /// ```
    pub fn measured(&self) -> Result<Option<&Measured<T>>, Gap> {
        match self {
            Self::Seen(measured) => Ok(Some(measured)),
            Self::Idle => Ok(None),
            Self::Blind(gap) => Err(gap.clone()),
        }
    }

    /// The value, when there is one. For showing; a rule wants [`Reading::measured`].
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Seen(measured) => Some(&measured.value),
            Self::Idle | Self::Blind(_) => None,
        }
    }

    /// Why it could not be seen, when it could not.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Self::Blind(gap) => Some(gap),
            Self::Seen(_) | Self::Idle => None,
        }
    }
}

impl<T> From<Result<Measured<T>, Gap>> for Reading<T> {
    fn from(result: Result<Measured<T>, Gap>) -> Self {
        match result {
            Ok(measured) => Self::Seen(measured),
            Err(gap) => Self::Blind(gap),
        }
    }
}

/// A value with when and where it was measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured<T> {
    /// The value.
    pub value: T,
    /// When the source sampled it, which may be long before it was read.
    pub sampled_at: Timestamp,
    /// Where it came from.
    pub source: Source,
}

impl<T> Measured<T> {
    /// A value with when and where it was measured.
    pub fn new(value: T, sampled_at: Timestamp, source: impl Into<Source>) -> Self {
        Self {
            value,
            sampled_at,
            source: source.into(),
        }
    }

    /// Another value from the same measurement.
    pub fn map<U>(&self, of: impl FnOnce(&T) -> U) -> Measured<U> {
        Measured {
            value: of(&self.value),
            sampled_at: self.sampled_at,
            source: self.source.clone(),
        }
    }
}

/// Where a value came from, as a person would look it up: an endpoint or a query. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "String", from = "String"))]
pub struct Source(Arc<str>);

impl Source {
    /// The source as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for Source {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

#[cfg(feature = "serde")]
impl From<Source> for String {
    fn from(source: Source) -> Self {
        source.as_str().to_owned()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A list that says what is missing from it.
///
/// One bad item costs itself: the rest is in `items`, and a gap [about](Gap::about) the bad item is in
/// `gaps`. An entity that a gap names is unseen, never gone.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    /// What was read.
    pub items: Vec<T>,
    /// What could not be read, and why.
    pub gaps: Gaps,
    /// Where to go on when there is more than was asked for. A list with a `next` holds at least what
    /// it holds: its length is not a count.
    pub next: Option<Cursor>,
}

impl<T> Listing<T> {
    /// A list that is whole.
    pub fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            gaps: Gaps::default(),
            next: None,
        }
    }

    /// Whether nothing is missing: no gap, and nothing further to fetch.
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty() && self.next.is_none()
    }

    /// Why something about this entity is missing, if it is.
    pub fn gap_about(&self, entity: &Entity) -> Option<&Gap> {
        self.gaps.about(entity).next()
    }

    /// A field that a server may leave unsaid, as a rule needs it: the value, or the gap that says why
    /// it is not there.
    ///
    /// # Errors
    /// The gap about the entity that speaks of `what`, else any gap about it, else a new one.
    ///
    /// ```
    /// use operator_core::{Listing, Store, StoreId};
    ///
    /// let listing = Listing::whole(vec![Store::new(StoreId(4), "10.0.0.4:20160")]);
    /// let store = &listing.items[0];
    /// let gap = listing.known(&store.entity(), "capacity", store.capacity_bytes).unwrap_err();
    /// assert_eq!(gap.to_string(), "capacity of store/4 not seen: the answer does not say");
    /// ```
    pub fn known<V>(
        &self,
        entity: &Entity,
        what: &'static str,
        value: Option<V>,
    ) -> Result<V, Gap> {
        let why = || {
            let about = || self.gaps.about(entity);
            let gap = about().find(|gap| gap.what() == what).or(about().next());
            gap.cloned()
                .unwrap_or_else(|| Gap::new(what, Why::Unsaid).about(entity.clone()))
        };
        value.ok_or_else(why)
    }
}

/// Where a list goes on. Only the subject that gave it out can read it; for others it is opaque.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Vec<u8>);

impl Cursor {
    /// A cursor over whatever bytes the subject wants to see again.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes it was made of.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}
