//! What is done around every request: its id, its problem, its count and its line in the log.

use super::{Problem, RequestId, SECURITY_HEADERS, X_REQUEST_ID};
use crate::{metrics::Metrics, traces};
use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use std::time::Instant;
use tracing::{
    Instrument,
    field::{Empty, display},
};

/// The label of requests that no route matched.
const UNMATCHED: &str = "unmatched";

pub(crate) async fn observe(
    metrics: Metrics,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::of(request.headers());
    let method = method_label(request.method());
    let path = request.path().to_owned();
    request.extensions_mut().insert(id.clone());

    // Of the highest level, so that its names are in whatever is logged at all.
    let span = tracing::error_span!("http", request_id = %id, method, path, trace_id = Empty);
    let mut trace = traces::of_request(method, &path, request.headers());
    if let Some(trace) = &trace {
        span.record("trace_id", display(format_args!("{:032x}", trace.trace())));
    }
    let result = next.call(request).instrument(span).await;

    let (pattern, status, cause, result) = match result {
        Ok(response) => {
            let pattern = response.request().match_pattern();
            let cause = response.response().error().map(Error::to_string);
            let mut response = with_problem(response, &id);
            response.headers_mut().insert(X_REQUEST_ID, id.header());
            (pattern, response.status(), cause, Ok(response))
        }
        Err(error) => {
            let cause = error.to_string();
            let response = answer(&error, &id);
            let status = response.status();
            (None, status, Some(cause), Err(InternalError::from_response(error, response).into()))
        }
    };

    if let Some(mut trace) = trace.take() {
        trace.answered(method, pattern.as_deref(), status.as_u16());
    }
    let took = started.elapsed();
    metrics.request(method, pattern.as_deref().unwrap_or(UNMATCHED), status.as_u16(), took);
    let (code, ms, cause) = (status.as_u16(), took.as_secs_f64() * 1e3, cause.unwrap_or_default());
    match status {
        // Whoever asks while Redis is away or a process drains hears of it; that is no fault of the answer.
        StatusCode::SERVICE_UNAVAILABLE => {
            tracing::warn!(request_id = %id, method, path, status = code, ms, cause, "unavailable");
        }
        _ if status.is_server_error() => {
            tracing::error!(request_id = %id, method, path, status = code, ms, cause, "request failed");
        }
        _ => tracing::debug!(request_id = %id, method, path, status = code, ms, "request"),
    }
    result
}

/// Makes a problem of every refusal that is not one yet: of actix's own errors, and of bare statuses. A handler that
/// wrote a body of its own has said what it wanted to.
fn with_problem(response: ServiceResponse<BoxBody>, id: &RequestId) -> ServiceResponse<BoxBody> {
    let status = response.status();
    if let Some(problem) = response.response().error().map(|error| problem_of(error, status)) {
        return replace(response, &problem.with_request_id(id));
    }
    let refused = status.is_client_error() || status.is_server_error();
    if refused && matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0)) {
        let title = status.canonical_reason().unwrap_or("refused");
        return replace(response, &Problem::new(status, title.to_lowercase()).with_request_id(id));
    }
    response
}

fn problem_of(error: &Error, status: StatusCode) -> Problem {
    match error.as_error::<Problem>() {
        Some(problem) => problem.clone(),
        // Its text is for the log: it may tell of the inside.
        None if status.is_server_error() => Problem::internal(),
        None => Problem::new(status, error.to_string()),
    }
}

/// Keeps the headers that the former answer had and the problem's lacks, such as `Allow`.
fn replace(response: ServiceResponse<BoxBody>, problem: &Problem) -> ServiceResponse<BoxBody> {
    let mut answer = problem.error_response();
    for (name, value) in response.headers() {
        if !answer.headers().contains_key(name) {
            answer.headers_mut().append(name.clone(), value.clone());
        }
    }
    response.into_response(answer)
}

/// The answer to an error that a middleware of a service raised past its route. It has no request to answer through, so
/// it passes by the other middlewares, and gets their headers here.
fn answer(error: &Error, id: &RequestId) -> HttpResponse {
    let status = error.as_response_error().status_code();
    let mut response = problem_of(error, status).with_request_id(id).error_response();
    response.headers_mut().insert(X_REQUEST_ID, id.header());
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// A method is any word that a client likes; only the known ones become labels.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
