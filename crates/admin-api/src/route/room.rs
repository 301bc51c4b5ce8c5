//! `GET /admin/room/{id}`: one room.

use crate::{
    State,
    ask::{ask, no_room},
    auth::AsAdmin,
    openapi::{NoToken, NotNow, NothingThere, example},
};
use actix_web::{HttpResponse, web};
use engine::port::Span;
use protocol::{
    RoomId,
    admin::{PEOPLE_LISTED, RoomDetail},
};
use runtime::http::Problem;

/// One room
///
/// With its first 1,000 members, and the last 1,000 who were ever in it.
#[utoipa::path(
    get,
    path = "/admin/room/{id}",
    operation_id = "adminRoom",
    tag = "admin",
    params(("id" = RoomId, Path, description = "Its id. What is no id is no room's: 404.")),
    responses(
        (status = 200, description = "What is known of it.", body = RoomDetail, example = json!(example::room_detail())),
        (status = 401, response = NoToken),
        (status = 404, response = NothingThere),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn room(
    state: web::Data<State>,
    AsAdmin(_, id): AsAdmin<web::Path<String>>,
) -> Result<HttpResponse, Problem> {
    let Ok(id) = id.parse::<RoomId>() else { return Err(no_room()) };
    let ports = &state.ports;
    let (room, participants, newest) = tokio::join!(
        ask(ports.directory.room(id, PEOPLE_LISTED)),
        ask(ports.census.participants(id, PEOPLE_LISTED)),
        ask(ports.bus.read(id, Span::Newest, 1)),
    );
    let ((room, members), participants, newest) = (room?, participants?, newest?);
    Ok(HttpResponse::Ok().json(RoomDetail {
        room_id: room.room_id,
        name: room.name,
        owner_id: room.owner_id,
        created_at: room.created_at,
        member_count: room.member_count,
        members,
        message_count: newest.newest.get(),
        seq: newest.newest,
        epoch: newest.epoch,
        participant_count: participants.count,
        participants: participants.newest,
    }))
}
