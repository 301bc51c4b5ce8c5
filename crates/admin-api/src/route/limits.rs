//! `GET /admin/limits`: whom the limits refuse.

use crate::{
    State,
    auth::Admin,
    openapi::{NoToken, NotNow},
    reports,
};
use actix_web::{HttpResponse, web};
use protocol::admin::{LimitPage, LimitedOn};
use runtime::http::Problem;
use std::cmp::Reverse;

/// Whom the limits refused within the last minute
///
/// At most 50 of each process, those refused most first.
#[utoipa::path(
    get,
    path = "/admin/limits",
    operation_id = "adminLimits",
    tag = "admin",
    responses(
        (status = 200, description = "Each of them.", body = LimitPage, example = json!({"limited": [{
            "nodeId": "node-1", "policy": "message", "clientId": 48151, "ip": null, "refused": 12,
            "lastAt": 1_700_000_000_000_u64,
        }]})),
        (status = 401, response = NoToken),
        (status = 503, response = NotNow),
    )
)]
pub(crate) async fn limits(state: web::Data<State>, _: Admin) -> Result<HttpResponse, Problem> {
    let (servers, others) = tokio::join!(reports::servers(&state), reports::limited(&state));
    let of_servers = servers?.into_iter().map(|server| (server.node_id, server.limited));
    let mut limited: Vec<_> = of_servers
        .chain(others?)
        .flat_map(|(node_id, limited)| {
            limited.into_iter().map(move |limited| LimitedOn { node_id: node_id.clone(), limited })
        })
        .collect();
    limited.sort_by_key(|on| Reverse(on.limited.refused));
    Ok(HttpResponse::Ok().json(LimitPage { limited }))
}
