//! Which rooms this node hears, and which of its workers has members there. The first member on the node subscribes;
//! the subscription outlives the last one a little, so that people who come and go do not make it flap.

use crate::port::{Bus, Unavailable};
use protocol::RoomId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::time::{Duration, Instant};

/// A set of workers, by index.
pub type Workers = u64;

/// Workers that one node can have: a bit each.
pub const MAX_WORKERS: usize = 64;

#[derive(Default)]
struct Heard {
    workers: Workers,
    idle_since: Option<Instant>,
    /// Held while subscribing or unsubscribing, so that the two cannot overtake each other.
    gate: Arc<tokio::sync::Mutex<Subscribed>>,
}

/// What is known of a subscription. A call that failed, ran into its time-out or was dropped may have taken effect: then
/// it is neither taken for granted nor left behind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Subscribed {
    #[default]
    No,
    Yes,
    Unknown,
}

/// The rooms of a node. A std mutex: it is held for a look-up, never across an await.
#[derive(Default)]
pub struct Interest {
    rooms: Mutex<HashMap<RoomId, Heard>>,
}

impl Interest {
    fn rooms(&self) -> MutexGuard<'_, HashMap<RoomId, Heard>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The workers with members in a room.
    pub fn workers(&self, room: RoomId) -> Workers {
        self.rooms().get(&room).map_or(0, |heard| heard.workers)
    }

    /// A worker has a member there. When this returns, the worker misses nothing that is published later.
    pub async fn enter(&self, bus: &dyn Bus, room: RoomId, worker: usize) -> Result<(), Unavailable> {
        let gate = {
            let mut rooms = self.rooms();
            let heard = rooms.entry(room).or_default();
            heard.workers |= 1 << worker;
            heard.idle_since = None;
            heard.gate.clone()
        };
        let mut subscribed = gate.lock().await;
        if *subscribed != Subscribed::Yes {
            *subscribed = Subscribed::Unknown;
            bus.subscribe(room).await?;
            *subscribed = Subscribed::Yes;
        }
        Ok(())
    }

    /// A worker has no member there any more.
    pub fn leave(&self, room: RoomId, worker: usize, now: Instant) {
        if let Some(heard) = self.rooms().get_mut(&room) {
            heard.workers &= !(1 << worker);
            if heard.workers == 0 {
                heard.idle_since = Some(now);
            }
        }
    }

    /// Unsubscribes from rooms that had no member here for `linger`.
    pub async fn release(&self, bus: &dyn Bus, linger: Duration, now: Instant) -> Result<(), Unavailable> {
        let idle: Vec<_> = self
            .rooms()
            .iter()
            .filter(|(_, heard)| heard.idle_since.is_some_and(|since| since + linger <= now))
            .map(|(room, heard)| (*room, heard.gate.clone()))
            .collect();
        for (room, gate) in idle {
            let Ok(mut subscribed) = gate.try_lock() else { continue };
            if self.workers(room) != 0 {
                continue;
            }
            if *subscribed != Subscribed::No {
                *subscribed = Subscribed::Unknown;
                bus.unsubscribe(room).await?;
                *subscribed = Subscribed::No;
            }
            drop(subscribed);
            let mut rooms = self.rooms();
            // Somebody who came meanwhile waits at the gate (two handles: the map's and ours), and finds it closed.
            if rooms.get(&room).is_some_and(|heard| heard.workers == 0 && Arc::strong_count(&heard.gate) == 2) {
                rooms.remove(&room);
            }
        }
        Ok(())
    }

    /// How many rooms have a member here.
    pub fn rooms_with_members(&self) -> usize {
        self.rooms().values().filter(|heard| heard.workers != 0).count()
    }

