//! The description of the HTTP API.

use crate::route;
use runtime::http::Problem;
use utoipa::OpenApi;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Roomful",
        description = "Multi-room chat over HTTP. Talking itself is a WebSocket's matter (`GET /ws`, see \
                       docs/protocol.md).\n\nEvery refusal is `application/problem+json` (RFC 9457). Every answer \
                       has an `X-Request-Id`; one that is sent along is kept.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(
        route::health::health,
        route::rooms::rooms,
        route::room::room,
        route::instance::instance,
        route::openapi::openapi,
    ),
    components(schemas(Problem), responses(NoRoom, TooManyRequests, Unavailable)),
    tags((name = "api", description = "Open to everybody; limited for each client address."))
)]
struct Document;

/// There is no such room.
#[derive(utoipa::ToResponse)]
#[response(
    content_type = "application/problem+json",
    example = json!({
        "type": "about:blank", "title": "Not Found", "status": 404,
        "detail": "there is no such room: it has ended, or never was",
        "requestId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
    })
)]
#[allow(dead_code)] // described, never made
pub(crate) struct NoRoom(Problem);

/// Too many requests from this address.
#[derive(utoipa::ToResponse)]
#[response(
    content_type = "application/problem+json",
    headers(("Retry-After" = u64, description = "How many seconds to wait.")),
    example = json!({
        "type": "about:blank", "title": "Too Many Requests", "status": 429,
        "detail": "too many requests: try again in 3 s", "requestId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
    })
)]
#[allow(dead_code)] // described, never made
pub(crate) struct TooManyRequests(Problem);

/// What is needed for an answer cannot be reached at the moment.
#[derive(utoipa::ToResponse)]
#[response(
    content_type = "application/problem+json",
    example = json!({
        "type": "about:blank", "title": "Service Unavailable", "status": 503,
        "detail": "the rooms cannot be read at the moment: try again",
        "requestId": "67e55044-10b1-426f-9247-bb680e5fe0c8",
    })
)]
#[allow(dead_code)] // described, never made
pub(crate) struct Unavailable(Problem);

/// The description of the gateway's own calls. That of the admin API has its home with the admin API, and is merged with
/// this one by who puts both together ([`Gateway::describing`](crate::Gateway::describing)).
#[must_use]
pub fn document(version: &str) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    version.clone_into(&mut document.info.version);
    document
}
