//! One read for all who want it at the same time.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::lock::Mutex;
use operator_core::Result;

/// What one look needs in several places is read once: who asks while a read is on its way gets what that
/// read gives, and who asks afterwards has it read anew. Nothing is ever taken from an earlier look.
#[derive(Debug)]
pub(super) struct Shared<T> {
    finished: AtomicU64,
    last: Mutex<Option<Result<T>>>,
}

impl<T: Clone> Shared<T> {
    pub(super) async fn read<F: Future<Output = Result<T>>>(
        &self,
        read: impl FnOnce() -> F,
    ) -> Result<T> {
        let arrived = self.finished.load(Ordering::Acquire);
        // Dropped while it is held, it is free again, and the next one reads.
        let mut last = self.last.lock().await;
        if self.finished.load(Ordering::Acquire) > arrived
            && let Some(last) = &*last
        {
            return last.clone();
        }
        let result = read().await;
        *last = Some(result.clone());
        self.finished.fetch_add(1, Ordering::Release);
        result
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            finished: AtomicU64::new(0),
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
            tokio::task::yield_now().await;
            Ok(reads.get())
        };
        let (a, b, c) = join3(shared.read(read), shared.read(read), shared.read(read)).await;
        assert_eq!((a, b, c), (Ok(1), Ok(1), Ok(1)));
        assert_eq!(shared.read(read).await, Ok(2));
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
