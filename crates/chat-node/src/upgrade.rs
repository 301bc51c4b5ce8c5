//! `GET /ws`: from the upgrade request to the raw socket.

use crate::{connection, node::Node};
use actix_codec::Framed;
use actix_http::{
    HttpMessage, Request, Response,
    body::BodySize,
    error::PayloadError,
    h1,
    header::{self, HeaderMap, HeaderValue},
    ws::{self, HandshakeError},
};
use actix_rt::net::TcpStream;
use bytes::BytesMut;
use engine::Who;
use futures_util::SinkExt;
use protocol::{SUBPROTOCOL, policy::Policy};
use runtime::{client_addr::limit_key, http::Problem, lifecycle::Lifecycle, server::refuse};
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
    if let Err(problem) = admit(&node, &request, address).await {
        return refuse(&request, framed, problem).await;
    }
    let Some(hub) = node.hub(&lifecycle) else {
        return refuse(&request, framed, Problem::unavailable("this node has no worker for the connection")).await;
    };
    let switched = tokio::time::timeout(PATIENCE, switch(&request, framed)).await;
    drop(request);
    let Ok(Ok((socket, rest))) = switched else { return };
    tune(&socket, node.config.hub.stall + USER_TIMEOUT);
    // Of its own, so that the request and the handshake are not kept for as long as the socket lives.
    lifecycle.spawn_local(connection::run(node, hub, socket, rest, address));
}

/// Whether the request may become a WebSocket.
async fn admit(node: &Node, request: &Request, address: IpAddr) -> Result<(), Problem> {
    if request.path() != "/ws" {
        return Err(Problem::not_found("WebSockets are at /ws"));
    }
    ws::verify_handshake(request.head()).map_err(|e| match e {
        HandshakeError::GetMethodRequired => Problem::method_not_allowed("GET"),
        HandshakeError::UnsupportedVersion | HandshakeError::NoVersionHeader => {
            Problem::upgrade_required("only version 13 of the WebSocket protocol is spoken here")
                .with_header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        }
        e => Problem::bad_request(e.to_string()),
    })?;
    if !origin_allowed(&node.config.allowed_origins, request.headers(), request.uri().host()) {
        return Err(Problem::forbidden("this origin is not on the allow-list (ALLOWED_ORIGINS)"));
    }
    if node.draining() {
        return Err(Problem::unavailable("this node is ending; another one will take you"));
    }
    if node.engine.stats.connections.load(Ordering::Relaxed) >= node.config.max_connections {
        return Err(Problem::unavailable("this node has as many connections as it may have"));
    }
    node.limiter
        .check(Policy::Connect, Who::Address(limit_key(address)))
        .await
        .map_err(|wait| Problem::too_many_requests(wait.0))
}

/// Only browsers send an Origin, and they cannot lie about it: this keeps other sites' pages out, not programs.
fn origin_allowed(allowed: &[String], headers: &HeaderMap, uri_host: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let origin = origin.to_ascii_lowercase();
    if !allowed.is_empty() {
        return allowed.contains(&origin);
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).or(uri_host);
    match (origin.split_once("://"), host) {
        (Some((scheme @ ("http" | "https"), site)), Some(host)) => {
            let port = if scheme == "http" { ":80" } else { ":443" };
            let plain = |host: &str| host.strip_suffix(port).unwrap_or(host).to_owned();
            plain(site) == plain(&host.to_ascii_lowercase())
        }
        _ => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: &str, host: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        headers
    }

    #[test]
    fn origins() {
        let own = |origin, host| origin_allowed(&[], &headers(origin, host), None);
        assert!(own("http://localhost:8080", "localhost:8080"));
        assert!(own("https://Chat.Example.org", "chat.example.org"));
        assert!(own("https://chat.example.org", "chat.example.org:443"));
        for (origin, host) in [
            ("http://localhost:8081", "localhost:8080"),
            ("https://evil.example", "chat.example.org"),
            ("https://chat.example.org.evil.example", "chat.example.org"),
            ("http://chat.example.org", "chat.example.org:443"),
            ("null", "chat.example.org"),
            ("file://", "chat.example.org"),
        ] {
            assert!(!own(origin, host), "{origin} at {host}");
        }
        let list = ["https://a.example".to_owned()];
        assert!(origin_allowed(&list, &headers("https://a.example", "b.example"), None));
        assert!(!origin_allowed(&list, &headers("https://b.example", "b.example"), None));
        assert!(origin_allowed(&list, &HeaderMap::new(), None), "not a browser");
    }
}
