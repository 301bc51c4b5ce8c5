//! How a process ends: asked first, then made to.

use std::{future::Future, io, time::Duration};
use tokio::{
    select,
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long tasks get to notice that they were made to end.
const AFTER_HARD: Duration = Duration::from_secs(2);

/// Two tokens and two lists of who is still at work. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Asks everybody to finish. Work that goes on by itself, such as a heartbeat, ends here.
    pub soft: CancellationToken,
    /// Ends everybody where they stand.
    pub hard: CancellationToken,
    /// The process's own tasks.
    pub tasks: TaskTracker,
    /// What lives on the worker threads of a [`server`](crate::server): open HTTP connections, upgraded ones, and
    /// whatever [`spawn_local`](Self::spawn_local) was given. A list of its own, because a server keeps its worker
    /// threads until this one is empty, and could not wait for `tasks`, which it may be on itself.
    pub connections: TaskTracker,
}

impl Lifecycle {
    /// A process that has just begun.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a task that shutdown waits for, and that [`hard`](Self::hard) ends. `None` is what it ended with then.
    pub fn spawn<F>(&self, task: F) -> JoinHandle<Option<F::Output>>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn(self.hard.clone().run_until_cancelled_owned(task))
    }

    /// Runs a task that stays on this worker thread of a [`server`](crate::server). Shutdown waits for it; on `hard` the
    /// server ends its threads and the task with them. It does not watch the token itself: every poll would take a
    /// lock that all connections of the process share.
    pub fn spawn_local<F: Future + 'static>(&self, task: F) -> JoinHandle<F::Output> {
        actix_rt::spawn(self.connections.track_future(task))
    }

    /// Takes SIGTERM and SIGINT from here on: the first is soft, the second hard.
    pub fn listen_for_signals(&self) -> io::Result<()> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let lifecycle = self.clone();
        // Not tracked: it waits for the end itself.
        tokio::spawn(async move {
            for token in [&lifecycle.soft, &lifecycle.hard] {
                let name = select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                };
                tracing::info!(signal = name, hard = lifecycle.soft.is_cancelled(), "asked to end");
                token.cancel();
            }
        });
        Ok(())
    }

    /// Ends everything: softly, waiting up to `grace` (less when `hard` is cancelled meanwhile), then hard, waiting a
    /// moment longer. Says whether everything ended. Whoever runs a server runs it in a task of its own: it has to go on
    /// while this waits.
    pub async fn shutdown(&self, grace: Duration) -> bool {
        self.soft.cancel();
        self.tasks.close();
        self.connections.close();
        select! {
            biased;
            () = self.all_ended() => return true,
            () = self.hard.cancelled() => {}
            () = tokio::time::sleep(grace) => {}
        }
        tracing::warn!(
            tasks = self.tasks.len(),
            connections = self.connections.len(),
            "not all ended in time: ending the rest"
        );
        self.hard.cancel();
        timeout(AFTER_HARD, self.all_ended()).await.is_ok()
    }

    async fn all_ended(&self) {
        self.tasks.wait().await;
        self.connections.wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    #[tokio::test(start_paused = true)]
    async fn what_ends_softly_is_waited_for() {
        let lifecycle = Lifecycle::new();
        let soft = lifecycle.soft.clone();
        let task = lifecycle.spawn(async move {
            soft.cancelled().await;
            tokio::time::sleep(Duration::from_secs(3)).await;
            "done"
        });
        assert!(lifecycle.shutdown(Duration::from_secs(10)).await);
        assert!(!lifecycle.hard.is_cancelled());
        assert_eq!(task.await.unwrap(), Some("done"));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_is_ended_after_the_grace() {
        let lifecycle = Lifecycle::new();
        let task = lifecycle.spawn(pending::<()>());
        let started = tokio::time::Instant::now();
        assert!(lifecycle.shutdown(Duration::from_secs(10)).await);
        assert_eq!(started.elapsed(), Duration::from_secs(10));
        assert_eq!(task.await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn hard_cuts_the_grace_short() {
        let lifecycle = Lifecycle::new();
        let task = lifecycle.spawn(pending::<()>());
        lifecycle.hard.cancel();
        let started = tokio::time::Instant::now();
        assert!(lifecycle.shutdown(Duration::from_secs(60)).await);
        assert_eq!(started.elapsed(), Duration::ZERO);
        assert_eq!(task.await.unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_be_ended_is_told() {
        let lifecycle = Lifecycle::new();
        let _held = lifecycle.tasks.token();
        let started = tokio::time::Instant::now();
        assert!(!lifecycle.shutdown(Duration::from_secs(1)).await);
        assert_eq!(started.elapsed(), Duration::from_secs(1) + AFTER_HARD);
    }
}
