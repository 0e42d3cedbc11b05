//! A simulated cluster that moves when it is told to, and whoever watches it.

use std::time::Duration;

use operator_core::{Change, Clock, ManualClock, Monitor, Observer, Timestamp};
use operator_sim::{Cluster, Scenario, Served, Speed};
use operator_tikv::{PdClient, PdOptions, PromClient, PromOptions, TikvSubject};

/// How often people look.
pub(crate) const TICK: Duration = Duration::from_secs(10);

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

    /// Time passes, and nobody looks.
    pub(crate) fn advance(&self, by: Duration) {
        let now = self.served.with(|cluster| {
            cluster.advance(by);
            cluster.unix_ms()
        });
        self.clock
            .set(Timestamp::from_unix_millis(now.cast_signed()));
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The next look, so much later.
    pub(crate) async fn look(&mut self, later: Duration) -> Vec<Change> {
        self.advance(later);
        self.monitor.tick().await.changes
    }

    pub(crate) fn inject(&self, faults: &[&str]) {
        for fault in faults {
            self.served
                .with(|cluster| cluster.inject(fault))
                .unwrap_or_else(|error| panic!("{fault}: {error}"));
        }
    }

    /// What a rule could not see at the last look.
    pub(crate) fn blind(&self, code: &str) -> Vec<String> {
        let blind = self.monitor.engine().blind();
        blind
            .filter(|blind| blind.rule.code == code)
            .map(|blind| match blind.entity {
                Some(entity) => format!("{entity}: {}", blind.gap),
                None => blind.gap.to_string(),
            })
            .collect()
    }
}
