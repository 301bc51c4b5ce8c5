//! `GET /admin/room/{id}/messages`: what was said in a room, as it was written.

use super::params::{given, limit};
use crate::{
    State,
    ask::{ask, no_room},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere, example},
};
use actix_web::{HttpResponse, web};
use engine::{
    port::{Original, Span},
    view::messages,
};
use protocol::{
    RoomId, Seq,
    admin::{MessageVersion, PAGE_MAX, RoomMessage, RoomMessages},
    event::{ChangeKind, Message},
};
use runtime::http::Problem;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Portions of a log that one answer looks at: most of it may be reactions.
const PORTIONS: usize = 100;

/// Where in a room's log.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Messages below this position; without it the newest.
    #[param(value_type = Option<u64>, minimum = 0)]
    before: Option<String>,
    /// How many.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 500, default = 50)]
    limit: Option<String>,
}

/// Messages of a room as they were written
///
/// Also those that were deleted, and all versions of those that were edited, as far back as the room's log reaches.
/// Ascending; the next page is that before the first one of this.
#[utoipa::path(
    get,
    path = "/admin/room/{id}/messages",
    operation_id = "adminRoomMessages",
    tag = "admin",
    params(("id" = RoomId, Path, description = "Its id. What is no id is no room's: 404."), Part),
    responses(
        (status = 200, description = "A part of them.", body = RoomMessages, example = json!({
            "messages": [example::message()], "more": false,
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn read(
    state: web::Data<State>,
    AsAdmin(_, (id, part)): AsAdmin<(web::Path<String>, web::Query<Part>)>,
) -> Result<HttpResponse, Problem> {
    let Part { before, limit: most } = part.into_inner();
    let before = given(before).map(|before| {
        before
            .parse()
            .map(Seq::new)
            .map_err(|_| Problem::bad_request("before must be a position of the room's timeline"))
    });
    let (before, limit) = (before.transpose()?, limit(most)?);
    let Ok(room) = id.parse::<RoomId>() else { return Err(no_room()) };
    let (mut found, more) = written(&state, room, before, limit).await?;
    add_versions(&state, room, &mut found).await?;
    let messages = found.into_values().map(|(message, _)| message).collect();
    Ok(HttpResponse::Ok().json(RoomMessages { messages, more }))
}

/// By position, each with that of its newest change.
type Found = BTreeMap<Seq, (RoomMessage, Option<Seq>)>;

/// The newest messages below a position, without their edits, and whether the log may have more.
async fn written(state: &State, room: RoomId, before: Option<Seq>, limit: usize) -> Result<(Found, bool), Problem> {
    let (mut found, mut span) = (Found::new(), before.map_or(Span::Newest, Span::Before));
    for _ in 0..PORTIONS {
        let slice = ask(state.ports.bus.originals(room, span, PAGE_MAX)).await?;
        let Some(first) = slice.entries.first().map(|original| original.entry.seq) else { return Ok((found, false)) };
        for original in slice.entries.into_iter().rev() {
            if found.len() == limit {
                return Ok((found, true));
            }
            let Original { entry, amended, .. } = original;
            let (at, sent_at) = (entry.seq, entry.sent_at);
            let Some(message) = messages(&[entry]).pop().filter(|message| message.change.is_none()) else { continue };
            let by = amended.as_ref().map(|amended| amended.by);
            let deleted = amended
                .and_then(|amended| {
                    messages(&[engine::port::Entry { seq: at, sent_at, payload: amended.payload }]).pop()
                })
                .and_then(|now| now.deleted);
            found.insert(at, (as_written(message, deleted), by));
        }
        if !slice.more {
            return Ok((found, false));
        }
        span = Span::Before(first);
    }
    Ok((found, true))
}

fn as_written(message: Message, deleted: Option<Seq>) -> RoomMessage {
    let Message { seq, id, sender, body, sent_at, reply_to, .. } = message;
    let versions = vec![MessageVersion { seq, at: sent_at, body: body.clone() }];
    RoomMessage { seq, id, sender, sent_at, body, reply_to, deleted, versions }
}

/// Reads on from the first of them that was changed to the last change, and adds the edits.
async fn add_versions(state: &State, room: RoomId, found: &mut Found) -> Result<(), Problem> {
    let changed = |(seq, (_, by)): (&Seq, &(_, Option<Seq>))| by.map(|by| (*seq, by));
    let Some((mut last, _)) = found.iter().find_map(changed) else { return Ok(()) };
    let end = found.iter().filter_map(changed).map(|(_, by)| by).max().unwrap_or(last);
    for _ in 0..PORTIONS {
        let slice = ask(state.ports.bus.originals(room, Span::Between(last, end.next()), PAGE_MAX)).await?;
        let entries: Vec<_> = slice.entries.into_iter().map(|original| original.entry).collect();
        for edit in messages(&entries) {
            let Some(target) = edit.change.filter(|change| change.kind == ChangeKind::Edit) else { continue };
            if let Some((message, _)) = found.get_mut(&target.seq) {
                message.body = edit.body.clone();
                message.versions.push(MessageVersion { seq: edit.seq, at: edit.sent_at, body: edit.body });
            }
        }
        match entries.last() {
            Some(entry) if slice.more => last = entry.seq,
            _ => break,
        }
    }
    Ok(())
}
