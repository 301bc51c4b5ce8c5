//! `DELETE_MESSAGE`: takes a message of one's own away.

use super::{
    Client, Reply,
    change::{self, Right, Wish},
};
use engine::changes::Standing;
use protocol::{CorrelationId, command::DeleteMessage, event::ChangeKind, payload::DELETED};

pub(super) async fn run(client: &mut Client, echo: Option<CorrelationId>, command: DeleteMessage) -> Reply {
    let DeleteMessage { id, room_id: room, seq } = command;
    let wish = Wish { echo, id, room, seq, kind: ChangeKind::Delete, body: DELETED };
    change::run(client, wish, Right::Author(&Standing::delete)).await
}
