//! What the command does, one file per subcommand.

pub(crate) mod check;
pub(crate) mod logs;
mod looking;
pub(crate) mod sim;
