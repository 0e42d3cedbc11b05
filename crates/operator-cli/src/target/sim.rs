//! A simulated cluster on loopback, with a clock that goes as the cluster's does.

use std::sync::Arc;
use std::time::Duration;

use operator_core::{Clock, ManualClock, Timestamp};
use operator_sim::{Cluster, Scenario, Served, Speed};
use tokio::task::JoinHandle;

use crate::failure::{Failure, Outcome};

/// How a simulated cluster's time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// For one look: two minutes into the scenario, when there is something to see. There it stands for as long
    /// as a look takes, so that each look finds the same; and then goes as time does, for deadlines to pass.
    Midway,
    /// From the beginning, so many times as fast as time.
    Times(f64),
    /// Only when told to.
    Still,
}

/// How far into a scenario one look is taken.
const MIDWAY: Duration = Duration::from_secs(120);
/// For how long it stands there.
const HELD: Duration = Duration::from_secs(3);
/// How often model time moves.
const STEP: Duration = Duration::from_millis(50);
/// No faster than that: a look must fit between two moves.
const FASTEST: f64 = 1000.0;

/// A simulated cluster that is being served. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Simulated {
    served: Arc<Served>,
    hand: ManualClock,
    drive: Option<JoinHandle<()>>,
}

impl Drop for Simulated {
    fn drop(&mut self) {
        if let Some(drive) = &self.drive {
            drive.abort();
        }
    }
}

impl Simulated {
    /// Serves a scenario, whose faults are counted from now.
    pub(crate) async fn serve(scenario: &Scenario, seed: u64, pace: Pace) -> Outcome<Self> {
        let ahead = match pace {
            Pace::Midway => MIDWAY,
            Pace::Times(_) | Pace::Still => Duration::ZERO,
        };
        let now = Clock::system().now();
        let begin = u64::try_from((now - ahead).unix_millis()).unwrap_or(0);
        let mut cluster = scenario.build_at(seed, begin);
        cluster.advance(ahead);
        let hand = ManualClock::new(time_of(&cluster));
        let served = Served::start(cluster, Speed::Still)
            .await
            .map_err(|error| Failure::local(format!("cannot serve on loopback: {error}")))?;
        let served = Arc::new(served);
        let (held, speed) = match pace {
            Pace::Midway => (HELD, Some(1.0)),
            Pace::Times(speed) => (Duration::ZERO, Some(speed)),
            Pace::Still => (Duration::ZERO, None),
        };
        let drive = speed.map(|speed| {
            let span = STEP.mul_f64(if speed.is_nan() {
                1.0
            } else {
                speed.clamp(0.0, FASTEST)
            });
            let (served, hand) = (Arc::clone(&served), hand.clone());
            tokio::spawn(async move {
                tokio::time::sleep(held).await;
                drive(served, hand, span).await;
            })
        });
        Ok(Self {
            served,
            hand,
            drive,
        })
    }

    /// Moves the cluster on, and the clock with it.
    pub(crate) fn advance(&self, span: Duration) {
        advance(&self.served, &self.hand, span);
    }

    pub(crate) fn clock(&self) -> Clock {
        self.hand.clone().into()
    }

    pub(crate) fn pd(&self) -> String {
        self.served.pd.join(",")
    }

    pub(crate) fn prometheus(&self) -> String {
        self.served.prometheus.clone()
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        self.served.with(work)
    }
}

async fn drive(served: Arc<Served>, hand: ManualClock, span: Duration) {
    let mut steps = tokio::time::interval(STEP);
    loop {
        steps.tick().await;
        advance(&served, &hand, span);
    }
}

fn advance(served: &Served, hand: &ManualClock, span: Duration) {
    let now = served.with(|cluster| {
        cluster.advance(span);
        time_of(cluster)
    });
    hand.set(now);
}

fn time_of(cluster: &Cluster) -> Timestamp {
    Timestamp::from_unix_millis(i64::try_from(cluster.unix_ms()).unwrap_or(i64::MAX))
}
