//! One file of the front end, and what its name tells of it.

use super::encoding::Encoding;
use bytes::Bytes;
use std::hash::{DefaultHasher, Hasher};

/// A file, plain and as far as the build compressed it.
#[derive(Debug)]
pub(super) struct File {
    pub(super) content_type: &'static str,
    /// Whether this name can never mean other content.
    pub(super) immutable: bool,
    plain: Body,
    brotli: Option<Body>,
    gzip: Option<Body>,
}

/// One way of writing it.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    /// Of these bytes: a strong tag must differ between the variants of a file.
    pub(super) etag: String,
}

impl File {
    /// `path` is what it is asked by, such as `/assets/chat-DhdSee0Q.js`.
    pub(super) fn new(path: &str, plain: Vec<u8>) -> Self {
        Self {
            content_type: content_type(path),
            immutable: is_hashed(path),
            plain: plain.into(),
            brotli: None,
            gzip: None,
        }
    }

    pub(super) fn add(&mut self, encoding: Encoding, bytes: Vec<u8>) {
        match encoding {
            Encoding::Brotli => self.brotli = Some(bytes.into()),
            Encoding::Gzip => self.gzip = Some(bytes.into()),
            Encoding::Identity => self.plain = bytes.into(),
        }
    }

    pub(super) fn has(&self, encoding: Encoding) -> bool {
        self.variant(encoding).0 == encoding
    }

    /// Whether the answer depends on what the client accepts.
    pub(super) fn varies(&self) -> bool {
        self.brotli.is_some() || self.gzip.is_some()
    }

    /// The body in this encoding, or the plain one.
    pub(super) fn variant(&self, encoding: Encoding) -> (Encoding, &Body) {
        let body = match encoding {
            Encoding::Brotli => self.brotli.as_ref(),
            Encoding::Gzip => self.gzip.as_ref(),
            Encoding::Identity => None,
        };
        body.map_or((Encoding::Identity, &self.plain), |body| (encoding, body))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        // Nobody gains by making two builds collide, so SipHash under its fixed key will do; with the length, for good
        // measure.
        let mut hasher = DefaultHasher::new();
        hasher.write(&bytes);
        let etag = format!("\"{:016x}-{:x}\"", hasher.finish(), bytes.len());
        Self { bytes: bytes.into(), etag }
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "woff" => "font/woff",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        _ => "application/octet-stream",
    }
}

/// Whether Vite put a hash of the content into the name: `/assets/name-HASH.ending`, with eight characters of base64url.
/// One in a thousand such hashes has neither a digit, a capital nor a sign, and looks like a word; it is not taken for
/// one, because caching a word for a year would be the worse mistake.
fn is_hashed(path: &str) -> bool {
    const LENGTH: usize = 8;
    let Some(name) = path.strip_prefix("/assets/") else { return false };
    let name = name.rsplit('/').next().unwrap_or(name);
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    let Some((before, hash)) = stem.len().checked_sub(LENGTH).and_then(|at| stem.split_at_checked(at)) else {
        return false;
    };
    before.len() > 1
        && before.ends_with('-')
        && hash.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        && hash.bytes().any(|b| !b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_hash() {
        for path in ["/assets/chat-DhdSee0Q.js", "/assets/chat-D-3f_aB1.css", "/assets/a/x-00000000.js.map"] {
            assert!(is_hashed(path), "{path}");
        }
        for path in [
            "/chat-DhdSee0Q.js",
            "/index.html",
            "/assets/chat.js",
            "/assets/DhdSee0Q.js",
            "/assets/-DhdSee0Q.js",
            "/assets/my-document.js",
            "/assets/chat-DhdSee0.js",
            "/assets/chat_DhdSee0Q.js",
            "/assets/chat-DhdSee0é.js",
            "/assets/é",
        ] {
            assert!(!is_hashed(path), "{path}");
        }
    }

    #[test]
    fn variants_have_tags_of_their_own() {
        let mut file = File::new("/a.txt", b"plain".to_vec());
        assert!(!file.varies() && !file.has(Encoding::Brotli));
        file.add(Encoding::Brotli, b"brotli".to_vec());
        assert!(
            file.varies() && file.has(Encoding::Brotli) && !file.has(Encoding::Gzip) && file.has(Encoding::Identity)
        );
        assert_eq!(file.variant(Encoding::Gzip).0, Encoding::Identity);
        assert_ne!(file.variant(Encoding::Brotli).1.etag, file.variant(Encoding::Identity).1.etag);
        assert_eq!(Body::from(b"x".to_vec()).etag, Body::from(b"x".to_vec()).etag);
    }
}
