//! How to connect.

use crate::ClientError;
use protocol::{SUBPROTOCOL, command::Resume};
use std::time::Duration;
use tokio_tungstenite::tungstenite::{
    client::IntoClientRequest,
    handshake::client::Request,
    http::{
        HeaderName, HeaderValue,
        header::{ORIGIN, SEC_WEBSOCKET_PROTOCOL},
    },
};

/// How long anything may take that was not given a time of its own.
pub const TIMEOUT: Duration = Duration::from_secs(5);

/// How to connect, and as whom. By default as a new guest who offers the subprotocol.
#[derive(Debug, Clone)]
#[must_use]
pub struct ConnectOptions {
    /// From an earlier connection.
    pub session: Option<String>,
    /// The name to take.
    pub username: Option<String>,
    /// The room to go on in.
    pub resume: Option<Resume>,
    /// What a browser would say; a program says nothing.
    pub origin: Option<String>,
    /// Further headers of the handshake, by name.
    pub headers: Vec<(String, String)>,
    /// Whether to offer the subprotocol.
    pub subprotocol: bool,
    /// How long each thing may take.
    pub timeout: Duration,
}

impl Default for ConnectOptions {
    fn default() -> Self {
        Self {
            session: None,
            username: None,
            resume: None,
            origin: None,
            headers: Vec::new(),
            subprotocol: true,
            timeout: TIMEOUT,
        }
    }
}

impl ConnectOptions {
    /// A new guest.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a session.
    pub fn session(mut self, session: impl Into<String>) -> Self {
        self.session = Some(session.into());
        self
    }

    /// The same under a name.
    pub fn username(mut self, username: impl Into<String>) -> Self {
        self.username = Some(username.into());
        self
    }

    /// The same, going on in a room.
    pub fn resume(mut self, resume: Resume) -> Self {
        self.resume = Some(resume);
        self
    }

    /// The same, from a page of this site.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = Some(origin.into());
        self
    }

    /// The same with a header more.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// The same with another time for each thing.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The handshake.
    pub(crate) fn request(&self, url: &str) -> Result<Request, ClientError> {
        let fault = |error: &dyn std::fmt::Display| ClientError::Request(error.to_string());
        let mut request = url.into_client_request().map_err(|e| fault(&e))?;
        let headers = request.headers_mut();
        if self.subprotocol {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
        }
        if let Some(origin) = &self.origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).map_err(|e| fault(&e))?);
        }
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|e| fault(&e))?;
            headers.append(name, HeaderValue::from_str(value).map_err(|e| fault(&e))?);
        }
        Ok(request)
    }
}
