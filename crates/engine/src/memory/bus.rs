//! Timelines and publishing.

use super::{MemoryNode, log::as_amended};
use crate::{
    limiter::Who,
    port::{
        Address, Appended, Bus, Delivery, Entry as LogEntry, Original, PortError, Post, Sink, Slice, Span, Unavailable,
    },
};
use async_trait::async_trait;
use bytes::Bytes;
use protocol::{ClientId, Epoch, RoomId, policy::Policy};
use std::{collections::hash_map::Entry, sync::Arc};
use tokio::time::Instant;

#[async_trait]
impl Bus for MemoryNode {
    fn attach(&self, sink: Arc<dyn Sink>) {
        self.state().sinks.insert(self.node.clone(), sink);
    }

    async fn subscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        self.state().subscribers.entry(room).or_default().insert(self.node.clone());
        Ok(())
    }

    async fn unsubscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        if let Entry::Occupied(mut nodes) = self.state().subscribers.entry(room) {
            nodes.get_mut().remove(&self.node);
            if nodes.get().is_empty() {
                nodes.remove();
            }
        }
        Ok(())
    }

    async fn append(&self, post: Post) -> Result<Appended, PortError> {
        let Post { room: id, client, key: whose, id: message, payload, amendment, window, trace } = post;
        let (now, key) = (self.now(), (client, message));
        let mut state = self.state();
        let room = state.rooms.get_mut(&id).ok_or(PortError::RoomNotFound)?;
        let who = Who::Client(client).to_string();
        if let Some(first) = room.log.seen(now, &self.shared.retention, key) {
            let budget = window.map(|window| state.left(now, Policy::Message, &who, window));
            return Ok(Appended { budget, ..first });
        }
        if let Some(amendment) = &amendment {
            room.log.check(now, &self.shared.retention, amendment)?;
        }
        if let Some(window) = window
            && let Some(wait) = state.take(now, Policy::Message, &who, window)
        {
            return Err(PortError::Limited(wait));
        }
        let room = state.rooms.get_mut(&id).ok_or(PortError::RoomNotFound)?;
        let appended = room.log.append(now, &self.shared.retention, key, whose, payload.clone());
        if let Some(amendment) = &amendment {
            room.log.amend(amendment);
        }
        let entry = LogEntry { seq: appended.seq, sent_at: appended.sent_at, payload };
        state.tell(id, &Delivery::Entry { room: id, entry, taken: Some(Instant::now()), trace });
        let budget = window.map(|window| state.left(now, Policy::Message, &who, window));
        Ok(Appended { budget, ..appended })
    }

    async fn publish(&self, id: RoomId, except: Option<ClientId>, payload: Bytes) -> Result<(), Unavailable> {
        self.state().tell(id, &Delivery::Ephemeral { room: id, except, payload });
        Ok(())
    }

    async fn read(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError> {
        let now = self.now();
        let mut state = self.state();
        let room = state.rooms.get_mut(&room).ok_or(PortError::RoomNotFound)?;
        Ok(room.log.read(now, &self.shared.retention, span, limit, as_amended))
    }

    async fn originals(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice<Original>, PortError> {
        let now = self.now();
        let mut state = self.state();
        let room = state.rooms.get_mut(&room).ok_or(PortError::RoomNotFound)?;
        Ok(room.log.read(now, &self.shared.retention, span, limit, Original::clone))
    }

    async fn renew(&self, id: RoomId, lost: &Epoch) -> Result<(), PortError> {
        let fresh = self.fresh_epoch()?;
        let mut state = self.state();
        if state.rooms.get_mut(&id).ok_or(PortError::RoomNotFound)?.log.renew(lost, fresh) {
            state.tell(id, &Delivery::Missed(Some(id)));
        }
        Ok(())
    }

    async fn order(&self, to: Address, order: Bytes) -> Result<(), Unavailable> {
        let state = self.state();
        match to {
            Address::Node(node) => {
                if let Some(sink) = state.sinks.get(&node) {
                    sink.deliver(Delivery::Order(order));
                }
            }
            Address::Everyone => {
                for sink in state.sinks.values() {
                    sink.deliver(Delivery::Order(order.clone()));
                }
            }
        }
        Ok(())
    }
}
