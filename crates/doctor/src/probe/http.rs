//! Asks a site for pages, as anybody may.

use super::{PATIENCE, stream::Dialer, within};
use crate::{
    check::site::{OPERATORS, Response, Seen},
    site::Site,
};
use futures_util::future::join_all;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Method, Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;

/// A page's beginning is enough; a health report is below 4 KiB, and metrics say at once what they are.
const LONGEST: usize = 256 * 1024;

/// Milliseconds since 1970.
pub type Now<'a> = &'a (dyn Fn() -> u64 + Sync);

/// Asks for all that is looked at, at once.
pub async fn look(dialer: &Dialer, site: &Site, now: Now<'_>) -> Seen {
    let ask = |path: &'static str| get(dialer, site, path, now);
    let operators = join_all(OPERATORS.map(|path| async move { (path, ask(path).await) }));
    let (page, health, admin, operators) = tokio::join!(ask("/"), ask("/api/health"), ask("/admin"), operators);
    Seen { page, health, admin, operators, certificate: dialer.certificate() }
}

/// One `GET`, on a connection of its own.
///
/// # Errors
/// Why there is no answer.
pub async fn get(dialer: &Dialer, site: &Site, path: &str, now: Now<'_>) -> Result<Response, String> {
    within(PATIENCE, async {
        let stream = dialer.connect(site).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        let request = Request::builder()
            .method(Method::GET)
            .uri(path)
            .header(header::HOST, site.authority())
            .header(header::USER_AGENT, "roomful-doctor")
            .header(header::CONNECTION, "close")
            .body(Empty::<Bytes>::new())
            .map_err(|e| e.to_string())?;
        let asked = now();
        let answering = async {
            let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
            let answered = now();
            let (head, body) = response.into_parts();
            let headers = head.headers.iter();
            let headers = headers
                .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
                .collect();
            // One that is too long, or breaks off, is as good as none: its status counts.
            let body = Limited::new(body, LONGEST).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let body = String::from_utf8_lossy(&body).into_owned();
            Ok(Response { status: head.status.as_u16(), headers, body, times: (asked, answered) })
        };
        // The connection is driven here, so that it ends with its question.
        let driving = async {
            let _ = connection.await;
            std::future::pending().await
        };
        tokio::select! {
            answer = answering => answer,
            never = driving => never,
        }
    })
    .await
}
