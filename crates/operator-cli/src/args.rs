//! The command line.

use clap::{Args as ClapArgs, Parser, Subcommand};

/// See, judge and act on a TiKV cluster.
#[derive(Debug, Parser)]
#[command(name = "operator", version, about, max_term_width = 100)]
pub(crate) struct Args {
    /// Say on standard error what is done; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look once, and tell what is wrong
    ///
    /// One look cannot know how long something has been so: what may still pass by itself is listed as
    /// pending, with the grace it has left, and does not count.
    ///
    /// Exit status: 2 something critical is broken, 1 something else is, 3 nothing is broken but not
    /// everything could be seen, 0 all was seen and all is well, 64 the command line is wrong.
    #[command(verbatim_doc_comment)]
    Check(Check),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) target: Target,
    /// Count what is pending as broken
    #[arg(long)]
    pub(crate) no_grace: bool,
}

/// What to look at.
#[derive(Debug, ClapArgs)]
pub(crate) struct Target {
    /// PD's endpoints, with commas between
    #[arg(long, value_name = "URL[,URL]", env = "OPERATOR_PD")]
    pub(crate) pd: String,
}
