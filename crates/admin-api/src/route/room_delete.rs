//! `DELETE /admin/room/{id}`: a room that has to end.

use super::params::Why;
use crate::{
    State,
    ask::{ask, no_room},
    audit::{Audited, Deed, Intent, perform},
    auth::AsAdmin,
    openapi::{BadRequest, NoToken, NotNow, NothingThere},
};
use actix_web::{HttpResponse, web};
use engine::{control::Task, port::Address};
use protocol::{
    RoomId,
    admin::{AuditAction, Removed},
};
use runtime::http::Problem;
use serde_json::{Value, json};

/// Delete a room
///
/// Its members get `ROOM_LEFT` with `room_deleted`, on every node, and stay connected.
#[utoipa::path(
    delete,
    path = "/admin/room/{id}",
    operation_id = "adminRoomDelete",
    tag = "admin",
    params(("id" = RoomId, Path, description = "Its id. What is no id is no room's: 404."), Why),
    responses(
        (status = 200, description = "It is gone.", body = Removed, example = json!({
            "totalRemoved": 2, "message": "Room 16234 was deleted with 2 members in it", "unconfirmed": [],
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn delete(
    state: web::Data<State>,
    AsAdmin(admin, (id, why)): AsAdmin<(web::Path<String>, web::Query<Why>)>,
) -> Result<Audited, Problem> {
    let reason = why.into_inner().checked()?;
    let Ok(room) = id.parse::<RoomId>() else { return Err(no_room()) };
    let intent = Intent { action: AuditAction::RoomDelete, target: format!("room {room}"), reason };
    perform(state, admin, intent, move |state| async move {
        let (before, _) = ask(state.ports.directory.room(room, 1)).await?;
        let members = ask(state.ports.directory.end_room(room)).await?;
        // Whoever answers has heard that it ended. It is gone in any case: a store that is away now is no refusal.
        let heard = state.desk.ask(state.entropy.uuid(), Address::Everyone, Task::Hear);
        let unconfirmed = ask(heard).await.map(|confirmed| confirmed.unconfirmed).unwrap_or_default();
        let plural = if members == 1 { "" } else { "s" };
        let message = format!("Room {room} was deleted with {members} member{plural} in it");
        Ok(Deed {
            confirmed: unconfirmed.is_empty(),
            before: json!(before),
            after: Value::Null,
            detail: message.clone(),
            answer: HttpResponse::Ok().json(Removed { total_removed: members.into(), message, unconfirmed }),
        })
    })
    .await
}
