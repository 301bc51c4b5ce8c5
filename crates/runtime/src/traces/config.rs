//! What OpenTelemetry's own variables say, as far as there is something to say here.

use crate::env::{Reader, Secret, Value, Variable};
use opentelemetry_sdk::trace::Sampler;
use std::{collections::HashMap, str::FromStr, time::Duration};

/// `OTEL_EXPORTER_OTLP_ENDPOINT`.
pub const ENDPOINT: Variable = Variable::new(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "The OpenTelemetry collector that traces go to. Without it there are none.",
)
.unit("http://host:port");
/// `OTEL_EXPORTER_OTLP_PROTOCOL`.
pub const PROTOCOL: Variable = Variable::new("OTEL_EXPORTER_OTLP_PROTOCOL", "How they are sent there.")
    .default("http/protobuf")
    .unit("http/protobuf");
/// `OTEL_EXPORTER_OTLP_HEADERS`.
pub const HEADERS: Variable = Variable::new("OTEL_EXPORTER_OTLP_HEADERS", "Headers to send along.")
    .unit("name=value with commas between")
    .secret();
/// `OTEL_EXPORTER_OTLP_TIMEOUT`.
pub const TIMEOUT: Variable = Variable::new("OTEL_EXPORTER_OTLP_TIMEOUT", "How long a request of it may take.")
    .default("10000")
    .unit("milliseconds, 1 to 60000");
/// `OTEL_TRACES_SAMPLER`.
pub const SAMPLER: Variable = Variable::new(
    "OTEL_TRACES_SAMPLER",
    "What is followed. With parentbased_…, whoever calls /api or /admin decides by its traceparent header.",
)
.default("parentbased_traceidratio")
.unit("[parentbased_] always_on, always_off or traceidratio");
/// `OTEL_TRACES_SAMPLER_ARG`.
pub const SAMPLER_ARG: Variable =
    Variable::new("OTEL_TRACES_SAMPLER_ARG", "Which part of all, for traceidratio.").default("0.01").unit("0 to 1");
/// `OTEL_SERVICE_NAME`.
pub const SERVICE_NAME: Variable =
    Variable::new("OTEL_SERVICE_NAME", "What this process is called in traces; without it, by its program.");
/// `OTEL_RESOURCE_ATTRIBUTES`.
pub const RESOURCE_ATTRIBUTES: Variable =
    Variable::new("OTEL_RESOURCE_ATTRIBUTES", "What else is true of it.").unit("name=value with commas between");
/// `OTEL_BSP_SCHEDULE_DELAY`.
pub const DELAY: Variable =
    Variable::new("OTEL_BSP_SCHEDULE_DELAY", "How long spans are gathered before they are sent.")
        .default("5000")
        .unit("milliseconds, 1 to 60000");
/// `OTEL_BSP_MAX_QUEUE_SIZE`.
pub const QUEUE: Variable = Variable::new(
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "Spans that may wait to be sent; what comes when so many wait is lost, which the log says.",
)
.default("2048")
.unit("count, 1 to 65536");

/// What this module reads.
pub const VARIABLES: &[Variable] =
    &[ENDPOINT, PROTOCOL, HEADERS, TIMEOUT, SAMPLER, SAMPLER_ARG, SERVICE_NAME, RESOURCE_ATTRIBUTES, DELAY, QUEUE];

/// Where traces go, and what is followed.
#[derive(Debug, Clone)]
pub struct TracesConfig {
    /// With its path.
    pub(super) endpoint: String,
    pub(super) headers: Option<Secret>,
    pub(super) timeout: Duration,
    pub(super) sampler: Sampler,
    pub(super) service: Option<String>,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) delay: Duration,
    pub(super) queue: usize,
}

/// Which sampler, without its argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    by_parent: bool,
    of_roots: Roots,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Roots {
    All,
    None,
    Part,
}

impl FromStr for Choice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let of_parent = text.strip_prefix("parentbased_");
        let of_roots = match of_parent.unwrap_or(text) {
            "always_on" => Roots::All,
            "always_off" => Roots::None,
            "traceidratio" => Roots::Part,
            _ => return Err("there is no such sampler"),
        };
        Ok(Self { by_parent: of_parent.is_some(), of_roots })
    }
}

impl Choice {
    fn sampler(self, part: f64) -> Sampler {
        let roots = match self.of_roots {
            Roots::All => Sampler::AlwaysOn,
            Roots::None => Sampler::AlwaysOff,
            Roots::Part => Sampler::TraceIdRatioBased(part),
        };
        if self.by_parent { Sampler::ParentBased(Box::new(roots)) } else { roots }
    }
}

