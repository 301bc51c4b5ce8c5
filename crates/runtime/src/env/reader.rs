//! Reading variables without stopping at the first fault.

use super::{ConfigError, EXAMPLE_SECRET, Env, Fault, Secret, Variable, parse_duration};
use std::{fmt::Display, str::FromStr, time::Duration};

/// A value that was read, or the reason why there is none. The reader has noted that reason already, so a service reads
/// all of its variables first, asks [`Reader::finish`], and only then takes the values out with `get()?`.
#[derive(Debug, Clone)]
#[must_use = "a value that nobody takes is a variable that does nothing"]
pub struct Value<T>(Result<T, ConfigError>);

impl<T> Value<T> {
    /// The value. After a [`Reader::finish`] that found no fault this does not fail.
    pub fn get(self) -> Result<T, ConfigError> {
        self.0
    }

    /// The value as far as there is one, for checks that need several.
    pub fn peek(&self) -> Option<&T> {
        self.0.as_ref().ok()
    }

    /// Makes something else of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Value<U> {
        Value(self.0.map(f))
    }

    /// Puts values together into a section of a configuration. Read all of them before, outside of the closure: in it,
    /// the first `?` would leave the others unread.
    pub fn build(section: impl FnOnce() -> Result<T, ConfigError>) -> Self {
        Self(section())
    }
}

/// Reads variables and collects every fault on the way. An empty or blank value counts as unset, since that is what
/// `NAME=` in a compose file means.
pub struct Reader<'e> {
    env: &'e dyn Env,
    faults: Vec<Fault>,
}

impl<'e> Reader<'e> {
    /// A reader of `env`.
    pub fn new(env: &'e dyn Env) -> Self {
        Self { env, faults: Vec::new() }
    }

    /// Text, trimmed.
    pub fn string(&mut self, variable: &Variable) -> Value<String> {
        self.parse(variable)
    }

