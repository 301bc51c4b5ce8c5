//! `GET /ws`: from the upgrade request to the raw socket.

use crate::{connection, node::Node, statistics::Turned};
use actix_codec::Framed;
use actix_http::{HttpMessage, Request, Response, StatusCode, body::BodySize, error::PayloadError, h1, header, ws};
use actix_rt::net::TcpStream;
use bytes::BytesMut;
use engine::{Peer, Who, connection::ConnectionId};
use futures_util::SinkExt;
use protocol::{SUBPROTOCOL, policy::Policy};
use runtime::{
    client_addr::limit_key,
    http::{Problem, RequestId},
    lifecycle::Lifecycle,
    server::refuse,
    telemetry::LoggedAddress,
    websocket::verify_upgrade,
};
use std::{net::IpAddr, sync::Arc, sync::atomic::Ordering, time::Duration};

/// How long the answer to the handshake may take to be written.
const PATIENCE: Duration = Duration::from_secs(5);
/// A peer that takes nothing for this much longer than `STALL_TIMEOUT` is gone, whatever its TCP state says. Longer,
/// because the kernel would otherwise reset a slow client just before it is told that it was too slow.
const USER_TIMEOUT: Duration = Duration::from_secs(4);
/// What the kernel queues for one client. Its own default grows to megabytes for a client that reads nothing, and each
/// of them is memory, and time until that client is noticed.
const SEND_BUFFER: usize = 128 * 1024;

/// Answers one upgrade request, and hands its socket to a task of its own.
pub(crate) async fn upgrade(
    node: Arc<Node>,
    lifecycle: Lifecycle,
    request: Request,
    framed: Framed<TcpStream, h1::Codec>,
) {
    let Ok(peer) = framed.io_ref().peer_addr() else { return };
    let address = node.config.trusted_proxies.client_ip(peer.ip(), request.headers());
    if let Err((reason, problem)) = admit(&node, &request, address).await {
        node.statistics.turned(reason);
        return refuse(&request, framed, problem).await;
    }
    let Some(hub) = node.hub(&lifecycle) else {
        node.statistics.turned(Turned::Full);
        return refuse(&request, framed, Problem::unavailable("this node has no worker for the connection")).await;
    };
    let switched = tokio::time::timeout(PATIENCE, switch(&request, framed)).await;
    let Ok(Ok((socket, rest))) = switched else { return };
    tune(&socket, node.config.hub.stall + USER_TIMEOUT);
    let is_proxy = node.config.trusted_proxies.contains(address);
    let connection = hub.open(socket, Peer { address: Some(address), is_proxy });
    // Where the request's name ends and the connection's begins.
    if tracing::enabled!(tracing::Level::DEBUG) {
        let (request_id, connection) = (RequestId::of(request.headers()), ConnectionId(connection.id));
        tracing::debug!(%request_id, %connection, address = %LoggedAddress(address), "opened");
    }
    drop(request);
    // Of its own, so that the request and the handshake are not kept for as long as the socket lives.
    lifecycle.spawn_local(connection::run(node, hub, connection, rest, address));
}

/// Whether the request may become a WebSocket.
async fn admit(node: &Node, request: &Request, address: IpAddr) -> Result<(), (Turned, Problem)> {
    if request.path() != "/ws" {
        return Err((Turned::Bad, Problem::not_found("WebSockets are at /ws")));
    }
    verify_upgrade(request.head(), &node.config.allowed_origins).map_err(|problem| {
        let reason = if problem.status() == StatusCode::FORBIDDEN { Turned::Origin } else { Turned::Bad };
        (reason, problem)
    })?;
    if node.draining() {
        return Err((Turned::Draining, Problem::unavailable("this node is ending; another one will take you")));
    }
    if node.engine.stats.connections.load(Ordering::Relaxed) >= node.config.max_connections {
        return Err((Turned::Full, Problem::unavailable("this node has as many connections as it may have")));
    }
    node.limiter
        .check(Policy::Connect, Who::Address(limit_key(address)))
        .await
        .map_err(|wait| (Turned::Limited, Problem::too_many_requests(wait.0)))
}

/// Answers 101, and gives the bare socket and what was read behind the request.
async fn switch(
    request: &Request,
    mut framed: Framed<TcpStream, h1::Codec>,
) -> Result<(TcpStream, BytesMut), PayloadError> {
    let mut response = ws::handshake_response(request.head());
    let offered = request.headers().get_all(header::SEC_WEBSOCKET_PROTOCOL);
    if offered.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(|p| p.trim() == SUBPROTOCOL) {
        response.insert_header((header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL));
    }
    let response: Response<()> = response.finish().drop_body();
    framed.send(h1::Message::Item((response, BodySize::None))).await?;
    let parts = framed.into_parts();
    // A copy, so that actix's read buffer is not kept with the connection.
    Ok((parts.io, BytesMut::from(&parts.read_buf[..])))
}

fn tune(socket: &TcpStream, user_timeout: Duration) {
    let options = socket2::SockRef::from(socket);
    // Without it delayed acknowledgements made p99 23–47 ms.
    let tuned = socket
        .set_nodelay(true)
        .and_then(|()| options.set_tcp_user_timeout(Some(user_timeout)))
        .and_then(|()| options.set_send_buffer_size(SEND_BUFFER));
    if let Err(e) = tuned {
        tracing::debug!(error = %e, "a socket could not be tuned");
    }
}
