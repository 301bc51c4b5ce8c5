//! Nodes, clients, rooms and who is in them.

use super::{ClientState, MemoryNode, NodeState, Presence, RoomState, State, after, census::Participation, log::Log};
use crate::{
    clock::Entropy,
    control::Order,
    port::{
        Attached, Attachment, Beat, Change, Claim, Delivery, Directory, Joined, Listing, MembersPage, NewRoom,
        NodeLease, NodeRecord, PortError, RoomRules, RoomsPage, Swept, Unavailable,
    },
};
use async_trait::async_trait;
use protocol::{
    ClientId, CloseCode, NodeId, RoomId, Timestamp, Username,
    event::{Member, RoomSummary},
};
use std::{
    collections::{BTreeMap, HashSet},
    ops::Bound,
    time::Duration,
};

#[async_trait]
impl Directory for MemoryNode {
    async fn register(&self, node: &NodeId, lease: Duration) -> Result<NodeLease, Unavailable> {
        Ok(self.state().begin_life(self.now(), node, lease, self.shared.retention.clients))
    }

    async fn begin_anew(&self, former: &NodeLease, lease: Duration) -> Result<NodeLease, PortError> {
        let now = self.now();
        let mut state = self.state();
        let other = |node: &NodeState| node.generation != former.generation && node.until > now;
        if state.nodes.get(&former.node).is_some_and(other) {
            return Err(PortError::Superseded);
        }
        Ok(state.begin_life(now, &former.node, lease, self.shared.retention.clients))
    }

    async fn heartbeat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<Beat, Unavailable> {
        let now = self.now();
        let mut state = self.state();
        let Some(node) = state.nodes.get_mut(&lease.node).filter(|n| n.generation == lease.generation) else {
            return Ok(Beat::Fenced);
        };
        // Nobody has swept it yet, but its time is over all the same: others may act on that at any moment.
        if node.until <= now {
            state.lose_node(&lease.node, now, after(now, self.shared.retention.clients));
            return Ok(Beat::Fenced);
        }
        node.until = after(now, time);
        node.last_seen_at = now;
        node.connections = connections;
        Ok(Beat::Alive)
    }

    async fn deregister(&self, lease: &NodeLease, grace: Duration) -> Result<(), Unavailable> {
        let now = self.now();
        let mut state = self.state();
        if state.holds(lease) {
            state.lose_node(&lease.node, after(now, grace), after(now, self.shared.retention.clients));
        }
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        let now = self.now();
        Ok(self
            .state()
            .nodes
            .iter()
            .filter(|(_, n)| n.until > now)
            .map(|(node, n)| NodeRecord {
                node: node.clone(),
                started_at: n.started_at,
                last_seen_at: n.last_seen_at,
                connections: n.connections,
            })
            .collect())
    }

    async fn attach(&self, attachment: &Attachment, claim: Claim) -> Result<Attached, PortError> {
        let now = self.now();
        let mut state = self.state();
        if !state.holds(&attachment.lease) {
            return Err(PortError::Superseded);
        }
        let known = claim.identity.and_then(|(id, key)| state.clients.get(&id).map(|c| (id, key, c.key == key)));
        let (client_id, key, resumed) = match (claim.identity, known) {
            (_, Some((id, key, true))) => (id, key, true),
            // Forgotten, and free: the session still proves whose it was.
            (Some((id, key)), None) => (id, key, true),
            // Forgotten, and somebody else's by now; or a new guest.
            _ => (state.free_client_id(self.shared.entropy.as_ref()), claim.fresh_key, false),
        };
        state.clients.entry(client_id).or_insert_with(|| ClientState {
            key,
            username: claim.username.clone().unwrap_or_else(|| Username::guest(client_id)),
            rooms: Vec::new(),
            made: None,
            presence: Presence::Attached(attachment.clone()),
            connected_at: now,
            address: None,
        });
        let previous = match state.clients.get(&client_id).map(|c| &c.presence) {
            Some(Presence::Attached(previous)) if previous != attachment => Some(previous.clone()),
            _ => None,
        };
        if let Some(previous) = &previous
            && state.holds(&previous.lease)
            && let Some(sink) = state.sinks.get(&previous.lease.node)
        {
            let order = Order::close(previous.lease.generation, previous.connection, CloseCode::TakenOver);
            sink.deliver(Delivery::Order(order.encode()));
        }
        let was_lost = state.clients.get(&client_id).is_some_and(|c| c.presence.is_told_lost());
        state.set_presence(client_id, Presence::Attached(attachment.clone()));
        if was_lost {
            state.tell_rooms_of(client_id, &Change::Back(client_id));
        }
        if let Some(client) = state.clients.get_mut(&client_id) {
            (client.connected_at, client.address) = (now, claim.address);
        }
        if let Some(name) = claim.username.filter(|_| claim.rename) {
            state.rename(client_id, name);
        }
        let client = state.clients.get(&client_id).ok_or(PortError::Superseded)?;
        Ok(Attached {
            client_id,
            key,
            username: client.username.clone(),
            rooms: client.rooms.clone(),
            resumed,
            previous,
        })
    }