    /// The rooms that are heard, or were until just now.
    #[cfg(test)]
    fn rooms_heard(&self) -> Vec<RoomId> {
        self.rooms().keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::{Address, Appended, Original, PortError, Post, Sink, Slice, Span};
    use async_trait::async_trait;
    use bytes::Bytes;
    use protocol::{ClientId, Epoch};
    use std::sync::atomic::{AtomicBool, Ordering};

    /// Records subscriptions, and never ends the next call when told so.
    #[derive(Default)]
    struct Recorder(Mutex<Vec<&'static str>>, AtomicBool);

    impl Recorder {
        async fn call(&self, what: &'static str) {
            tokio::task::yield_now().await;
            self.0.lock().unwrap().push(what);
            if self.1.swap(false, Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
        }
    }

    #[async_trait]
    impl Bus for Recorder {
        fn attach(&self, _: Arc<dyn Sink>) {}
        async fn subscribe(&self, _: RoomId) -> Result<(), Unavailable> {
            self.call("subscribe").await;
            Ok(())
        }
        async fn unsubscribe(&self, _: RoomId) -> Result<(), Unavailable> {
            self.call("unsubscribe").await;
            Ok(())
        }
        async fn append(&self, _: Post) -> Result<Appended, PortError> {
            Err(PortError::RoomNotFound)
        }
        async fn publish(&self, _: RoomId, _: Option<ClientId>, _: Bytes) -> Result<(), Unavailable> {
            Ok(())
        }
        async fn read(&self, _: RoomId, _: Span, _: usize) -> Result<Slice, PortError> {
            Err(PortError::RoomNotFound)
        }
        async fn originals(&self, _: RoomId, _: Span, _: usize) -> Result<Slice<Original>, PortError> {
            Err(PortError::RoomNotFound)
        }
        async fn renew(&self, _: RoomId, _: &Epoch) -> Result<(), PortError> {
            Ok(())
        }
        async fn order(&self, _: Address, _: Bytes) -> Result<(), Unavailable> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_first_subscribes_and_the_last_unsubscribes_late() {
        let (bus, interest) = (Recorder::default(), Interest::default());
        let room = RoomId::new(10_000).unwrap();
        let linger = Duration::from_secs(5);
        let (one, two) = tokio::join!(interest.enter(&bus, room, 0), interest.enter(&bus, room, 3));
        one.unwrap();
        two.unwrap();
        assert_eq!(interest.workers(room), 0b1001);
        let now = Instant::now();
        interest.leave(room, 0, now);
        interest.release(&bus, linger, now + linger).await.unwrap();
        interest.leave(room, 3, now);
        interest.release(&bus, linger, now).await.unwrap();
        assert_eq!(*bus.0.lock().unwrap(), ["subscribe"]);
        // Back in time: nothing changes.
        interest.enter(&bus, room, 0).await.unwrap();
        interest.release(&bus, linger, now + linger).await.unwrap();
        interest.leave(room, 0, now);
        interest.release(&bus, linger, now + linger).await.unwrap();
        assert_eq!(*bus.0.lock().unwrap(), ["subscribe", "unsubscribe"]);
        assert!(interest.rooms_heard().is_empty());
    }

    #[tokio::test]
    async fn who_comes_while_unsubscribing_subscribes_again() {
        let (bus, interest) = (Recorder::default(), Interest::default());
        let room = RoomId::new(10_000).unwrap();
        interest.enter(&bus, room, 0).await.unwrap();
        let now = Instant::now();
        interest.leave(room, 0, now);
        let (released, entered) =
            tokio::join!(interest.release(&bus, Duration::ZERO, now), interest.enter(&bus, room, 1));
        released.unwrap();
        entered.unwrap();
        assert_eq!(*bus.0.lock().unwrap(), ["subscribe", "unsubscribe", "subscribe"]);
        assert_eq!(interest.workers(room), 0b10);
    }

    /// A call that was given up may have taken effect.
    #[tokio::test(start_paused = true)]
    async fn what_was_given_up_is_done_again() {
        let (bus, interest) = (Recorder::default(), Interest::default());
        let room = RoomId::new(10_000).unwrap();
        let (patience, now) = (Duration::from_secs(1), Instant::now());

        // A subscription that nobody waited for is ended …
        bus.1.store(true, Ordering::Relaxed);
        tokio::time::timeout(patience, interest.enter(&bus, room, 0)).await.unwrap_err();
        interest.leave(room, 0, now);
        interest.release(&bus, Duration::ZERO, now).await.unwrap();
        assert_eq!(*bus.0.lock().unwrap(), ["subscribe", "unsubscribe"]);
        assert!(interest.rooms_heard().is_empty());

        // … and one that may have been ended is begun anew.
        interest.enter(&bus, room, 0).await.unwrap();
        interest.leave(room, 0, now);
        bus.1.store(true, Ordering::Relaxed);
        tokio::time::timeout(patience, interest.release(&bus, Duration::ZERO, now)).await.unwrap_err();
        interest.enter(&bus, room, 0).await.unwrap();
        assert_eq!(bus.0.lock().unwrap()[2..], ["subscribe", "unsubscribe", "subscribe"]);
    }
}
