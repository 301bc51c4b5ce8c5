//! `PING`: proves that both ends are alive.

use protocol::{ServerEvent, command::Ping, event::Pong};

pub(super) fn run(command: Ping) -> Option<ServerEvent> {
    Some(Pong { id: command.id, at: None }.into())
}
