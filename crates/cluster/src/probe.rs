//! Asking a process whether it is ready.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// The status line, or Redis's whole answer, is within it.
const ENOUGH: u64 = 256;

/// What a process is asked, and what it has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// `PING`: `+PONG`, and not that it is still loading.
    Redis,
    /// `GET /readyz`: 200.
    Ready,
    /// `GET /`: any answer of HTTP.
    Http,
}

impl Probe {
    /// Asks once.
    ///
    /// # Errors
    /// What was answered instead, or why nothing was, fit for an operator.
    pub async fn ask(self, port: u16) -> Result<(), String> {
        let (question, wanted) = match self {
            Self::Redis => ("PING\r\n", "+PONG\r\n"),
            Self::Ready => ("GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "HTTP/1.1 200"),
            Self::Http => ("GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", "HTTP/1.1 "),
        };
        let answer = timeout(PATIENCE, exchange(port, question, wanted.len())).await;
        let answer = answer.map_err(|_| format!("no answer within {} s", PATIENCE.as_secs()))?;
        let answer = answer.map_err(|e| e.to_string())?;
        if answer.starts_with(wanted) {
            return Ok(());
        }
        Err(answer.lines().next().map_or_else(|| "it hung up".to_owned(), |line| format!("it answered {line:?}")))
    }
}

async fn exchange(port: u16, question: &str, wanted: usize) -> io::Result<String> {
    let mut socket = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    socket.write_all(question.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut socket = socket.take(ENOUGH);
    // Redis does not hang up by itself: as much as decides is enough.
    while answer.len() < wanted && socket.read_buf(&mut answer).await? > 0 {}
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
