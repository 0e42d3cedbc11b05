//! When to stop: somebody wants it, or nobody listens any more.

use tokio::sync::Notify;

/// Waits until somebody wants the command to end: Ctrl-C, the end of a terminal, a supervisor.
pub(crate) async fn wanted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminated, hung_up) = (
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        );
        let (Ok(mut terminated), Ok(mut hung_up)) = (terminated, hung_up) else {
            let _ = tokio::signal::ctrl_c().await;
            return;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
            _ = hung_up.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// A wish to stop from within.
#[derive(Debug, Default)]
pub(crate) struct Stop(Notify);

impl Stop {
    pub(crate) fn now(&self) {
        self.0.notify_one();
    }

    pub(crate) async fn asked(&self) {
        self.0.notified().await;
    }
}
