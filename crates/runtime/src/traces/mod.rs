//! Traces, for whoever wants them (`docs/tracing.md`): OpenTelemetry spans, sent to a collector by OTLP.
//!
//! Off, asking costs a load of a static. On, what is not sampled has no [`Span`], so that whatever is only done for one is
//! behind an `Option`. What was said of logs holds for spans as well: they name nobody and quote nobody.

mod config;
mod export;

pub use config::{TracesConfig, VARIABLES};

use crate::telemetry::Process;
use actix_http::header::HeaderMap;
use export::Exporter;
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{
        Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState,
        Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracer, SdkTracerProvider},
};
use std::{borrow::Cow, sync::OnceLock, time::Duration};

/// How long the last spans may take to be sent at the end.
const FAREWELL: Duration = Duration::from_secs(3);

/// As with the logs there is one for all of the process.
static TRACES: OnceLock<Traces> = OnceLock::new();

struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl TracesConfig {
    /// Starts following. The first call of a process counts.
    ///
    /// # Errors
    /// When that cannot be, in words.
    pub fn init(&self, process: &Process) -> Result<(), String> {
        let exporter = Exporter::new(self).map_err(|e| format!("traces cannot be sent: {e}"))?;
        let batches = BatchConfigBuilder::default().with_scheduled_delay(self.delay).with_max_queue_size(self.queue);
        let service = self.service.clone().unwrap_or_else(|| process.service.to_owned());
        let node = process.node.iter().map(|node| KeyValue::new("service.instance.id", node.clone()));
        let more = self.attributes.iter().map(|(name, value)| KeyValue::new(name.clone(), value.clone()));
        let resource = Resource::builder_empty().with_attributes(node.chain(more)).with_service_name(service).build();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build())
            .with_sampler(self.sampler.clone())
            .with_resource(resource)
            .build();
        let tracer = provider.tracer("roomful");
        if let Err(Traces { provider, .. }) = TRACES.set(Traces { provider, tracer }) {
            let _ = provider.shutdown_with_timeout(Duration::ZERO);
        }
        Ok(())
    }
}

/// Sends what is left, within a few seconds. It blocks.
pub(crate) fn finish() {
    if let Some(traces) = TRACES.get()
        && let Err(error) = traces.provider.shutdown_with_timeout(FAREWELL)
    {
        tracing::warn!(%error, "the last traces could not be sent");
    }
}

/// What part a span has in its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It answers somebody.
    Server,
    /// It hands something on that others take up later.
    Producer,
    /// It takes that up.
    Consumer,
}

/// A part of a trace that is followed. It ends when it is dropped.
#[derive(Debug)]
pub struct Span(Box<opentelemetry_sdk::trace::Span>);

/// Whether this process follows anything.
pub fn is_on() -> bool {
    TRACES.get().is_some()
}

/// Begins a trace, if the sampler wants this one.
#[inline]
pub fn begin(name: &'static str, kind: Kind) -> Option<Span> {
    let traces = TRACES.get()?;
    traces.span(name.into(), kind, &Context::new())
}

/// Goes on with a trace that another process began, and that is sampled.
pub fn go_on(name: &'static str, kind: Kind, trace: u128, span: u64) -> Option<Span> {
    let (trace, span) = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(span.to_be_bytes()));
    let parent = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::NONE);
    TRACES.get()?.span(name.into(), kind, &Context::new().with_remote_span_context(parent))
}

/// Of an HTTP request to what is the product's own (and not to what watches over it), as its caller's trace goes on.
pub(crate) fn of_request(method: &'static str, path: &str, headers: &HeaderMap) -> Option<Span> {
    let traces = TRACES.get()?;
    if !["/api/", "/admin/"].iter().any(|own| path.starts_with(own)) {
        return None;
    }
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
    let mut span = traces.span(method.into(), Kind::Server, &parent)?;
    span.note("http.request.method", method);
    Some(span)
}

impl Traces {
    fn span(&self, name: Cow<'static, str>, kind: Kind, parent: &Context) -> Option<Span> {
        let kind = match kind {
            Kind::Server => SpanKind::Server,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
        };
        let builder = self.tracer.span_builder(name).with_kind(kind);
        let span = self.tracer.build_with_context(builder, parent);
        span.span_context().is_sampled().then(|| Span(Box::new(span)))
    }
}

impl Span {
    /// A part of this one.
    pub fn child(&self, name: &'static str, kind: Kind) -> Option<Self> {
        let parent = Context::new().with_remote_span_context(self.0.span_context().clone());
        TRACES.get()?.span(name.into(), kind, &parent)
    }

    /// The trace's id.
    pub fn trace(&self) -> u128 {
        u128::from_be_bytes(self.0.span_context().trace_id().to_bytes())
    }

    /// Its own.
    pub fn id(&self) -> u64 {
        u64::from_be_bytes(self.0.span_context().span_id().to_bytes())
    }

    /// Says something of it: no name, no text of anybody's, no address.
    pub fn note(&mut self, name: &'static str, value: impl Into<opentelemetry::Value>) {
        self.0.set_attribute(KeyValue::new(name, value));
    }

    /// It did not do what it was to do.
    pub fn failed(&mut self, why: &'static str) {
        self.0.set_status(Status::error(why));
    }

    /// How a request was answered; `route` is the pattern that matched, in which nobody's ids are.
    pub(crate) fn answered(&mut self, method: &'static str, route: Option<&str>, status: u16) {
        if let Some(route) = route {
            self.0.update_name(format!("{method} {route}"));
            self.note("http.route", route.to_owned());
        }
        self.note("http.response.status_code", i64::from(status));
        if status >= 500 {
            self.failed("");
        }
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}
