//! What all HTTP answers of Roomful have in common.
//!
//! A handler returns `Result<impl Responder, Problem>`. Everything else is done once, around all routes: a request id in
//! and out, errors of actix itself turned into problems, security headers, metrics and the log.

mod endpoint;
mod extractors;
mod headers;
mod observe;
mod problem;
mod request_id;

pub use endpoint::{Endpoint, only_get, only_post};
pub use extractors::{BODY_LIMIT, extractor_config};
pub use headers::{CONTENT_SECURITY_POLICY, SECURITY_HEADERS, WORKER_SECURITY_POLICY};
pub use problem::{PROBLEM_JSON, Problem};
pub use request_id::RequestId;

pub(crate) use headers::security_headers;
pub(crate) use observe::observe;
pub(crate) use request_id::X_REQUEST_ID;
