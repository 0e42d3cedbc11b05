//! What the player printed.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

pub(crate) struct Played {
    pub(crate) text: String,
    pub(crate) changes: Vec<Change>,
    pub(crate) summary: Summary,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Change {
    pub(crate) t: f64,
    pub(crate) change: String,
    pub(crate) code: String,
    pub(crate) kind: String,
    pub(crate) entity: String,
    pub(crate) severity: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Summary {
    pub(crate) open: Vec<Open>,
    pub(crate) pending: Vec<Pending>,
    pub(crate) rules: BTreeSet<String>,
    pub(crate) not_recorded: Vec<NotRecorded>,
    pub(crate) prometheus: String,
    pub(crate) elections: BTreeMap<String, u64>,
    pub(crate) timeline: Vec<Moment>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Open {
    pub(crate) code: String,
    pub(crate) entity: String,
    pub(crate) cause: Option<Named>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Pending {
    pub(crate) code: String,
    pub(crate) entity: String,
    pub(crate) grace_left_seconds: f64,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) code: String,
    pub(crate) entity: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct NotRecorded {
    pub(crate) path: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Moment {
    pub(crate) text: String,
}

impl Played {
    pub(crate) fn read(text: String) -> Self {
        let (changes, summary) = match text.trim_end().rsplit_once('\n') {
            Some((changes, summary)) => (changes, summary),
            None => ("", text.trim_end()),
        };
        let change =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let changes = changes.lines().map(change).collect();
        let summary =
            serde_json::from_str(summary).unwrap_or_else(|error| panic!("{error}: {summary}"));
        Self {
            changes,
            summary,
            text,
        }
    }
}
