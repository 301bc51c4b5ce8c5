//! `GET /api/instance`: which process answers, for whoever wants to see the load being spread.

use crate::{State, openapi::TooManyRequests};
use actix_web::{HttpResponse, web};
use protocol::http::Instance;

/// The process that answered
#[utoipa::path(
    get,
    path = "/api/instance",
    operation_id = "instance",
    tag = "api",
    responses(
        (status = 200, description = "Who it is.", body = Instance, example = json!({
            "nodeId": "gateway-1", "service": "gateway", "uptimeSeconds": 3600,
        })),
        (status = 429, response = TooManyRequests),
    )
)]
pub(crate) async fn instance(state: web::Data<State>) -> HttpResponse {
    HttpResponse::Ok().json(Instance {
        node_id: state.node_id.clone(),
        service: state.service.to_owned(),
        uptime_seconds: state.uptime_seconds(),
    })
}
