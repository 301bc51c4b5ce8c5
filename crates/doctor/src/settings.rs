//! What services read, from wherever that comes: what compose gives them, the environment, and `.env`.

use crate::{
    finding::{Edit, Place},
    source::{
        compose::{Compose, Given, interpolate, reference},
        env_file::EnvFile,
    },
};
use runtime::env::{Env, Variable, parse_duration};
use std::time::Duration;

/// One that is set.
#[derive(Clone)]
pub struct Setting {
    /// Its value; it may be a secret.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
}

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A line of `.env`.
    EnvFile(usize),
    /// A line of the compose file.
    Compose(usize),
    /// This process's environment.
    Environment,
}

/// All of them.
pub struct Settings<'a> {
    /// Of this process.
    pub process: &'a dyn Env,
    /// `.env`.
    pub env_file: Option<&'a EnvFile>,
    /// The compose file.
    pub compose: Option<&'a Compose>,
    /// Every variable that there is, for defaults, and for which are secrets.
    pub variables: &'a [Variable],
}

impl Settings<'_> {
    /// What a service reads, if it is set: what compose gives it, in which the environment goes before `.env`, as compose
    /// has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Setting> {
        match self.compose.and_then(|compose| compose.setting(name)) {
            Some(given) => self.given(&given),
            None => self.outside(name),
        }
        .filter(|setting| !setting.value.trim().is_empty())
    }

    fn given(&self, given: &Given) -> Option<Setting> {
        let outside = reference(&given.value).and_then(|name| self.outside(name));
        outside.or_else(|| Some(Setting { value: self.filled(&given.value), origin: Origin::Compose(given.line) }))
    }

    /// A text of the compose file, with the values in it.
    #[must_use]
    pub fn filled(&self, text: &str) -> String {
        interpolate(text, &|name| self.outside(name).map(|setting| setting.value))
    }

    /// The same without what the compose file says itself.
    fn outside(&self, name: &str) -> Option<Setting> {
        let own = self.process.var(name).map(|value| Setting { value, origin: Origin::Environment });
        own.or_else(|| {
            let assignment = self.env_file?.get(name)?;
            Some(Setting { value: assignment.value.clone(), origin: Origin::EnvFile(assignment.line) })
        })
    }

    /// The value that counts, the default if nothing is set.
    #[must_use]
    pub fn effective(&self, name: &str) -> Option<String> {
        let default = || self.variables.iter().find(|variable| variable.name == name)?.default.map(str::to_owned);
        self.get(name).map(|setting| setting.value.trim().to_owned()).or_else(default)
    }

    /// A duration that counts.
    #[must_use]
    pub fn duration(&self, name: &str) -> Option<Duration> {
        parse_duration(&self.effective(name)?).ok()
    }

    /// A number that counts.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<u64> {
        self.effective(name)?.parse().ok()
    }

    /// Whether there is anything here that services would be started with.
    #[must_use]
    pub fn is_any(&self) -> bool {
        let secrets = ["JWT_SECRET", "ADMIN_PASS", "ADMIN_PASS_HASH"];
        self.env_file.is_some() || self.compose.is_some() || secrets.iter().any(|name| self.process.var(name).is_some())
    }

    /// Whether a value of this name is never shown.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        let known = self.variables.iter().find(|variable| variable.name == name).map(|variable| variable.secret);
        known
            .unwrap_or_else(|| ["PASS", "SECRET", "TOKEN", "KEY", "HASH", "URL"].iter().any(|part| name.contains(part)))
    }

    /// Where a variable stands, or where it is to be added, and the line that is to stand there: `NAME=value`.
    #[must_use]
    pub fn place(&self, name: &str, value: &str) -> Place {
        let wanted = format!("{name}={value}");
        let shown = |setting: &Setting| match self.is_secret(name) {
            true => format!("(hidden, {} bytes)", setting.value.len()),
            false => setting.value.clone(),
        };
        match self.get(name) {
            Some(setting) => match (&setting.origin, self.env_file, self.compose) {
                (Origin::EnvFile(line), Some(file), _) => {
                    let found = file.assignments.iter().find(|assignment| assignment.line == *line);
                    let name = found.map_or(name, |assignment| &assignment.name);
                    let place = Place::line(&file.text.name, *line, format!("{name}={}", shown(&setting)));
                    place.replace(format!("{name}={value}"))
                }
                (Origin::Compose(line), _, Some(compose)) => {
                    let is_item = compose.text.line(*line).starts_with('-');
                    let (dash, sign) = if is_item { ("- ", "=") } else { ("", ": ") };
                    let place =
                        Place::line(&compose.text.name, *line, format!("{dash}{name}{sign}{}", shown(&setting)));
                    let quote = if is_item || !value.contains([':', ',', '#']) { "" } else { "\"" };
                    place.replace(format!("{dash}{name}{sign}{quote}{value}{quote}"))
                }
                _ => Place { text: Some(format!("{name}={}", shown(&setting))), ..Place::at("environment") }
                    .edit(Edit::Run(format!("export {wanted}"))),
            },
            None => self.addition(name, value),
        }
    }

    /// Where one that is not set is to be added. Compose hands on only what it names.
    fn addition(&self, name: &str, value: &str) -> Place {
        let empty = self.env_file.and_then(|file| file.get(name).map(|assignment| (file, assignment.line)));
        if let Some((file, line)) = empty {
            return Place::line(&file.text.name, line, format!("{name}=")).replace(format!("{name}={value}"));
        }
        let named = self.compose.and_then(|compose| compose.setting(name));
        let service = self.compose.and_then(|compose| compose.nodes().next());
        match (service, named, self.env_file) {
            // Compose would not hand it on.
            (Some(service), None, _) if service.get("env_file").is_none() && service.get("environment").is_some() => {
                let given = service.environment();
                let last = given.iter().map(|given| given.line).max().unwrap_or(service.line);
                let compose = self.compose.map(|compose| &compose.text);
                let (indent, item) = compose.map_or((6, false), |text| {
                    (
                        if given.is_empty() { text.indent(last) + 4 } else { text.indent(last) },
                        text.line(last).starts_with("- "),
                    )
                });
                let line = if item { format!("- {name}={value}") } else { format!("{name}: \"{value}\"") };
                Place::insert(compose.map_or("", |text| &text.name), last, format!("{}{line}", " ".repeat(indent)))
            }
            (_, _, Some(file)) => Place::insert(&file.text.name, file.text.last_line(), format!("{name}={value}")),
            _ => Place::at("environment").edit(Edit::Run(format!("export {name}={value}"))),
        }
    }
}

