//! The text of a fault, parsed and checked against the table and the cluster.

use crate::cluster::Cluster;
use crate::num::{self, Millis};

use super::table::{Fault, ParamKind, faults};

/// The most faults that one cluster can have had.
pub(super) const MOST: usize = 10_000;

/// What a fault touches.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entity {
    /// The cluster as a whole.
    Cluster,
    /// A store, by PD's id.
    Store(u64),
    /// A region, by its id.
    Region(u64),
    /// A member of PD, by its name.
    Member(String),
    /// Prometheus.
    Prometheus,
}

impl std::fmt::Display for Entity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cluster => write!(f, "cluster"),
            Self::Store(id) => write!(f, "store/{id}"),
            Self::Region(id) => write!(f, "region/{id}"),
            Self::Member(name) => write!(f, "pd/{name}"),
            Self::Prometheus => write!(f, "prometheus"),
        }
    }
}

/// A fault that cannot be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot plan a fault: {reason}")]
pub struct FaultError {
    reason: String,
}

impl FaultError {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }

    pub(super) fn too_many() -> Self {
        Self::new(format!("{MOST} were planned already, which is the most"))
    }

    pub(super) fn unknown(name: &str) -> Self {
        let known: Vec<&str> = faults().iter().map(|fault| fault.name).collect();
        Self::new(format!(
            "there is no fault `{name}`: expected one of {}",
            known.join(", ")
        ))
    }
}

/// The arguments of a fault, defaults filled in.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Args {
    pub(crate) stores: Vec<u64>,
    /// The slot and the id of a region.
    pub(crate) region: Option<(u32, u64)>,
    /// The region was named as the tail of the key space.
    pub(crate) tail: bool,
    pub(crate) members: Vec<(usize, String)>,
    numbers: Vec<(&'static str, f64)>,
    words: Vec<(&'static str, String)>,
    pub(crate) at: Millis,
    pub(crate) lasts: Option<Millis>,
}

impl Args {
    pub(super) fn parse<'a>(
        words: impl Iterator<Item = &'a str>,
        fault: &'static Fault,
        cluster: &Cluster,
    ) -> Result<Self, FaultError> {
        let mut args = Self::default();
        let mut given = Vec::new();
        for word in words {
            let (key, value) = word
                .split_once('=')
                .ok_or_else(|| FaultError::new(format!("`{word}`: expected name=value")))?;
            if given.contains(&key) {
                return Err(FaultError::new(format!("`{key}` is given twice")));
            }
            given.push(key);
            match key {
                "at" => args.at = duration(key, value)?,
                "for" => args.lasts = Some(duration(key, value)?),
                _ => args.take(fault, key, value, cluster)?,
            }
        }
        for param in fault.params {
            if !given.contains(&param.name) {
                let default = param.default.ok_or_else(|| {
                    FaultError::new(format!("`{}` needs {}=…", fault.name, param.name))
                })?;
                args.take(fault, param.name, default, cluster)?;
            }
        }
        Ok(args)
    }

    fn take(
        &mut self,
        fault: &'static Fault,
        key: &str,
        value: &str,
        cluster: &Cluster,
    ) -> Result<(), FaultError> {
        let param = fault
            .params
            .iter()
            .find(|param| param.name == key)
            .ok_or_else(|| FaultError::new(format!("`{}` takes no `{key}`", fault.name)))?;
        let wrong = |expected: &str| FaultError::new(format!("{key}={value}: expected {expected}"));
        match param.kind {
            ParamKind::Stores => {
                for id in value.split(',') {
                    let id = id
                        .parse()
                        .ok()
                        .filter(|id| cluster.store_place(*id).is_some());
                    self.stores
                        .push(id.ok_or_else(|| wrong("ids of stores there are"))?);
                }
            }
            ParamKind::Region if value == "last" => {
                let keys = cluster.regions.keys();
                let last = keys.at(keys.len().saturating_sub(1)).unwrap_or(0);
                let id = cluster.regions.get(last).map_or(0, |row| u64::from(row.id));
                self.region = Some((last, id));
                self.tail = true;
            }
            ParamKind::Region => {
                let id: u64 = value
                    .parse()
                    .map_err(|_| wrong("a region's id, or `last`"))?;
                let place = cluster.regions.find(id);
                self.region = Some((place.ok_or_else(|| wrong("a region there is"))?, id));
            }
            ParamKind::Members => {
                for name in value.split(',') {
                    self.members.push(
                        member(name, cluster)
                            .ok_or_else(|| wrong("names of PD members, or `leader`, or `all`"))?,
                    );
                }
                if value == "all" {
                    let all = cluster.pd.members.iter().map(|m| m.name.clone());
                    self.members = all.enumerate().collect();
                }
            }
            ParamKind::Number { low, high } => {
                let number = value
                    .parse()
                    .ok()
                    .filter(|n: &f64| (low..=high).contains(n));
                let number =
                    number.ok_or_else(|| wrong(&format!("a number from {low} to {high}")))?;
                self.numbers.push((param.name, number));
            }
            ParamKind::Span => {
                self.numbers
                    .push((param.name, duration(key, value)? as f64));
            }
            ParamKind::Word { choices } => {
                if !choices.is_empty() && !choices.contains(&value) {
                    return Err(wrong(&format!("one of {}", choices.join(", "))));
                }
                self.words.push((param.name, value.to_owned()));
            }
        }
        Ok(())
    }

    pub(crate) fn number(&self, name: &str) -> f64 {
        let found = self.numbers.iter().find(|(key, _)| *key == name);
        found.map_or(0.0, |(_, number)| *number)
    }

    pub(crate) fn span(&self, name: &str) -> Millis {
        num::whole(self.number(name))
    }

    pub(crate) fn word(&self, name: &str) -> &str {
        let found = self.words.iter().find(|(key, _)| *key == name);
        found.map_or("", |(_, word)| word)
    }

    /// Everything it touches; the cluster where nothing smaller is named.
    pub(crate) fn entities(&self) -> Vec<Entity> {
        let stores = self.stores.iter().map(|id| Entity::Store(*id));
        let region = self.region.map(|(_, id)| Entity::Region(id));
        let members = self
            .members
            .iter()
            .map(|(_, name)| Entity::Member(name.clone()));
        stores.chain(region).chain(members).collect()
    }
}

fn member(name: &str, cluster: &Cluster) -> Option<(usize, String)> {
    let place = match name {
        "leader" => cluster.pd.leader?,
        "all" => 0,
        _ => cluster.pd.members.iter().position(|m| m.name == name)?,
    };
    let name = cluster.pd.members.get(place)?.name.clone();
    Some((place, name))
}

fn duration(key: &str, value: &str) -> Result<Millis, FaultError> {
    let wrong = || {
        FaultError::new(format!(
            "{key}={value}: expected a span such as 500ms, 30s, 5m or 24h"
        ))
    };
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = value.get(digits.len()..).unwrap_or_default();
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    let factor = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return Err(wrong()),
    };
    // A hundred years bound what can be asked for.
    let seconds = number * factor;
    if (0.0..=3.2e9).contains(&seconds) {
        Ok(num::millis(seconds))
    } else {
        Err(wrong())
    }
}
