//! Bodies, queries and paths that cannot be read become problems, and nobody's body is taken in whole.

use super::Problem;
use actix_web::{
    error::{JsonPayloadError, PayloadError},
    web::{JsonConfig, PathConfig, PayloadConfig, QueryConfig, ServiceConfig},
};

/// The longest body that is read. No call of the API needs more.
pub const BODY_LIMIT: usize = 4096;

/// Sets up the extractors of actix. A [`server`](crate::server) has done this for its routes.
pub fn extractor_config(cfg: &mut ServiceConfig) {
    cfg.app_data(PayloadConfig::new(BODY_LIMIT))
        .app_data(JsonConfig::default().limit(BODY_LIMIT).error_handler(|error, _| json_problem(&error).into()))
        .app_data(
            QueryConfig::default()
                .error_handler(|error, _| Problem::bad_request(format!("the query cannot be read: {error}")).into()),
        )
        // A path that does not parse names nothing that could exist.
        .app_data(
            PathConfig::default().error_handler(|_, _| Problem::not_found("there is nothing at this path").into()),
        );
}

fn json_problem(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::Overflow { .. }
        | JsonPayloadError::OverflowKnownLength { .. }
        | JsonPayloadError::Payload(PayloadError::Overflow) => Problem::payload_too_large(BODY_LIMIT),
        JsonPayloadError::ContentType => Problem::bad_request("the body must be application/json"),
        JsonPayloadError::Deserialize(error) => Problem::bad_request(format!("the body cannot be read: {error}")),
        error => Problem::bad_request(error.to_string()),
    }
}
