//! What the command does, one file per subcommand.

pub(crate) mod capabilities;
pub(crate) mod check;
pub(crate) mod contract;
pub(crate) mod demo;
pub(crate) mod hot;
pub(crate) mod logs;
mod looking;
pub(crate) mod maintenance;
pub(crate) mod members;
pub(crate) mod metrics;
pub(crate) mod regions;
pub(crate) mod rules;
pub(crate) mod schedulers;
pub(crate) mod shell;
pub(crate) mod sim;
pub(crate) mod status;
pub(crate) mod stores;
pub(crate) mod watch;
pub(crate) mod why;
