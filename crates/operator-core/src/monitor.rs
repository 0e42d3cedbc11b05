//! Looks again and again. The only loop there is.

use std::collections::hash_map::RandomState;
use std::future::Future;
use std::hash::{BuildHasher, Hasher};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use tracing::Instrument;

use crate::{Change, DuplicateCode, Engine, Observer, Snapshot, Subject, Timestamp};

/// Observes a subject and judges it, once or on a beat.
///
/// ```
/// use operator_core::{Beat, Clock, Monitor, Observer, ScriptedSubject};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), operator_core::DuplicateCode> {
/// let observer = Observer::new(Clock::system(), Duration::from_secs(8));
/// let mut monitor = Monitor::new(ScriptedSubject::new("scripted"), observer)?;
/// let a_minute = tokio::time::sleep(Duration::from_secs(60));
/// let mut ticks = 0;
/// monitor
///     .run(Beat::every(Duration::from_secs(10)), a_minute, |_tick, _engine| ticks += 1)
///     .await;
/// assert_eq!(ticks, 6);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Monitor<S> {
    subject: S,
    observer: Observer,
    engine: Engine,
}

/// One look: what was seen, and what has changed.
#[derive(Debug)]
pub struct Tick {
    /// What was seen. Its time is when the tick was due.
    pub snapshot: Snapshot,
    /// What has changed since the tick before.
    pub changes: Vec<Change>,
    /// Ticks that were left out before this one, because the one before them took too long.
    pub missed: u64,
}

/// When ticks are due: on a grid of even intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    interval: Duration,
    offset: Duration,
}

impl Beat {
    /// A tick at once, and then one every `interval`; no interval is shorter than a millisecond.
    pub fn every(interval: Duration) -> Self {
        Self {
            interval: interval.max(Duration::from_millis(1)),
            offset: Duration::ZERO,
        }
    }

    /// The same beat, its first tick (and with it the grid) late by a random part of an interval, so
    /// that many who start together do not ask together.
    #[must_use]
    pub fn jittered(self) -> Self {
        let random = RandomState::new().build_hasher().finish();
        let millis = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX);
        self.offset(Duration::from_millis(random % millis.max(1)))
    }

    /// The same beat, its first tick late by this much.
    #[must_use]
    pub fn offset(mut self, offset: Duration) -> Self {
        self.offset = offset;
        self
    }

    /// The first due time after `due` that is not before `now`, and how many are left out for it.
    fn next(&self, due: Timestamp, now: Timestamp) -> (Timestamp, u64) {
        let next = due + self.interval;
        let interval = self.interval.as_millis();
        let missed =
            u64::try_from(now.since(next).as_millis().div_ceil(interval)).unwrap_or(u64::MAX);
        let skipped = u64::try_from(interval)
            .unwrap_or(u64::MAX)
            .saturating_mul(missed);
        (next + Duration::from_millis(skipped), missed)
    }
}

impl<S: Subject> Monitor<S> {
    /// A monitor that judges a subject by its own rules.
    ///
    /// # Errors
    /// When two of the subject's rules have one code.
    pub fn new(subject: S, observer: Observer) -> Result<Self, DuplicateCode> {
        let engine = Engine::new(subject.invariants())?;
        Ok(Self::with_engine(subject, observer, engine))
    }

    /// A monitor with an engine of its own: other rules, or a restored state.
    pub fn with_engine(subject: S, observer: Observer, engine: Engine) -> Self {
        Self {
            subject,
            observer,
            engine,
        }
    }

    /// What it looks at.
    pub fn subject(&self) -> &S {
        &self.subject
    }

    /// What it judges with.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What it judges with, to declare maintenance, to forget, to restore.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// Looks once, now.
    pub async fn tick(&mut self) -> Tick {
        let now = self.observer.clock().now();
        self.tick_at(now, 0).await
    }

    /// Looks on a beat until `until` is done, and hands every tick to `each` beside the engine.
    ///
    /// A look is due on the grid of the beat, by the observer's clock, and carries the time it was due.
    /// One that takes longer than an interval is not followed by another at once: the ticks it covers
    /// are left out and counted. When `until` is done, a look that is under way is given up; nothing
    /// that was judged is lost by it.
    pub async fn run(
        &mut self,
        beat: Beat,
        until: impl Future<Output = ()>,
        mut each: impl FnMut(Tick, &mut Engine),
    ) {
        let mut until = pin!(until);
        let clock = self.observer.clock().clone();
        let (mut due, mut missed) = (clock.now() + beat.offset, 0);
        loop {
            let look = async {
                clock.sleep_until(due).await;
                self.tick_at(due, missed).await
            };
            let tick = match select(until.as_mut(), pin!(look)).await {
                Either::Left(((), _)) => return,
                Either::Right((tick, _)) => tick,
            };
            each(tick, &mut self.engine);
            (due, missed) = beat.next(due, clock.now());
            if missed > 0 {
                tracing::warn!(missed, "a look took longer than the interval");
            }
        }
    }

    async fn tick_at(&mut self, at: Timestamp, missed: u64) -> Tick {
        let span = tracing::info_span!("tick", subject = self.subject.name(), %at, missed);
        let snapshot = self
            .observer
            .observe_at(at, &self.subject)
            .instrument(span.clone())
            .await;
        let changes = span.in_scope(|| self.engine.judge(&snapshot));
        Tick {
            snapshot,
            changes,
            missed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_tick_is_on_the_grid_and_what_was_overrun_is_left_out() {
        let beat = Beat::every(Duration::from_secs(10));
        let at = Timestamp::from_unix_seconds;
        for (now, expected) in [
            (100, (110, 0)),
            (109, (110, 0)),
            (110, (110, 0)),
            (111, (120, 1)),
            (120, (120, 1)),
            (145, (150, 4)),
            (50, (110, 0)),
        ] {
            let (due, missed) = beat.next(at(100), at(now));
            assert_eq!((due, missed), (at(expected.0), expected.1), "at {now}");
        }
    }

    #[test]
    fn jitter_stays_within_one_interval() {
        let beats = (0..100).map(|_| Beat::every(Duration::from_millis(50)).jittered());
        let offsets: Vec<Duration> = beats.map(|beat| beat.offset).collect();
        assert!(
            offsets
                .iter()
                .all(|offset| *offset < Duration::from_millis(50))
        );
        assert!(offsets.iter().any(|offset| *offset != offsets[0]));
    }
}