impl TracesConfig {
    /// Reads [`VARIABLES`]; `None` when no traces are wanted. What is wrong is told in any case.
    pub fn read(r: &mut Reader<'_>) -> Value<Option<Self>> {
        let endpoint = r.optional_with(&ENDPOINT, endpoint);
        let _ = r.parse_with(&PROTOCOL, |text| match text {
            "http/protobuf" => Ok(()),
            _ => Err("this process cannot do that"),
        });
        let headers = r.optional_secret(&HEADERS);
        if headers.peek().is_some_and(|headers| headers.as_ref().is_some_and(|h| pairs(h.expose()).is_err())) {
            r.fault(&HEADERS, "expected name=value with commas between");
        }
        let millis = |text: &str| number(text, 1..=60_000).map(Duration::from_millis);
        let (timeout, delay) = (r.parse_with(&TIMEOUT, millis), r.parse_with(&DELAY, millis));
        let (choice, part) = (r.parse::<Choice>(&SAMPLER), r.parse_with(&SAMPLER_ARG, part));
        let service = r.optional::<String>(&SERVICE_NAME);
        let attributes = r.optional_with(&RESOURCE_ATTRIBUTES, pairs);
        let queue = r.parse_with(&QUEUE, |text| number(text, 1..=65_536));
        Value::build(|| {
            let Some(endpoint) = endpoint.get()? else { return Ok(None) };
            Ok(Some(Self {
                endpoint,
                headers: headers.get()?,
                timeout: timeout.get()?,
                sampler: choice.get()?.sampler(part.get()?),
                service: service.get()?,
                attributes: attributes.get()?.unwrap_or_default(),
                delay: delay.get()?,
                queue: usize::try_from(queue.get()?).unwrap_or(usize::MAX),
            }))
        })
    }

    /// Headers by their names.
    pub(super) fn headers(&self) -> HashMap<String, String> {
        let text = self.headers.as_ref().map(Secret::expose).unwrap_or_default();
        pairs(text).unwrap_or_default().into_iter().collect()
    }
}

/// The endpoint is where a collector is; its path says that these are traces.
fn endpoint(text: &str) -> Result<String, &'static str> {
    if text.starts_with("https://") {
        return Err("this process speaks no TLS: let a collector that is near forward them");
    }
    let host = text.strip_prefix("http://").ok_or("it is no address of a collector")?;
    if host.is_empty() || host.starts_with('/') || host.contains(|c: char| c.is_whitespace() || "?#@".contains(c)) {
        return Err("it is no address of a collector");
    }
    Ok(format!("{}/v1/traces", text.trim_end_matches('/')))
}

fn part(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part)).ok_or("it is no part")
}

fn number(text: &str, of: std::ops::RangeInclusive<u64>) -> Result<u64, &'static str> {
    text.parse().ok().filter(|number| of.contains(number)).ok_or("it is no such number")
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, &'static str> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let pair = |item: &str| {
        let (name, value) = item.split_once('=').filter(|(name, _)| !name.trim().is_empty())?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    items.map(|item| pair(item).ok_or("a pair has no `=`")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{ConfigError, MapEnv};

    fn read(pairs: &[(&str, &str)]) -> Result<Option<TracesConfig>, ConfigError> {
        let env = MapEnv::from_iter(pairs.iter().copied());
        let mut r = Reader::new(&env);
        let config = TracesConfig::read(&mut r);
        r.finish()?;
        config.get()
    }

    #[test]
    fn without_a_collector_there_are_no_traces() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[("OTEL_TRACES_SAMPLER", "always_on")]).unwrap().is_none());
    }

    #[test]
    fn the_defaults_are_the_standards_but_for_the_part() {
        let config = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")]).unwrap().unwrap();
        assert_eq!(config.endpoint, "http://collector:4318/v1/traces");
        assert_eq!((config.timeout, config.delay), (Duration::from_secs(10), Duration::from_secs(5)));
        assert_eq!(format!("{:?}", config.sampler), "ParentBased(TraceIdRatioBased(0.01))");
        let always = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"), ("OTEL_TRACES_SAMPLER", "always_on")];
        assert_eq!(format!("{:?}", read(&always).unwrap().unwrap().sampler), "AlwaysOn");
    }

    #[test]
    fn what_cannot_be_done_is_refused_and_headers_stay_hidden() {
        let faulty = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
            ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
            ("OTEL_RESOURCE_ATTRIBUTES", "x"),
            ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
        ];
        let error = read(&faulty).unwrap_err();
        let mut names: Vec<_> = error.faults().iter().map(|fault| fault.variable.as_str()).collect();
        let mut expected = faulty.map(|(name, _)| name);
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert!(!error.to_string().contains("hunter2"));
        for bad in ["collector:4318", "http://", "http:///v1", "http://user@host"] {
            assert!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", bad)]).is_err(), "{bad}");
        }
    }
}
