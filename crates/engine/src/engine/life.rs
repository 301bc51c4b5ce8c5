//! A node's life in the cluster: its lease, the sweep, and what is put right afterwards.

use super::{Doubt, Engine, Leaving};
use crate::{
    port::{Attachment, Beat, PortError, Unavailable},
    stats::one,
};
use futures_util::future::join_all;
use protocol::{ClientId, CloseCode};
use std::sync::{
    Arc, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use tokio::time::{Duration, Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

/// Connections that are given up, or looked after, with one sweep; the others wait for the next one.
const A_SWEEP: usize = 500;
/// How many of them at once.
const AT_ONCE: usize = 32;

/// Until when a node is sure of its lease, on its own clock: milliseconds since it started.
pub(super) struct LeaseEnd {
    start: Instant,
    end: AtomicU64,
}

impl LeaseEnd {
    pub(super) fn in_(lease: Duration) -> Self {
        let new = Self { start: Instant::now(), end: AtomicU64::new(0) };
        new.set(new.start + lease);
        new
    }

    fn set(&self, end: Instant) {
        let millis = end.duration_since(self.start).as_millis();
        self.end.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Release);
    }

    fn get(&self) -> Instant {
        self.start + Duration::from_millis(self.end.load(Ordering::Acquire))
    }
}

impl Engine {
    /// Keeps the node alive in the cluster, until cancelled. Then the lease is given back: members move, and nobody is
    /// told of those who come back within their grace.
    pub async fn run(self: Arc<Self>, cancel: CancellationToken) {
        // Side by side: however long a sweep takes, no heartbeat waits for it.
        let all = async {
            tokio::join!(
                self.keep_lease(),
                self.keep_sweeping(),
                self.keep_orders(),
                self.keep_bans(),
                self.keep_canary()
            )
        };
        cancel.run_until_cancelled(all).await;
        let lease = self.lease();
        if let Err(e) = self.bounded(self.ports.directory.deregister(&lease, self.config.grace)).await {
            tracing::warn!(error = %e, "could not give the lease back; it will run out");
        }
        // After that: whoever asks who is there must not find it again.
        self.say_farewell().await;
    }

    async fn keep_lease(&self) {
        let mut heartbeat = every(self.config.heartbeat);
        let mut report = every(self.config.report);
        let mut reported = 0;
        loop {
            tokio::select! {
                _ = heartbeat.tick() => self.beat().await,
                _ = report.tick() => {
                    let connections = self.stats.connections.load(Ordering::Relaxed);
                    // Also as soon as the backend is back: until it has heard of us, our lease may be over.
                    if connections != reported || !self.reachable() {
                        reported = connections;
                        self.beat().await;
                    }
                }
            }
        }
    }

    async fn keep_sweeping(&self) {
        let mut sweep = every(self.config.sweep);
        loop {
            sweep.tick().await;
            if self.reachable() {
                self.sweep().await;
            }
        }
    }

    async fn beat(&self) {
        // Of before the question: the answer may have been on its way for long.
        let lease_end = Instant::now() + self.config.lease;
        let connections = u32::try_from(self.stats.connections.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let lease = self.lease();
        let beat = self.bounded(self.ports.directory.heartbeat(&lease, self.config.lease, connections)).await;
        let reachable = beat.is_ok();
        let was_reachable = self.reachable.swap(reachable, Ordering::AcqRel);
        if reachable && !was_reachable {
            tracing::info!("the backend answers again");
        }
        match beat {
            Ok(Beat::Alive) => self.lease_end.set(lease_end),
            Ok(Beat::Fenced) => self.begin_anew(lease_end).await,
            Err(e) if was_reachable => tracing::warn!(error = %e, "heartbeat failed; trying until one does not"),
            Err(e) => tracing::debug!(error = %e, "heartbeat failed again"),
        }
    }

    async fn begin_anew(&self, lease_end: Instant) {
        tracing::error!(node = %self.node, "the lease ran out: closing every connection and starting anew");
        one(&self.stats.fenced);
        self.router.close_all(CloseCode::Restart);
        match self.bounded(self.ports.directory.begin_anew(&self.lease(), self.config.lease)).await {
            Ok(lease) => {
                self.set_lease(lease);
                self.lease_end.set(lease_end);
            }
            Err(PortError::Superseded) => {
                tracing::error!(node = %self.node, "another process lives under this name: each needs a NODE_ID of its own");
            }
            Err(e) => tracing::error!(error = %e, "could not register; trying again with the next heartbeat"),
        }
    }

    /// Fails when this node's lease may be over. Timelines know nothing of leases, so that a message costs one step; a
    /// node that was paused must find out by itself that its clients may be somebody else's by now.
    ///
    /// # Errors
    /// Until a heartbeat has said that it is not.
    pub fn in_time(&self) -> Result<(), Unavailable> {
        if self.lease_end.get() > Instant::now() {
            return Ok(());
        }
        Err(Unavailable("the lease may be over".to_owned()))
    }

    /// How a connection is closed that does not speak for its client any more: taken over, unless the node's lease is over
    /// or may be. Then the client is nobody's rather than somebody else's, and is to come back.
    pub fn superseded(&self, attachment: &Attachment) -> CloseCode {
        if attachment.lease == self.lease() && self.in_time().is_ok() {
            CloseCode::TakenOver
        } else {
            CloseCode::Restart
        }
    }

    async fn sweep(&self) {
        match self.bounded(self.ports.directory.sweep()).await {
            Ok(swept) => {
                self.stats.nodes_reaped.fetch_add(swept.nodes.into(), Ordering::Relaxed);
                self.stats.members_reaped.fetch_add(swept.members.into(), Ordering::Relaxed);
                if swept.nodes > 0 {
                    tracing::warn!(nodes = swept.nodes, "reaped nodes whose lease had run out");
                }
            }
            Err(e) => tracing::warn!(error = %e, "sweep failed"),
        }
        self.detach_gone().await;
        self.settle_doubts().await;
        let release = self.router.interest.release(self.ports.bus.as_ref(), self.config.linger, Instant::now());
        if let Err(e) = self.bounded(release).await {
            tracing::warn!(error = %e, "could not unsubscribe");
        }
    }

    async fn detach_gone(&self) {
        let gone: Vec<Leaving> =
            self.gone.lock().unwrap_or_else(PoisonError::into_inner).values().take(A_SWEEP).cloned().collect();
        for some in gone.chunks(AT_ONCE) {
            let detached = join_all(some.iter().cloned().map(|leaving| self.detach_one(leaving))).await;
            if detached.contains(&false) {
                return;
            }
        }
    }

    /// Says whether the backend took it.
    async fn detach_one(&self, Leaving { client, attachment, grace }: Leaving) -> bool {
        let detached = self.bounded(self.ports.directory.detach(client, &attachment, grace)).await.is_ok();
        if detached {
            self.forget_gone(&attachment);
        }
        detached
    }

    // ------------------------------------------------------------------------------------------------- doubts

    /// The directory may have this connection's client in other rooms than the connection hears: the answer to a command
    /// was lost, or changes of membership may have been missed. It is compared when that command can take no effect any
    /// more, which is soon after nobody waits for it.
    pub(crate) fn doubt(&self, client: ClientId, attempt: u64) {
        one(&self.stats.doubts);
        let attachment = Attachment { lease: self.lease(), connection: attempt };
        let doubt = Doubt { client, attachment, ripe: Instant::now() + self.config.call_timeout * 2 };
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt, doubt);
    }

    async fn settle_doubts(&self) {
        let now = Instant::now();
        let ripe: Vec<Doubt> = {
            let doubts = self.doubts.lock().unwrap_or_else(PoisonError::into_inner);
            doubts.values().filter(|doubt| doubt.ripe <= now).take(A_SWEEP).cloned().collect()
        };
        for some in ripe.chunks(AT_ONCE) {
            let settled = join_all(some.iter().cloned().map(|doubt| self.settle(doubt))).await;
            if settled.contains(&false) {
                return;
            }
        }
    }

    /// Says whether the backend answered.
    async fn settle(&self, Doubt { client, attachment, .. }: Doubt) -> bool {
        match self.bounded(self.ports.directory.rooms_of(client, &attachment)).await {
            Ok(rooms) => self.router.compare(attachment.connection, rooms),
            Err(PortError::Unavailable(_)) => return false,
            // Another connection speaks for the client, and the order to close this one was published while nobody here
            // could hear it. (A connection that has ended meanwhile is not found.)
            Err(_) => self.router.close(attachment.connection, self.superseded(&attachment)),
        }
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner).remove(&attachment.connection);
        true
    }
}

pub(super) fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
