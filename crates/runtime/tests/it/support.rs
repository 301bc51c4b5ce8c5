//! A server for a test, and the two ways of talking to it: politely, and byte by byte.

use runtime::{
    lifecycle::Lifecycle,
    metrics::Metrics,
    server::{HttpServer, bind},
};
use std::{io, net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// No test waits longer for anything.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// A running server.
pub struct Running {
    pub address: SocketAddr,
    pub lifecycle: Lifecycle,
    pub stop_accept: CancellationToken,
    pub metrics: Metrics,
    server: JoinHandle<io::Result<()>>,
}

/// Starts a server that `configure` has completed.
pub fn start(configure: impl FnOnce(HttpServer, &Lifecycle, &Metrics) -> HttpServer) -> Running {
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let (lifecycle, stop_accept) = (Lifecycle::new(), CancellationToken::new());
    let metrics = Metrics::new("test", "0.0.0").unwrap();
    let server = configure(HttpServer::new("test", listener, metrics.clone()).workers(1), &lifecycle, &metrics);
    let (ends_with, stop) = (lifecycle.clone(), stop_accept.clone());
    let server = tokio::spawn(async move { server.run(&ends_with, stop).await });
    Running { address, lifecycle, stop_accept, metrics, server }
}

impl Running {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        reqwest::get(self.url(path)).await.unwrap()
    }

    pub async fn connect(&self) -> Raw {
        Raw(TcpStream::connect(self.address).await.unwrap())
    }

    /// Waits until nobody listens any more, which another thread brings about.
    pub async fn refuses_connections(&self) {
        let refused = async { while TcpStream::connect(self.address).await.is_ok() {} };
        timeout(PATIENCE, refused).await.expect("the server goes on accepting");
    }

    /// Drops the server where it is.
    pub async fn abort(&mut self) {
        self.server.abort();
        let _ = (&mut self.server).await;
    }

    /// Waits until the server has returned.
    pub async fn ended(self) -> io::Result<()> {
        timeout(PATIENCE, self.server).await.expect("the server goes on").unwrap()
    }
}

/// A client that sends exactly what it is told to.
pub struct Raw(pub TcpStream);

impl Raw {
    pub async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// One answer: its head and, by its `Content-Length`, its body.
    pub async fn answer(&mut self) -> (String, String) {
        let head = self.head().await;
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        timeout(PATIENCE, self.0.read_exact(&mut body)).await.expect("no body").unwrap();
        (head, String::from_utf8(body).unwrap())
    }

    /// Up to the blank line.
    pub async fn head(&mut self) -> String {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(timeout(PATIENCE, self.0.read_u8()).await.expect("no answer").unwrap());
        }
        String::from_utf8(head).unwrap()
    }

    /// What comes until the server closes.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut rest)).await.expect("the server does not close").unwrap();
        rest
    }
}
