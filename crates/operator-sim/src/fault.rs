//! Faults: what can go wrong, one table entry each, and the plan of what does.
//!
//! A fault is said as text, `store-slow store=2 factor=20 at=1m for=5m`, which is the same on a command line, over
//! HTTP and in a test. `at` counts from now (default: now); without `for` it lasts until it is cleared.

mod args;
mod table;

use std::fmt;

use crate::cluster::Cluster;
use crate::cluster::condition::Conditions;
use crate::num::Millis;

pub(crate) use args::Args;
pub use args::{Entity, FaultError};
pub use table::{Fault, Param, ParamKind, faults};

/// The number of one planned fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct InjectionId(pub u64);

impl fmt::Display for InjectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One fault with its arguments and its time.
#[derive(Debug, Clone)]
pub(crate) struct Injection {
    pub(crate) fault: &'static Fault,
    pub(crate) args: Args,
    pub(crate) onset: Millis,
    pub(crate) end: Option<Millis>,
}

impl Injection {
    pub(crate) fn parse(text: &str, cluster: &Cluster) -> Result<Self, FaultError> {
        if cluster.plan.injections.len() >= args::MOST {
            return Err(FaultError::too_many());
        }
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let fault = faults()
            .iter()
            .find(|fault| fault.name == name)
            .ok_or_else(|| FaultError::unknown(name))?;
        let args = Args::parse(words, fault, cluster)?;
        let onset = cluster.now.saturating_add(args.at);
        let end = args
            .lasts
            .or_else(|| (fault.lasts)(&args))
            .map(|span| onset.saturating_add(span));
        Ok(Self {
            fault,
            args,
            onset,
            end,
        })
    }

    pub(crate) fn active(&self, now: Millis) -> bool {
        self.onset <= now && self.end.is_none_or(|end| now < end)
    }
}

/// Everything that was ever planned: the ground truth is read from here.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    injections: Vec<Injection>,
    /// The edge that is already planned, so that none is planned twice.
    planned: Option<Millis>,
}

impl Plan {
    pub(crate) fn add(&mut self, injection: Injection) -> InjectionId {
        self.injections.push(injection);
        InjectionId(self.injections.len() as u64)
    }

    pub(crate) fn end(&mut self, id: InjectionId, now: Millis) -> bool {
        let place = id.0.checked_sub(1).map(crate::num::place);
        let Some(injection) = place.and_then(|place| self.injections.get_mut(place)) else {
            return false;
        };
        let over = injection.end.is_some_and(|end| end <= now);
        if !over {
            injection.end = Some(now.max(injection.onset));
        }
        !over
    }

    /// Lets every active fault write what it does.
    pub(crate) fn write(&self, now: Millis, conditions: &mut Conditions) {
        for injection in self.injections.iter().filter(|i| i.active(now)) {
            let elapsed = now - injection.onset;
            (injection.fault.apply)(conditions, &injection.args, elapsed, injection.onset);
        }
    }

    /// The next edge, unless it is planned already.
    pub(crate) fn next_unplanned_edge(&mut self, now: Millis) -> Option<Millis> {
        let edge = self.next_edge(now)?;
        if self.planned == Some(edge) {
            return None;
        }
        self.planned = Some(edge);
        Some(edge)
    }

    /// The next moment at which a fault begins, ends or changes.
    fn next_edge(&self, now: Millis) -> Option<Millis> {
        let edges = self.injections.iter().flat_map(|injection| {
            let change = (injection.fault.period)(&injection.args)
                .filter(|period| *period > 0 && injection.active(now))
                .map(|period| injection.onset + ((now - injection.onset) / period + 1) * period);
            [Some(injection.onset), injection.end, change]
        });
        edges.flatten().filter(|edge| *edge > now).min()
    }

    /// When the disk of a store began to fill.
    pub(crate) fn fill_since(&self, store: u64, now: Millis) -> Option<Millis> {
        self.injections
            .iter()
            .rev()
            .filter(|i| i.active(now) && i.fault.name == "disk-fills")
            .find(|i| i.args.stores.contains(&store))
            .map(|i| i.onset)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (InjectionId, &Injection)> {
        (1..).map(InjectionId).zip(&self.injections)
    }
}
