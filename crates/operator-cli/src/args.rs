//! The command line: what can be asked, and with which words.

mod judge;
mod logs;
mod look;
mod output;
mod sim;
mod tools;
mod values;
mod whom;

use clap::{Parser, Subcommand};

pub(crate) use judge::{
    Check, Explain, Judge, Maintenance, MaintenanceCommand, Rules, StateFile, Watch, Why, Within,
};
pub(crate) use logs::{Events, Grep, Input, Logs, LogsCommand, Parse, Timeline};
pub(crate) use look::{AilmentWord, Hot, Look, Order, Region, Regions, Status, Store};
pub(crate) use output::{Colour, Format, Output};
pub(crate) use sim::Sim;
pub(crate) use tools::{Completions, Demo, Man};
pub(crate) use whom::Whom;

/// See, judge and act on a TiKV cluster.
#[derive(Debug, Parser)]
#[command(
    name = "operator",
    version,
    about,
    max_term_width = 100,
    after_help = EXIT_STATUS,
    propagate_version = true,
    infer_long_args = false
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command's help ends with.
pub(crate) const EXIT_STATUS: &str = "\
Exit status: 2 something critical is broken, 1 something else is, 3 nothing is broken but not everything
could be seen, 0 all was seen and all is well, 64 the command line, a code or a file is wrong.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a simulated cluster lose a store and recover: needs nothing, takes a minute
    Demo(Demo),
    /// Show in one screen what is wrong, how the cluster is, and how its objectives stand
    Status(Status),
    /// Look once, and tell what is wrong
    Check(Check),
    /// Look again and again, and tell what changes
    Watch(Watch),
    /// Explain why a rule has, or has not, a finding
    Why(Why),
    /// Explain a code: what it means, by which numbers, and what to do
    Explain(Explain),
    /// List the rules
    Rules(Rules),
    /// Declare, list and end maintenance
    Maintenance(Maintenance),
    /// List the stores
    Stores(Look),
    /// Show one store with all that is known of it
    Store(Store),
    /// List regions: by ailment, by store, by what they have most of, by keys
    Regions(Regions),
    /// Show one region
    Region(Region),
    /// Show where reads and writes gather
    Hot(Hot),
    /// List what is measured of every store
    Metrics(Look),
    /// List PD's members
    Members(Look),
    /// Show PD's schedulers, and what they are doing
    Schedulers(Look),
    /// Show what can be observed, judged and done
    Capabilities(Look),
    /// Check the queries against what Prometheus really has
    Contract(Look),
    /// Read the logs of TiKV and PD
    Logs(Logs),
    /// Serve a simulated cluster on ports of this machine
    Sim(Sim),
    /// Print a completion script for a shell
    Completions(Completions),
    /// Print the manual page, or write one for every command into a folder
    Man(Man),
}
