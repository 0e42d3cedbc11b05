//! What the command does, one file per subcommand.

pub(crate) mod check;
mod looking;
