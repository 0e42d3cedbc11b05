//! What the engine tells: findings, what is on its way to become one, and changes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::{Entity, Evidence, Gap, Kind, Rule, Severity, Timestamp};

/// A rule that was seen broken by an entity for its grace, and has not been seen healthy since.
#[derive(Debug, Clone, PartialEq)]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Arc<Rule>,
    /// What breaks it.
    pub entity: Entity,
    /// How bad it is: as last seen, or info while maintenance expects it.
    pub severity: Severity,
    /// Broken since then, as far as was seen or proved.
    pub since: Timestamp,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it was last seen broken.
    pub last_seen: Timestamp,
    /// The numbers by which it was last judged broken.
    pub evidence: Evidence,
    /// How often it was broken again while it settled.
    pub flaps: u32,
    /// Whether it was last seen healthy, and only has to stay so for its settle time.
    pub settling: bool,
    /// The maintenance that expects it, if one does.
    pub expected: Option<Maintenance>,
}

impl Violation {
    /// The code of the rule that is broken.
    pub fn code(&self) -> &'static str {
        self.rule.code
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (severity, code, entity) = (self.severity, self.code(), &self.entity);
        write!(f, "{severity} {code} {entity}: {}", self.rule.summary)
    }
}

/// A rule that is seen broken by an entity, but not yet for its grace.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// What breaks it.
    pub entity: &'a Entity,
    /// How bad it will be.
    pub severity: Severity,
    /// Broken since then, as far as was seen or proved.
    pub since: Timestamp,
    /// The numbers by which it was last judged broken.
    pub evidence: &'a Evidence,
    /// How much longer it must be seen broken before it is raised.
    pub grace_left: Duration,
}

/// What could not be judged at the last look: a rule as a whole, or one entity of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Blind<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The entity that was not seen; `None` where the rule as a whole could not judge.
    pub entity: Option<&'a Entity>,
    /// Why.
    pub gap: &'a Gap,
}

/// Something that changed between two looks.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A rule was seen broken for its grace.
    Raised(Violation),
    /// An open violation became worse or better, or its maintenance ended.
    Moved {
        /// The violation as it is now.
        violation: Violation,
        /// How bad it was.
        from: Severity,
    },
    /// A violation ended.
    Resolved {
        /// The violation as it was.
        violation: Violation,
        /// How it ended.
        ending: Ending,
    },
    /// A rule has been blind for its grace: what it says, it said before. A rule is blind when it could
    /// see none of what it named; single entities that it could not see are in
    /// [`Engine::blind`](crate::Engine::blind), and tell no change.
    Blinded {
        /// The rule.
        rule: Arc<Rule>,
        /// Since when.
        since: Timestamp,
        /// Why.
        gap: Gap,
    },
    /// A rule that was blind sees again.
    Sighted {
        /// The rule.
        rule: Arc<Rule>,
        /// Since when it had been blind.
        since: Timestamp,
    },
}

/// How a violation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its rule was seen to hold for its settle time.
    Healthy,
    /// Its entity is no more.
    Gone,
}

impl Change {
    /// What happened, in one word: `raised`, `moved`, `resolved`, `blinded`, `sighted`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Raised(_) => "raised",
            Self::Moved { .. } => "moved",
            Self::Resolved { .. } => "resolved",
            Self::Blinded { .. } => "blinded",
            Self::Sighted { .. } => "sighted",
        }
    }

    /// The rule it is about.
    pub fn rule(&self) -> &Rule {
        match self {
            Self::Blinded { rule, .. } | Self::Sighted { rule, .. } => rule,
            Self::Raised(violation)
            | Self::Moved { violation, .. }
            | Self::Resolved { violation, .. } => &violation.rule,
        }
    }

    /// The violation it is about, unless it is about blindness.
    pub fn violation(&self) -> Option<&Violation> {
        match self {
            Self::Raised(violation)
            | Self::Moved { violation, .. }
            | Self::Resolved { violation, .. } => Some(violation),
            Self::Blinded { .. } | Self::Sighted { .. } => None,
        }
    }

    /// What it is about; blindness is about the cluster.
    pub fn entity(&self) -> &Entity {
        self.violation()
            .map_or(&Entity::Cluster, |violation| &violation.entity)
    }

    /// How bad it is; blindness is info, for it says nothing about the subject.
    pub fn severity(&self) -> Severity {
        self.violation()
            .map_or(Severity::Info, |violation| violation.severity)
    }

    /// Whether it is about the subject or about our sight of it.
    pub fn kind(&self) -> Kind {
        self.rule().kind
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::Raised(violation) => write!(f, "{word} {violation}"),
            Self::Moved { violation, from } => write!(f, "{word} from {from} to {violation}"),
            Self::Resolved {
                violation,
                ending: Ending::Healthy,
            } => write!(f, "{word} {violation}"),
            Self::Resolved {
                violation,
                ending: Ending::Gone,
            } => {
                write!(f, "{word} {violation} ({} is gone)", violation.entity)
            }
            Self::Blinded { rule, gap, .. } => write!(f, "{word} {}: {gap}", rule.code),
            Self::Sighted { rule, since } => write!(f, "{word} {}, blind since {since}", rule.code),
        }
    }
}

/// Work on an entity that is known beforehand: what is raised inside it is expected, and info.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Maintenance {
    /// What is worked on; the cluster means everything.
    pub entity: Entity,
    /// When it ends. What still stands then becomes as bad as it is.
    pub until: Timestamp,
    /// Why, for whoever reads it at night.
    pub why: String,
}

impl Maintenance {
    pub(crate) fn covers(&self, entity: &Entity, at: Timestamp) -> bool {
        at < self.until && (self.entity == Entity::Cluster || self.entity == *entity)
    }
}