    async fn detach(&self, client: ClientId, attachment: &Attachment, grace: Duration) -> Result<(), Unavailable> {
        let now = self.now();
        let mut state = self.state();
        if state.speaks(client, attachment).is_ok() {
            state.lose_client(client, after(now, grace), after(now, self.shared.retention.clients), true);
        }
        Ok(())
    }

    async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError> {
        let mut state = self.state();
        state.speaks(client, attachment)?;
        state.rename(client, name);
        Ok(())
    }

    async fn create_room(
        &self,
        client: ClientId,
        attachment: &Attachment,
        new: NewRoom,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        let now = self.now();
        let mut state = self.state();
        if let Some((request, made)) = &state.speaks(client, attachment)?.made
            && new.request.as_ref() == Some(request)
            && let Some(room) =
                state.rooms.get(made).filter(|room| room.name == new.name && room.places.contains_key(&client))
        {
            return Ok(Joined { room: room.describe(*made), already: true, moved_from: Vec::new() });
        }
        let moved_from = state.make_way(client, rules)?;
        let id = state.free_room_id(self.shared.entropy.as_ref());
        let room = RoomState {
            name: new.name,
            owner: client,
            created_at: now,
            members: BTreeMap::new(),
            arrivals: 0,
            places: BTreeMap::new(),
            participants: Participation::default(),
            log: Log::new(self.fresh_epoch()?),
        };
        state.rooms.insert(id, room);
        state.by_age.insert((now, id));
        state.enter(id, client);
        if let Some(state) = state.clients.get_mut(&client) {
            state.made = new.request.map(|request| (request, id));
        }
        let room = state.rooms.get(&id).ok_or(PortError::RoomNotFound)?;
        Ok(Joined { room: room.describe(id), already: false, moved_from })
    }

    async fn join(
        &self,
        client: ClientId,
        attachment: &Attachment,
        id: RoomId,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        let mut state = self.state();
        state.speaks(client, attachment)?;
        let room = state.rooms.get(&id).ok_or(PortError::RoomNotFound)?;
        if room.places.contains_key(&client) {
            return Ok(Joined { room: room.describe(id), already: true, moved_from: Vec::new() });
        }
        if room.count() >= rules.members_per_room {
            return Err(PortError::RoomFull);
        }
        let moved_from = state.make_way(client, rules)?;
        state.enter(id, client);
        let room = state.rooms.get(&id).ok_or(PortError::RoomNotFound)?;
        Ok(Joined { room: room.describe(id), already: false, moved_from })
    }

    async fn leave(&self, client: ClientId, attachment: &Attachment, room: RoomId) -> Result<(), PortError> {
        let mut state = self.state();
        if !state.speaks(client, attachment)?.rooms.contains(&room) {
            return Err(PortError::NotInRoom);
        }
        state.exit(room, client);
        Ok(())
    }

    async fn end_room(&self, id: RoomId) -> Result<u32, PortError> {
        let mut state = self.state();
        let room = state.forget_room(id).ok_or(PortError::RoomNotFound)?;
        for client in room.members.values() {
            if let Some(client) = state.clients.get_mut(client) {
                client.rooms.retain(|r| *r != id);
            }
        }
        state.tell(id, &Delivery::RoomEnded { room: id });
        Ok(room.count())
    }

    async fn rooms_of(&self, client: ClientId, attachment: &Attachment) -> Result<Vec<RoomId>, PortError> {
        Ok(self.state().speaks(client, attachment)?.rooms.clone())
    }

