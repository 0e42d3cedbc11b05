//! What may be done to a cluster: plain values that say it, and slots for the things that do it.
//!
//! An [`Action`] is data: it prints as one line and parses back, so that it can be shown, approved,
//! logged and sent before anything happens. What a subject can do is the set of [`Actions`] slots that
//! it fills: declaring an ability and implementing it are one act, and an empty slot is an honest no.

use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;

use crate::{Error, Fault, RegionId, Result, StoreId};

/// Does one kind of action. A subject fills a slot of [`Actions`] with something that implements this.
///
/// An implementor sends the action once and tells what is known: it never retries a request that may
/// have arrived, and it does not wait for the cluster to finish what it accepted. What an action names
/// and is not there is [`Fault::NotFound`]; what is there and will not is [`Fault::Refused`].
///
/// ```
/// use operator_core::{Act, Actions, DrainStore, Entity, Error, Fault, Receipt, Result, Standing};
///
/// #[derive(Debug)]
/// struct Queue { brokers: Vec<u64> }
///
/// #[async_trait::async_trait]
/// impl Act<DrainStore> for Queue {
///     async fn act(&self, action: &DrainStore) -> Result<Receipt> {
///         let store = action.store;
///         match self.brokers.contains(&store.0) {
///             true => Ok(Receipt::new(*action, Standing::Accepted, "it will be empty in a while")),
///             false => Err(Error::new("drain a broker", Fault::NotFound(Entity::Store(store))).at("queue")),
///         }
///     }
/// }
///
/// // In `Subject::actions`: the slot is declared by being filled.
/// fn actions(queue: &Queue) -> Actions<'_> {
///     Actions { drain_store: Some(queue), ..Actions::none() }
/// }
/// # assert_eq!(actions(&Queue { brokers: vec![] }).kinds().len(), 1);
/// ```
#[async_trait]
pub trait Act<A>: fmt::Debug + Send + Sync {
    /// Does it.
    ///
    /// # Errors
    /// When the action was refused, or could not be sent.
    async fn act(&self, action: &A) -> Result<Receipt>;
}

/// What became of an action that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The action.
    pub action: Action,
    /// How far it is known to have come.
    pub standing: Standing,
    /// What the other side said.
    pub said: String,
}

impl Receipt {
    /// What became of an action.
    pub fn new(action: impl Into<Action>, standing: Standing, said: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            standing,
            said: said.into(),
        }
    }
}

/// How far an action is known to have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The cluster took it on. Whether it happens shows in what the cluster does next.
    Accepted,
    /// It has taken effect.
    Done,
}

/// A share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Ratio {
    /// All of it.
    pub const FULL: Self = Self(1.0);

    /// The share, if it is one.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The share as a number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Ratio {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let value = text.parse().ok().and_then(Self::new);
        value.ok_or("expected a number from 0 to 1")
    }
}

/// A text that is no action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no action: {problem}")]
pub struct ParseActionError {
    text: String,
    problem: String,
}

