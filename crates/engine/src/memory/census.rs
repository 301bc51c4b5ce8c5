//! Who is there, for operators.

use super::{ClientState, MemoryNode, Presence, State, after};
use crate::port::{
    Census, ClientRecord, Counts, Delivery, Expelled, PARTICIPANTS_KEPT, Participants, PortError, Unavailable,
};
use async_trait::async_trait;
use bytes::Bytes;
use protocol::{ClientId, RoomId, Seq, Username, event::Member};
use std::collections::{HashSet, VecDeque};

#[async_trait]
impl Census for MemoryNode {
    async fn counts(&self) -> Result<Counts, Unavailable> {
        let state = self.state();
        let (clients, rooms) = (state.attached.len() as u64, state.rooms.len() as u64);
        Ok(Counts { clients, rooms })
    }

    async fn clients(&self, from: Option<ClientId>, limit: usize) -> Result<Vec<ClientRecord>, Unavailable> {
        let state = self.state();
        let ids = state.attached.iter().filter(|id| from.is_none_or(|from| **id > from));
        Ok(ids.filter_map(|id| Some(record(*id, state.clients.get(id)?))).take(limit).collect())
    }

    async fn client(&self, id: ClientId) -> Result<Option<ClientRecord>, Unavailable> {
        let state = self.state();
        let client = state.clients.get(&id).filter(|client| !matches!(client.presence, Presence::Kept(_)));
        Ok(client.map(|client| record(id, client)))
    }

    async fn expel(&self, id: ClientId, order: Bytes) -> Result<Option<Expelled>, Unavailable> {
        let until = after(self.now(), self.shared.retention.clients);
        let mut state = self.state();
        let Some(client) = state.clients.get(&id) else { return Ok(None) };
        let node = match &client.presence {
            Presence::Kept(_) => return Ok(None),
            Presence::Grace { .. } => None,
            Presence::Attached(attachment) => Some(attachment.lease.node.clone()),
        };
        let rooms = client.rooms.clone();
        state.set_presence(id, Presence::Kept(until));
        for room in &rooms {
            state.exit(*room, id);
        }
        if let Some(sink) = node.as_ref().and_then(|node| state.sinks.get(node)) {
            sink.deliver(Delivery::Order(order));
        }
        Ok(Some(Expelled { node, rooms }))
    }

    async fn positions(&self, rooms: &[RoomId]) -> Result<Vec<Seq>, Unavailable> {
        let state = self.state();
        let newest = |room| state.rooms.get(room).map_or(Seq::ZERO, |room| room.log.newest());
        Ok(rooms.iter().map(newest).collect())
    }

    async fn participants(&self, room: RoomId, limit: usize) -> Result<Participants, PortError> {
        let state = self.state();
        let room = state.rooms.get(&room).ok_or(PortError::RoomNotFound)?;
        let newest = room.participants.order.iter().rev().take(limit).map(|id| member(&state, *id)).collect();
        Ok(Participants { count: room.participants.order.len() as u64, newest })
    }
}

fn record(client_id: ClientId, client: &ClientState) -> ClientRecord {
    let node = match &client.presence {
        Presence::Attached(attachment) => Some(attachment.lease.node.clone()),
        Presence::Grace { .. } | Presence::Kept(_) => None,
    };
    ClientRecord {
        client_id,
        username: client.username.clone(),
        node,
        rooms: client.rooms.clone(),
        connected_at: client.connected_at,
        address: client.address,
    }
}

fn member(state: &State, client_id: ClientId) -> Member {
    let name = state.clients.get(&client_id).map(|client| client.username.clone());
    Member { client_id, username: name.unwrap_or_else(|| Username::guest(client_id)) }
}

/// Who was ever in a room, in the order of coming for the first time.
#[derive(Default)]
pub(super) struct Participation {
    known: HashSet<ClientId>,
    order: VecDeque<ClientId>,
}

impl Participation {
    /// Notes somebody who came.
    pub(super) fn note(&mut self, client: ClientId) {
        if !self.known.insert(client) {
            return;
        }
        self.order.push_back(client);
        if self.order.len() > PARTICIPANTS_KEPT
            && let Some(forgotten) = self.order.pop_front()
        {
            self.known.remove(&forgotten);
        }
    }
}
