//! Who is there, for operators.

use crate::{
    RedisNode,
    directory::Status,
    reply::Reply,
    script::{CLIENT, CLIENTS, COUNTS, EXPEL, PARTICIPANTS, POSITIONS_OF},
    timeline::arg,
};
use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Unavailable,
    port::{Census, ClientRecord, Counts, Expelled, PARTICIPANTS_KEPT, Participants},
};
use fred::types::Value;
use futures_util::future::try_join_all;
use protocol::{ClientId, NodeId, RoomId, Seq, event::Member};

/// Clients that one call of the script looks at, so that Redis is not held up …
const PORTION: usize = 100;
/// … and clients and rooms together, for each of them may be in many.
const EFFORT: usize = 500;

/// Rooms whose positions are asked for at once.
const POSITIONS: usize = 100;

#[async_trait]
impl Census for RedisNode {
    async fn counts(&self) -> Result<Counts, Unavailable> {
        let mut reply = self.membership(&COUNTS, Vec::new()).await?;
        reply.int()?;
        Ok(Counts { clients: reply.number()?, rooms: reply.number()? })
    }

    async fn clients(&self, after: Option<ClientId>, limit: usize) -> Result<Vec<ClientRecord>, Unavailable> {
        let (mut found, mut after) = (Vec::new(), after.map_or(0, ClientId::get));
        while found.len() < limit {
            let portion = PORTION.min(limit - found.len());
            let args = vec![format!("({after}").into(), arg(portion), arg(EFFORT)];
            let mut reply = self.membership(&CLIENTS, args).await?;
            let count = reply.number()?;
            after = reply.number()?;
            let more = reply.int()? == 1;
            found.extend(records(reply, count)?);
            if !more {
                break;
            }
        }
        Ok(found)
    }

    async fn client(&self, client: ClientId) -> Result<Option<ClientRecord>, Unavailable> {
        let mut reply = self.membership(&CLIENT, vec![arg(client)]).await?;
        let count = reply.number()?;
        Ok(records(reply, count)?.pop())
    }

    async fn expel(&self, client: ClientId, order: Bytes) -> Result<Option<Expelled>, Unavailable> {
        let args = vec![arg(client), Value::Bytes(order), self.shared.keys.node_head().into()];
        let mut reply = self.act(&EXPEL, args).await.map_err(|e| match e {
            PortError::Unavailable(e) => e,
            other => Unavailable(other.to_string()),
        })?;
        if !reply.has_more() {
            return Ok(None);
        }
        let mut rooms = Vec::new();
        for _ in 0..reply.number::<usize>()? {
            rooms.push(reply.room()?);
        }
        let node = node(&mut reply)?;
        self.close_ended(reply).await?;
        Ok(Some(Expelled { node, rooms }))
    }

    async fn positions(&self, rooms: &[RoomId]) -> Result<Vec<Seq>, Unavailable> {
        // In a Redis Cluster each is somewhere else.
        let at_once = if self.shared.config.is_clustered() { 1 } else { POSITIONS };
        let asked = rooms.chunks(at_once).map(|rooms| async move {
            let keys = rooms.iter().filter_map(|room| self.shared.keys.timeline(*room).into_iter().next()).collect();
            let mut reply = self.shared.commands.run(&POSITIONS_OF, keys, Vec::new()).await?;
            reply.int()?;
            rooms.iter().map(|_| Ok(Seq::new(reply.number()?))).collect::<Result<Vec<_>, Unavailable>>()
        });
        Ok(try_join_all(asked).await?.concat())
    }

    async fn participants(&self, room: RoomId, limit: usize) -> Result<Participants, PortError> {
        let args = vec![arg(room), arg(limit.min(PARTICIPANTS_KEPT))];
        let mut reply = self.membership(&PARTICIPANTS, args).await?;
        if let Status::Refused(why) = Status::of(&mut reply)? {
            return Err(why);
        }
        let count = reply.number()?;
        let mut ids = Vec::new();
        for _ in 0..reply.number::<usize>()? {
            ids.push(reply.client()?);
        }
        let mut newest = Vec::with_capacity(ids.len());
        for client_id in ids {
            newest.push(Member { client_id, username: reply.username(client_id)? });
        }
        Ok(Participants { count, newest })
    }
}

/// What `say()` in `lua/record.lua` says of so many clients.
fn records(mut reply: Reply, count: usize) -> Result<Vec<ClientRecord>, Unavailable> {
    let mut facts = Vec::with_capacity(count);
    for _ in 0..count {
        let (client_id, connected_at) = (reply.client()?, reply.time()?);
        let mut rooms = Vec::new();
        for _ in 0..reply.number::<usize>()? {
            rooms.push(reply.room()?);
        }
        facts.push((client_id, connected_at, rooms));
    }
    let mut records = Vec::with_capacity(count);
    for (client_id, connected_at, rooms) in facts {
        let (username, node) = (reply.username(client_id)?, node(&mut reply)?);
        let address = reply.text()?.parse().ok();
        records.push(ClientRecord { client_id, username, node, rooms, connected_at, address });
    }
    Ok(records)
}

/// A node, or none.
fn node(reply: &mut Reply) -> Result<Option<NodeId>, Unavailable> {
    let name = reply.text()?;
    if name.is_empty() {
        return Ok(None);
    }
    name.parse().map(Some).map_err(|_| Unavailable(format!("the reply has a node called {name:?}")))
}
