//! `GET /api/health`: how the cluster is, as seen from here.

use crate::{State, openapi::TooManyRequests};
use actix_web::{HttpResponse, http::StatusCode, web};
use engine::port::NodeRecord;
use protocol::http::{Check, Health, Status};
use runtime::health::HealthReport;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout;

/// The directory's own entry among the checks.
const ENGINE: &str = "engine";

/// How long the directory may take: as long as every other check.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether Roomful works
///
/// For monitoring. Each thing that is needed is asked anew, all at once, and none is waited for longer than a second.
/// `nodes` and `connections` are 0 when the engine does not answer.
#[utoipa::path(
    get,
    path = "/api/health",
    operation_id = "health",
    tag = "api",
    responses(
        (status = 200, description = "All is well.", body = Health, example = json!({
            "status": "ok", "version": "0.1.0", "uptimeSeconds": 3600, "timestamp": 1_700_000_000_000_u64,
            "nodes": 3, "connections": 1200, "checks": {"engine": {"status": "ok"}},
        })),
        (status = 503, description = "Something that is needed cannot be reached.", body = Health, example = json!({
            "status": "degraded", "version": "0.1.0", "uptimeSeconds": 3600, "timestamp": 1_700_000_000_000_u64,
            "nodes": 0, "connections": 0,
            "checks": {"engine": {"status": "degraded", "detail": "no answer within a second"}},
        })),
        (status = 429, response = TooManyRequests),
    )
)]
pub(crate) async fn health(state: web::Data<State>) -> HttpResponse {
    let (report, nodes) = tokio::join!(state.health.report(), nodes(&state));

    let mut checks = checks(report);
    let seen = match &nodes {
        Ok(_) => check(None),
        Err(reason) => check(Some(reason.clone())),
    };
    // Whoever put the process together may look at the engine, too. What is wrong with it must not be hidden.
    if nodes.is_err() || !checks.contains_key(ENGINE) {
        checks.insert(ENGINE.to_owned(), seen);
    }

    let nodes = nodes.unwrap_or_default();
    let ok = checks.values().all(|check| check.status == Status::Ok);
    HttpResponse::build(if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }).json(Health {
        status: if ok { Status::Ok } else { Status::Degraded },
        version: state.version.clone(),
        uptime_seconds: state.uptime_seconds(),
        timestamp: state.clock.now(),
        nodes: u32::try_from(nodes.len()).unwrap_or(u32::MAX),
        connections: nodes.iter().map(|node| u64::from(node.connections)).sum(),
        checks,
    })
}

async fn nodes(state: &State) -> Result<Vec<NodeRecord>, String> {
    match timeout(PATIENCE, state.ports.directory.nodes()).await {
        Ok(Ok(nodes)) => Ok(nodes),
        Ok(Err(unavailable)) => {
            // It may name hosts, and everybody may ask here: the reason is for the log.
            tracing::warn!(error = %unavailable, "health: the directory failed");
            Err("it cannot be reached".to_owned())
        }
        Err(_) => Err("no answer within a second".to_owned()),
    }
}

fn checks(report: HealthReport) -> BTreeMap<String, Check> {
    let one = |result: runtime::health::CheckResult| match result.ok {
        true => check(None),
        false => check(Some(result.error.unwrap_or_else(|| "failed".to_owned()))),
    };
    report.checks.into_iter().map(|(name, result)| (name, one(result))).collect()
}

fn check(detail: Option<String>) -> Check {
    Check { status: if detail.is_none() { Status::Ok } else { Status::Degraded }, detail }
}
