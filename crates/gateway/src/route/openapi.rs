//! `GET /api/openapi.json`: the description of every call.

use crate::openapi::TooManyRequests;
use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, ContentType},
    web::{Bytes, Data},
};
use utoipa::openapi::OpenApi;

/// The document as it is sent: it is the same as long as the process lives.
#[derive(Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    pub(super) fn new(document: &OpenApi) -> Self {
        let json = document.to_json().unwrap_or_else(|error| {
            // Strings, numbers and maps with text for keys: there is nothing in it that could fail.
            tracing::error!(%error, "the API's description cannot be written");
            "{}".to_owned()
        });
        Self(json.into())
    }
}

/// This description
#[utoipa::path(
    get,
    path = "/api/openapi.json",
    operation_id = "openapi",
    tag = "api",
    responses(
        (status = 200, description = "An OpenAPI 3.1 document.", body = Object),
        (status = 429, response = TooManyRequests),
    )
)]
pub(crate) async fn openapi(document: Data<Document>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(ContentType::json())
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(document.0.clone())
}
