//! The socket without manners.

use crate::{ClientError, ConnectOptions, Frame};
use futures_util::{SinkExt, StreamExt};
use protocol::ServerEvent;
use std::time::Duration;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error,
        http::header::SEC_WEBSOCKET_PROTOCOL,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

/// A load test has thousands of these: tungstenite's own 128 KiB each would be its memory.
const READ_BUFFER: usize = 4 * 1024;

/// How long to look for the server's last words once it takes no more of ours.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A WebSocket on which nothing was said yet.
#[derive(Debug)]
pub struct Raw {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    subprotocol: Option<String>,
    /// How it ended, for whoever asks again.
    closed: Option<(u16, String)>,
    timeout: Duration,
}

impl Raw {
    /// Does the handshake and no more: of the options, those that are sent with `CONNECT` are not used.
    ///
    /// # Errors
    /// [`ClientError::Rejected`] when the server does not want to upgrade.
    pub async fn connect(url: &str, options: &ConnectOptions) -> Result<Self, ClientError> {
        let request = options.request(url)?;
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER).write_buffer_size(0);
        let connecting = connect_async_with_config(request, Some(config), true);
        let (socket, response) = match timeout(options.timeout, connecting).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(Error::Http(response))) => {
                let body = response.body().as_deref().unwrap_or_default();
                let body = String::from_utf8_lossy(body).into_owned();
                return Err(ClientError::Rejected { status: response.status().as_u16(), body });
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(ClientError::Timeout { what: "the handshake", after: options.timeout }),
        };
        let subprotocol = response.headers().get(SEC_WEBSOCKET_PROTOCOL);
        let subprotocol = subprotocol.and_then(|value| value.to_str().ok()).map(str::to_owned);
        Ok(Self { socket, subprotocol, closed: None, timeout: options.timeout })
    }

    /// The subprotocol that the server chose.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Sends any text.
    ///
    /// # Errors
    /// When the socket is closed, or takes nothing.
    pub async fn text(&mut self, text: impl Into<String>) -> Result<(), ClientError> {
        self.frame(Frame::text(text.into())).await
    }

    /// Sends a binary frame.
    ///
    /// # Errors
    /// As [`Raw::text`].
    pub async fn binary(&mut self, data: Vec<u8>) -> Result<(), ClientError> {
        self.frame(Frame::binary(data)).await
    }

    /// Sends a ping.
    ///
    /// # Errors
    /// As [`Raw::text`].
    pub async fn ping(&mut self, payload: Vec<u8>) -> Result<(), ClientError> {
        self.frame(Frame::Ping(payload.into())).await
    }

    /// Sends any frame.
    ///
    /// # Errors
    /// As [`Raw::text`].
    pub async fn frame(&mut self, frame: Frame) -> Result<(), ClientError> {
        if let Some((code, reason)) = self.closed.clone() {
            return Err(ClientError::Closed { code, reason });
        }
        match timeout(self.timeout, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.last_words(error).await),
            Err(_) => Err(ClientError::Timeout { what: "the server to read", after: self.timeout }),
        }
    }

    /// Writes bytes past the WebSocket layer: frames that no library would make.
    ///
    /// # Errors
    /// As [`Raw::text`].
    pub async fn bytes(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        let stream = self.socket.get_mut();
        let write = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        match timeout(self.timeout, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.last_words(Error::Io(error)).await),
            Err(_) => Err(ClientError::Timeout { what: "the server to read", after: self.timeout }),
        }
    }

    /// The next frame of any kind but a close. Pings are answered as soon as the next frame is waited for.
    ///
    /// # Errors
    /// [`ClientError::Closed`] at the end, [`ClientError::Timeout`] when nothing comes.
    pub async fn next(&mut self, within: Duration) -> Result<Frame, ClientError> {
        if let Some((code, reason)) = self.closed.clone() {
            return Err(ClientError::Closed { code, reason });
        }
        let close = match timeout(within, self.socket.next()).await {
            Err(_) => return Err(ClientError::Timeout { what: "a frame", after: within }),
            Ok(Some(Ok(Frame::Close(close)))) => {
                // Reading took the close in; this sends the answer to it, if anybody is there to hear it.
                let _ = timeout(LAST_WORDS, self.socket.flush()).await;
                close.map_or((1005, String::new()), |frame| (frame.code.into(), frame.reason.to_string()))
            }
            Ok(Some(Ok(frame))) => return Ok(frame),
            Ok(None) => (1006, String::new()),
            Ok(Some(Err(error))) if is_lost(&error) => (1006, error.to_string()),
            Ok(Some(Err(error))) => return Err(error.into()),
        };
        let (code, reason) = self.closed.insert(close).clone();
        Err(ClientError::Closed { code, reason })
    }

    /// The next event; pings and pongs are passed over.
    ///
    /// # Errors
    /// As [`Raw::next`], and [`ClientError::NotAnEvent`] for what the contract does not know.
    pub async fn event(&mut self, within: Duration) -> Result<ServerEvent, ClientError> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let frame = self.next(left).await.map_err(|error| match error {
                ClientError::Timeout { .. } => ClientError::Timeout { what: "an event", after: within },
                error => error,
            })?;
            match frame {
                Frame::Text(text) => {
                    return serde_json::from_str(&text).map_err(|error| ClientError::NotAnEvent {
                        error: error.to_string(),
                        frame: text.to_string(),
                    });
                }
                Frame::Ping(_) | Frame::Pong(_) => {}
                frame => {
                    return Err(ClientError::NotAnEvent {
                        error: "it is not text".to_owned(),
                        frame: format!("{frame:?}"),
                    });
                }
            }
        }
    }

    /// Closes with a code, and waits for the server to do the same. Dropping it instead is a connection that is lost.
    ///
    /// # Errors
    /// [`ClientError::Timeout`] when the server does not answer.
    pub async fn close(mut self, code: u16, reason: &str) -> Result<(), ClientError> {
        let within = self.timeout;
        self.frame(Frame::Close(Some(CloseFrame { code: code.into(), reason: reason.to_owned().into() }))).await?;
        let deadline = Instant::now() + within;
        let ended = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let late = |_| ClientError::Timeout { what: "the server to close", after: within };
        timeout_at(deadline, ended).await.map_err(late)
    }

    /// A server that takes nothing more has usually said why before; that is what the caller wants to know.
    async fn last_words(&mut self, error: Error) -> ClientError {
        let deadline = Instant::now() + LAST_WORDS;
        loop {
            match self.next(deadline.saturating_duration_since(Instant::now())).await {
                Ok(_) => {}
                Err(closed @ ClientError::Closed { .. }) => return closed,
                Err(_) => return error.into(),
            }
        }
    }
}

/// Whether the connection ended without a close, which is the network's way of saying 1006.
fn is_lost(error: &Error) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(error, Error::Io(_) | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))
}
