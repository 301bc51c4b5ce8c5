//! What orchestrators and Prometheus ask, on each process's own port and not through the proxy.

use crate::{
    health::Health,
    http::{Problem, only_get},
    metrics::{self, Metrics},
    server::Routes,
};
use actix_web::{HttpResponse, http::header};
use std::sync::Arc;

/// `GET /livez`, `GET /readyz`, `GET /metrics`.
pub fn routes(health: Health, metrics: Metrics) -> Routes {
    Arc::new(move |cfg| {
        let (health, metrics) = (health.clone(), metrics.clone());
        cfg.service(only_get("/livez", livez))
            .service(only_get("/readyz", move || readyz(health.clone())))
            .service(only_get("/metrics", move || render(metrics.clone())));
    })
}

/// That this is answered at all is the answer.
async fn livez() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).body("ok\n")
}

async fn readyz(health: Health) -> Result<HttpResponse, Problem> {
    let report = health.readiness().await.map_err(Problem::unavailable)?;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(report))
}

async fn render(metrics: Metrics) -> HttpResponse {
    HttpResponse::Ok().content_type(metrics::CONTENT_TYPE).body(metrics.render())
}
