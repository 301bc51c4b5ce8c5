//! The headers that every answer carries.

use actix_web::middleware::DefaultHeaders;

/// For whoever serves HTML: everything comes from this site, nothing inline, nobody may frame it, and text can become
/// markup only through Svelte's own compiled templates (`svelte-trusted-html`). `roomful-sw` is the policy by which the
/// page names its service worker, whose address is a script's.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
     trusted-types svelte-trusted-html roomful-sw";

/// For the service worker's script: what a worker may do is said where it comes from, and this one fetches the page.
pub const WORKER_SECURITY_POLICY: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";

/// On every answer that does not say otherwise. An API's answer is no page, so by default it may load nothing at all;
/// who serves HTML replaces that with [`CONTENT_SECURITY_POLICY`].
pub const SECURITY_HEADERS: [(&str, &str); 7] = [
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
];

/// Adds them where they are missing.
pub(crate) fn security_headers() -> DefaultHeaders {
    SECURITY_HEADERS.into_iter().fold(DefaultHeaders::new(), DefaultHeaders::add)
}
