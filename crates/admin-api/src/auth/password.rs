//! Hashing passwords, which is dear on purpose: never on a thread that serves, and only a few at once.

use crate::HashCost;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version, password_hash::SaltString,
};
use engine::clock::Entropy;
use runtime::http::Problem;
use std::{sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Hashes at once. Each takes a core and its memory.
const RUNNING: usize = 2;
/// Those who wait for one.
const WAITING: usize = 16;
/// How long they wait, whatever a hash costs.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and verifies.
pub(crate) struct Passwords {
    cost: HashCost,
    entropy: Arc<dyn Entropy>,
    running: Arc<Semaphore>,
    /// Who runs and who waits.
    inside: Semaphore,
}

impl Passwords {
    pub(crate) fn new(cost: HashCost, entropy: Arc<dyn Entropy>) -> Self {
        let (running, inside) = (Arc::new(Semaphore::new(RUNNING)), Semaphore::new(RUNNING + WAITING));
        Self { cost, entropy, running, inside }
    }

    /// Whether it is the hash's password.
    ///
    /// # Errors
    /// 503 when too many are being asked about.
    pub(crate) async fn verify(&self, password: String, phc: Arc<str>) -> Result<bool, Problem> {
        self.run(move || matches(&password, &phc)).await
    }

    /// A hash of it.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub(crate) async fn hash(&self, password: String) -> Result<String, Problem> {
        let (cost, salt) = (self.cost, self.entropy.uuid().into_bytes());
        self.run(move || hash_now(cost, salt, &password)).await?.map_err(|error| {
            tracing::error!(%error, "a password cannot be hashed");
            Problem::internal()
        })
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let Ok(_inside) = self.inside.try_acquire() else { return Err(busy()) };
        let turn = tokio::time::timeout(PATIENCE, self.running.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(busy()) };
        // The turn goes with the work: who asked may be gone before it is done.
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(|_| Problem::internal())
    }
}

/// Whether it is the hash's password, computed on this thread.
pub(super) fn matches(password: &str, phc: &str) -> bool {
    // The hash was checked when it was configured, or made by one of us.
    let Ok(hash) = PasswordHash::new(phc) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
}

/// Hashes on this thread.
pub(crate) fn hash_now(cost: HashCost, salt: [u8; 16], password: &str) -> Result<String, argon2::password_hash::Error> {
    let params = Params::new(cost.memory, cost.passes, cost.lanes, None)?;
    let salt = SaltString::encode_b64(&salt)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Ok(argon2.hash_password(password.as_bytes(), &salt)?.to_string())
}

fn busy() -> Problem {
    Problem::unavailable("too many are signing in: try again in a moment")
        .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::clock::SeededEntropy;

    const CHEAP: HashCost = HashCost { memory: 8, passes: 1, lanes: 1 };

    #[tokio::test]
    async fn a_hash_knows_its_password() {
        let passwords = Passwords::new(CHEAP, Arc::new(SeededEntropy::new(1)));
        let phc: Arc<str> = passwords.hash("hunter2".into()).await.unwrap().into();
        assert!(phc.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(passwords.verify("hunter2".into(), phc.clone()).await.unwrap());
        assert!(!passwords.verify("hunter3".into(), phc.clone()).await.unwrap());
        assert_ne!(*passwords.hash("hunter2".into()).await.unwrap(), *phc, "each has its own salt");
    }

    #[tokio::test]
    async fn more_than_can_wait_are_sent_away() {
        let passwords = Arc::new(Passwords::new(CHEAP, Arc::new(SeededEntropy::new(1))));
        let _all = passwords.running.clone().acquire_many_owned(u32::try_from(RUNNING).unwrap()).await.unwrap();
        let mut waiting: Vec<_> = (0..RUNNING + WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.hash("x".into()).await })
            })
            .collect();
        while passwords.inside.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let refused = passwords.hash("x".into()).await.unwrap_err();
        assert_eq!(refused.status(), 503);
        drop(_all);
        for waiting in waiting.drain(..) {
            assert!(waiting.await.unwrap().is_ok());
        }
    }
}
