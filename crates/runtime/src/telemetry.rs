//! Logs. One line where a thing is handled, never on the way there.
//!
//! Never logged, at any level: message bodies, usernames, tokens, passwords, session JWTs, query strings (they may hold
//! any of these) and client addresses below `warn`.

use crate::env::{Reader, Value, Variable};
use std::{io::IsTerminal, str::FromStr};
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

/// What this module reads.
pub const VARIABLES: &[Variable] = &[LOG_FORMAT, LOG_LEVEL];

/// What actix says of its own threads and of broken requests is of no use to an operator, so a bare `LOG_LEVEL` leaves it
/// out. Directives that name a target are taken as they are.
const QUIET: &str = "actix_server=warn,actix_http=error,mio=warn,hyper=warn";

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
}

impl Telemetry {
    /// Reads [`VARIABLES`].
    pub fn read(r: &mut Reader<'_>) -> Value<Self> {
        let format = r.parse(&LOG_FORMAT);
        let level = r.parse_with(&LOG_LEVEL, |text| EnvFilter::try_new(text).map(|_| text.to_owned()));
        Value::build(|| Ok(Self { format: format.get()?, level: level.get()? }))
    }

    /// Starts logging, to standard error: standard output belongs to what a process was asked for. The first call of a
    /// process counts; later ones, as several tests make them, do nothing.
    pub fn init(&self) {
        let registry = tracing_subscriber::registry().with(EnvFilter::new(self.directives()));
        let lines = fmt::layer().with_writer(std::io::stderr);
        // An error says that logging has been started before.
        let _ = match self.format {
            LogFormat::Text => registry.with(lines.with_ansi(std::io::stderr().is_terminal())).try_init(),
            LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
        };
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
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MapEnv;

    #[test]
    fn twice_is_harmless() {
        Telemetry { format: LogFormat::Json, level: "warn".to_owned() }.init();
        Telemetry::default().init();
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
        assert_eq!(read(&[("LOG_FORMAT", "xml"), ("LOG_LEVEL", "a=b=c")]).unwrap_err().faults().len(), 2);
    }
}
