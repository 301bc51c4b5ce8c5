//! The limit on requests, for each client address. It stands before everything under `/api`, unknown paths included:
//! looking for those is a load like any other.

use crate::State;
use actix_web::{
    Error,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use engine::Who;
use protocol::policy::Policy;
use runtime::{client_addr::limit_key, http::Problem};
use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

pub(super) async fn limit(
    state: Arc<State>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    // A socket that cannot say whose it is was closed by the other end. Such requests share one bucket.
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let client = state.trusted_proxies.client_ip(peer, request.headers());
    match state.limiter.check(Policy::Http, Who::Address(limit_key(client))).await {
        Ok(()) => next.call(request).await,
        Err(wait) => Ok(request.error_response(Problem::too_many_requests(wait.0))),
    }
}
