//! Logs. One line where a thing is handled, never on the way there.
//!
//! Never logged, at any level: message bodies, usernames, tokens, passwords, session JWTs, query strings (they may hold
//! any of these), and no more of a client's address than `LOG_ADDRESSES` says ([`LoggedAddress`]).

mod address;
mod json;
mod panics;

pub use address::{LogAddresses, LoggedAddress};

use crate::env::{Env, Reader, Value, Variable};
use json::JsonLines;
use std::{
    fmt::Display,
    io::IsTerminal,
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};
use tracing::Level;
use tracing_subscriber::{EnvFilter, filter::LevelFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// `LOG_FORMAT`.
pub const LOG_FORMAT: Variable =
    Variable::new("LOG_FORMAT", "How logs are written: text for a terminal, json for a collector.")
        .default("text")
        .unit("text or json");

/// `LOG_LEVEL`.
pub const LOG_LEVEL: Variable =
    Variable::new("LOG_LEVEL", "What is logged: a level, or directives such as info,chat_node=debug.")
        .default("info")
        .unit("error, warn, info, debug, trace, or target=level with commas between");

/// `LOG_ADDRESSES`. nginx reads the same.
pub const LOG_ADDRESSES: Variable = Variable::new(
    "LOG_ADDRESSES",
    "How clients' addresses are logged: full; short, which is the network (/24, of IPv6 /48); or off.",
)
.default("short")
.unit("full, short or off");

/// What this module reads.
pub const VARIABLES: &[Variable] = &[LOG_FORMAT, LOG_LEVEL, LOG_ADDRESSES];

/// What actix says of its own threads and of broken requests is of no use to an operator, so a bare `LOG_LEVEL` leaves it
/// out. Directives that name a target are taken as they are.
const QUIET: &str = "actix_server=warn,actix_http=error,mio=warn,hyper=warn,opentelemetry=warn,\
                     opentelemetry_sdk=warn,opentelemetry-otlp=warn,opentelemetry-http=warn,ureq=warn,ureq_proto=warn";

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("there is no such format"),
        }
    }
}

/// What to log and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// How logs are written.
    pub format: LogFormat,
    /// A level, or directives in the notation of `RUST_LOG`.
    pub level: String,
    /// How much of a client's address.
    pub addresses: LogAddresses,
}

/// Whose logs these are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// What it is.
    pub service: &'static str,
    /// Which one, if that is known.
    pub node: Option<String>,
}

/// Whether this process logs as JSON.
static IS_JSON: AtomicBool = AtomicBool::new(false);

impl Telemetry {
    /// Reads [`VARIABLES`].
    pub fn read(r: &mut Reader<'_>) -> Value<Self> {
        let format = r.parse(&LOG_FORMAT);
        let level = r.parse_with(&LOG_LEVEL, |text| EnvFilter::try_new(text).map(|_| text.to_owned()));
        let addresses = r.parse(&LOG_ADDRESSES);
        Value::build(|| Ok(Self { format: format.get()?, level: level.get()?, addresses: addresses.get()? }))
    }

    /// Starts logging, panics too, to standard error: standard output belongs to what a process was asked for. The first
    /// call of a process counts; later ones, as several tests make them, do nothing.
    pub fn init(&self, process: Process) {
        let registry = tracing_subscriber::registry().with(EnvFilter::new(self.directives()));
        let started = match self.format {
            LogFormat::Text => {
                let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
                registry.with(lines).try_init()
            }
            LogFormat::Json => registry.with(JsonLines::new(process, std::io::stderr)).try_init(),
        };
        // An error says that logging has been started before.
        if started.is_ok() {
            IS_JSON.store(self.format == LogFormat::Json, Ordering::Relaxed);
            self.addresses.choose();
            panics::log();
        }
    }

    /// For a process that cannot know how it is to log, since its configuration is faulty: as JSON, if at least that is
    /// certain.
    pub fn init_for_faults(env: &dyn Env, service: &'static str) {
        let mut r = Reader::new(env);
        if r.parse(&LOG_FORMAT).get().is_ok_and(|format: LogFormat| format == LogFormat::Json) {
            Self { format: LogFormat::Json, ..Self::default() }.init(Process { service, node: None });
        }
    }

    fn directives(&self) -> String {
        match self.level.parse::<LevelFilter>() {
            Ok(level) if level > LevelFilter::WARN => format!("{level},{QUIET}"),
            _ => self.level.clone(),
        }
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned(), addresses: LogAddresses::Short }
    }
}

/// Says why a process ends: to a person, who has started it just now; or as one more line for the collector.
pub fn say_why(service: &str, why: &dyn Display) {
    if IS_JSON.load(Ordering::Relaxed) && tracing::event_enabled!(Level::ERROR) {
        tracing::error!(error = %why, "it cannot go on");
    } else {
        eprintln!("{service}: {why}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MapEnv;

    #[test]
    fn twice_is_harmless() {
        let process = || Process { service: "echo", node: None };
        Telemetry { format: LogFormat::Json, level: "warn".to_owned(), ..Telemetry::default() }.init(process());
        Telemetry::default().init(process());
    }

    #[test]
    fn a_bare_level_quietens_libraries_and_never_makes_them_louder() {
        let directives = |level: &str| Telemetry { level: level.to_owned(), ..Telemetry::default() }.directives();
        assert_eq!(directives("debug"), format!("debug,{QUIET}"));
        for level in ["off", "error", "warn", "info,actix_server=debug", "actix_http=trace"] {
            assert_eq!(directives(level), level);
        }
    }

    #[test]
    fn the_defaults_are_good_and_nonsense_is_a_fault() {
        let read = |pairs: &[(&str, &str)]| {
            let env = MapEnv::from_iter(pairs.iter().copied());
            let mut r = Reader::new(&env);
            let telemetry = Telemetry::read(&mut r);
            r.finish().and_then(|()| telemetry.get())
        };
        assert_eq!(read(&[]).unwrap(), Telemetry::default());
        assert_eq!(read(&[("LOG_LEVEL", "info,chat_node=debug")]).unwrap().level, "info,chat_node=debug");
        assert_eq!(read(&[("LOG_ADDRESSES", "off")]).unwrap().addresses, LogAddresses::Off);
        let faulty = [("LOG_FORMAT", "xml"), ("LOG_LEVEL", "a=b=c"), ("LOG_ADDRESSES", "some")];
        assert_eq!(read(&faulty).unwrap_err().faults().len(), 3);
    }
}