    /// Anything that can be read from text; required when the variable has no default.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, variable: &Variable) -> Value<T> {
        self.parse_with(variable, str::parse)
    }

    /// The same with a reader of one's own.
    pub fn parse_with<T, E: Display>(
        &mut self,
        variable: &Variable,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Value<T> {
        match self.optional_with(variable, read).0 {
            Ok(Some(value)) => Value(Ok(value)),
            Ok(None) => self.bad(variable, format!("it is required; {}", variable.help)),
            Err(error) => Value(Err(error)),
        }
    }

    /// Anything that can be read from text; `None` when it is unset and has no default.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, variable: &Variable) -> Value<Option<T>> {
        self.optional_with(variable, str::parse)
    }

    /// The same with a reader of one's own.
    pub fn optional_with<T, E: Display>(
        &mut self,
        variable: &Variable,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Value<Option<T>> {
        let set = self.set(variable);
        match set.as_deref().or(variable.default).map(read).transpose() {
            Ok(value) => Value(Ok(value)),
            Err(error) if variable.unit.is_empty() => self.bad(variable, error.to_string()),
            Err(error) => self.bad(variable, format!("{error}; expected {}", variable.unit)),
        }
    }

    /// A duration with its unit.
    pub fn duration(&mut self, variable: &Variable) -> Value<Duration> {
        self.parse_with(variable, parse_duration)
    }

    /// A secret; required when the variable has no default.
    pub fn secret(&mut self, variable: &Variable) -> Value<Secret> {
        self.parse_with(variable, secret)
    }

    /// A secret that may be left out.
    pub fn optional_secret(&mut self, variable: &Variable) -> Value<Option<Secret>> {
        self.optional_with(variable, secret)
    }

    /// Values with commas between them; none when it is unset.
    pub fn list<T: FromStr<Err: Display>>(&mut self, variable: &Variable) -> Value<Vec<T>> {
        let items = |text: &str| {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            items.map(|item| item.parse().map_err(|error| format!("{item:?}: {error}"))).collect()
        };
        self.optional_with::<Vec<T>, String>(variable, items).map(Option::unwrap_or_default)
    }

    /// Notes that the value of `variable` will not do, for checks across several. `expected` says what would be right.
    pub fn fault(&mut self, variable: &Variable, expected: impl Into<String>) {
        let set = self.set(variable);
        self.note(Fault::new(variable.name, set.as_deref().or(variable.default), variable.secret, expected));
    }

    /// Notes every set variable that starts with `prefix` and is none of `known`: a mistyped limit must not silently
    /// leave the default in force.
    pub fn reject_unknown<'k>(&mut self, prefix: &str, known: impl IntoIterator<Item = &'k str>) {
        let known: Vec<&str> = known.into_iter().collect();
        let mut names = self.env.names();
        names.retain(|name| name.starts_with(prefix) && !known.contains(&name.as_str()));
        names.sort_unstable();
        for name in names {
            let value = self.env.var(&name);
            let expected = format!("there is no such variable; those of this kind are {}", known.join(", "));
            // Nobody can say whether what was meant is a secret.
            self.note(Fault::new(&name, value.as_deref(), true, expected));
        }
    }

    /// Every fault that was noted, or nothing.
    pub fn finish(self) -> Result<(), ConfigError> {
        if self.faults.is_empty() { Ok(()) } else { Err(ConfigError::new(self.faults)) }
    }

    fn set(&self, variable: &Variable) -> Option<String> {
        let value = self.env.var(variable.name)?;
        let value = value.trim();
        (!value.is_empty()).then(|| value.to_owned())
    }

    fn bad<T>(&mut self, variable: &Variable, expected: String) -> Value<T> {
        let set = self.set(variable);
        let fault = Fault::new(variable.name, set.as_deref().or(variable.default), variable.secret, expected);
        self.note(fault.clone());
        Value(Err(ConfigError::new(vec![fault])))
    }

    /// Two services in one process read some variables twice: one fault is enough.
    fn note(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// A secret that everybody can read in the example is none.
fn secret(text: &str) -> Result<Secret, &'static str> {
    let begin = text.get(..EXAMPLE_SECRET.len()).unwrap_or_default();
    if begin.eq_ignore_ascii_case(EXAMPLE_SECRET) {
        return Err("this is the example's: `make env` makes secrets of your own");
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{DURATION, MapEnv};

    const PORT: Variable = Variable::new("PORT", "The port.").default("8080").unit("port, 0 to 65535");
    const NAME: Variable = Variable::new("NAME", "Names it.");
    const TTL: Variable = Variable::new("TTL", "How long.").default("30m").unit(DURATION);
    const KEY: Variable = Variable::new("KEY", "Signs.").secret();
    const ORIGINS: Variable = Variable::new("ORIGINS", "Who may.");

    fn env<const N: usize>(pairs: [(&str, &str); N]) -> MapEnv {
        MapEnv::from_iter(pairs)
    }

    #[test]
    fn values_and_defaults() {
        let env = env([("NAME", "  roomful "), ("KEY", "k"), ("ORIGINS", "a, b,,c"), ("TTL", "")]);
        let mut r = Reader::new(&env);
        let (port, name, ttl) = (r.parse::<u16>(&PORT), r.string(&NAME), r.duration(&TTL));
        let (key, origins, none) = (r.secret(&KEY), r.list::<String>(&ORIGINS), r.optional::<u8>(&ORIGINS));
        assert_eq!(port.peek(), Some(&8080));
        assert_eq!(name.get().unwrap(), "roomful");
        assert_eq!(ttl.get().unwrap(), Duration::from_secs(1800), "an empty value is an unset one");
        assert_eq!(key.get().unwrap().expose(), "k");
        assert_eq!(origins.get().unwrap(), ["a", "b", "c"]);
        assert!(none.get().is_err());
    }

    #[test]
    fn a_secret_of_the_example_is_none() {
        let env = env([("KEY", "Change-me to at least 32 random bytes")]);
        let mut r = Reader::new(&env);
        assert!(r.secret(&KEY).get().is_err() && r.optional_secret(&KEY).get().is_err());
        let told = r.finish().unwrap_err().to_string();
        assert!(told.contains("make env") && !told.contains("random"), "{told}");
    }

    #[test]
    fn what_is_optional_may_be_missing() {
        let env = env([]);
        let mut r = Reader::new(&env);
        let (name, key, origins) = (r.optional::<String>(&NAME), r.optional_secret(&KEY), r.list::<String>(&ORIGINS));
        assert!(r.finish().is_ok());
        assert_eq!(name.get().unwrap(), None);
        assert!(key.get().unwrap().is_none());
        assert!(origins.get().unwrap().is_empty());
    }

    #[test]
    fn all_faults_are_told_together() {
        let env = env([("PORT", "80800"), ("TTL", "soon"), ("KEY", "hunter2"), ("ORIGINS", "1,x")]);
        let mut r = Reader::new(&env);
        let port = r.parse::<u16>(&PORT);
        let _ = (r.string(&NAME), r.duration(&TTL), r.list::<u8>(&ORIGINS));
        r.fault(&KEY, "expected at least 32 bytes");
        assert!(port.get().is_err());

        assert_eq!(
            r.finish().unwrap_err().to_string(),
            "the configuration has 5 faults:\n  \
             PORT = \"80800\": number too large to fit in target type; expected port, 0 to 65535\n  \
             NAME is not set: it is required; Names it.\n  \
             TTL = \"soon\": it does not start with a whole number; expected duration: 250ms, 10s, 5m, 24h, 30d\n  \
             ORIGINS = \"1,x\": \"x\": invalid digit found in string\n  \
             KEY = (hidden, 7 bytes): expected at least 32 bytes\n\
             .env.example lists every variable with its default and unit."
        );
    }

    #[test]
    fn a_secret_that_cannot_be_read_stays_hidden() {
        const URL: Variable = Variable::new("URL", "Where.").secret();
        let env = env([("URL", "redis://:hunter2@host")]);
        let mut r = Reader::new(&env);
        let _ = r.parse_with::<u8, _>(&URL, |_| Err("expected redis://host:port"));
        let text = format!("{0} {0:?}", r.finish().unwrap_err());
        assert!(!text.contains("hunter2") && text.contains("(hidden, 21 bytes)"), "{text}");
    }

    #[test]
    fn a_fault_shows_control_characters_and_cuts_what_is_long() {
        let env = env([("PORT", "1\u{7}2"), ("TTL", &"x".repeat(5000))]);
        let mut r = Reader::new(&env);
        let _ = (r.parse::<u16>(&PORT), r.duration(&TTL));
        let text = r.finish().unwrap_err().to_string();
        assert!(text.contains(r"1\u{7}2") && text.contains("(5000 bytes)") && text.len() < 600, "{text}");
    }

    #[test]
    fn mistyped_names_are_told_and_the_same_fault_once() {
        let env = env([("LIMIT_MESAGE_NODE", "1,1s"), ("LIMIT_HTTP_NODE", "1,1s"), ("PORT", "x")]);
        let mut r = Reader::new(&env);
        r.reject_unknown("LIMIT_", ["LIMIT_HTTP_NODE", "LIMIT_MESSAGE_NODE"]);
        let _ = (r.parse::<u16>(&PORT), r.parse::<u16>(&PORT));
        let error = r.finish().unwrap_err();
        let names: Vec<_> = error.faults().iter().map(|fault| fault.variable.as_str()).collect();
        assert_eq!(names, ["LIMIT_MESAGE_NODE", "PORT"]);
    }

    #[test]
    fn the_cross_field_check_reads_what_there_is() {
        const MIN: Variable = Variable::new("MIN", "").default("5");
        const MAX: Variable = Variable::new("MAX", "").default("3");
        let env = env([]);
        let mut r = Reader::new(&env);
        let (min, max) = (r.parse::<u8>(&MIN), r.parse::<u8>(&MAX));
        if min.peek() > max.peek() {
            r.fault(&MAX, "expected no less than MIN");
        }
        let error = r.finish().unwrap_err();
        assert_eq!(error.faults()[0].to_string(), "MAX = \"3\": expected no less than MIN");
    }
}
