//! Waiting for an answer, no longer than a deadline.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::Clock;

/// A deadline is waited for in so many slices.
const SLICES: u32 = 20;
/// No slice is shorter: a timer of a machine that is only busy is late by some milliseconds.
const SHORTEST: Duration = Duration::from_millis(10);

/// What a future gives, unless that takes longer than the deadline.
///
/// Time in which we ourselves stood still is not held against whoever is to answer: after a suspended machine
/// wakes up, its timers are over before any answer that has long been there can be taken. So the deadline is
/// waited for in slices, and one whose end comes as late again as it is long does not count. As many are not
/// counted as there are slices: a deadline ends all the same where we stand still all the time.
///
/// ```
/// use operator_core::within;
/// use std::time::Duration;
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build()?.block_on(async {
/// let a_while = Duration::from_millis(5);
/// assert_eq!(within(a_while, std::future::ready("an answer")).await, Some("an answer"));
/// assert_eq!(within(a_while, std::future::pending::<&str>()).await, None);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub async fn within<T>(deadline: Duration, answer: impl Future<Output = T>) -> Option<T> {
    let mut answer = pin!(answer);
    let clock = Clock::system();
    let slice = (deadline / SLICES).max(SHORTEST);
    let (mut left, mut not_counted) = (deadline, 0);
    loop {
        let now = left.min(slice);
        let began = clock.now();
        if let Ok(answer) = timeout(now, &mut answer).await {
            return Some(answer);
        }
        let taken = clock.now().since(began);
        if taken >= slice * 2 && not_counted < SLICES {
            not_counted += 1;
            continue;
        }
        left = left.saturating_sub(taken.max(now));
        if left.is_zero() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;
    use tokio::time::advance;

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(400);

    #[tokio::test(start_paused = true)]
    async fn silence_ends_at_the_deadline() {
        let clock = Clock::system();
        let began = clock.now();
        assert_eq!(within(DEADLINE, pending::<()>()).await, None);
        assert!(clock.now().since(began) < DEADLINE * 2);
    }

    /// A colleague on the same thread keeps it from running until so much later, and answers soon after.
    async fn stood_still(
        until: Duration,
    ) -> Option<Result<&'static str, oneshot::error::RecvError>> {
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            advance(until).await;
            // As an answer does: it is taken off the socket by one task, and given to the next.
            for _ in 0..3 {
                yield_now().await;
            }
            let _ = tell.send("there all along");
        });
        within(DEADLINE, told).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_came_while_we_stood_still_is_taken() {
        for until in [DEADLINE / 2, DEADLINE + SHORTEST, DEADLINE * 1000] {
            assert_eq!(
                stood_still(until).await,
                Some(Ok("there all along")),
                "{until:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_after_we_stood_still_ends_all_the_same() {
        let clock = Clock::system();
        let began = clock.now();
        tokio::spawn(advance(DEADLINE * 10));
        assert_eq!(within(DEADLINE, pending::<()>()).await, None);
        assert!(clock.now().since(began) < DEADLINE * 12);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_ends_where_we_stand_still_all_the_time() {
        let clock = Clock::system();
        let began = clock.now();
        let standing = tokio::spawn(async {
            loop {
                advance(DEADLINE / SLICES * 2).await;
            }
        });
        assert_eq!(within(DEADLINE, pending::<()>()).await, None);
        // Each slice twice as long as it should be: twenty that do not count, and the deadline itself.
        assert!(clock.now().since(began) <= DEADLINE * 3 + DEADLINE / SLICES * 2);
        standing.abort();
    }
}
