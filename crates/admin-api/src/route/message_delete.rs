//! `DELETE /admin/room/{id}/messages/{seq}`: a message that has to go.

use super::params::Why;
use crate::{
    State,
    ask::{ask, no_room},
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere},
};
use actix_web::{HttpResponse, web};
use engine::{PortError, changes::Standing, port::Post};
use protocol::{
    MessageId, RoomId, Seq,
    admin::{AuditAction, Removed},
    event::{ChangeKind, Message, MessageChange},
    payload::{DELETED, Payload},
};
use runtime::http::Problem;
use serde_json::json;

/// How often it is read again when its author changes it at the same time.
const TRIES: usize = 4;

/// A room's id and a position.
type Place = web::Path<(String, String)>;

/// Delete a message
///
/// Its members see that an admin did it. Nobody but admins can read it any more, and they only as long as the room's log
/// keeps it.
#[utoipa::path(
    delete,
    path = "/admin/room/{id}/messages/{seq}",
    operation_id = "adminMessageDelete",
    tag = "admin",
    params(
        ("id" = RoomId, Path, description = "The room's id. What is no id is no room's: 404."),
        ("seq" = Seq, Path, description = "The message's position. What is none, or gone already, is 404."),
        Why,
    ),
    responses(
        (status = 200, description = "It is gone.", body = Removed, example = json!({
            "totalRemoved": 1, "message": "Message 42 of room 16234 was deleted", "unconfirmed": [],
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn delete(
    state: web::Data<State>,
    AsAdmin(admin, (path, why)): AsAdmin<(Place, web::Query<Why>)>,
) -> Result<Audited, Problem> {
    let reason = why.into_inner().checked()?;
    let (room, seq) = path.into_inner();
    let Ok(room) = room.parse::<RoomId>() else { return Err(no_room()) };
    let Ok(seq) = seq.parse().map(Seq::new) else { return Err(no_message()) };
    let target = format!("message {seq} of room {room}");
    let intent = Intent { action: AuditAction::MessageDelete, target, reason };
    perform(state, admin, intent, move |state| async move {
        let (message, by) = take_away(&state, room, seq).await?;
        let said = format!("Message {seq} of room {room} was deleted");
        Ok(Deed {
            // It has its place in the timeline, which nodes cannot miss.
            confirmed: true,
            // Whose and of when, and not what: the audit log keeps longer than a room does.
            before: json!({"sender": message.sender, "sentAt": message.sent_at}),
            after: json!({"deleted": by}),
            detail: said.clone(),
            answer: HttpResponse::Ok().json(Removed { total_removed: 1, message: said, unconfirmed: Vec::new() }),
        })
    })
    .await
}

async fn take_away(state: &State, room: RoomId, seq: Seq) -> Result<(Message, Seq), Problem> {
    let bus = state.ports.bus.as_ref();
    let id = MessageId::new(state.entropy.uuid());
    let change = MessageChange { kind: ChangeKind::Delete, seq, by_admin: true };
    for _ in 0..TRIES {
        let appended = ask::<_, PortError>(async {
            let standing = match Standing::read(bus, room, seq).await {
                Err(PortError::Amended) => return Ok(Some(None)),
                standing => standing?,
            };
            let Some(standing) = standing else { return Ok(None) };
            let sender = &standing.message.sender;
            let post = Post {
                room,
                client: sender.client_id,
                key: standing.key,
                id,
                payload: Payload::change(room, id, sender, DELETED, change).encode().into(),
                amendment: Some(standing.delete()),
                window: None,
                trace: None,
            };
            match bus.append(post).await {
                Err(PortError::Amended) => Ok(Some(None)),
                appended => Ok(Some(Some((standing.message, appended?.seq)))),
            }
        });
        match appended.await? {
            None => return Err(no_message()),
            Some(Some(done)) => return Ok(done),
            Some(None) => {}
        }
    }
    Err(Problem::unavailable("its author is changing it at the same time: try again"))
}

fn no_message() -> Problem {
    Problem::not_found("there is no such message in this room, or no more")
}
