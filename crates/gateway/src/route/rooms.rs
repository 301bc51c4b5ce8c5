//! `GET /api/rooms`: the room list, for whoever has no socket.

use crate::{
    State,
    openapi::{TooManyRequests, Unavailable},
};
use actix_web::{HttpResponse, web};
use engine::PortError;
use protocol::{
    http::RoomPage,
    limits::{ROOMS_LIMIT_DEFAULT, ROOMS_LIMIT_MAX},
};
use runtime::http::Problem;
use serde::Deserialize;
use std::time::Duration;
use tokio::time::timeout;

/// How long the directory may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// No cursor of ours is longer. What is longer is not carried to the backend.
const CURSOR_MAX: usize = 128;

/// Both are read as text, so that a refusal can say what would be right. Empty is as good as absent: a form sends its
/// empty fields, too.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Page {
    /// From the page before; without it the list begins.
    #[param(example = "1700000000000-48151", max_length = 128)]
    cursor: Option<String>,
    /// How many rooms.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 50)]
    limit: Option<String>,
}

/// The rooms, newest first
///
/// A page at a time: `cursor` leads to the next one, and is null on the last. Rooms that come and go while one is
/// reading shift nothing: none is shown twice, and none that was there all the time is left out.
#[utoipa::path(
    get,
    path = "/api/rooms",
    operation_id = "rooms",
    tag = "api",
    params(Page),
    responses(
        (status = 200, description = "A page of the list.", body = RoomPage, example = json!({
            "rooms": [{
                "roomId": 48151, "name": "Tea & biscuits", "memberCount": 2, "createdAt": 1_700_000_000_000_u64,
            }],
            "cursor": "1700000000000-48151",
        })),
        (status = 400, description = "The limit is out of range, or the cursor is not one that a page gave.",
            body = Problem, content_type = "application/problem+json", example = json!({
                "type": "about:blank", "title": "Bad Request", "status": 400,
                "detail": "limit must be a whole number from 1 to 100",
                "requestId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
            })),
        (status = 429, response = TooManyRequests),
        (status = 503, response = Unavailable),
    )
)]
pub(crate) async fn rooms(state: web::Data<State>, page: web::Query<Page>) -> Result<HttpResponse, Problem> {
    let (cursor, limit) = page.into_inner().checked()?;
    let rooms = state.ports.directory.rooms(cursor.as_deref(), limit);
    let page = match timeout(PATIENCE, rooms).await {
        Ok(page) => page.map_err(problem)?,
        Err(_) => return Err(unavailable()),
    };
    Ok(HttpResponse::Ok().json(RoomPage { rooms: page.rooms, cursor: page.cursor }))
}

impl Page {
    fn checked(self) -> Result<(Option<String>, usize), Problem> {
        let limit = match self.limit.as_deref().unwrap_or_default() {
            "" => ROOMS_LIMIT_DEFAULT,
            limit => limit.parse().ok().filter(|limit| (1..=ROOMS_LIMIT_MAX).contains(limit)).ok_or_else(|| {
                Problem::bad_request(format!("limit must be a whole number from 1 to {ROOMS_LIMIT_MAX}"))
            })?,
        };
        match self.cursor.filter(|cursor| !cursor.is_empty()) {
            Some(cursor) if cursor.len() > CURSOR_MAX => Err(bad_cursor()),
            cursor => Ok((cursor, limit)),
        }
    }
}

fn problem(error: PortError) -> Problem {
    match error {
        PortError::BadCursor => bad_cursor(),
        PortError::Unavailable(reason) => {
            tracing::warn!(error = %reason, "rooms: the directory failed");
            unavailable()
        }
        // The others speak of one room or one client, and nobody asked about one.
        error => {
            tracing::error!(%error, "rooms: an answer that has no place here");
            Problem::internal()
        }
    }
}

fn bad_cursor() -> Problem {
    Problem::bad_request("cursor must be one that a page gave")
}

fn unavailable() -> Problem {
    Problem::unavailable("the rooms cannot be read at the moment: try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_the_limits_in_force() {
        // Attributes of a derive are literals; this keeps them true.
        assert_eq!((ROOMS_LIMIT_DEFAULT, ROOMS_LIMIT_MAX, CURSOR_MAX), (50, 100, 128));
    }
}
