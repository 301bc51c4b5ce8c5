//! Who wants to hear what: from a channel to the nodes of this process.

use crate::{clock::ServerClock, envelope};
use bytes::Bytes;
use engine::port::{Delivery, Sink};
use protocol::RoomId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

/// Where the deliveries of one node go.
#[derive(Default)]
pub struct Tap {
    sink: OnceLock<Arc<dyn Sink>>,
}

impl Tap {
    /// Opens it; the first sink stays.
    pub fn open(&self, sink: Arc<dyn Sink>) {
        if self.sink.set(sink).is_err() {
            tracing::error!("a node's deliveries have a sink already");
        }
    }

    fn deliver(&self, delivery: Delivery) {
        if let Some(sink) = self.sink.get() {
            sink.deliver(delivery);
        }
    }
}

/// The channels that this process wants to hear, whether it is connected or not.
#[derive(Default)]
pub struct Routes {
    channels: RwLock<HashMap<String, Route>>,
    taps: Mutex<Vec<Arc<Tap>>>,
    /// When it was here what it was there.
    pub clock: ServerClock,
}

struct Route {
    /// None on a control channel.
    room: Option<RoomId>,
    taps: Vec<Arc<Tap>>,
}

impl Routes {
    /// One more node.
    pub fn add_tap(&self, tap: Arc<Tap>) {
        self.taps.lock().unwrap_or_else(PoisonError::into_inner).push(tap);
    }

    /// The node is gone: the channels that nobody wants any more.
    pub fn remove_tap(&self, tap: &Arc<Tap>) -> Vec<String> {
        self.taps.lock().unwrap_or_else(PoisonError::into_inner).retain(|t| !Arc::ptr_eq(t, tap));
        let mut unwanted = Vec::new();
        self.write().retain(|channel, route| {
            route.taps.retain(|t| !Arc::ptr_eq(t, tap));
            if route.taps.is_empty() {
                unwanted.push(channel.clone());
            }
            !route.taps.is_empty()
        });
        unwanted
    }

    /// A node wants to hear a channel. Says whether that is new.
    pub fn add(&self, channel: &str, room: Option<RoomId>, tap: &Arc<Tap>) -> bool {
        let mut channels = self.write();
        let route = channels.entry(channel.to_owned()).or_insert_with(|| Route { room, taps: Vec::new() });
        if route.taps.iter().any(|t| Arc::ptr_eq(t, tap)) {
            return false;
        }
        route.taps.push(tap.clone());
        true
    }

    /// A node does not want to hear a channel any more. Says whether nobody does.
    pub fn remove(&self, channel: &str, tap: &Arc<Tap>) -> bool {
        let mut channels = self.write();
        let Some(route) = channels.get_mut(channel) else { return false };
        route.taps.retain(|t| !Arc::ptr_eq(t, tap));
        if !route.taps.is_empty() {
            return false;
        }
        channels.remove(channel);
        true
    }

    /// Whether anybody wants to hear it.
    pub fn wants(&self, channel: &str) -> bool {
        self.read().contains_key(channel)
    }

    /// All that somebody wants to hear.
    pub fn channels(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// The rooms that somebody wants to hear.
    pub fn rooms(&self) -> Vec<RoomId> {
        self.read().values().filter_map(|route| route.room).collect()
    }

    /// Hands a message to whoever wants it.
    pub fn deliver(&self, channel: &str, message: &Bytes) {
        let channels = self.read();
        let Some(route) = channels.get(channel) else { return };
        let delivery = match route.room {
            Some(room) => envelope::decode(room, message, |micros| self.clock.here(micros)).unwrap_or_else(|| {
                tracing::warn!(%room, "a message that a newer version may have written: reading the room again");
                Delivery::Missed(Some(room))
            }),
            None => match envelope::decode_order(message) {
                Some(order) => Delivery::Order(order),
                None => return tracing::warn!(channel, "an order that cannot be read"),
            },
        };
        for tap in &route.taps {
            tap.deliver(delivery.clone());
        }
    }

    /// Tells every node that it may have missed something.
    pub fn missed(&self) {
        let taps = self.taps.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for tap in taps {
            tap.deliver(Delivery::Missed(None));
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<String, Route>> {
        self.channels.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<String, Route>> {
        self.channels.write().unwrap_or_else(PoisonError::into_inner)
    }
}
