//! Tokens: what an admin shows instead of the password.

use crate::mac::Mac;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use protocol::Timestamp;
use runtime::env::Secret;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use uuid::Uuid;

const ISSUER: &str = "roomful";
/// Not the audience of clients' sessions: the one must never pass for the other.
const AUDIENCE: &str = "roomful-admin";
/// Ours have some 400 bytes.
const LONGEST: usize = 2048;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its own id, by which it is given back.
    pub(crate) id: Uuid,
    /// Whose it is.
    pub(crate) user: String,
    /// The fingerprint of the credential that it was given for.
    pub(crate) credential: String,
    /// Until when it works.
    pub(crate) expires_at: Timestamp,
}

impl Token {
    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        self.expires_at <= now
    }

    /// For how long it would still work.
    pub(crate) fn rest(&self, now: Timestamp) -> Duration {
        Duration::from_millis(self.expires_at.0.saturating_sub(now.0))
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    jti: Uuid,
    iat: u64,
    exp: u64,
    cred: String,
}

/// Signs and checks tokens.
pub(crate) struct Tokens {
    user: String,
    key_id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    ttl: Duration,
}

impl Tokens {
    pub(crate) fn new(user: &str, secret: &Secret, mac: &Mac, ttl: Duration) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        validation.sub = Some(user.to_owned());
        // Against our own clock, which tests can set.
        validation.validate_exp = false;
        // Says which secret it was, and nothing of it.
        let key_id = mac.of("key id", &[]).bytes().take(4).map(|byte| format!("{byte:02x}")).collect();
        Self {
            user: user.to_owned(),
            key_id,
            encoding: EncodingKey::from_secret(secret.expose_bytes()),
            decoding: DecodingKey::from_secret(secret.expose_bytes()),
            validation,
            ttl,
        }
    }

    /// A token, and until when it works.
    pub(crate) fn issue(&self, id: Uuid, credential: &str, now: Timestamp) -> (String, Timestamp) {
        let iat = now.0 / 1000;
        let exp = iat + self.ttl.as_secs();
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: self.user.clone(),
            jti: id,
            iat,
            exp,
            cred: credential.to_owned(),
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::HS256) };
        // Strings and integers under a symmetric key: this cannot fail. If it ever did, an empty token is refused.
        (jsonwebtoken::encode(&header, &claims, &self.encoding).unwrap_or_default(), Timestamp(exp * 1000))
    }

    /// What a token says; none when it is forged, expired or none of ours.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Option<Token> {
        if token.len() > LONGEST {
            return None;
        }
        let data = jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation).ok()?;
        if data.header.kid.as_deref() != Some(self.key_id.as_str()) {
            return None;
        }
        let Claims { sub, jti, exp, cred, .. } = data.claims;
        let token = Token { id: jti, user: sub, credential: cred, expires_at: Timestamp(exp.checked_mul(1000)?) };
        (!token.expired(now)).then_some(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn tokens(secret: &str, user: &str) -> Tokens {
        let secret = Secret::new(secret);
        Tokens::new(user, &secret, &Mac::new(&secret), Duration::from_secs(60))
    }

    #[test]
    fn a_token_is_good_until_it_expires() {
        let tokens = tokens(&"s".repeat(32), "admin");
        let (text, until) = tokens.issue(Uuid::nil(), "c", NOW);
        assert_eq!(until, Timestamp(NOW.0 + 60_000));
        let token = tokens.verify(&text, NOW).unwrap();
        assert_eq!((token.user.as_str(), token.credential.as_str(), token.expires_at), ("admin", "c", until));
        assert_eq!(token.rest(NOW), Duration::from_secs(60));
        assert!(tokens.verify(&text, Timestamp(until.0 - 1)).is_some());
        assert!(tokens.verify(&text, until).is_none());
    }

    #[test]
    fn what_is_none_of_ours_is_refused() {
        let secret = "s".repeat(32);
        let ours = tokens(&secret, "admin");
        let key = EncodingKey::from_secret(secret.as_bytes());
        let good = json!({"iss": "roomful", "aud": "roomful-admin", "sub": "admin", "jti": Uuid::nil(),
            "iat": 1_700_000_000, "exp": 1_700_000_060, "cred": "c"});
        let signed = |change: (&str, Value), algorithm, kid: Option<&str>| {
            let mut claims = good.clone();
            claims[change.0] = change.1;
            let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
            jsonwebtoken::encode(&header, &claims, &key).unwrap()
        };
        let kid = Some(ours.key_id.as_str());
        assert!(ours.verify(&signed(("cred", json!("c")), Algorithm::HS256, kid), NOW).is_some());
        for bad in [
            signed(("aud", json!("roomful-session")), Algorithm::HS256, kid),
            signed(("iss", json!("else")), Algorithm::HS256, kid),
            signed(("sub", json!("root")), Algorithm::HS256, kid),
            signed(("jti", json!("1")), Algorithm::HS256, kid),
            signed(("exp", json!(u64::MAX)), Algorithm::HS256, kid),
            signed(("exp", Value::Null), Algorithm::HS256, kid),
            signed(("cred", Value::Null), Algorithm::HS256, kid),
            signed(("cred", json!("c")), Algorithm::HS512, kid),
            signed(("cred", json!("c")), Algorithm::HS256, Some("00000000")),
            signed(("cred", json!("c")), Algorithm::HS256, None),
            tokens(&"t".repeat(32), "admin").issue(Uuid::nil(), "c", NOW).0,
            "x".repeat(5000),
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(ours.verify(&bad, NOW), None, "{bad}");
        }
    }
}
