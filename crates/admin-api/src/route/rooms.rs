//! `GET /admin/room`: the rooms there are.

use super::params::{Listing, Page};
use crate::{
    State,
    ask::ask,
    auth::AsAdmin,
    cursor,
    openapi::{BadRequest, NoToken, NotNow, example},
};
use actix_web::{HttpResponse, web};
use protocol::{
    admin::{RoomPage, RoomRow},
    event::RoomSummary,
    limits::ROOMS_LIMIT_MAX,
};
use runtime::http::Problem;
use std::time::{Duration, Instant};

const LIST: &str = "rooms";
/// Rooms that one search looks at, and for how long.
const LOOKED_AT: usize = 5_000;
const TIME: Duration = Duration::from_millis(25);

/// The rooms, newest first
///
/// A page at a time. A search looks at some thousands for one page, so that it may be short, or empty, and yet have a
/// `cursor`.
#[utoipa::path(
    get,
    path = "/admin/room",
    operation_id = "adminRooms",
    tag = "admin",
    params(Listing),
    responses(
        (status = 200, description = "A page of them.", body = RoomPage, example = json!({
            "roomIds": [16234], "rooms": [example::room()], "cursor": null, "total": 1,
        })),
        (status = 400, response = BadRequest),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn rooms(
    state: web::Data<State>,
    AsAdmin(_, listing): AsAdmin<web::Query<Listing>>,
) -> Result<HttpResponse, Problem> {
    let page = listing.into_inner().checked(&state.mac, LIST)?;
    let (found, counts) = tokio::join!(search(&state, page), ask(state.ports.census.counts()));
    let ((rooms, next), counts) = (found?, counts?);
    let ids: Vec<_> = rooms.iter().map(|room| room.room_id).collect();
    let positions = ask(state.ports.census.positions(&ids)).await?;
    let rows = rooms.into_iter().zip(positions).map(|(room, seq)| {
        let RoomSummary { room_id, name, member_count, created_at } = room;
        RoomRow { room_id, name, member_count, created_at, seq }
    });
    let rooms: Vec<RoomRow> = rows.collect();
    Ok(HttpResponse::Ok().json(RoomPage {
        room_ids: rooms.iter().map(|room| room.room_id).collect(),
        rooms,
        cursor: next.map(|next| cursor::give(&state.mac, LIST, &next)),
        total: counts.rooms,
    }))
}

async fn search(state: &State, page: Page) -> Result<(Vec<RoomSummary>, Option<String>), Problem> {
    let finds = |room: &RoomSummary| {
        let Some(query) = &page.query else { return true };
        room.room_id.to_string().starts_with(query) || room.name.as_str().to_lowercase().contains(query)
    };
    let (started, mut looked_at, mut found) = (Instant::now(), 0, Vec::new());
    let (mut after, mut ask_for) = (page.after, ROOMS_LIMIT_MAX);
    loop {
        let missing = page.limit - found.len();
        if page.query.is_none() {
            ask_for = ask_for.min(missing);
        }
        let rooms = ask(state.ports.directory.rooms(after.as_deref(), ask_for)).await?;
        let last_wanted = rooms.rooms.iter().enumerate().filter(|(_, room)| finds(room)).nth(missing - 1);
        if let Some((last, _)) = last_wanted
            && last + 1 < rooms.rooms.len()
        {
            // Only the directory makes its cursors: it is asked again for as much as is wanted of this page.
            ask_for = last + 1;
            continue;
        }
        looked_at += rooms.rooms.len();
        found.extend(rooms.rooms.into_iter().filter(finds));
        after = rooms.cursor;
        let enough = found.len() >= page.limit || looked_at >= LOOKED_AT || started.elapsed() >= TIME;
        if after.is_none() || (enough && (page.query.is_some() || found.len() >= page.limit)) {
            return Ok((found, after));
        }
        ask_for = ROOMS_LIMIT_MAX;
    }
}
