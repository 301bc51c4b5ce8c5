//! `GET /admin/servers`: the processes that hold sockets.

use crate::{
    State,
    auth::Admin,
    openapi::{NoToken, NotNow, example},
    reports,
};
use actix_web::{HttpResponse, web};
use protocol::admin::Servers;
use runtime::http::Problem;

/// The chat-nodes
///
/// Those that have spoken within their lease, as each described itself within the last seconds.
#[utoipa::path(
    get,
    path = "/admin/servers",
    operation_id = "adminServers",
    tag = "admin",
    responses(
        (status = 200, description = "Each of them.", body = Servers, example = json!({"servers": [example::server()]})),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn servers(state: web::Data<State>, _: Admin) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().json(Servers { servers: reports::servers(&state).await? }))
}
