//! `operator check`: look once, and tell what is wrong.

use std::time::Duration;

use operator_core::{Clock, Monitor, Observer};

use crate::args::Check;
use crate::exit::Exit;
use crate::findings::Findings;
use crate::{report, target};

/// What has not answered by then is not seen.
const DEADLINE: Duration = Duration::from_secs(8);

pub(crate) async fn run(check: Check) -> Result<Exit, String> {
    let (subject, shown) = target::subject(&check.target)?;
    let observer = Observer::new(Clock::system(), DEADLINE);
    let mut monitor = Monitor::new(subject, observer).map_err(|error| error.to_string())?;
    let tick = monitor.tick().await;
    let findings = Findings::of(&tick.snapshot, monitor.engine(), check.no_grace);
    report::print(&report::text(&shown, &findings));
    Ok(Exit::of(&findings))
}
