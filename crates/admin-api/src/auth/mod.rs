//! Who may do all this: one admin, by a password, and then by a token.

mod credential;
mod extract;
mod password;
mod token;

pub(crate) use credential::Credentials;
pub(crate) use extract::{Admin, AsAdmin, Caller};
pub(crate) use password::{Passwords, hash_now};
pub(crate) use token::{Token, Tokens};

use crate::{State, ask::ask_within};
use engine::port::Table;
use runtime::http::Problem;
use std::time::Duration;

/// How long each request may wait for what says whether its token still counts.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

impl State {
    /// The token, if it is good, unexpired, not given back, and of the credential that is in force.
    ///
    /// # Errors
    /// 401, whatever is wrong with it; 503 when the backend does not say.
    pub(crate) async fn verified(&self, token: &str) -> Result<Token, Problem> {
        let Some(token) = self.tokens.verify(token, self.clock.now()) else { return Err(no_good()) };
        self.still_good(&token).await?;
        Ok(token)
    }

    /// The same of a token that was good.
    pub(crate) async fn still_good(&self, token: &Token) -> Result<(), Problem> {
        let id = token.id.to_string();
        let revoked = ask_within(PATIENCE, self.ports.records.get(Table::Revoked, &id));
        let (revoked, credential) = tokio::join!(revoked, self.credentials.effective());
        let (revoked, credential) = (revoked?, credential?);
        let good = revoked.is_none()
            && !token.expired(self.clock.now())
            && self.mac.same(&token.credential, &credential.fingerprint);
        if good { Ok(()) } else { Err(no_good()) }
    }
}

/// What is wrong with a token is nobody's business but ours.
pub(crate) fn no_good() -> Problem {
    Problem::unauthorized("a valid token is needed: sign in with POST /admin/login")
}
