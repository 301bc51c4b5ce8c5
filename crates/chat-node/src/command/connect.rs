//! `CONNECT`: who one is, and what one missed.

use super::{Client, Refusal, Reply, Speaker};
use crate::session::Identity;
use engine::{Position, engine::Target};
use protocol::{
    CloseCode, ErrorCode, Username,
    command::Connect,
    event::{Connected, Reconnect},
};

pub(super) async fn run(client: &mut Client, command: Connect) -> Reply {
    if client.speaker.is_some() {
        return Err(Refusal::error(ErrorCode::BadRequest, "this connection has sent CONNECT already"));
    }
    let (node, limits) = (client.node.clone(), client.node.config.limits);
    let chosen = command.username.map(|raw| Username::parse(&raw, limits.username_chars)).transpose()?;
    let now = node.engine.now();
    let known = match &command.session {
        Some(session) => match node.sessions.verify(session, now) {
            Some(identity) => Some(identity),
            None => return Err(Refusal::Close(CloseCode::SessionInvalid)),
        },
        None => None,
    };
    if node.engine.is_banned(known.as_ref().map(|k| k.client), client.connection.peer) {
        return Err(Refusal::Close(CloseCode::Banned));
    }

    // Until the rooms are shown: reading them is most of what it costs.
    let _pass = client.admit().await?;
    let rename = chosen.is_some();
    let username = chosen.or_else(|| known.as_ref().map(|k| k.username.clone()));
    let identity = known.map(|k| (k.client, k.key));
    let (attachment, attached) =
        node.engine.attach(&client.hub, &client.connection, identity, username, rename).await?;
    let identity = Identity { client: attached.client_id, key: attached.key, username: attached.username };
    let (session, session_expires_at) = node.sessions.issue(&identity, now);
    let connected = Connected {
        id: command.id.clone(),
        client_id: identity.client,
        username: identity.username.clone(),
        session,
        session_expires_at,
        node_id: node.engine.node.clone(),
        resumed: attached.resumed,
        heartbeat_ms: u64::try_from(node.config.hub.heartbeat.as_millis()).unwrap_or(u64::MAX),
        limits,
    };
    client.speaker = Some(Box::new(Speaker { identity, attachment }));
    node.statistics.connects.inc();
    if client.connection.closing().is_some() {
        // It ended while we waited for the cluster; from here on it is a connection that was lost.
        return Ok(None);
    }
    client.hub.send(&client.connection, &connected.into());

    let mut rooms = attached.rooms;
    let mut resumed = Ok(());
    if let Some(resume) = command.resume {
        let position = Position { epoch: resume.epoch, seq: resume.seq };
        rooms.retain(|room| *room != resume.room_id);
        resumed = client.enter(command.id, Target::Resume(resume.room_id, position)).await;
        if resumed.is_ok() && node.config.engine.rules.rooms_per_client == 1 {
            rooms.clear(); // the one-room policy has moved it
        }
    }
    // Rooms that it is still in, but did not say where: as if it had just joined them.
    for room in rooms {
        if let Err(refusal) = client.enter(None, Target::Join(room)).await {
            client.refuse(None, refusal);
        }
    }
    if node.draining() {
        // It was not there yet when everybody was told. These are few, so that none needs a time of its own.
        client.hub.send(&client.connection, &Reconnect { after_ms: 0 }.into());
    }
    resumed.map(|()| None)
}