    async fn listing(&self, id: RoomId, limit: usize) -> Result<Listing, PortError> {
        let state = self.state();
        let room = state.rooms.get(&id).ok_or(PortError::RoomNotFound)?;
        let (members, reconnecting) = state.list(room.members.values().take(limit));
        Ok(Listing { room: room.describe(id), members, reconnecting })
    }

    async fn members(&self, id: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError> {
        let state = self.state();
        let room = state.rooms.get(&id).ok_or(PortError::RoomNotFound)?;
        let above = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut ids = room.places.range((above, Bound::Unbounded)).map(|(id, _)| id);
        let (members, reconnecting) = state.list(ids.by_ref().take(limit));
        Ok(MembersPage { members, reconnecting, member_count: room.count(), more: ids.next().is_some() })
    }

    async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError> {
        let state = self.state();
        let below = match cursor {
            None => (Timestamp(u64::MAX), max_room()),
            Some(cursor) => {
                let (at, id) = cursor.split_once('-').ok_or(PortError::BadCursor)?;
                let at = at.parse().map_err(|_| PortError::BadCursor)?;
                (Timestamp(at), id.parse().map_err(|_| PortError::BadCursor)?)
            }
        };
        let mut older = state.by_age.range(..below).rev();
        let rooms: Vec<RoomSummary> = older
            .by_ref()
            .take(limit)
            .filter_map(|(created_at, id)| {
                state.rooms.get(id).map(|room| RoomSummary {
                    room_id: *id,
                    name: room.name.clone(),
                    member_count: room.count(),
                    created_at: *created_at,
                })
            })
            .collect();
        let more = older.next().is_some();
        let cursor = rooms.last().filter(|_| more).map(|r| format!("{}-{}", r.created_at.0, r.room_id));
        Ok(RoomsPage { rooms, cursor })
    }

    async fn sweep(&self) -> Result<Swept, Unavailable> {
        let now = self.now();
        let keep = after(now, self.shared.retention.clients);
        let mut state = self.state();
        let mut swept = Swept::default();

        let dead: Vec<NodeId> = state.nodes.iter().filter(|(_, n)| n.until <= now).map(|(id, _)| id.clone()).collect();
        for node in dead {
            // The lease's time was its members' grace.
            state.lose_node(&node, now, keep);
            swept.nodes += 1;
        }
        while let Some(&(until, client)) = state.deadlines.first() {
            if until > now {
                break;
            }
            if state.clients.get(&client).is_some_and(|c| matches!(c.presence, Presence::Kept(_))) {
                state.deadlines.remove(&(until, client));
                state.clients.remove(&client);
                continue;
            }
            let rooms = state.clients.get(&client).map(|c| c.rooms.clone()).unwrap_or_default();
            swept.members += u32::from(!rooms.is_empty());
            state.set_presence(client, Presence::Kept(keep));
            for room in rooms {
                state.exit(room, client);
            }
        }
        Ok(swept)
    }
}

impl State {
    fn begin_life(&mut self, now: Timestamp, node: &NodeId, lease: Duration, keep: Duration) -> NodeLease {
        // Of a former life that died just now and is not reaped yet, the rest of the lease is the members' grace.
        let grace = self.nodes.get(node).map_or(now, |former| former.until.max(now));
        self.lose_node(node, grace, after(now, keep));
        self.generations += 1;
        let generation = self.generations;
        self.nodes.insert(
            node.clone(),
            NodeState {
                generation,
                until: after(now, lease),
                started_at: now,
                last_seen_at: now,
                connections: 0,
                clients: HashSet::new(),
            },
        );
        NodeLease { node: node.clone(), generation }
    }

    /// The client, if this connection speaks for it.
    fn speaks(&self, client: ClientId, attachment: &Attachment) -> Result<&ClientState, PortError> {
        match self.clients.get(&client) {
            Some(state) if matches!(&state.presence, Presence::Attached(a) if a == attachment) => Ok(state),
            _ => Err(PortError::Superseded),
        }
    }

    fn rename(&mut self, id: ClientId, name: Username) {
        let Some(client) = self.clients.get_mut(&id) else { return };
        if client.username == name {
            return;
        }
        client.username = name.clone();
        self.tell_rooms_of(id, &Change::Renamed(Member { client_id: id, username: name }));
    }

