//! `FETCH_HISTORY`: reads a part of a room's log.

use super::{Client, Refusal, Reply};
use engine::{port::Span, view::messages};
use protocol::{
    ErrorCode,
    command::FetchHistory,
    event::History,
    limits::{HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX},
};

pub(super) async fn run(client: &mut Client, command: FetchHistory) -> Reply {
    let room_id = client.room(command.room_id)?;
    let limit = limit(command.limit, HISTORY_LIMIT_DEFAULT, HISTORY_LIMIT_MAX)?;
    let span = match (command.after, command.before) {
        (None, None) => Span::Newest,
        (None, Some(before)) => Span::Before(before),
        (Some(after), None) => Span::After(after),
        (Some(after), Some(before)) => Span::Between(after, before),
    };
    let slice = client.node.engine.history(room_id, span, limit).await?;
    let messages = messages(&slice.entries);
    Ok(Some(History { id: command.id, room_id, epoch: slice.epoch, messages, more: slice.more }.into()))
}

/// How many to give.
pub(super) fn limit(asked: Option<u64>, default: usize, max: usize) -> Result<usize, Refusal> {
    match asked {
        None => Ok(default),
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=max).contains(n))
            .ok_or_else(|| Refusal::error(ErrorCode::BadRequest, format!("`limit` must be from 1 to {max}"))),
    }
}
