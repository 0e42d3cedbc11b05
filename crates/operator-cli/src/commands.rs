//! What the command does, one file per subcommand.

pub(crate) mod capabilities;
pub(crate) mod check;
pub(crate) mod contract;
pub(crate) mod hot;
mod looking;
pub(crate) mod members;
pub(crate) mod metrics;
pub(crate) mod regions;
pub(crate) mod schedulers;
pub(crate) mod stores;
