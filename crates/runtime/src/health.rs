//! Whether this process should be given work.
//!
//! Alive is another question, and has a plain answer (`/livez`): a process whose Redis is away must be left alone, not
//! restarted.

use futures_util::future::join_all;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout};
use utoipa::ToSchema;

/// How long one check may take. All run at once, so a report never takes longer either.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

/// One thing that a process cannot work without.
#[async_trait::async_trait]
pub trait Check: Send + Sync {
    /// Fails with a reason that is fit for an operator. It may hang: it is given up after a second.
    async fn check(&self) -> Result<(), String>;
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckResult {
    /// Whether it is well.
    pub ok: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// How long it took to find out.
    pub duration_ms: u64,
}

/// What all checks found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HealthReport {
    /// Whether every check is well. Whether the process is ready or draining is not asked here.
    pub ok: bool,
    /// Each check by its name.
    pub checks: BTreeMap<String, CheckResult>,
}

/// The health of one service. Clones share it.
#[derive(Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Default)]
struct Inner {
    ready: AtomicBool,
    draining: AtomicBool,
    checks: RwLock<Vec<(String, Arc<dyn Check>)>>,
}

impl Health {
    /// Not ready, without checks.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check. A later one of the same name takes the place of an earlier one.
    pub fn add_check(&self, name: impl Into<String>, check: Arc<dyn Check>) {
        let name = name.into();
        let mut checks = self.0.checks.write().unwrap_or_else(PoisonError::into_inner);
        checks.retain(|(other, _)| *other != name);
        checks.push((name, check));
    }

    /// Says whether the process has all that it needs to begin with.
    pub fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Release);
    }

    /// Says that the process is on its way out. There is no way back.
    pub fn set_draining(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    /// Whether it is on its way out.
    pub fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    /// Runs all checks at once.
    pub async fn report(&self) -> HealthReport {
        // Cloned, because no lock may be held while a check is awaited.
        let checks = self.0.checks.read().unwrap_or_else(PoisonError::into_inner).clone();
        let checks: BTreeMap<_, _> = join_all(checks.into_iter().map(run)).await.into_iter().collect();
        HealthReport { ok: checks.values().all(|check| check.ok), checks }
    }

    /// The report if work may be sent here, and else why it may not.
    pub async fn readiness(&self) -> Result<HealthReport, String> {
        if self.is_draining() {
            return Err("this process is draining".to_owned());
        }
        if !self.0.ready.load(Ordering::Acquire) {
            return Err("this process is not ready yet".to_owned());
        }
        let report = self.report().await;
        if report.ok {
            return Ok(report);
        }
        let failing: Vec<_> = report
            .checks
            .iter()
            .filter(|(_, check)| !check.ok)
            .map(|(name, check)| format!("{name}: {}", check.error.as_deref().unwrap_or("failed")))
            .collect();
        Err(failing.join("; "))
    }
}

async fn run((name, check): (String, Arc<dyn Check>)) -> (String, CheckResult) {
    let started = Instant::now();
    let error = match timeout(CHECK_TIMEOUT, check.check()).await {
        Ok(Ok(())) => None,
        Ok(Err(reason)) => Some(reason),
        Err(_) => Some("no answer within a second".to_owned()),
    };
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    (name, CheckResult { ok: error.is_none(), error, duration_ms })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::pending;

    enum Stub {
        Good,
        Bad,
        Hanging,
    }

    #[async_trait::async_trait]
    impl Check for Stub {
        async fn check(&self) -> Result<(), String> {
            match self {
                Self::Good => Ok(()),
                Self::Bad => Err("refused".to_owned()),
                Self::Hanging => pending().await,
            }
        }
    }

    fn health(checks: impl IntoIterator<Item = (&'static str, Stub)>) -> Health {
        let health = Health::new();
        health.set_ready(true);
        checks.into_iter().for_each(|(name, check)| health.add_check(name, Arc::new(check)));
        health
    }

    #[tokio::test(start_paused = true)]
    async fn hanging_checks_are_given_up_together() {
        let health = health([("a", Stub::Hanging), ("b", Stub::Hanging), ("c", Stub::Good), ("d", Stub::Bad)]);
        let started = Instant::now();
        let report = health.report().await;
        assert_eq!(started.elapsed(), CHECK_TIMEOUT);
        assert!(!report.ok);
        assert_eq!(report.checks.values().map(|check| check.ok).collect::<Vec<_>>(), [false, false, true, false]);
        assert_eq!(
            health.readiness().await.unwrap_err(),
            "a: no answer within a second; b: no answer within a second; d: refused"
        );
    }

    #[tokio::test]
    async fn ready_draining_and_checks_replaced() {
        let health = health([("a", Stub::Bad)]);
        health.add_check("a", Arc::new(Stub::Good));
        assert!(health.readiness().await.is_ok());
        health.set_ready(false);
        assert!(health.readiness().await.unwrap_err().contains("not ready"));
        health.set_ready(true);
        health.set_draining();
        assert!(health.readiness().await.unwrap_err().contains("draining"));
        assert!(health.report().await.ok, "the checks are well all the same");
    }
}
