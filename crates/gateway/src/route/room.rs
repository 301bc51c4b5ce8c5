//! `GET /api/rooms/{id}`: one room, for whoever was given a link to it.

use crate::{
    State,
    openapi::{NoRoom, TooManyRequests, Unavailable},
};
use actix_web::{HttpResponse, web};
use engine::PortError;
use protocol::{RoomId, event::RoomSummary};
use runtime::http::Problem;
use std::time::Duration;
use tokio::time::timeout;

/// How long the directory may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// One room
///
/// What the list says of it. Nobody has to be in it to ask.
#[utoipa::path(
    get,
    path = "/api/rooms/{id}",
    operation_id = "room",
    tag = "api",
    params(("id" = RoomId, Path, description = "Its id. What is no id is no room's: 404.")),
    responses(
        (status = 200, description = "What is known of it.", body = RoomSummary, example = json!({
            "roomId": 48151, "name": "Tea & biscuits", "memberCount": 2, "createdAt": 1_700_000_000_000_u64,
        })),
        (status = 404, response = NoRoom),
        (status = 429, response = TooManyRequests),
        (status = 503, response = Unavailable),
    )
)]
pub(crate) async fn room(state: web::Data<State>, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    let id = id.parse::<RoomId>().map_err(|_| no_room())?;
    let room = match timeout(PATIENCE, state.ports.directory.room(id, 0)).await {
        Ok(found) => found.map_err(problem)?.0,
        Err(_) => return Err(unavailable()),
    };
    Ok(HttpResponse::Ok().json(RoomSummary {
        room_id: room.room_id,
        name: room.name,
        member_count: room.member_count,
        created_at: room.created_at,
    }))
}

fn problem(error: PortError) -> Problem {
    match error {
        PortError::RoomNotFound => no_room(),
        PortError::Unavailable(reason) => {
            tracing::warn!(error = %reason, "room: the directory failed");
            unavailable()
        }
        // The others speak of who acts, and nobody does.
        error => {
            tracing::error!(%error, "room: an answer that has no place here");
            Problem::internal()
        }
    }
}

fn no_room() -> Problem {
    Problem::not_found("there is no such room: it has ended, or never was")
}

fn unavailable() -> Problem {
    Problem::unavailable("the rooms cannot be read at the moment: try again")
}
