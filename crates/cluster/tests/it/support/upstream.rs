//! Services of the tests' own: one tells what reached it, one takes WebSockets.

use super::http::{Response, parse};
use futures_util::{SinkExt, StreamExt};
use runtime::http::SECURITY_HEADERS;
use serde_json::json;
use std::net::{Ipv4Addr, SocketAddr};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// A service; it ends with this value.
pub struct Upstream {
    pub address: SocketAddr,
    task: AbortHandle,
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a service treats whoever connects.
#[derive(Clone, Copy)]
pub enum Manner {
    /// Answers with what it was asked, as JSON, and the headers that all services have. `/sleep` is never answered.
    Echo,
    /// Answers with this.
    Says(&'static str),
    /// Takes WebSockets: its first message is this name, and then it repeats what it hears.
    WebSocket(&'static str),
    /// Takes WebSockets, and closes them at once.
    Closes,
}

impl Upstream {
    pub async fn start(manner: Manner) -> Self {
        Self::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), manner).await
    }

    pub async fn at(address: SocketAddr, manner: Manner) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Each with the listener's task: an abort ends accepting, and open sockets live on.
                tokio::spawn(serve(socket, manner));
            }
        };
        Self { address, task: tokio::spawn(serve).abort_handle() }
    }
}

async fn serve(mut socket: TcpStream, manner: Manner) {
    match manner {
        Manner::Echo => while echo(&mut socket).await.is_some() {},
        Manner::Says(answer) => {
            head(&mut socket).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
        Manner::WebSocket(name) => {
            let Ok(mut socket) = accept_async(socket).await else { return };
            let _ = socket.send(Message::text(name)).await;
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() && socket.send(message).await.is_err() {
                    return;
                }
            }
        }
        Manner::Closes => {
            if let Ok(mut socket) = accept_async(socket).await {
                let _ = socket.close(None).await;
            }
        }
    }
}

async fn echo(socket: &mut TcpStream) -> Option<()> {
    let head = head(socket).await?;
    let (line, _) = head.split_once("\r\n")?;
    if line.contains("/sleep") {
        std::future::pending::<()>().await;
    }
    // A request has the form of an answer, but for the first line.
    let Response { headers, .. } = parse(format!("- 0 {head}").as_bytes());
    let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.parse().unwrap());
    let mut body = vec![0; length.unwrap_or(0)];
    socket.read_exact(&mut body).await.ok()?;
    let body = json!({ "line": line, "headers": headers }).to_string();
    let mut answer = String::from("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncache-control: no-store\r\n");
    for (name, value) in SECURITY_HEADERS {
        answer += &format!("{name}: {value}\r\n");
    }
    answer += &format!("content-length: {}\r\n\r\n{body}", body.len());
    socket.write_all(answer.as_bytes()).await.ok()
}

async fn head(socket: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}
