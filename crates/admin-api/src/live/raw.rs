//! The feed on a raw socket, for a process that takes all WebSocket requests before they get to a route.

use super::{Carrier, Gone, LIVE_PATH, Outgoing, frames::Frames, run};
use crate::State;
use actix_codec::Framed;
use actix_http::{
    Request, Response,
    body::BodySize,
    h1,
    ws::{self, Frame, ProtocolError},
};
use actix_rt::net::TcpStream;
use futures_util::{SinkExt, StreamExt};
use runtime::{http::Problem, server::refuse, websocket::verify_upgrade};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

/// How long the answer to the handshake may take to be written, and the listener to hear that it is over.
const PATIENCE: Duration = Duration::from_secs(5);

struct Raw(Framed<TcpStream, Frames>);

impl Carrier for Raw {
    async fn next(&mut self) -> Option<Result<Frame, ProtocolError>> {
        self.0.next().await
    }

    async fn send(&mut self, outgoing: Outgoing) -> Result<(), Gone> {
        self.0.send(outgoing).await.map_err(|_| Gone)
    }
}

/// Serves one request to the end.
pub(crate) async fn upgrade(state: Arc<State>, request: Request, mut framed: Framed<TcpStream, h1::Codec>) {
    let checked = match request.path() {
        LIVE_PATH => verify_upgrade(request.head(), &state.allowed_origins),
        _ => Err(Problem::not_found("there is no WebSocket at this path")),
    };
    if let Err(problem) = checked {
        return refuse(&request, framed, problem).await;
    }
    let response: Response<()> = ws::handshake_response(request.head()).finish().drop_body();
    let answer = framed.send(h1::Message::Item((response, BodySize::None)));
    let Ok(Ok(())) = timeout(PATIENCE, answer).await else { return };
    drop(request);
    let mut raw = Raw(framed.replace_codec(Frames::new()));
    run(&state, &mut raw).await;
    // A socket that is closed while something unread waits in it is reset, and the close frame is lost with it.
    let _ = timeout(PATIENCE, async {
        let mut socket = raw.0.into_parts().io;
        socket.shutdown().await?;
        let mut scrap = [0; 1024];
        while socket.read(&mut scrap).await? > 0 {}
        std::io::Result::Ok(())
    })
    .await;
}
