//! The demonstration, and what belongs to the command itself.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;
use operator_sim::Scenario;

use super::values;
use super::whom::DEFAULT_SCENARIO;

/// Watch a simulated cluster lose a store and recover: needs nothing, takes a minute
#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// What happens to the cluster
    #[arg(value_parser = values::scenario, default_value = DEFAULT_SCENARIO)]
    pub(crate) scenario: &'static Scenario,
    /// Model seconds per second
    #[arg(long, value_name = "TIMES", default_value_t = 5.0)]
    pub(crate) speed: f64,
    /// The seed of all chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// List the scenarios
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Man {
    /// Write the pages into this folder
    pub(crate) folder: Option<PathBuf>,
}
