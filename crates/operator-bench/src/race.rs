//! Whole processes, one after the other in turn, ratios of each round.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;

/// A process that is timed.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    /// The contender it is measured against.
    pub(crate) against: usize,
}

/// Runs every contender in turn, so that what slows the machine slows all of them.
pub(crate) fn race(contenders: &[Contender], rounds: usize) -> Outcome {
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    for round in 0..=rounds {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let took = time(contender)?;
            // The first round warms the page cache.
            if round > 0 {
                times.push(took.as_secs_f64());
            }
        }
    }
    println!(
        "{rounds} rounds in turn; speed is the other's time divided by ours, median of the rounds"
    );
    for (contender, own) in contenders.iter().zip(&times) {
        let ratios: Vec<f64> = own
            .iter()
            .zip(&times[contender.against])
            .map(|(own, other)| other / own)
            .collect();
        let (low, high) = ratios
            .iter()
            .fold((f64::MAX, 0.0_f64), |(low, high), &ratio| {
                (low.min(ratio), high.max(ratio))
            });
        println!(
            "{:32} {:8.2} x {} ({low:.2} to {high:.2})",
            contender.name,
            median(ratios),
            contenders[contender.against].name
        );
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures itself")]
fn time(contender: &Contender) -> Result<Duration, Box<dyn std::error::Error>> {
    let begun = Instant::now();
    let status = Command::new(&contender.program)
        .args(&contender.args)
        .stdout(Stdio::null())
        .status()?;
    let took = begun.elapsed();
    if status.success() {
        Ok(took)
    } else {
        Err(format!("{}: {status}", contender.name).into())
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
