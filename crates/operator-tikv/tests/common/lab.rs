//! A simulated cluster, served over HTTP, that moves when it is told to.

use std::time::Duration;

use operator_core::{ManualClock, Timestamp};
use operator_sim::{Cluster, Served, Shape, Speed};
use operator_tikv::{PdClient, PdOptions};

/// How long an answer is waited for: the cluster always answers, however slow the machine is.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster, and a clock that shows its time.
pub(crate) struct Lab {
    pub(crate) served: Served,
    pub(crate) clock: ManualClock,
}

impl Lab {
    pub(crate) async fn new(shape: Shape) -> Self {
        Self::of(Cluster::new(shape).expect("a shape that can be")).await
    }

    pub(crate) async fn of(cluster: Cluster) -> Self {
        let clock = ManualClock::new(time_of(&cluster));
        let served = Served::start(cluster, Speed::Still)
            .await
            .expect("loopback has ports");
        Self { served, clock }
    }

    /// Time passes.
    pub(crate) fn advance(&self, by: Duration) {
        let now = self.served.with(|cluster| {
            cluster.advance(by);
            time_of(cluster)
        });
        self.clock.set(now);
    }

    pub(crate) fn inject(&self, faults: &[&str]) {
        for fault in faults {
            self.served
                .with(|cluster| cluster.inject(fault))
                .unwrap_or_else(|error| panic!("{fault}: {error}"));
        }
    }

    /// A client of its PD that goes by its clock.
    pub(crate) fn pd(&self) -> PdClient {
        let options = PdOptions {
            clock: self.clock.clone().into(),
            within: PATIENCE,
            ..PdOptions::default()
        };
        PdClient::with(&self.served.pd.join(","), options).expect("endpoints")
    }
}

fn time_of(cluster: &Cluster) -> Timestamp {
    Timestamp::from_unix_millis(cluster.unix_ms().cast_signed())
}
