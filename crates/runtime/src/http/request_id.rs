//! One name for a request, in its answer, its problem and every log line about it.

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::{HeaderMap, HeaderName, HeaderValue},
};
use std::{
    convert::Infallible,
    fmt,
    future::{Ready, ready},
};
use uuid::Uuid;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const MAX_LENGTH: usize = 64;

/// The request's id: the one that came with it, if it is harmless, and else a new one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(String);

impl RequestId {
    /// A new one.
    pub fn random() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The one in `headers`. It ends up in logs and headers, so only what cannot hurt there is taken; the proxy's word
    /// and a client's are not told apart, because nothing is decided by it.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        match given {
            Some(id) if is_harmless(id) => Self(id.to_owned()),
            _ => Self::random(),
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As the value of a header, which it always can be.
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("-"))
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_LENGTH).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// For a handler that wants to hand it on.
impl FromRequest for RequestId {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let known = request.extensions().get::<Self>().cloned();
        ready(Ok(known.unwrap_or_else(|| Self::of(request.headers()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_str(value).unwrap());
        RequestId::of(&headers).0
    }

    #[test]
    fn a_harmless_one_is_kept() {
        let longest = "a".repeat(MAX_LENGTH);
        for id in ["0fA-_.9", "f47ac10b-58cc-4372-a567-0e02b2c3d479", &longest] {
            assert_eq!(of(id), id);
        }
    }

    #[test]
    fn any_other_is_replaced() {
        for id in ["", "a b", "\"", "a\tb", "<b>", &"a".repeat(MAX_LENGTH + 1)] {
            assert!(Uuid::parse_str(&of(id)).is_ok(), "{id}");
        }
        assert_ne!(RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
    }
}
