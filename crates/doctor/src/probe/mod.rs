//! The probes: what is asked of the network, each within bounds of time and size.

pub mod http;
pub mod redis;
pub mod stream;
pub mod websocket;

use std::{future::Future, time::Duration};

/// How long one question may take, from the name's look-up to the last byte.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Gives up in time.
pub async fn within<T>(patience: Duration, asking: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::time::timeout(patience, asking).await.unwrap_or_else(|_| Err(format!("no answer within {patience:?}")))
}
