//! The secret that all processes of a cluster sign with: the sessions of clients, and the tokens of admins.

use crate::env::{Reader, Secret, Value, Variable};

/// The shortest that is taken, in bytes: as long as what it makes.
const SHORTEST: usize = 32;

/// `JWT_SECRET`.
pub const JWT_SECRET: Variable =
    Variable::new("JWT_SECRET", "Signs the sessions of clients and the tokens of admins. The same on every process.")
        .unit("at least 32 bytes")
        .secret();

/// Reads [`JWT_SECRET`].
pub fn jwt_secret(r: &mut Reader<'_>) -> Value<Secret> {
    let secret = r.secret(&JWT_SECRET);
    if secret.peek().is_some_and(|secret| secret.len() < SHORTEST) {
        r.fault(&JWT_SECRET, "expected at least 32 bytes; `openssl rand -base64 48` makes some");
    }
    secret
}
