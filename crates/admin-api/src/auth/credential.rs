//! Which password is in force: the configured one, or the one that was set in its place.

use super::{PATIENCE, password::matches};
use crate::{ask::ask_within, mac::Mac};
use engine::port::{Document, Records, Table};
use protocol::Timestamp;
use runtime::{env::Secret, http::Problem};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// What passwords are checked against now.
#[derive(Clone)]
pub(crate) struct Credential {
    /// An Argon2id hash.
    pub(crate) phc: Arc<str>,
    /// Tokens carry it: with another credential they are worth nothing.
    pub(crate) fingerprint: String,
}

/// As it lies in [`Table::Credentials`].
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    hash: String,
    /// A hash of the configured credential that it took the place of. When that is another one by now, an operator wanted
    /// it so, and this counts no more. (Not a fingerprint: that would change with `JWT_SECRET`, and bring the former
    /// password back.)
    based_on: String,
    changed_at: Timestamp,
}

/// Reads and changes it.
pub(crate) struct Credentials {
    user: String,
    configured: Credential,
    source: Secret,
    /// What [`Stored::based_on`] was compared last, and whether it was of the configured one: comparing is dear.
    compared: Mutex<Option<(String, bool)>>,
    records: Arc<dyn Records>,
    mac: Arc<Mac>,
}

impl Credentials {
    /// `source` is the configured password or hash: the same on every replica, as the hash that each makes is not.
    pub(crate) fn new(user: &str, source: &Secret, phc: String, records: Arc<dyn Records>, mac: Arc<Mac>) -> Self {
        let fingerprint = mac.of("configured", &[user, source.expose()]);
        let configured = Credential { phc: phc.into(), fingerprint };
        Self { user: user.to_owned(), configured, source: source.clone(), compared: Mutex::default(), records, mac }
    }

    /// Whose they are.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// The credential in force.
    ///
    /// # Errors
    /// 503 when the backend does not say. What cannot be read counts as that: the former password must not come back.
    pub(crate) async fn effective(&self) -> Result<Credential, Problem> {
        let stored = ask_within(PATIENCE, self.records.get(Table::Credentials, &self.user)).await?;
        let Some(stored) = stored else { return Ok(self.configured.clone()) };
        let Ok(stored) = serde_json::from_slice::<Stored>(&stored) else {
            tracing::error!("the stored credential cannot be read");
            return Err(Problem::unavailable("the stored credential cannot be read"));
        };
        if !self.is_configured(&stored.based_on).await? {
            return Ok(self.configured.clone());
        }
        let fingerprint = self.mac.of("stored", &[&self.user, &stored.hash]);
        Ok(Credential { phc: stored.hash.into(), fingerprint })
    }

    /// Whether this is a hash of the configured credential, or the configured hash itself.
    async fn is_configured(&self, based_on: &str) -> Result<bool, Problem> {
        let known = self.compared.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, same)) = known.filter(|(known, _)| known == based_on) {
            return Ok(same);
        }
        let (own, source, given) = (self.configured.phc.clone(), self.source.clone(), based_on.to_owned());
        let compare = move || *own == given || matches(source.expose(), &given);
        let same = tokio::task::spawn_blocking(compare).await.map_err(|_| Problem::internal())?;
        *self.compared.lock().unwrap_or_else(PoisonError::into_inner) = Some((based_on.to_owned(), same));
        Ok(same)
    }

    /// Puts another hash in force.
    pub(crate) async fn replace(&self, phc: String, now: Timestamp) -> Result<(), Problem> {
        let stored = Stored { hash: phc, based_on: self.configured.phc.to_string(), changed_at: now };
        let body = serde_json::to_vec(&stored).map_err(|_| Problem::internal())?;
        let document = Document { id: self.user.clone(), body: body.into() };
        ask_within(PATIENCE, self.records.put(Table::Credentials, document, None)).await
    }
}