/// One row per action: everything else about actions is derived from these.
macro_rules! actions {
    ($($(#[$doc:meta])* $kind:ident $word:literal $slot:ident {
        $($(#[$field_doc:meta])* $field:ident: $value:ty,)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq)]
            pub struct $kind {
                $($(#[$field_doc])* pub $field: $value,)*
            }

            impl From<$kind> for Action {
                fn from(action: $kind) -> Self {
                    Self::$kind(action)
                }
            }
        )*

        /// Something that may be done to a cluster, as a value.
        ///
        /// ```
        /// use operator_core::{Action, RegionId, StoreId, TransferLeader};
        ///
        /// let action: Action = "transfer-leader region=12 to=5".parse()?;
        /// assert_eq!(action, TransferLeader { region: RegionId(12), to: StoreId(5) }.into());
        /// assert_eq!(action.to_string(), "transfer-leader region=12 to=5");
        /// # Ok::<(), operator_core::ParseActionError>(())
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq)]
        pub enum Action {
            $($(#[$doc])* $kind($kind),)*
        }

        /// A kind of action.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ActionKind {
            $($(#[$doc])* $kind,)*
        }

        impl ActionKind {
            /// Every kind there is.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The word that names it, as in the printed form of its actions.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$kind => $word,)*
                }
            }
        }

        impl Action {
            /// What kind it is.
            pub fn kind(&self) -> ActionKind {
                match self {
                    $(Self::$kind(_) => ActionKind::$kind,)*
                }
            }
        }

        impl fmt::Display for Action {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.kind().word())?;
                match self {
                    $(Self::$kind(action) => {
                        $(write!(f, concat!(" ", stringify!($field), "={}"), action.$field)?;)*
                    })*
                }
                Ok(())
            }
        }

        impl FromStr for Action {
            type Err = ParseActionError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let parse = || {
                    let mut fields = Fields::of(text);
                    let action = match fields.word {
                        $($word => Self::$kind($kind {
                            $($field: fields.take(stringify!($field))?,)*
                        }),)*
                        word => return Err(unknown(word)),
                    };
                    fields.end()?;
                    Ok(action)
                };
                parse().map_err(|problem| ParseActionError { text: text.into(), problem })
            }
        }

        /// What a subject can do: one slot per kind of action, filled with the thing that does it.
        #[derive(Debug, Clone, Copy, Default)]
        pub struct Actions<'a> {
            $($(#[$doc])* pub $slot: Option<&'a dyn Act<$kind>>,)*
        }

        impl Actions<'_> {
            /// No slot is filled: the subject can only be observed.
            pub fn none() -> Self {
                Self { $($slot: None,)* }
            }

            /// The kinds whose slots are filled.
            pub fn kinds(&self) -> Vec<ActionKind> {
                [$(self.$slot.map(|_| ActionKind::$kind),)*].into_iter().flatten().collect()
            }

            /// Does an action, on behalf of the subject that is called `subject`.
            ///
            /// # Errors
            /// [`Fault::Unsupported`] when its slot is empty; else what the slot says.
            pub async fn act(&self, subject: &str, action: &Action) -> Result<Receipt> {
                match action {
                    $(Action::$kind(inner) => match self.$slot {
                        Some(slot) => slot.act(inner).await,
                        None => Err(unsupported(subject, action)),
                    },)*
                }
            }
        }
    };
}

actions! {
    /// Makes the peer on another store the leader of a region.
    TransferLeader "transfer-leader" transfer_leader {
        /// The region.
        region: RegionId,
        /// The store whose peer shall lead.
        to: StoreId,
    }
    /// Splits a region in two.
    SplitRegion "split-region" split_region {
        /// The region.
        region: RegionId,
    }
    /// Moves every leader off a store, and keeps them off.
    DrainStore "drain-store" drain_store {
        /// The store.
        store: StoreId,
    }
    /// Bounds how many leaders are moved at once.
    SetLeaderScheduleLimit "set-leader-schedule-limit" set_leader_schedule_limit {
        /// The bound; zero stops moving leaders.
        limit: u64,
    }
    /// Bounds how many replicas are made or removed at once.
    SetReplicaScheduleLimit "set-replica-schedule-limit" set_replica_schedule_limit {
        /// The bound; zero stops repair.
        limit: u64,
    }
    /// Bounds how many regions are moved at once.
    SetRegionScheduleLimit "set-region-schedule-limit" set_region_schedule_limit {
        /// The bound; zero stops moving regions.
        limit: u64,
    }
    /// Sets how full a store may be before nothing more is placed there.
    SetLowSpaceThreshold "set-low-space-threshold" set_low_space_threshold {
        /// The share of its capacity.
        ratio: Ratio,
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

fn unsupported(subject: &str, action: &Action) -> Error {
    let subject = subject.to_owned();
    Error::new(action.to_string(), Fault::Unsupported { subject })
}

fn unknown(word: &str) -> String {
    let words: Vec<_> = ActionKind::ALL.iter().map(|kind| kind.word()).collect();
    format!("`{word}` is none of {}", words.join(", "))
}

/// The fields of a printed action, taken one by one; each must be there once, and no other.
struct Fields<'a> {
    word: &'a str,
    rest: Vec<&'a str>,
}

impl<'a> Fields<'a> {
    fn of(text: &'a str) -> Self {
        let mut words = text.split_whitespace();
        Self {
            word: words.next().unwrap_or_default(),
            rest: words.collect(),
        }
    }

    fn take<T: FromStr<Err: fmt::Display>>(&mut self, field: &str) -> Result<T, String> {
        let position = self
            .rest
            .iter()
            .position(|word| word.split_once('=').is_some_and(|(name, _)| name == field))
            .ok_or_else(|| format!("`{field}=` is missing"))?;
        let (_, value) = self
            .rest
            .remove(position)
            .split_once('=')
            .unwrap_or_default();
        value
            .parse()
            .map_err(|error| format!("`{field}={value}`: {error}"))
    }

    fn end(self) -> Result<(), String> {
        match self.rest.first() {
            Some(word) => Err(format!("`{word}` does not belong to {}", self.word)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_prints_and_parses_back() {
        let actions: [Action; 7] = [
            TransferLeader {
                region: RegionId(12),
                to: StoreId(5),
            }
            .into(),
            SplitRegion {
                region: RegionId(u64::MAX),
            }
            .into(),
            DrainStore { store: StoreId(1) }.into(),
            SetLeaderScheduleLimit { limit: 0 }.into(),
            SetReplicaScheduleLimit { limit: 64 }.into(),
            SetRegionScheduleLimit { limit: 2048 }.into(),
            SetLowSpaceThreshold { ratio: Ratio(0.85) }.into(),
        ];
        assert_eq!(
            actions.each_ref().map(Action::kind).as_slice(),
            ActionKind::ALL
        );
        for action in actions {
            assert_eq!(action.to_string().parse(), Ok(action));
        }
    }

    #[test]
    fn a_wrong_action_says_what_is_wrong_with_it() {
        let table = [
            ("transfer-leader region=12", "`to=` is missing"),
            (
                "transfer-leader region=x to=5",
                "`region=x`: invalid digit found in string",
            ),
            (
                "drain-store store=1 store=2",
                "`store=2` does not belong to drain-store",
            ),
            (
                "drain-store store=1 now",
                "`now` does not belong to drain-store",
            ),
            (
                "set-low-space-threshold ratio=1.5",
                "`ratio=1.5`: expected a number from 0 to 1",
            ),
        ];
        for (text, problem) in table {
            let error = text.parse::<Action>().unwrap_err().to_string();
            assert_eq!(error, format!("`{text}` is no action: {problem}"));
        }
        let error = "drain store=1".parse::<Action>().unwrap_err().to_string();
        assert!(
            error.starts_with("`drain store=1` is no action: `drain` is none of transfer-leader, ")
        );
    }

    #[tokio::test]
    async fn an_empty_slot_is_unsupported_and_names_the_subject() {
        let action = DrainStore { store: StoreId(1) }.into();
        let error = Actions::none().act("printers", &action).await.unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "cannot drain-store store=1: printers does not support it"
        );
        assert!(Actions::none().kinds().is_empty());
    }
}