/// What services would read.
impl Env for Settings<'_> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).map(|setting| setting.value)
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.process.names();
        names.extend(self.env_file.iter().flat_map(|file| file.assignments.iter().map(|a| a.name.clone())));
        names.extend(self.compose.iter().flat_map(|compose| compose.setting_names()));
        names.sort_unstable();
        names.dedup();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Text;
    use runtime::env::MapEnv;

    #[test]
    fn who_goes_before_whom() {
        let compose = "services:\n  chat-node:\n    environment:\n      A: ${A}\n      B: \"2\"\n      C: x${A}\n      D: ${D:-4}\n";
        let compose = Compose::parse(Text::new("c.yml", compose)).unwrap();
        let env_file = EnvFile::parse(Text::new(".env", "A=1\nE=5\nF=6\n"));
        let process = MapEnv::from_iter([("F", "7"), ("B", "9")]);
        let settings =
            Settings { process: &process, env_file: Some(&env_file), compose: Some(&compose), variables: &[] };
        let get = |name: &str| settings.get(name).map(|setting| (setting.value, setting.origin));
        assert_eq!(get("A"), Some(("1".into(), Origin::EnvFile(1))));
        assert_eq!(get("B"), Some(("2".into(), Origin::Compose(5))));
        assert_eq!(get("C"), Some(("x1".into(), Origin::Compose(6))));
        assert_eq!(get("D"), Some(("4".into(), Origin::Compose(7))));
        assert_eq!(get("E"), Some(("5".into(), Origin::EnvFile(2))));
        assert_eq!(get("F"), Some(("7".into(), Origin::Environment)));
        assert_eq!(settings.place("B", "3").to_string(), "c.yml:5: B: 2");
        assert_eq!(settings.place("G", "8"), Place::insert("c.yml", 7, "      G: \"8\""));
        assert_eq!(settings.place("F_SECRET", "8").edit, Some(Edit::Insert("      F_SECRET: \"8\"".into())));
    }
}
