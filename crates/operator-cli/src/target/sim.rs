//! A simulated cluster on loopback, with a clock that goes as the cluster's does.

use std::sync::Arc;
use std::time::Duration;

use operator_core::{Clock, ManualClock, Timestamp};
use operator_sim::{Cluster, Scenario, Served, Speed};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::failure::{Failure, Outcome};

/// How a simulated cluster's time goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Pace {
    /// For one look: two minutes into the scenario, when there is something to see. There it stands, so that each
    /// look finds the same however long it takes; how long it may take is real time, and passes all the same.
    Midway,
    /// From the beginning, so many times as fast as time, for somebody who looks this often.
    Times { speed: f64, interval: Duration },
    /// Only when told to, for somebody who looks this often.
    Told { interval: Duration },
}

/// How far into a scenario one look is taken.
const MIDWAY: Duration = Duration::from_secs(120);
/// How often model time moves.
const STEP: Duration = Duration::from_millis(50);
/// No faster than that: whoever looks would find the cluster somewhere else altogether after every move.
const FASTEST: f64 = 1000.0;

/// A simulated cluster that is being served. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Simulated {
    hand: Hand,
    drive: Option<JoinHandle<()>>,
}

/// What moves a cluster, and the clock with it.
#[derive(Debug, Clone)]
struct Hand {
    served: Arc<Served>,
    clock: ManualClock,
    /// When the last look was over, or else when all began.
    looked: ManualClock,
    /// How often somebody looks; `None` where that is once.
    interval: Option<Duration>,
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
            Pace::Times { .. } | Pace::Told { .. } => Duration::ZERO,
        };
        let now = Clock::system().now();
        let begin = u64::try_from((now - ahead).unix_millis()).unwrap_or(0);
        let mut cluster = scenario.build_at(seed, begin);
        cluster.advance(ahead);
        let begun = time_of(&cluster);
        let served = Served::start(cluster, Speed::Still)
            .await
            .map_err(|error| Failure::local(format!("cannot serve on loopback: {error}")))?;
        let (speed, interval) = match pace {
            Pace::Midway => (None, None),
            Pace::Times { speed, interval } => (Some(speed), Some(interval)),
            Pace::Told { interval } => (None, Some(interval)),
        };
        let hand = Hand {
            served: Arc::new(served),
            clock: ManualClock::new(begun),
            looked: ManualClock::new(begun),
            interval,
        };
        let drive = speed.map(|speed| {
            let span = STEP.mul_f64(if speed.is_nan() {
                1.0
            } else {
                speed.clamp(0.0, FASTEST)
            });
            tokio::spawn(drive(hand.clone(), span))
        });
        Ok(Self { hand, drive })
    }

    /// Moves the cluster on, and the clock with it; but not while a look is awaited.
    pub(crate) fn advance(&self, span: Duration) {
        self.hand.advance(span);
    }

    /// A look is over, and what it found was told.
    pub(crate) fn looked(&self) {
        self.hand.looked.set(self.hand.clock.now());
    }

    pub(crate) fn clock(&self) -> Clock {
        self.hand.clock.clone().into()
    }

    pub(crate) fn pd(&self) -> String {
        self.hand.served.pd.join(",")
    }

    pub(crate) fn prometheus(&self) -> String {
        self.hand.served.prometheus.clone()
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        self.hand.served.with(work)
    }
}

async fn drive(hand: Hand, span: Duration) {
    let mut steps = steps(STEP);
    loop {
        steps.tick().await;
        hand.advance(span);
    }
}

/// When a cluster moves. Its clock is its own, so time that a busy machine has lost need not be caught up: all lost
/// steps at once would carry the cluster past what somebody was to see.
pub(crate) fn steps(every: Duration) -> tokio::time::Interval {
    let mut steps = tokio::time::interval(every);
    steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
    steps
}

impl Hand {
    fn advance(&self, span: Duration) {
        if self.is_awaited() {
            return;
        }
        let now = self.served.with(|cluster| {
            cluster.advance(span);
            time_of(cluster)
        });
        self.clock.set(now);
    }

    /// Whether a look is due that is not over. However slow the machine and however fast the cluster: it goes on when
    /// somebody has looked, so what lasts longer than an interval and a step is seen.
    fn is_awaited(&self) -> bool {
        let since = self.clock.now().since(self.looked.now());
        self.interval.is_some_and(|interval| since >= interval)
    }
}

fn time_of(cluster: &Cluster) -> Timestamp {
    Timestamp::from_unix_millis(i64::try_from(cluster.unix_ms()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_goes_an_interval_and_a_step_ahead_of_whoever_looks_and_no_further() {
        let scenario = Scenario::named("healthy").expect("a known scenario");
        let interval = Duration::from_secs(5);
        let simulated = Simulated::serve(scenario, 1, Pace::Told { interval }).await;
        let simulated = simulated.expect("loopback can be bound");
        let begun = simulated.clock().now();
        let went = || simulated.clock().now().since(begun).as_secs();
        for (step, expected) in [(4, 4), (4, 8), (4, 8), (60, 8)] {
            simulated.advance(Duration::from_secs(step));
            assert_eq!(went(), expected);
        }
        simulated.looked();
        for (step, expected) in [(60, 68), (60, 68)] {
            simulated.advance(Duration::from_secs(step));
            assert_eq!(went(), expected);
        }
    }

    #[tokio::test]
    async fn for_one_look_it_stands_where_there_is_something_to_see() {
        let scenario = Scenario::named("store-killed").expect("a known scenario");
        let simulated = Simulated::serve(scenario, 1, Pace::Midway).await;
        let simulated = simulated.expect("loopback can be bound");
        assert!(simulated.drive.is_none());
        assert!(simulated.with(|cluster| cluster.truth().iter().any(|one| one.active)));
    }
}
