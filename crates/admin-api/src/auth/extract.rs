//! What a handler's signature says about who may call it.

use super::{Token, no_good};
use crate::State;
use actix_web::{
    Error, FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderMap},
    web,
};
use futures_util::future::LocalBoxFuture;
use runtime::http::{Problem, RequestId};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::{IpAddr, Ipv4Addr},
};

/// Who asks, as far as that needs no proof.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The address that a trusted proxy gives, or the socket's own.
    pub(crate) address: IpAddr,
    /// The request's id.
    pub(crate) request_id: String,
}

impl FromRequest for Caller {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        // A socket that cannot say whose it is was closed by the other end.
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
        let address = match request.app_data::<web::Data<State>>() {
            Some(state) => state.trusted_proxies.client_ip(peer, request.headers()),
            None => peer,
        };
        let id = RequestId::from_request(request, payload).into_inner();
        ready(Ok(Self { address, request_id: id.map(|id| id.as_str().to_owned()).unwrap_or_default() }))
    }
}

/// An admin, by a good token.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    /// The token.
    pub(crate) token: Token,
    /// From where.
    pub(crate) caller: Caller,
}

impl FromRequest for Admin {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let token = bearer(request.headers()).map(str::to_owned);
        let state = request.app_data::<web::Data<State>>().cloned();
        let caller = Caller::from_request(request, payload).into_inner();
        Box::pin(async move {
            let (Some(state), Ok(caller)) = (state, caller) else { return Err(Problem::internal()) };
            let token = state.verified(&token.ok_or_else(no_good)?).await?;
            Ok(Self { token, caller })
        })
    }
}

/// An admin, and then what else the call has. In this order: strangers' bodies and queries are not even looked at.
pub(crate) struct AsAdmin<T>(pub(crate) Admin, pub(crate) T);

impl<T: FromRequest + 'static> FromRequest for AsAdmin<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let admin = Admin::from_request(request, payload);
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let admin = admin.await?;
            Ok(Self(admin, T::from_request(&request, &mut payload).await.map_err(Into::into)?))
        })
    }
}

/// The one token that is shown. Two would be two stories.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(AUTHORIZATION);
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let (scheme, token) = line.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start_matches(' '))
}
