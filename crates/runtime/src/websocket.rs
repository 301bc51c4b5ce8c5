//! Whether a request may become a WebSocket: the same for every service that has some.

use crate::{
    env::{Reader, Value, Variable},
    http::Problem,
};
use actix_http::{
    RequestHead,
    header::{self, HeaderMap, HeaderValue},
    ws::{self, HandshakeError},
};
use std::str::FromStr;

/// Whose pages may open one.
pub const ALLOWED_ORIGINS: Variable = Variable::new(
    "ALLOWED_ORIGINS",
    "Sites whose pages may open a WebSocket, separated by commas, as in https://chat.example.org. Without any, only the \
     site's own.",
)
.unit("origins");

/// Reads [`ALLOWED_ORIGINS`].
pub fn allowed_origins(r: &mut Reader<'_>) -> Value<Vec<String>> {
    r.list::<Origin>(&ALLOWED_ORIGINS).map(|origins| origins.into_iter().map(|origin| origin.0).collect())
}

/// `scheme://host[:port]`, as browsers send it.
struct Origin(String);

impl FromStr for Origin {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s.split_once("://") {
            Some(("http" | "https", host)) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
                Ok(Self(s.to_ascii_lowercase()))
            }
            _ => Err("expected scheme and host without a path, as in https://chat.example.org"),
        }
    }
}

/// Checks a request's handshake, and where the page that opens it comes from; without `allowed` it must be the site's own.
///
/// # Errors
/// What is wrong with it.
pub fn verify_upgrade(request: &RequestHead, allowed: &[String]) -> Result<(), Problem> {
    ws::verify_handshake(request).map_err(|e| match e {
        HandshakeError::GetMethodRequired => Problem::method_not_allowed("GET"),
        HandshakeError::UnsupportedVersion | HandshakeError::NoVersionHeader => {
            Problem::upgrade_required("only version 13 of the WebSocket protocol is spoken here")
                .with_header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"))
        }
        e => Problem::bad_request(e.to_string()),
    })?;
    if !origin_allowed(allowed, request.headers(), request.uri.host()) {
        return Err(Problem::forbidden("this origin is not on the allow-list (ALLOWED_ORIGINS)"));
    }
    Ok(())
}

/// Only browsers send an Origin, and they cannot lie about it: this keeps other sites' pages out, not programs.
fn origin_allowed(allowed: &[String], headers: &HeaderMap, uri_host: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let origin = origin.to_ascii_lowercase();
    if !allowed.is_empty() {
        return allowed.contains(&origin);
    }
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok()).or(uri_host);
    match (origin.split_once("://"), host) {
        (Some((scheme @ ("http" | "https"), site)), Some(host)) => {
            let port = if scheme == "http" { ":80" } else { ":443" };
            let plain = |host: &str| host.strip_suffix(port).unwrap_or(host).to_owned();
            plain(site) == plain(&host.to_ascii_lowercase())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(origin: &str, host: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        headers
    }

    #[test]
    fn origins() {
        let own = |origin, host| origin_allowed(&[], &headers(origin, host), None);
        assert!(own("http://localhost:8080", "localhost:8080"));
        assert!(own("https://Chat.Example.org", "chat.example.org"));
        assert!(own("https://chat.example.org", "chat.example.org:443"));
        for (origin, host) in [
            ("http://localhost:8081", "localhost:8080"),
            ("https://evil.example", "chat.example.org"),
            ("https://chat.example.org.evil.example", "chat.example.org"),
            ("http://chat.example.org", "chat.example.org:443"),
            ("null", "chat.example.org"),
            ("file://", "chat.example.org"),
        ] {
            assert!(!own(origin, host), "{origin} at {host}");
        }
        let list = ["https://a.example".to_owned()];
        assert!(origin_allowed(&list, &headers("https://a.example", "b.example"), None));
        assert!(!origin_allowed(&list, &headers("https://b.example", "b.example"), None));
        assert!(origin_allowed(&list, &HeaderMap::new(), None), "not a browser");
    }
}
