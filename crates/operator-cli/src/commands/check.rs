//! `operator check`: look once, and tell what is wrong.

use super::looking::{Looking, deadline};
use crate::args::Check;
use crate::config::Config;
use crate::context::Context;
use crate::failure::Outcome;
use crate::findings::{Counts, Findings};
use crate::report::Judged;
use crate::target::Pace;

pub(crate) async fn run(check: Check, config: Config, context: &Context) -> Outcome {
    let within = deadline(&check.within)?;
    let mut looking = Looking::at(&check.whom, &check.judge, config, Pace::Midway, within).await?;
    let tick = looking.monitor.tick().await;
    let counts = Counts::of(&check.judge);
    let findings = Findings::of(&tick.snapshot, looking.monitor.engine(), counts);
    context.say(&Judged::of("check", &looking.target.shown, &findings))?;
    Ok(findings.exit())
}