    fn tell_rooms_of(&self, client: ClientId, change: &Change) {
        for room in self.clients.get(&client).iter().flat_map(|client| &client.rooms) {
            self.tell_change(*room, change.clone());
        }
    }

    /// Members as they are listed, and those of them who were told to be lost.
    fn list<'a>(&self, ids: impl Iterator<Item = &'a ClientId>) -> (Vec<Member>, Vec<ClientId>) {
        let mut reconnecting = Vec::new();
        let members = ids
            .filter_map(|id| {
                let client = self.clients.get(id)?;
                reconnecting.extend(client.presence.is_told_lost().then_some(*id));
                Some(Member { client_id: *id, username: client.username.clone() })
            })
            .collect();
        (members, reconnecting)
    }

    /// Makes room for one more room of a client: leaves the former one under the one-room policy.
    fn make_way(&mut self, client: ClientId, rules: RoomRules) -> Result<Vec<RoomId>, PortError> {
        let rooms = self.clients.get(&client).map(|c| c.rooms.clone()).unwrap_or_default();
        if rooms.len() < rules.rooms_per_client {
            return Ok(Vec::new());
        }
        if rules.rooms_per_client > 1 {
            return Err(PortError::TooManyRooms);
        }
        for room in &rooms {
            self.exit(*room, client);
        }
        Ok(rooms)
    }

    /// The connection of a client is gone, and whether its rooms are told.
    fn lose_client(&mut self, client: ClientId, until: Timestamp, keep: Timestamp, is_told: bool) {
        let alone = self.clients.get(&client).is_none_or(|c| c.rooms.is_empty());
        self.set_presence(client, if alone { Presence::Kept(keep) } else { Presence::Grace { until, is_told } });
        if is_told {
            self.tell_rooms_of(client, &Change::Lost(client));
        }
    }

    fn lose_node(&mut self, node: &NodeId, grace: Timestamp, keep: Timestamp) {
        let Some(state) = self.nodes.remove(node) else { return };
        for client in state.clients {
            // Whoever is alive moves, and nobody need be told of that.
            self.lose_client(client, grace, keep, false);
        }
    }

    fn free_client_id(&self, entropy: &dyn Entropy) -> ClientId {
        free_id(entropy, self.clients.len(), ClientId::new, |id| self.clients.contains_key(id))
    }

    fn free_room_id(&self, entropy: &dyn Entropy) -> RoomId {
        free_id(entropy, self.rooms.len(), RoomId::new, |id| self.rooms.contains_key(id))
    }
}

/// A random id that is not taken: of five digits while at most half of those are, then of six, and so on. So a few
/// tries are enough, and nobody can count the others by their own id.
fn free_id<T, E: std::fmt::Debug>(
    entropy: &dyn Entropy,
    taken: usize,
    id: impl Fn(u64) -> Result<T, E>,
    is_taken: impl Fn(&T) -> bool,
) -> T {
    let mut low = 10_000_u32;
    while taken > (low as usize * 9) / 2 && low < 100_000_000 {
        low *= 10;
    }
    loop {
        // In range by construction; the loop ends because half of the range is free.
        if let Ok(id) = id(u64::from(low + entropy.below(low * 9)))
            && !is_taken(&id)
        {
            return id;
        }
    }
}

fn max_room() -> RoomId {
    #[allow(clippy::expect_used)] // a constant
    RoomId::new(u64::from(RoomId::MAX)).expect("the largest id is one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn ids_grow_a_digit_when_half_of_them_are_taken() {
        let entropy = SeededEntropy::new(1);
        let digits = |taken| {
            let ids = (0..200).map(|_| free_id(&entropy, taken, ClientId::new, |_| false));
            let digits: std::collections::BTreeSet<_> = ids.map(|id| id.to_string().len()).collect();
            digits.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(digits(0), [5]);
        assert_eq!(digits(45_000), [5]);
        assert_eq!(digits(45_001), [6]);
        assert_eq!(digits(450_001), [7]);
        assert_eq!(digits(usize::MAX), [9]);
    }

    #[test]
    fn a_taken_id_is_not_given() {
        let entropy = SeededEntropy::new(2);
        let free = |id: &ClientId| !id.get().is_multiple_of(1000);
        for _ in 0..50 {
            assert_eq!(free_id(&entropy, 0, ClientId::new, free).get() % 1000, 0);
        }
    }
}
