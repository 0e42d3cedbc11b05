//! The one place that asks what time it is.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// A moment: milliseconds since the Unix epoch, printed as RFC 3339 in UTC.
///
/// Arithmetic saturates at the years -9999 and 9999, so that no server's nonsense can make it panic or
/// wrap around.
///
/// ```
/// use operator_core::Timestamp;
/// use std::time::Duration;
///
/// let moment: Timestamp = "2026-11-21T03:04:05.25+01:00".parse()?;
/// assert_eq!(moment.to_string(), "2026-11-21T02:04:05.25Z");
/// assert_eq!((moment + Duration::from_secs(60)).since(moment), Duration::from_secs(60));
/// # Ok::<(), operator_core::ParseTimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(into = "String", try_from = "String"))]
pub struct Timestamp {
    unix_millis: i64,
}

impl Timestamp {
    /// The Unix epoch.
    pub const EPOCH: Self = Self { unix_millis: 0 };

    /// A moment so many milliseconds after the Unix epoch.
    pub fn from_unix_millis(millis: i64) -> Self {
        let first = jiff::Timestamp::MIN.as_second() * 1000;
        let last = jiff::Timestamp::MAX.as_second() * 1000;
        Self {
            unix_millis: millis.clamp(first, last),
        }
    }

    /// A moment so many seconds after the Unix epoch.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_millis(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub fn unix_millis(self) -> i64 {
        self.unix_millis
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        let millis = self.unix_millis.saturating_sub(earlier.unix_millis);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self::from_unix_millis(self.unix_millis.saturating_add(millis(duration)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self::from_unix_millis(self.unix_millis.saturating_sub(millis(duration)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.unix_millis) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => write!(f, "{} ms", self.unix_millis),
        }
    }
}

/// A text that is no moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no moment: expected RFC 3339 with a zone, as in 2026-11-21T02:04:05Z")]
pub struct ParseTimestampError {
    text: String,
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<jiff::Timestamp>()
            .map(|moment| Self::from_unix_millis(moment.as_millisecond()))
            .map_err(|_| ParseTimestampError { text: text.into() })
    }
}

#[cfg(feature = "serde")]
mod serde_form {
    use super::{ParseTimestampError, Timestamp};

    impl From<Timestamp> for String {
        fn from(moment: Timestamp) -> Self {
            moment.to_string()
        }
    }

    impl TryFrom<String> for Timestamp {
        type Error = ParseTimestampError;

        fn try_from(text: String) -> Result<Self, Self::Error> {
            text.parse()
        }
    }
}

/// Who says what time it is. Clones tell the same time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock, read once and then only carried forward.
    System(SystemClock),
    /// A clock that stands still until whoever holds it moves it.
    Manual(ManualClock),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::System(SystemClock::start())
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System(clock) => clock.now(),
            Self::Manual(clock) => clock.now(),
        }
    }

    /// Waits until it is `due`; returns at once when it is, or was.
    pub async fn sleep_until(&self, due: Timestamp) {
        match self {
            Self::System(clock) => tokio::time::sleep(due.since(clock.now())).await,
            Self::Manual(clock) => clock.reaches(due).await,
        }
    }
}

impl From<ManualClock> for Clock {
    fn from(clock: ManualClock) -> Self {
        Self::Manual(clock)
    }
}

/// The wall clock at one moment, carried forward by tokio's: readable, never stepping back when the
/// wall clock does, and standing still while `tokio::time::pause` is on.
#[derive(Debug, Clone)]
pub struct SystemClock {
    wall: Timestamp,
    started: tokio::time::Instant,
}

impl SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    fn start() -> Self {
        let wall = std::time::SystemTime::now();
        let since_epoch = wall
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall: Timestamp::EPOCH + since_epoch,
            started: tokio::time::Instant::now(),
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    fn now(&self) -> Timestamp {
        let elapsed = tokio::time::Instant::now().saturating_duration_since(self.started);
        self.wall + elapsed
    }
}

/// A clock that stands still until whoever holds it moves it: a simulator, a replay, a test.
///
/// It decides when looks are due and what time they carry. How long a read may take is always real time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now: Arc<watch::Sender<Timestamp>>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now: Arc::new(watch::Sender::new(now)),
        }
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        *self.now.borrow()
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        self.now.send_modify(|now| *now = *now + by);
    }

    /// Moves it to a moment, which may lie in the past: a replay may be wound back.
    pub fn set(&self, now: Timestamp) {
        self.now.send_replace(now);
    }

    async fn reaches(&self, due: Timestamp) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.now.subscribe().wait_for(|now| *now >= due).await;
    }
}

/// A duration in seconds, as people read it: `2.5 s`.
pub(crate) fn seconds(duration: Duration) -> impl fmt::Display {
    struct Seconds(Duration);
    impl fmt::Display for Seconds {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "{} s", self.0.as_secs_f64())
        }
    }
    Seconds(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_print_and_parse_back() {
        for millis in [0, 1, 1_700_000_000_250, -1, i64::MAX, i64::MIN] {
            let moment = Timestamp::from_unix_millis(millis);
            assert_eq!(moment.to_string().parse(), Ok(moment));
        }
    }

    #[test]
    fn arithmetic_saturates() {
        let last = Timestamp::from_unix_seconds(i64::MAX);
        assert_eq!(last + Duration::MAX, last);
        let first = Timestamp::from_unix_seconds(i64::MIN);
        assert_eq!(first - Duration::MAX, first);
        assert_eq!(first.since(last), Duration::ZERO);
    }

    #[test]
    fn a_moment_without_a_zone_is_refused_with_what_was_expected() {
        let error = "2026-11-21T02:04:05".parse::<Timestamp>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`2026-11-21T02:04:05` is no moment: expected RFC 3339 with a zone, as in 2026-11-21T02:04:05Z"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_system_clock_stands_still_while_tokio_does() {
        let clock = Clock::system();
        let begin = clock.now();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.now().since(begin), Duration::from_secs(5));
        clock.sleep_until(begin + Duration::from_secs(60)).await;
        assert_eq!(clock.now().since(begin), Duration::from_secs(60));
    }

    #[tokio::test]
    async fn who_sleeps_on_a_manual_clock_wakes_when_it_is_moved() {
        let hand = ManualClock::new(Timestamp::EPOCH);
        let clock = Clock::from(hand.clone());
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep_until(Timestamp::from_unix_seconds(10)).await }
        });
        hand.advance(Duration::from_secs(10));
        sleeper.await.expect("the sleeper wakes");
        assert_eq!(clock.now(), Timestamp::from_unix_seconds(10));
    }
}
