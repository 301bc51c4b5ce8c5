//! Asks a site for a WebSocket: as its own page does, and as another site's would.

use super::{PATIENCE, stream::Dialer, within};
use crate::{
    check::websocket::{SUBPROTOCOL, Seen, Upgrade},
    site::Site,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

/// Nobody's: the name is reserved.
const FOREIGN: &str = "https://doctor.invalid";
/// What a node says first is far shorter.
const LONGEST: usize = 64 * 1024;

/// Asks twice, one after the other: they count against one limit.
pub async fn look(dialer: &Dialer, site: &Site, origin: String) -> Seen {
    let own = ask(dialer, site, &origin, true).await;
    let foreign = ask(dialer, site, FOREIGN, false).await;
    Seen { own, foreign, origin }
}

async fn ask(dialer: &Dialer, site: &Site, origin: &str, says_connect: bool) -> Upgrade {
    let asking = within(PATIENCE, async {
        let stream = dialer.connect(site).await?;
        let mut request = format!("{}/ws", site.socket()).into_client_request().map_err(|e| e.to_string())?;
        let headers = request.headers_mut();
        headers.insert("origin", HeaderValue::from_str(origin).map_err(|e| e.to_string())?);
        headers.insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        headers.insert("host", HeaderValue::from_str(&site.authority()).map_err(|e| e.to_string())?);
        let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
        match client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, answer)) => Ok((Some(socket), answer.map(|_| ()))),
            Err(tungstenite::Error::Http(answer)) => Ok((None, answer.map(|_| ()))),
            // A server that chooses none, where it was offered one.
            Err(tungstenite::Error::Protocol(tungstenite::error::ProtocolError::SecWebSocketSubProtocolError(_))) => {
                Ok((None, answered_without()))
            }
            Err(e) => Err(e.to_string()),
        }
    });
    match asking.await {
        Ok((Some(mut socket), answer)) => {
            let subprotocol = answer.headers().get("sec-websocket-protocol");
            let subprotocol = subprotocol.and_then(|value| value.to_str().ok()).map(str::to_owned);
            let connect = match says_connect {
                true => Some(within(PATIENCE, connect(&mut socket)).await),
                false => None,
            };
            // However that goes, it is over.
            let _ = within(PATIENCE, async { socket.close(None).await.map_err(|e| e.to_string()) }).await;
            Upgrade::Open { subprotocol, connect }
        }
        Ok((None, answer)) if answer.status() == 101 => Upgrade::Open { subprotocol: None, connect: None },
        Ok((None, answer)) => Upgrade::Status(answer.status().as_u16()),
        Err(why) => Upgrade::Failed(why),
    }
}

fn answered_without() -> tungstenite::http::Response<()> {
    let mut answer = tungstenite::http::Response::new(());
    *answer.status_mut() = tungstenite::http::StatusCode::SWITCHING_PROTOCOLS;
    answer
}

/// Comes in as a guest, who is gone with the connection.
async fn connect<S>(socket: &mut WebSocketStream<S>) -> Result<(), String>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let command = r#"{"type":"CONNECT","id":"doctor"}"#;
    socket.send(Message::text(command)).await.map_err(|e| e.to_string())?;
    while let Some(message) = socket.next().await {
        let text = match message.map_err(|e| e.to_string())? {
            Message::Text(text) => text,
            Message::Close(Some(close)) => return Err(format!("it is closed with {} ({})", close.code, close.reason)),
            Message::Close(None) => return Err("it is closed".to_owned()),
            _ => continue,
        };
        let event: Value = serde_json::from_str(&text).map_err(|_| "what comes back is no JSON".to_owned())?;
        match event["type"].as_str() {
            Some("CONNECT") => return Ok(()),
            Some("ERROR") => {
                let of = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                return Err(format!("{}: {}", of("code"), of("message")));
            }
            // A notice may be first.
            _ => {}
        }
    }
    Err("it ends".to_owned())
}
