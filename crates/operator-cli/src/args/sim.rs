//! The simulated cluster, served for other tools.

use clap::Args as ClapArgs;
use operator_sim::{Scenario, Speed, faults};

use super::values;
use crate::nearest;

/// Serve a simulated cluster on ports of this machine
///
/// PD's members, Prometheus, the pages of metrics that a Prometheus scrapes, and the controls, by which faults begin
/// and end. It begins now; at speed 1 its clock is yours.
#[derive(Debug, ClapArgs)]
pub(crate) struct Sim {
    /// What happens to the cluster
    #[arg(value_parser = values::scenario, default_value = "healthy")]
    pub(crate) scenario: &'static Scenario,
    /// Begin this fault too, as in 'store-killed store=2 at=30s for=5m'; may be given again
    #[arg(long, value_name = "FAULT", value_parser = fault)]
    pub(crate) fault: Vec<String>,
    /// The seed of all chance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Seconds of the cluster per second: a number, `max`, or 0 to move by the controls alone
    #[arg(long, value_name = "TIMES", default_value = "1", value_parser = speed)]
    pub(crate) speed: Pace,
    /// How many stores, where the scenario's number is not wanted
    #[arg(long, value_name = "N")]
    pub(crate) stores: Option<u16>,
    /// How many regions, where the scenario's number is not wanted
    #[arg(long, value_name = "N")]
    pub(crate) regions: Option<u32>,
    /// The port of PD's first member, the others take those that follow; 0 takes free ones
    #[arg(long, value_name = "PORT", default_value_t = 0, help_heading = "Ports")]
    pub(crate) pd_port: u16,
    /// The port of Prometheus
    #[arg(long, value_name = "PORT", default_value_t = 0, help_heading = "Ports")]
    pub(crate) prometheus_port: u16,
    /// The port of the pages of metrics
    #[arg(long, value_name = "PORT", default_value_t = 0, help_heading = "Ports")]
    pub(crate) metrics_port: u16,
    /// The port of the controls
    #[arg(long, value_name = "PORT", default_value_t = 0, help_heading = "Ports")]
    pub(crate) control_port: u16,
    /// List the scenarios
    #[arg(long, help_heading = "Lists")]
    pub(crate) list_scenarios: bool,
    /// List the faults
    #[arg(long, conflicts_with = "list_scenarios", help_heading = "Lists")]
    pub(crate) list_faults: bool,
}

/// A speed, and the word for it.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    pub(crate) speed: Speed,
    pub(crate) word: String,
}

fn speed(word: &str) -> Result<Pace, String> {
    let number = || {
        word.parse::<f64>()
            .ok()
            .filter(|times| (0.0..=1e6).contains(times))
    };
    let speed = match word {
        "max" => Speed::Unbound,
        _ => match number() {
            Some(0.0) => Speed::Still,
            Some(times) => Speed::Times(times),
            None => return Err("expected a number up to 1000000, or `max`".to_owned()),
        },
    };
    Ok(Pace {
        speed,
        word: word.to_owned(),
    })
}

/// Only the name can be judged without a cluster; the rest is when there is one.
fn fault(text: &str) -> Result<String, String> {
    let name = text.split_whitespace().next().unwrap_or_default();
    match faults().iter().any(|fault| fault.name == name) {
        true => Ok(text.to_owned()),
        false => {
            let known = faults().iter().map(|fault| fault.name);
            Err(nearest::unknown("fault", name, known))
        }
    }
}
