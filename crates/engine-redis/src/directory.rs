//! Nodes, clients, rooms and who is in them.

use crate::{
    RedisNode, names,
    reply::Reply,
    script::{self, Script},
    timeline::{arg, millis},
};
use async_trait::async_trait;
use engine::{
    PortError, Unavailable,
    port::{
        Attached, Attachment, Beat, Bus, Claim, Directory, Joined, Listing, MembersPage, NewRoom, NodeLease,
        NodeRecord, RoomRules, RoomsPage, Swept,
    },
};
use fred::types::Value;
use protocol::{
    ClientId, CloseCode, CorrelationId, NodeId, RoomId, Username,
    event::{Member, Room, RoomSummary},
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Random numbers from which a script makes a free id. At most half of the ids are taken, so that all of them are
/// once in 65,000 times; and then the script looks further.
const RANDOM_NUMBERS: usize = 16;
/// How long a beat may go on keeping clients.
const KEEPING: Duration = Duration::from_millis(300);
/// Nodes that are listed at most.
const MAX_NODES: usize = 1000;
/// Clients that one call of the script keeps from expiring, so that Redis is not held up.
const KEPT: usize = 50;
/// Rooms, or members, that one call of the script lists, for the same reason.
const LISTED: usize = 200;
/// Clients that one call of the script reaps, so that Redis is not held up …
const PORTION: usize = 200;
/// … and calls that one sweep makes; the rest is for the next.
const PORTIONS: usize = 100;

/// What a script says first.
pub enum Status {
    /// It is done.
    Done,
    /// It is not, and why.
    Refused(PortError),
}

impl Status {
    /// Reads it.
    pub fn of(reply: &mut Reply) -> Result<Self, Unavailable> {
        reply.int().map(Self::from)
    }
}

/// What `lua/membership.lua` says to what came after its deadline.
const TOO_LATE: i64 = -6;

impl From<i64> for Status {
    fn from(status: i64) -> Self {
        match status {
            -1 => Self::Refused(PortError::RoomNotFound),
            -2 => Self::Refused(PortError::RoomFull),
            -3 => Self::Refused(PortError::NotInRoom),
            -4 => Self::Refused(PortError::TooManyRooms),
            -5 => Self::Refused(PortError::Superseded),
            TOO_LATE => Self::Refused(Unavailable("it came too late".to_owned()).into()),
            _ => Self::Done,
        }
    }
}

#[async_trait]
impl Directory for RedisNode {
    async fn register(&self, node: &NodeId, lease: Duration) -> Result<NodeLease, Unavailable> {
        // A node that cannot be given orders is none.
        self.listen().await?;
        let args = vec![arg(node), millis(lease), millis(self.shared.config.outage), "".into()];
        let (_, mut reply) = self.timed(&script::REGISTER, args).await?;
        Ok(NodeLease { node: node.clone(), generation: reply.number()? })
    }

    async fn begin_anew(&self, former: &NodeLease, lease: Duration) -> Result<NodeLease, PortError> {
        let outage = millis(self.shared.config.outage);
        let args = vec![arg(&former.node), millis(lease), outage, arg(former.generation)];
        let mut reply = self.act(&script::REGISTER, args).await?;
        reply.time()?;
        Ok(NodeLease { node: former.node.clone(), generation: reply.number()? })
    }

    async fn heartbeat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<Beat, Unavailable> {
        let asked = Instant::now();
        let (is_alive, calls) = self.beat(lease, time, connections).await?;
        for _ in 1..calls {
            // The lease is kept already, and the caller must hear of it in time; clients that are not got to now are in the
            // beats to come.
            if asked.elapsed() > KEEPING {
                break;
            }
            let Ok((true, _)) = self.beat(lease, time, connections).await else { break };
        }
        Ok(if is_alive { Beat::Alive } else { Beat::Fenced })
    }

    async fn deregister(&self, lease: &NodeLease, grace: Duration) -> Result<(), Unavailable> {
        self.membership(&script::DEREGISTER, vec![arg(lease.generation), millis(grace)]).await.map(|_| ())
    }

    async fn nodes(&self) -> Result<Vec<NodeRecord>, Unavailable> {
        let mut reply = self.membership(&script::NODES, vec![arg(MAX_NODES)]).await?;
        let mut facts = Vec::new();
        for _ in 0..reply.number::<usize>()? {
            facts.push((reply.time()?, reply.time()?, reply.number()?));
        }
        let mut nodes = Vec::with_capacity(facts.len());
        for (started_at, last_seen_at, connections) in facts {
            nodes.push(NodeRecord { node: reply.parse()?, started_at, last_seen_at, connections });
        }
        nodes.sort_unstable_by(|a, b| a.node.cmp(&b.node));
        Ok(nodes)
    }

    async fn attach(&self, attachment: &Attachment, claim: Claim) -> Result<Attached, PortError> {
        let (id, key) = claim.identity.map_or_else(Default::default, |(id, key)| (id.to_string(), key.to_string()));
        let mut args = vec![
            arg(attachment.lease.generation),
            arg(&attachment.lease.node),
            arg(attachment.connection),
            id.into(),
            key.into(),
            arg(claim.fresh_key),
            claim.username.as_ref().map_or("", Username::as_str).into(),
            arg(u8::from(claim.rename && claim.username.is_some())),
            self.shared.keys.node_head().into(),
            arg(CloseCode::TakenOver.get()),
            claim.address.map_or_else(String::new, |address| address.to_string()).into(),
        ];
        args.extend(random_numbers());
        let mut reply = self.act(&script::ATTACH, args).await?;
        let (client_id, resumed) = (reply.client()?, reply.int()? == 1);
        let mut rooms = Vec::new();
        for _ in 0..reply.number::<usize>()? {
            rooms.push(reply.room()?);
        }
        let generation: u64 = reply.number()?;
        let (key, username) = (reply.parse()?, reply.username(client_id)?);
        let previous = match generation {
            0 => None,
            _ => {
                let (connection, node) = (reply.parse()?, reply.parse()?);
                Some(Attachment { lease: Arc::new(NodeLease { node, generation }), connection })
            }
        };
        Ok(Attached { client_id, key, username, rooms, resumed, previous })
    }

    async fn detach(&self, client: ClientId, attachment: &Attachment, grace: Duration) -> Result<(), Unavailable> {
        let mut args = speaker(client, attachment);
        args.push(millis(grace));
        self.membership(&script::DETACH, args).await.map(|_| ())
    }

    async fn rename(&self, client: ClientId, attachment: &Attachment, name: Username) -> Result<(), PortError> {
        let mut args = speaker(client, attachment);
        args.push(names::stored(client, &name).into());
        self.act(&script::RENAME, args).await.map(|_| ())
    }

    async fn create_room(
        &self,
        client: ClientId,
        attachment: &Attachment,
        new: NewRoom,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        let mut args = speaker(client, attachment);
        let request = new.request.as_ref().map_or("", CorrelationId::as_str);
        args.extend([new.name.as_str().into(), arg(rules.rooms_per_client), request.into()]);
        args.extend(random_numbers());
        self.joined(self.act(&script::CREATE, args).await?, true).await
    }

    async fn join(
        &self,
        client: ClientId,
        attachment: &Attachment,
        room: RoomId,
        rules: RoomRules,
    ) -> Result<Joined, PortError> {
        let mut args = speaker(client, attachment);
        args.extend([arg(room), arg(rules.rooms_per_client), arg(rules.members_per_room)]);
        self.joined(self.act(&script::JOIN, args).await?, false).await
    }

    async fn leave(&self, client: ClientId, attachment: &Attachment, room: RoomId) -> Result<(), PortError> {
        let mut args = speaker(client, attachment);
        args.push(arg(room));
        Ok(self.close_ended(self.act(&script::LEAVE, args).await?).await?)
    }

    async fn end_room(&self, room: RoomId) -> Result<u32, PortError> {
        let mut reply = self.act(&script::END_ROOM, vec![arg(room)]).await?;
        let members = reply.number()?;
        self.close_ended(reply).await?;
        Ok(members)
    }

    async fn rooms_of(&self, client: ClientId, attachment: &Attachment) -> Result<Vec<RoomId>, PortError> {
        let mut reply = self.act(&script::ROOMS_OF, speaker(client, attachment)).await?;
        let mut rooms = Vec::new();
        while reply.has_more() {
            rooms.push(reply.room()?);
        }
        Ok(rooms)
    }

    async fn listing(&self, room_id: RoomId, limit: usize) -> Result<Listing, PortError> {
        let mut reply = self.act(&script::ROOM, vec![arg(room_id), arg(limit)]).await?;
        let (created_at, owner_id, member_count) = (reply.time()?, reply.client()?, reply.number()?);
        let (members, reconnecting) = listed(&mut reply)?;
        let name = reply.room_name()?;
        let room = Room { room_id, name, owner_id, created_at, member_count };
        Ok(Listing { room, members, reconnecting })
    }

    async fn members(&self, room: RoomId, after: Option<ClientId>, limit: usize) -> Result<MembersPage, PortError> {
        let mut page = MembersPage { members: Vec::new(), reconnecting: Vec::new(), member_count: 0, more: limit > 0 };
        let mut last = after.map_or(0, ClientId::get);
        while page.more && page.members.len() < limit {
            let portion = LISTED.min(limit - page.members.len());
            let args = vec![arg(room), format!("({last}").into(), arg(portion)];
            let mut reply = self.act(&script::MEMBERS, args).await?;
            page.member_count = reply.number()?;
            page.more = reply.int()? == 1;
            last = reply.number()?;
            let (members, reconnecting) = listed(&mut reply)?;
            page.members.extend(members);
            page.reconnecting.extend(reconnecting);
        }
        Ok(page)
    }

    async fn rooms(&self, cursor: Option<&str>, limit: usize) -> Result<RoomsPage, PortError> {
        let (mut rooms, mut more) = (Vec::new(), limit > 0);
        let mut below = cursor.map(index).transpose()?.unwrap_or_default();
        while more && rooms.len() < limit {
            let portion = LISTED.min(limit - rooms.len());
            let mut reply = self.act(&script::ROOMS, vec![below.as_str().into(), arg(portion)]).await?;
            more = reply.int()? == 1;
            let mut facts = Vec::new();
            for _ in 0..reply.number::<usize>()? {
                facts.push((reply.room()?, reply.time()?, reply.number()?));
            }
            for (room_id, created_at, member_count) in facts {
                rooms.push(RoomSummary { room_id, name: reply.room_name()?, member_count, created_at });
            }
            // (Without any, the script has removed those that it found there.)
            if let Some(last) = rooms.last() {
                below = place(last.created_at.0, last.room_id);
            }
        }
        let cursor = rooms.last().filter(|_| more).map(|room| format!("{}-{}", room.created_at.0, room.room_id));
        Ok(RoomsPage { rooms, cursor })
    }

    async fn sweep(&self) -> Result<Swept, Unavailable> {
        let mut swept = Swept::default();
        for _ in 0..PORTIONS {
            let args = vec![arg(PORTION), millis(self.shared.config.outage)];
            let (_, mut reply) = self.timed(&script::SWEEP, args).await?;
            swept.nodes += reply.number::<u32>()?;
            swept.members += reply.number::<u32>()?;
            let more = reply.int()? == 1;
            self.close_ended(reply).await?;
            if !more {
                break;
            }
        }
        Ok(swept)
    }
}

impl RedisNode {
    /// Keeps the lease and a portion of what hangs on it: whether it holds, and how many such calls make a beat.
    async fn beat(&self, lease: &NodeLease, time: Duration, connections: u32) -> Result<(bool, u32), Unavailable> {
        let outage = millis(self.shared.config.outage);
        let args = vec![arg(lease.generation), millis(time), arg(connections), outage, arg(KEPT)];
        let (held, mut reply) = self.timed(&script::HEARTBEAT, args).await?;
        Ok((held == 1, reply.number()?))
    }

    /// Runs a membership script: `lua/membership.lua` names what comes before `args`.
    pub(crate) async fn membership(&self, script: &Script, args: Vec<Value>) -> Result<Reply, Unavailable> {
        self.run_before(0, script, args).await
    }

    async fn run_before(&self, deadline: u64, script: &Script, args: Vec<Value>) -> Result<Reply, Unavailable> {
        let config = &self.shared.config;
        let [head, tail] = self.shared.keys.channel_parts();
        let (ttl, keep) = (millis(config.orphan_ttl), millis(config.retention.clients));
        let mut all = vec![head.into(), tail.into(), ttl, keep, arg(deadline)];
        all.extend(args);
        self.shared.commands.run(script, self.shared.keys.membership(), all).await
    }

    /// The same, for those whose reply is `{ status, now, … }`: the status, and what comes after the time.
    async fn timed(&self, script: &Script, args: Vec<Value>) -> Result<(i64, Reply), Unavailable> {
        let asked = Instant::now();
        let mut reply = self.membership(script, args).await?;
        let status = reply.int()?;
        self.shared.clock.learn(asked, reply.time()?);
        Ok((status, reply))
    }

    /// The same, for those that may refuse, and that take effect in time or not at all: a join that comes when its
    /// client has gone elsewhere would be one that nobody wants.
    pub(crate) async fn act(&self, script: &Script, args: Vec<Value>) -> Result<Reply, PortError> {
        let deadline = self.shared.clock.after(Instant::now(), self.shared.config.command_timeout);
        let mut reply = self.run_before(deadline, script, args).await?;
        let status = reply.int()?;
        if status == TOO_LATE {
            self.shared.stats.was_late();
        }
        match Status::from(status) {
            Status::Done => Ok(reply),
            Status::Refused(why) => Err(why),
        }
    }

    /// What `joined()` in `lua/membership.lua` says; and what is left to do in the rooms' own slots.
    async fn joined(&self, mut reply: Reply, is_new: bool) -> Result<Joined, PortError> {
        let already = reply.int()? == 1;
        let (room_id, created_at, owner_id, member_count) =
            (reply.room()?, reply.time()?, reply.client()?, reply.number()?);
        let life = reply.number()?;
        let mut moved_from = Vec::new();
        for _ in 0..reply.number::<usize>()? {
            moved_from.push(reply.room()?);
        }
        let name = reply.room_name()?;
        if is_new {
            self.open_timeline(room_id, life).await?;
        }
        self.close_ended(reply).await?;
        Ok(Joined { room: Room { room_id, name, owner_id, created_at, member_count }, already, moved_from })
    }
}

/// What `list()` in `lua/membership.lua` says: members, and those of them whose connection is lost.
fn listed(reply: &mut Reply) -> Result<(Vec<Member>, Vec<ClientId>), Unavailable> {
    let (count, away): (usize, usize) = (reply.number()?, reply.number()?);
    let ids = (0..count).map(|_| reply.client()).collect::<Result<Vec<_>, _>>()?;
    let reconnecting = (0..away).map(|_| reply.client()).collect::<Result<_, _>>()?;
    let member = |client_id| Ok(Member { client_id, username: reply.username(client_id)? });
    Ok((ids.into_iter().map(member).collect::<Result<_, Unavailable>>()?, reconnecting))
}

/// Who acts, and by which connection.
fn speaker(client: ClientId, attachment: &Attachment) -> Vec<Value> {
    vec![arg(client), arg(attachment.lease.generation), arg(attachment.connection)]
}

fn random_numbers() -> impl Iterator<Item = Value> {
    (0..RANDOM_NUMBERS).map(|_| arg(uuid::Uuid::new_v4().as_fields().0))
}

/// Where in the list's order a cursor stands.
fn index(cursor: &str) -> Result<String, PortError> {
    let (at, room) = cursor.split_once('-').ok_or(PortError::BadCursor)?;
    let at: u64 = at.parse().map_err(|_| PortError::BadCursor)?;
    let room: RoomId = room.parse().map_err(|_| PortError::BadCursor)?;
    Ok(place(at, room))
}

/// A place in the list's order, of the width that `lua/create.lua` gives it.
fn place(at: u64, room: RoomId) -> String {
    format!("{:016}-{:09}", at.min(9_999_999_999_999_999), room.get())
}
