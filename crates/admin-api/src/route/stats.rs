//! `GET /admin/stats`: the cluster now, and within the last hour.

use crate::{
    State,
    auth::Admin,
    openapi::{NoToken, NotNow, example},
    reports,
};
use actix_web::{HttpResponse, web};
use protocol::admin::Stats;
use runtime::http::Problem;

/// The cluster now, and the last hour by minute
#[utoipa::path(
    get,
    path = "/admin/stats",
    operation_id = "adminStats",
    tag = "admin",
    responses(
        (status = 200, description = "The figures.", body = Stats, example = json!(example::stats())),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn stats(state: web::Data<State>, _: Admin) -> Result<HttpResponse, Problem> {
    let at = state.clock.now();
    let servers = reports::servers(&state).await?;
    let (now, minutes) = tokio::join!(reports::totals(&state, &servers), reports::minutes(&state, at));
    Ok(HttpResponse::Ok().json(Stats { at, now: now?, minutes: minutes? }))
}
