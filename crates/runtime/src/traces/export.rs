//! From this process to the collector. All of it happens on a thread of the exporter's own, which nobody waits for.

use super::config::TracesConfig;
use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, Protocol, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SpanData, SpanExporter},
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The most of an answer that is read.
const ANSWER: u64 = 64 * 1024;

/// Sends spans, and says in the log when they cannot be sent and when they can be again: once each, and how many were
/// lost. Nothing is kept for later: a trace that comes late is worth little, and what waits costs memory.
#[derive(Debug)]
pub(super) struct Exporter {
    inner: opentelemetry_otlp::SpanExporter,
    lost: AtomicU64,
}

impl Exporter {
    pub(super) fn new(config: &TracesConfig) -> Result<Self, ExporterBuildError> {
        let inner = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(Post::new(config.timeout))
            .with_headers(config.headers())
            .with_endpoint(&config.endpoint)
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(config.timeout)
            .build()?;
        Ok(Self { inner, lost: AtomicU64::new(0) })
    }
}

impl SpanExporter for Exporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len() as u64;
        match self.inner.export(batch).await {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::info!(lost, "traces are sent again");
                }
            }
            Err(error) => {
                if self.lost.fetch_add(spans, Ordering::Relaxed) == 0 {
                    tracing::warn!(%error, "the collector takes no traces: until it does, they are lost");
                }
            }
        }
        // It has been said, and there is nobody else to do something about it.
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        let lost = self.lost.load(Ordering::Relaxed);
        if lost > 0 {
            tracing::warn!(lost, "traces were lost");
        }
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

/// The exporter's thread may block, and does.
#[derive(Debug)]
struct Post(ureq::Agent);

impl Post {
    fn new(timeout: Duration) -> Self {
        // No proxy of the environment: it is for the world outside.
        let config = ureq::Agent::config_builder().timeout_global(Some(timeout)).max_redirects(0).proxy(None).build();
        Self(config.new_agent())
    }
}

#[async_trait]
impl HttpClient for Post {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.0.run(request.map(Vec::from))?;
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(ANSWER).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}
