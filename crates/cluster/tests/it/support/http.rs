//! HTTP byte by byte: what is sent is exactly what is written, and what is repeated is seen.

use super::PATIENCE;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// All values of a header; its name in small letters.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The one value of a header.
    pub fn one(&self, name: &str) -> &str {
        match self.all(name)[..] {
            [value] => value,
            ref values => panic!("{name} is there {} times: {self:?}", values.len()),
        }
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Asserts that it is a refusal as all of ours are.
    #[track_caller]
    pub fn assert_problem(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.one("content-type"), "application/problem+json");
        assert_eq!(self.one("cache-control"), "no-store");
        let problem = self.json();
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], status);
        for text in ["title", "detail"] {
            assert!(!problem[text].as_str().unwrap().is_empty(), "{problem}");
        }
        assert_eq!(problem["requestId"], self.one("x-request-id"));
    }
}

/// `GET path`, with more header lines.
pub async fn get(address: SocketAddr, path: &str, lines: &[&str]) -> Response {
    request(address, "GET", path, lines, b"").await
}

pub async fn request(address: SocketAddr, method: &str, path: &str, lines: &[&str], body: &[u8]) -> Response {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    if !body.is_empty() {
        head += &format!("content-length: {}\r\n", body.len());
    }
    for line in lines {
        head += &format!("{line}\r\n");
    }
    raw(address, &[head.as_bytes(), b"\r\n", body].concat()).await
}

/// Sends these bytes, and reads the answer: to the end that its head tells, for nginx keeps a connection for a while
/// whose body it has refused, and else to the connection's.
pub async fn raw(address: SocketAddr, bytes: &[u8]) -> Response {
    let exchange = async {
        let mut socket = TcpStream::connect(address).await.unwrap();
        // What is refused before it was all read is reset, perhaps while it is being sent; the answer is there anyway.
        let _ = socket.write_all(bytes).await;
        let mut answer = Vec::new();
        while !is_whole(&answer) && socket.read_buf(&mut answer).await.is_ok_and(|n| n > 0) {}
        answer
    };
    parse(&timeout(PATIENCE, exchange).await.expect("no answer in time"))
}

fn is_whole(answer: &[u8]) -> bool {
    if !answer.windows(4).any(|w| w == b"\r\n\r\n") {
        return false;
    }
    let response = parse(answer);
    let length = response.headers.iter().find(|(name, _)| name == "content-length");
    length.is_some_and(|(_, length)| length.parse().is_ok_and(|length: usize| response.body.len() >= length))
}

pub fn parse(answer: &[u8]) -> Response {
    let text = String::from_utf8_lossy(answer);
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {text:?}"));
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(':'));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect();
    let body = &answer[end + 4..];
    let chunked = headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { dechunk(body).unwrap_or_default() } else { body.to_vec() };
    Response { status: status.unwrap_or_else(|| panic!("no status: {text:?}")), headers, body }
}

/// Nothing while it is not all there.
fn dechunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let at = rest.windows(2).position(|w| w == b"\r\n")?;
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..at]).ok()?, 16).ok()?;
        if length == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(at + 2..at + 2 + length)?);
        rest = rest.get(at + 2 + length + 2..)?;
    }
}
