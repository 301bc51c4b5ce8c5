//! Sessions: what a client presents to be the same client again, on any node.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use protocol::{ClientId, Timestamp, Username};
use runtime::env::Secret;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

const ISSUER: &str = "roomful";
/// Not the audience of admin tokens: the one must never pass for the other.
const AUDIENCE: &str = "roomful-session";

/// Who a session speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) client: ClientId,
    /// Proves that the id was given to this session; another client that gets the same id later has another key.
    pub(crate) key: Uuid,
    pub(crate) username: Username,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    key: Uuid,
    name: Username,
    iat: u64,
    exp: u64,
}

/// Signs and checks sessions.
pub(crate) struct Sessions {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    ttl: Duration,
}

impl Sessions {
    pub(crate) fn new(secret: &Secret, ttl: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // Against our own clock, which tests can set.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(secret.expose_bytes()),
            decoding: DecodingKey::from_secret(secret.expose_bytes()),
            validation,
            ttl,
        }
    }

    /// A session, and when it stops being one.
    pub(crate) fn issue(&self, identity: &Identity, now: Timestamp) -> (String, Timestamp) {
        let iat = now.0 / 1000;
        let exp = iat + self.ttl.as_secs();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: identity.client.to_string(),
            key: identity.key,
            name: identity.username.clone(),
            iat,
            exp,
        };
        // Strings and integers under a symmetric key: this cannot fail. If it ever did, an empty session is refused.
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).unwrap_or_default();
        (token, Timestamp(exp * 1000))
    }

    /// Whom a session speaks for; `None` when it is forged, expired or none of ours.
    pub(crate) fn verify(&self, session: &str, now: Timestamp) -> Option<Identity> {
        let claims = jsonwebtoken::decode::<Claims>(session, &self.decoding, &self.validation).ok()?.claims;
        if claims.exp.saturating_mul(1000) <= now.0 {
            return None;
        }
        Some(Identity { client: claims.sub.parse().ok()?, key: claims.key, username: claims.name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn sessions(secret: &str) -> Sessions {
        Sessions::new(&Secret::new(secret), Duration::from_secs(60))
    }

    fn identity() -> Identity {
        Identity {
            client: ClientId::new(12_345).unwrap(),
            key: Uuid::from_u128(7),
            username: Username::parse(&"Zoë".into(), 16).unwrap(),
        }
    }

    #[test]
    fn a_session_gives_the_identity_back_until_it_expires() {
        let sessions = sessions(&"s".repeat(32));
        let (token, until) = sessions.issue(&identity(), NOW);
        assert_eq!(until, Timestamp(NOW.0 + 60_000));
        assert_eq!(sessions.verify(&token, NOW), Some(identity()));
        assert_eq!(sessions.verify(&token, Timestamp(until.0 - 1)), Some(identity()));
        assert_eq!(sessions.verify(&token, until), None);
    }

    #[test]
    fn what_we_did_not_sign_is_refused() {
        let ours = sessions(&"s".repeat(32));
        let (theirs, _) = sessions(&"t".repeat(32)).issue(&identity(), NOW);
        let (token, _) = ours.issue(&identity(), NOW);
        let (head, rest) = token.split_once('.').unwrap();
        let (payload, _) = rest.split_once('.').unwrap();
        // {"alg":"none"}, as forgers try it.
        let unsigned = format!("eyJhbGciOiJub25lIn0.{payload}.");
        for bad in ["", "x", "a.b.c", &theirs, &unsigned, &format!("{head}.{payload}.AAAA"), &token[1..]] {
            assert_eq!(ours.verify(bad, NOW), None, "{bad}");
        }
    }
}
