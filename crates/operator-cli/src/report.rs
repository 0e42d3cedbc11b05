//! What is said: to programs in one documented form, to people in another made of the same.

pub(crate) mod change;
mod finding;
pub(crate) mod judged;
pub(crate) mod reading;
pub(crate) mod reasons;
mod seen;

pub(crate) use finding::{
    BlindForm, EvidenceForm, IncidentForm, MaintenanceForm, PendingForm, RuleForm, ViolationForm,
    tone,
};
pub(crate) use judged::Judged;
pub(crate) use seen::{Payload, Reads, Seen};

/// The version of what programs are told: docs/SCHEMA.md.
pub(crate) const SCHEMA: &str = "operator/1";
