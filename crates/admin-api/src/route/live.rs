//! `GET /admin/live`: the WebSocket with the dashboard's live figures.

use crate::{
    State,
    live::{Web, run},
    openapi::{BadRequest, ForeignOrigin, NotAWebSocket},
};
use actix_web::{Error, HttpRequest, HttpResponse, http::header, web};
use runtime::{http::Problem, websocket::verify_upgrade};

/// The live figures (WebSocket)
///
/// The first frame is `{"token": "…"}`, within 5 s; then a `Live` as JSON comes each second. Closed with 1008 without a
/// good token, or when it stops being one; 1009 for a frame over 4 KiB; 1012 when the process ends; 1013 when it has as
/// many listeners as it may have.
#[utoipa::path(
    get,
    path = "/admin/live",
    operation_id = "adminLive",
    tag = "admin",
    security(()),
    responses(
        (status = 101, description = "A WebSocket."),
        (status = 400, response = BadRequest),
        (status = 403, response = ForeignOrigin),
        (status = 426, response = NotAWebSocket),
    )
)]
pub(crate) async fn live(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Error> {
    if !request.headers().contains_key(header::UPGRADE) {
        return Err(Problem::upgrade_required("this is a WebSocket's path").into());
    }
    verify_upgrade(request.head(), &state.allowed_origins)?;
    let (response, mut carrier) = Web::accept(&request, payload)?;
    actix_web::rt::spawn(async move { run(&state, &mut carrier).await });
    Ok(response)
}
