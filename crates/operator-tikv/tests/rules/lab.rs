//! A simulated cluster that moves when it is told to, and whoever watches it.

use std::time::Duration;

use operator_core::{Change, Clock, ManualClock, Monitor, Observer, Timestamp};
use operator_sim::{Cluster, Scenario, Served, Speed};
use operator_tikv::{PdClient, PdOptions, PromClient, PromOptions, TikvSubject};

/// A cluster, and a clock that shows its time.
pub(crate) struct Lab {
    pub(crate) served: Served,
    clock: ManualClock,
    pub(crate) monitor: Monitor<TikvSubject>,
}

impl Lab {
    pub(crate) async fn scenario(name: &str, seed: u64) -> Self {
        let scenario = Scenario::named(name).expect("a scenario there is");
        Self::of(scenario.build(seed)).await
    }

    pub(crate) async fn of(cluster: Cluster) -> Self {
        let served = Served::start(cluster, Speed::Still)
            .await
            .expect("loopback has ports");
        let clock = ManualClock::new(Timestamp::EPOCH);
        let options = PdOptions {
            clock: clock.clone().into(),
            within: Duration::from_secs(2),
            ..PdOptions::default()
        };
        let pd = PdClient::with(&served.pd.join(","), options).expect("endpoints");
        let prometheus =
            PromClient::with(&served.prometheus, PromOptions::default()).expect("a URL");
        let subject = TikvSubject::builder(pd).prometheus(prometheus).build();
        let observer = Observer::new(Clock::from(clock.clone()), Duration::from_secs(8));
        let monitor = Monitor::new(subject, observer).expect("every rule has a code of its own");
        Self {
            served,
            clock,
            monitor,
        }
    }

    /// The next look, so much later.
    pub(crate) async fn look(&mut self, later: Duration) -> Vec<Change> {
        let now = self.served.with(|cluster| {
            cluster.advance(later);
            cluster.unix_ms()
        });
        self.clock
            .set(Timestamp::from_unix_millis(now.cast_signed()));
        self.monitor.tick().await.changes
    }
}
