//! A simulated cluster that a test serves and holds in its hand.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use operator_sim::{Cluster, InjectionId, Scenario, Served, Shape, Speed};
use tokio::runtime::Runtime;

/// A served cluster, which begins now and goes as time does, or stands still.
pub(crate) struct Sim {
    runtime: Runtime,
    served: Option<Served>,
}

/// An address at which nobody answers.
pub(crate) const NOBODY: &str = "http://127.0.0.1:1";

#[expect(
    clippy::disallowed_methods,
    reason = "the binary under test asks the real clock"
)]
pub(crate) fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970");
    u64::try_from(now.as_millis()).expect("in our time")
}

impl Sim {
    /// A scenario, so many seconds after its beginning.
    pub(crate) fn scenario(name: &str, seconds: u64) -> Self {
        let scenario = Scenario::named(name).expect("a known scenario");
        let mut cluster = scenario.build_at(1, now_ms() - seconds * 1000);
        cluster.advance(Duration::from_secs(seconds));
        Self::of(cluster)
    }

    /// A cluster whose second store has been dead for so many seconds, and stays it: in a scenario it would return
    /// while a slow machine still looks.
    pub(crate) fn store_dead(seconds: u64) -> Self {
        Self::with(&Shape::default(), &["store-killed store=2"], seconds)
    }

    /// A cluster of a shape, after a warm-up and with faults.
    pub(crate) fn with(shape: &Shape, faults: &[&str], seconds: u64) -> Self {
        let began_unix_ms = now_ms() - (150 + seconds) * 1000;
        let mut cluster = Cluster::new(Shape {
            began_unix_ms,
            ..shape.clone()
        })
        .expect("a sound shape");
        cluster.advance(Duration::from_secs(150));
        for fault in faults {
            cluster.inject(fault).expect("a known fault");
        }
        cluster.advance(Duration::from_secs(seconds));
        Self::of(cluster)
    }

    fn of(mut cluster: Cluster) -> Self {
        // It goes by the machine's clock from now on, and to build it took a while.
        let late = now_ms().saturating_sub(cluster.unix_ms());
        cluster.advance(Duration::from_millis(late));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let served = runtime.block_on(Served::start(cluster, Speed::Times(1.0)));
        Self {
            served: Some(served.expect("loopback can be bound")),
            runtime,
        }
    }

    fn served(&self) -> &Served {
        self.served.as_ref().expect("it is served")
    }

    pub(crate) fn pd(&self) -> String {
        self.served().pd.join(",")
    }

    pub(crate) fn prometheus(&self) -> String {
        self.served().prometheus.clone()
    }

    pub(crate) fn inject(&self, fault: &str) -> InjectionId {
        let injected = self.served().with(|cluster| cluster.inject(fault));
        injected.expect("a known fault")
    }

    /// Ends a fault.
    pub(crate) fn clear(&self, id: InjectionId) {
        assert!(self.served().with(|cluster| cluster.clear(id)));
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // What is served lives on the runtime.
        let _inside = self.runtime.enter();
        self.served = None;
    }
}
