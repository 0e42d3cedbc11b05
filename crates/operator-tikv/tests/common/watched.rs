//! A simulated cluster, and whoever watches it.

use std::time::Duration;

use operator_core::{Change, Clock, Monitor, Observer};
use operator_tikv::TikvSubject;

use crate::lab::{Lab, PATIENCE};

/// How often people look.
pub(crate) const TICK: Duration = Duration::from_secs(10);

/// A cluster, and a monitor that goes by its clock.
pub(crate) struct Watched {
    pub(crate) lab: Lab,
    pub(crate) monitor: Monitor<TikvSubject>,
}

impl Watched {
    /// The subject is what the monitor sees of the cluster.
    pub(crate) fn new(lab: Lab, subject: TikvSubject) -> Self {
        let observer = Observer::new(Clock::from(lab.clock.clone()), PATIENCE * 2);
        let monitor = Monitor::new(subject, observer).expect("every rule has a code of its own");
        Self { lab, monitor }
    }

    /// The next look, a tick later.
    pub(crate) async fn look(&mut self) -> Vec<Change> {
        self.lab.advance(TICK);
        self.monitor.tick().await.changes
    }
}
