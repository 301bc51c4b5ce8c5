//! A site that is well but for what it is told to do badly.

use super::NOW;
use doctor::site::Site;
use futures_util::{SinkExt, StreamExt};
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

/// What it does.
#[derive(Clone)]
pub struct Manners {
    /// Status and policy of `/`.
    pub page: (u16, Option<&'static str>),
    /// Status and body of `/api/health`.
    pub health: (u16, String),
    /// Of those for operators, what it hands on.
    pub operators: &'static [&'static str],
    /// Where `/admin` leads.
    pub admin: &'static str,
    /// What `/ws` answers.
    pub upgrade: u16,
    /// Whose pages may; `*` are all, and none are all but the foreign one.
    pub origins: &'static [&'static str],
    /// Whether it chooses one.
    pub subprotocol: bool,
    /// What it says to `CONNECT`.
    pub connect: &'static str,
}

impl Default for Manners {
    fn default() -> Self {
        let health = format!(r#"{{"status":"ok","timestamp":{NOW},"nodes":3,"checks":{{"redis":{{"status":"ok"}}}}}}"#);
        Self {
            page: (200, Some("default-src 'none'; script-src 'self'; style-src 'unsafe-inline'")),
            health: (200, health),
            operators: &[],
            admin: "/admin/",
            upgrade: 101,
            origins: &[],
            subprotocol: true,
            connect: r#"{"type":"CONNECT","clientId":12345}"#,
        }
    }
}

/// It runs until this is dropped.
pub struct Fake {
    pub site: Site,
    said: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Fake {
    pub async fn start(manners: Manners) -> Self {
        Self::with(manners, None).await
    }

    /// With TLS, its name is localhost.
    pub async fn with(manners: Manners, tls: Option<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = if tls.is_some() { format!("https://localhost:{port}") } else { format!("http://127.0.0.1:{port}") };
        let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
        let said = Arc::new(Mutex::new(vec![]));
        let heard = said.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (manners, tls, said) = (manners.clone(), tls.clone(), heard.clone());
                tokio::spawn(async move {
                    match tls {
                        None => answer(stream, &manners, &said).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                answer(stream, &manners, &said).await;
                            }
                        }
                    }
                });
            }
        });
        Self { site: Site::parse(&url).unwrap(), said, task }
    }

    /// What came over WebSockets.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, manners: &Manners, said: &Mutex<Vec<String>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { return };
        head.push(byte);
        // TLS, where there is none.
        if head[0] == 0x16 {
            return drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
        }
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(header, _)| header.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value).to_owned()
    };
    let path = head.split(' ').nth(1).unwrap();
    let (status, headers, body) = match path {
        "/ws" => match upgrade(manners, &header) {
            Ok(head) => {
                stream.write_all(head.as_bytes()).await.unwrap();
                return talk(stream, manners, said).await;
            }
            Err(status) => (status, String::new(), String::new()),
        },
        "/" => {
            let policy = manners.page.1.map(|policy| format!("Content-Security-Policy: {policy}\r\n"));
            (
                manners.page.0,
                format!("Content-Type: text/html\r\n{}", policy.unwrap_or_default()),
                "<!doctype html>".into(),
            )
        }
        "/api/health" => (manners.health.0, "Content-Type: application/json\r\n".into(), manners.health.1.clone()),
        "/admin" => (308, format!("Location: {}\r\n", manners.admin), String::new()),
        "/livez" if manners.operators.contains(&path) => (200, String::new(), "ok\n".into()),
        "/readyz" if manners.operators.contains(&path) => (200, String::new(), r#"{"ok":true,"checks":{}}"#.into()),
        "/metrics" if manners.operators.contains(&path) => (200, String::new(), "# TYPE up gauge\n".into()),
        _ => (404, String::new(), "{}".into()),
    };
    let length = body.len();
    let text =
        format!("HTTP/1.1 {status} Whatever\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    let _ = stream.write_all(text.as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn upgrade(manners: &Manners, header: &dyn Fn(&str) -> String) -> Result<String, u16> {
    let origin = header("origin");
    let allowed = match manners.origins {
        [] => origin != "https://doctor.invalid",
        ["*"] => true,
        origins => origins.contains(&origin.as_str()),
    };
    match manners.upgrade {
        101 if !allowed => Err(403),
        101 => {
            let chosen = if manners.subprotocol { "Sec-WebSocket-Protocol: roomful.v1\r\n" } else { "" };
            let accept = derive_accept_key(header("sec-websocket-key").as_bytes());
            Ok(format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n{chosen}\r\n"
            ))
        }
        status => Err(status),
    }
}

async fn talk(stream: impl AsyncRead + AsyncWrite + Unpin, manners: &Manners, said: &Mutex<Vec<String>>) {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    while let Some(Ok(message)) = socket.next().await {
        if let Message::Text(text) = message {
            said.lock().unwrap().push(text.to_string());
            let _ = socket.send(Message::text(manners.connect)).await;
        }
    }
}
