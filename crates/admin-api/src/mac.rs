//! Fingerprints under the cluster's secret.

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use runtime::env::Secret;

/// Makes them: the same on every replica, and nothing that anybody without the secret can make or turn back.
pub(crate) struct Mac(EncodingKey);

impl Mac {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(EncodingKey::from_secret(secret.expose_bytes()))
    }

    /// Of `parts`, for one purpose only; 43 characters of base64url.
    pub(crate) fn of(&self, purpose: &str, parts: &[&str]) -> String {
        // No token is signed over bytes that begin with a zero: neither can be passed off as the other.
        let mut message = b"\0roomful-admin".to_vec();
        for part in [purpose].iter().chain(parts) {
            message.extend_from_slice(&(part.len() as u64).to_be_bytes());
            message.extend_from_slice(part.as_bytes());
        }
        // HMAC takes any key and any message: this cannot fail. If it ever did, nothing may match it.
        crypto::sign(&message, &self.0, Algorithm::HS256).unwrap_or_else(|_| uuid::Uuid::new_v4().to_string())
    }

    /// Whether two texts are the same, in a time that does not say how far they are.
    pub(crate) fn same(&self, a: &str, b: &str) -> bool {
        self.of("compare", &[a]) == self.of("compare", &[b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_and_each_division_has_its_own() {
        let mac = Mac::new(&Secret::new("s".repeat(32)));
        assert_eq!(mac.of("a", &["b", "c"]), mac.of("a", &["b", "c"]));
        assert_ne!(mac.of("a", &["b", "c"]), mac.of("a", &["bc", ""]));
        assert_ne!(mac.of("a", &["b"]), mac.of("ab", &[]));
        assert_ne!(mac.of("a", &[]), Mac::new(&Secret::new("t".repeat(32))).of("a", &[]));
        assert!(mac.same("admin", "admin") && !mac.same("admin", "admin2"));
    }
}
