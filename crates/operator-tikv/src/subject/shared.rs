//! One read for all who want it at the same time.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::future::{Either, select};
use futures_util::lock::Mutex as Turn;
use operator_core::Result;
use tokio::sync::Notify;
use tokio::task::yield_now;

/// What one look needs in several places is read once: who asks while a read is on its way gets what that
/// read gives, and who asks afterwards has it read anew. Nothing is ever taken from an earlier look.
///
/// Who asks lets the others ask before it reads, because an answer can be there as soon as it is asked for: where
/// this thread stands still between the two, a read is over before the second has asked. For the same reason all
/// who wait are woken together: what they do next is asked for by all before one of them does it.
#[derive(Debug)]
pub(super) struct Shared<T> {
    turn: Turn<()>,
    finished: AtomicU64,
    told: Notify,
    last: Mutex<Option<Result<T>>>,
}

impl<T: Clone> Shared<T> {
    pub(super) async fn read<F: Future<Output = Result<T>>>(
        &self,
        read: impl FnOnce() -> F,
    ) -> Result<T> {
        let arrived = self.finished.load(Ordering::Acquire);
        yield_now().await;
        let turn = loop {
            let told = pin!(self.told.notified());
            // Dropped while it is held, the turn is free again, and the next one reads.
            let turn = match select(told, self.turn.lock()).await {
                Either::Left(((), _)) => None,
                Either::Right((turn, _)) => Some(turn),
            };
            if self.finished.load(Ordering::Acquire) > arrived
                && let Some(last) = self.last()
            {
                return last;
            }
            if let Some(turn) = turn {
                break turn;
            }
        };
        let result = read().await;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(result.clone());
        self.finished.fetch_add(1, Ordering::Release);
        drop(turn);
        self.told.notify_waiters();
        result
    }

    fn last(&self) -> Option<Result<T>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone()
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            turn: Turn::new(()),
            finished: AtomicU64::new(0),
            told: Notify::new(),
            last: Mutex::new(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::{join3, ready};

    use super::*;

    #[tokio::test]
    async fn who_asks_at_the_same_time_shares_and_who_asks_later_does_not() {
        let shared = Shared::default();
        let reads = Cell::new(0);
        let read = || async {
            reads.set(reads.get() + 1);
            yield_now().await;
            Ok(reads.get())
        };
        let (a, b, c) = join3(shared.read(read), shared.read(read), shared.read(read)).await;
        assert_eq!((a, b, c), (Ok(1), Ok(1), Ok(1)));
        assert_eq!(shared.read(read).await, Ok(2));
    }

    #[tokio::test]
    async fn an_answer_that_is_there_at_once_is_shared_too() {
        let (first, second) = (Shared::default(), Shared::default());
        let reads = Cell::new(0);
        let read = || {
            reads.set(reads.get() + 1);
            ready(Ok(reads.get()))
        };
        let both = || async {
            Ok::<_, operator_core::Error>((first.read(read).await?, second.read(read).await?))
        };
        assert_eq!(
            join3(both(), both(), both()).await,
            (Ok((1, 2)), Ok((1, 2)), Ok((1, 2)))
        );
    }

    #[tokio::test]
    async fn who_shared_a_read_shares_the_next_however_many_they_are() {
        let (first, second) = (Shared::default(), Shared::default());
        let reads = Cell::new(0);
        let both = || async {
            first
                .read(|| async {
                    yield_now().await;
                    Ok(())
                })
                .await?;
            second
                .read(|| async {
                    reads.set(reads.get() + 1);
                    yield_now().await;
                    Ok(reads.get())
                })
                .await
        };
        let all = futures_util::future::join_all((0..20).map(|_| both())).await;
        assert!(all.iter().all(|read| *read == Ok(1)), "{all:?}");
    }

    #[tokio::test]
    async fn a_read_that_is_dropped_is_made_by_the_next() {
        let shared = Shared::default();
        let stuck = shared.read(std::future::pending);
        let timed = tokio::time::timeout(std::time::Duration::from_millis(1), stuck).await;
        assert!(timed.is_err());
        assert_eq!(shared.read(|| ready(Ok(7))).await, Ok(7));
    }
}
