//! `UPDATE_USERNAME`: takes another name, and tells the rooms.

use super::{Client, Refusal, Reply, Speaker};
use protocol::{Username, command::UpdateUsername, event::Ack};

pub(super) async fn run(client: &mut Client, command: UpdateUsername) -> Reply {
    let name = Username::parse(&command.username, client.node.config.limits.username_chars)?;
    let Speaker { identity, attachment } = client.speaker()?;
    client.node.engine.rename(identity.client, attachment, name.clone()).await?;

    let speaker = client.speaker.as_mut().ok_or_else(Refusal::not_connected)?;
    speaker.identity.username = name.clone();
    // The old session would bring the old name back once the cluster has forgotten the client.
    let (session, _) = client.node.sessions.issue(&speaker.identity, client.node.engine.now());
    Ok(Some(Ack { username: Some(name), session: Some(session), ..Ack::of(command.id) }.into()))
}
