//! Answering a request that was handed over as a raw socket, and is not wanted.

use crate::http::{Problem, RequestId, SECURITY_HEADERS, X_REQUEST_ID};
use actix_codec::Framed;
use actix_http::{
    ConnectionType, HttpMessage, Request, Response,
    body::BodySize,
    h1,
    header::{HeaderName, HeaderValue},
};
use actix_rt::net::TcpStream;
use futures_util::SinkExt;
use std::{io, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

/// How long a client may take to hear that it is refused.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers `request` with `problem`, as an `App` would, and closes the socket.
pub async fn refuse(request: &Request, framed: Framed<TcpStream, h1::Codec>, problem: Problem) {
    let id = RequestId::of(request.headers());
    tracing::debug!(request_id = %id, path = request.path(), status = problem.status().as_u16(), "upgrade refused");
    let problem = problem.with_request_id(&id);
    // A client that does not listen, or is gone, is no concern of anybody.
    let _ = timeout(PATIENCE, send(framed, &problem, &id)).await;
}

async fn send(mut framed: Framed<TcpStream, h1::Codec>, problem: &Problem, id: &RequestId) -> io::Result<()> {
    let mut head = Response::with_body(problem.status(), ());
    *head.headers_mut() = problem.header_map();
    head.headers_mut().insert(X_REQUEST_ID, id.header());
    for (name, value) in SECURITY_HEADERS {
        head.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    head.head_mut().set_connection_type(ConnectionType::Close);

    let body = problem.body();
    framed.feed(h1::Message::Item((head, BodySize::Sized(body.len() as u64)))).await?;
    framed.feed(h1::Message::Chunk(Some(body.into()))).await?;
    framed.send(h1::Message::Chunk(None)).await?;

    // A socket that is closed while something unread waits in it is reset, and the answer is lost with it.
    let mut io = framed.into_parts().io;
    io.shutdown().await?;
    let mut scrap = [0; 1024];
    while io.read(&mut scrap).await? > 0 {}
    Ok(())
}
