//! What is said: to programs in one documented form, to people in another made of the same.

mod finding;
pub(crate) mod judged;
mod seen;

pub(crate) use finding::{
    BlindForm, EvidenceForm, IncidentForm, PendingForm, RuleForm, ViolationForm, tone,
};
pub(crate) use judged::Judged;
pub(crate) use seen::{Reads, Seen, gaps_page};

/// The version of what programs are told: docs/SCHEMA.md.
pub(crate) const SCHEMA: &str = "operator/1";
