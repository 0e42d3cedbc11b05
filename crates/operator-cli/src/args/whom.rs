//! Which cluster is meant.

#![expect(
    clippy::doc_markdown,
    reason = "the comments are the help that people read"
)]

use clap::Args as ClapArgs;
use operator_sim::Scenario;

use super::values;

/// The scenario that `--sim` alone means: one in which there is something to see.
pub(crate) const DEFAULT_SCENARIO: &str = "store-killed";

#[derive(Debug, Clone, Default, ClapArgs)]
#[command(next_help_heading = "Which cluster")]
pub(crate) struct Whom {
    /// PD's endpoints, with commas between [env: OPERATOR_PD]
    #[arg(long, value_name = "URL[,URL]")]
    pub(crate) pd: Option<String>,
    /// Prometheus' address [env: OPERATOR_PROMETHEUS]
    #[arg(long, value_name = "URL")]
    pub(crate) prometheus: Option<String>,
    /// A simulated cluster, in which this scenario happens
    #[arg(
        long,
        value_name = "SCENARIO",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = DEFAULT_SCENARIO,
        value_parser = values::scenario,
        conflicts_with_all = ["pd", "prometheus"]
    )]
    pub(crate) sim: Option<&'static Scenario>,
}
