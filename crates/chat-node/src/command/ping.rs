//! `PING`: proves that both ends are alive, and says what time it is here.

use super::Client;
use protocol::{ServerEvent, command::Ping, event::Pong};

pub(super) fn run(client: &Client, command: Ping) -> Option<ServerEvent> {
    Some(Pong { id: command.id, at: Some(client.node.engine.now()) }.into())
}
