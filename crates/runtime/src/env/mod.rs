//! Configuration from environment variables, read whole before anything is bound.
//!
//! A [`Variable`] declares a name, its default, its unit and what it is for; the same declaration is read at start and
//! written into `.env.example` by [`example`]. A [`Reader`] never stops at the first fault: it hands out [`Value`]s,
//! notes what was wrong, and [`Reader::finish`] reports all of it together.
//!
//! ```
//! use runtime::env::{ConfigError, Env, MapEnv, Reader, Value, Variable};
//! use std::time::Duration;
//!
//! const PORT: Variable = Variable::new("PORT", "The port to listen on.").default("8080").unit("port, 0 to 65535");
//! const IDLE: Variable = Variable::new("IDLE", "How long to wait.").default("10s").unit(runtime::env::DURATION);
//!
//! struct Config {
//!     port: u16,
//!     idle: Duration,
//! }
//!
//! impl Config {
//!     // Read everything first, then build: this way one start tells every fault.
//!     fn read(r: &mut Reader<'_>) -> Value<Self> {
//!         let port = r.parse(&PORT);
//!         let idle = r.duration(&IDLE);
//!         Value::build(|| Ok(Self { port: port.get()?, idle: idle.get()? }))
//!     }
//!
//!     fn from_env(env: &dyn Env) -> Result<Self, ConfigError> {
//!         let mut r = Reader::new(env);
//!         let config = Self::read(&mut r);
//!         r.finish()?;
//!         config.get()
//!     }
//! }
//!
//! let config = Config::from_env(&MapEnv::from_iter([("PORT", "9000")])).unwrap();
//! assert_eq!((config.port, config.idle), (9000, Duration::from_secs(10)));
//! let error = Config::from_env(&MapEnv::from_iter([("PORT", "http"), ("IDLE", "soon")])).err().unwrap();
//! assert_eq!(error.faults().len(), 2);
//! ```

mod duration;
mod error;
mod example;
mod reader;
mod secret;
mod source;
mod variable;

pub use duration::{DURATION, ParseDurationError, format_duration, parse_duration};
pub use error::{ConfigError, EXIT_CONFIG, Fault};
pub use example::{EXAMPLE_SECRET, example};
pub use reader::{Reader, Value};
pub use secret::Secret;
pub use source::{Env, MapEnv, ProcessEnv};
pub use variable::Variable;
