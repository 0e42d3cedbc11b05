//! Commands that judge.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, Subcommand};
use operator_core::{Entity, Severity, StoreId, Timestamp};

use super::EXIT_STATUS;
use super::look::Order;
use super::{Whom, values};

/// By which rules, and what counts.
#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Judging")]
pub(crate) struct Judge {
    /// Judge by these rules alone
    #[arg(long, value_name = "CODE[,CODE]", value_delimiter = ',', value_parser = values::code)]
    pub(crate) only: Vec<&'static str>,
    /// Leave these rules out
    #[arg(long, value_name = "CODE[,CODE]", value_delimiter = ',', value_parser = values::code)]
    pub(crate) skip: Vec<&'static str>,
    /// Count as broken what is at least this bad: `critical`, `warning` (as without this) or `info`
    #[arg(long, value_name = "SEVERITY", value_parser = values::severity)]
    pub(crate) fail_on: Option<Severity>,
    /// Count what is pending as broken
    #[arg(long)]
    pub(crate) no_grace: bool,
}

/// How long one look may take.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Within {
    /// How long the look may take: what has not answered by then is not seen [default: 8s]
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub(crate) deadline: Option<Duration>,
}

/// Look once, and tell what is wrong
///
/// One look cannot know how long something has been so: what may still pass by itself is listed as
/// pending, with the grace it has left, and does not count.
#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) judge: Judge,
    #[command(flatten)]
    pub(crate) within: Within,
}

/// Look again and again, and tell what changes
///
/// Goes on while PD and Prometheus are away, and says so. Ends on Ctrl-C with the status of its last look.
#[derive(Debug, ClapArgs)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Watch {
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) judge: Judge,
    /// How often to look [default: 10s]
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub(crate) interval: Option<Duration>,
    /// How long a look may take [default: 8s, and no more than four fifths of the interval]
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub(crate) deadline: Option<Duration>,
    /// End after this long
    #[arg(long = "for", value_name = "SPAN", value_parser = values::span)]
    pub(crate) lasts: Option<Duration>,
    /// Say how the whole is at least this often [default: 60s]
    #[arg(long, value_name = "SPAN", value_parser = values::span)]
    pub(crate) heartbeat: Option<Duration>,
    /// Keep cases in this file, and go on from it after a restart
    #[arg(long, value_name = "FILE", value_parser = values::path)]
    pub(crate) state: Option<PathBuf>,
    /// Model seconds per second of a simulated cluster
    #[arg(long, value_name = "TIMES", requires = "sim", default_value_t = 10.0)]
    pub(crate) speed: f64,
}

/// Declare, list and end maintenance
///
/// What is raised inside of it is expected, and no more than info. It is kept in the state file of a
/// watch, which takes it up at its next look.
#[derive(Debug, ClapArgs)]
pub(crate) struct Maintenance {
    #[command(subcommand)]
    pub(crate) command: MaintenanceCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// Say that something is worked on
    Declare {
        /// What: `cluster`, `store/5`, ..
        #[arg(value_parser = values::entity)]
        entity: Entity,
        /// How long from now
        #[arg(long = "for", value_name = "SPAN", value_parser = values::span, required_unless_present = "until")]
        lasts: Option<Duration>,
        /// Until when, as in 2026-11-21T18:00:00Z
        #[arg(long, value_name = "TIME", conflicts_with = "lasts")]
        until: Option<Timestamp>,
        /// Why, for whoever reads it at night
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        state: StateFile,
    },
    /// List what is declared
    List {
        #[command(flatten)]
        state: StateFile,
        #[command(flatten)]
        order: Order,
    },
    /// End one before its time
    End {
        /// What: `cluster`, `store/5`, ..
        #[arg(value_parser = values::entity)]
        entity: Entity,
        #[command(flatten)]
        state: StateFile,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StateFile {
    /// The state file of the watch
    #[arg(long, value_name = "FILE", value_parser = values::path)]
    pub(crate) state: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Explain {
    /// The code of a rule
    #[arg(value_parser = values::code)]
    pub(crate) code: &'static str,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Rules {
    #[command(flatten)]
    pub(crate) order: Order,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Why {
    /// The code of a rule
    #[arg(value_parser = values::code)]
    pub(crate) code: &'static str,
    /// About this store alone
    #[arg(long, value_name = "ID", conflicts_with = "entity")]
    pub(crate) store: Option<StoreId>,
    /// About this entity alone: `cluster`, `store/5`, `pd/NAME`, ..
    #[arg(long, value_name = "ENTITY", value_parser = values::entity)]
    pub(crate) entity: Option<Entity>,
    /// Take cases from what a watch keeps in this file
    #[arg(long, value_name = "FILE", value_parser = values::path)]
    pub(crate) state: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) whom: Whom,
    #[command(flatten)]
    pub(crate) within: Within,
}
