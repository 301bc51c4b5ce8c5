//! The description of the HTTP API.

use crate::route;
use runtime::http::Problem;
use utoipa::{OpenApi, openapi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Roomful",
        description = "Multi-room chat over HTTP. Talking itself is a WebSocket's matter (`GET /ws`, see \
                       docs/protocol.md).\n\nEvery refusal is `application/problem+json` (RFC 9457). Every answer \
                       has an `X-Request-Id`; one that is sent along is kept.",
        license(name = "MIT", identifier = "MIT"),
    ),
    paths(route::health::health, route::rooms::rooms, route::instance::instance, route::openapi::openapi),
    components(schemas(Problem)),
    tags((name = "api", description = "Open to everybody; limited for each client address."))
)]
struct Document;

/// The description of the gateway's own calls. That of the admin API has its home with the admin API, and is merged with
/// this one by who puts both together ([`Gateway::describing`](crate::Gateway::describing)).
#[must_use]
pub fn document(version: &str) -> openapi::OpenApi {
    let mut document = Document::openapi();
    version.clone_into(&mut document.info.version);
    document
}
