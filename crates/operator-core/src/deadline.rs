//! Waiting for an answer, no longer than a deadline.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use crate::Clock;

/// A timer that comes so much too late tells that nobody was there to take an answer.
const STOOD_STILL: Duration = Duration::from_millis(100);

/// What a future gives, unless that takes longer than the deadline.
///
/// Time in which we ourselves stood still is not held against whoever is to answer: after a suspended machine
/// wakes up, its timers are over before any answer that has long been there can be taken. So where the timer
/// comes much too late, the future gets the deadline once more.
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
    let began = clock.now();
    if let Ok(answer) = timeout(deadline, &mut answer).await {
        return Some(answer);
    }
    let taken = clock.now().since(began);
    match taken.saturating_sub(deadline) > STOOD_STILL {
        true => timeout(deadline, answer).await.ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    const DEADLINE: Duration = Duration::from_millis(20);

    #[tokio::test(start_paused = true)]
    async fn silence_ends_at_the_deadline() {
        let clock = Clock::system();
        let began = clock.now();
        assert_eq!(within(DEADLINE, pending::<()>()).await, None);
        assert!(clock.now().since(began) < DEADLINE * 2);
    }

    /// Keeps the thread, and all that is to run on it.
    fn hold_up(for_so_long: Duration) {
        let (_tell, told) = std::sync::mpsc::channel::<()>();
        let _ = told.recv_timeout(for_so_long);
    }

    /// A colleague on the same thread keeps it from running, and answers soon after.
    async fn stood_still(
        for_so_long: Duration,
    ) -> Option<Result<&'static str, oneshot::error::RecvError>> {
        let (tell, told) = oneshot::channel();
        tokio::spawn(async move {
            hold_up(for_so_long);
            // As an answer does: it is taken off the socket by one task, and given to the next.
            for _ in 0..3 {
                yield_now().await;
            }
            let _ = tell.send("there all along");
        });
        within(DEADLINE, told).await
    }

    #[tokio::test]
    async fn an_answer_that_came_while_we_stood_still_is_taken() {
        let answer = stood_still(DEADLINE + STOOD_STILL * 2).await;
        assert_eq!(answer, Some(Ok("there all along")));
    }

    #[tokio::test]
    async fn silence_after_we_stood_still_ends_all_the_same() {
        tokio::spawn(async { hold_up(DEADLINE + STOOD_STILL * 2) });
        assert_eq!(within(DEADLINE, pending::<()>()).await, None);
    }
}
