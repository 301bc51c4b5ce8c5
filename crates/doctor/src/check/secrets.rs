//! Secrets: whether there are any, whether they are secret, and who can read them.

use super::Known;
use crate::{
    code::Code,
    finding::{Edit, Findings, Place, Severity},
};
use std::collections::BTreeSet;

/// What examples' values begin with.
const EXAMPLE: [&str; 4] = ["change-me", "changeme", "change_me", "<"];
/// What everybody tries first.
const COMMON: [&str; 12] = [
    "admin", "password", "passwort", "roomful", "secret", "letmein", "qwerty", "123456", "welcome", "default", "root",
    "test",
];
const SHORTEST_SECRET: usize = 32;
const SHORTEST_PASSWORD: usize = 12;
const NEW_SECRET: &str = "<what `openssl rand -base64 48` prints>";
const NEW_PASSWORD: &str = "<what `openssl rand -base64 18` prints>";

const CODES: &[Code] = &[
    Code::JwtSecretMissing,
    Code::JwtSecretShort,
    Code::JwtSecretExample,
    Code::JwtSecretWeak,
    Code::AdminPasswordMissing,
    Code::AdminPasswordTwice,
    Code::AdminPasswordExample,
    Code::AdminPasswordWeak,
    Code::RedisPasswordMissing,
    Code::RedisPasswordExample,
    Code::SecretReused,
];

/// Looks at all of them.
pub fn check(known: &Known<'_>, out: &mut Findings) {
    if known.settings.is_any() {
        jwt_secret(known, out);
        admin_password(known, out);
        redis_password(known, out);
        reused(known, out);
        out.looked(CODES);
    } else {
        out.skip(CODES, "there are no settings here: name a file with --env-file, or run where the services run");
    }
    env_file(known, out);
}

fn is_example(value: &str) -> bool {
    let value = value.trim().to_ascii_lowercase();
    EXAMPLE.iter().any(|example| value.starts_with(example))
}

/// Few different characters, or a short piece over and over.
fn is_monotonous(value: &str) -> bool {
    let bytes = value.as_bytes();
    let different = bytes.iter().collect::<BTreeSet<_>>().len();
    let repeats = |period: usize| bytes.len() >= 2 * period && bytes.iter().zip(&bytes[period..]).all(|(a, b)| a == b);
    different < 10 || (1..=16).any(repeats)
}

fn jwt_secret(known: &Known<'_>, out: &mut Findings) {
    const NAME: &str = "JWT_SECRET";
    let place = Some(known.settings.place(NAME, NEW_SECRET));
    let change = "Make one of its own, the same for all processes. Everybody who is there becomes a new guest.";
    let Some(secret) = known.settings.get(NAME) else {
        return out.error(Code::JwtSecretMissing, place, "JWT_SECRET is not set: nothing starts without it", change);
    };
    let value = secret.value.trim();
    if is_example(value) {
        out.error(
            Code::JwtSecretExample,
            place,
            "JWT_SECRET is the example's: anybody can sign sessions and admins' tokens",
            change,
        );
    } else if value.len() < SHORTEST_SECRET {
        let seen = format!("JWT_SECRET has {} bytes; {SHORTEST_SECRET} are the least", value.len());
        out.error(Code::JwtSecretShort, place, seen, change);
    } else if is_monotonous(value) {
        out.error(
            Code::JwtSecretWeak,
            place,
            "JWT_SECRET is no random text: it can be guessed, and sessions forged",
            change,
        );
    }
}

fn admin_password(known: &Known<'_>, out: &mut Findings) {
    const NAME: &str = "ADMIN_PASS";
    let (password, hash) = (known.settings.get(NAME), known.settings.get("ADMIN_PASS_HASH"));
    let place = known.settings.place(NAME, NEW_PASSWORD);
    let change = "Set one that nobody can guess, of 12 characters or more.";
    let password = match (&password, &hash) {
        (None, None) => {
            let seen = "neither ADMIN_PASS nor ADMIN_PASS_HASH is set: the admin API does not start";
            return out.error(Code::AdminPasswordMissing, Some(place), seen, change);
        }
        (None, Some(_)) => return,
        (Some(_), Some(_)) => {
            let seen = "both ADMIN_PASS and ADMIN_PASS_HASH are set: the admin API does not start";
            return out.error(Code::AdminPasswordTwice, Some(place.edit(Edit::Delete)), seen, "Keep the hash alone.");
        }
        (Some(password), None) => password.value.trim(),
    };
    let user = known.settings.effective("ADMIN_USER").unwrap_or_else(|| "admin".to_owned());
    let lower = password.to_ascii_lowercase();
    let stripped = lower.trim_matches(|c: char| !c.is_ascii_alphabetic() && c != '-');
    let why = if is_example(password) {
        return out.error(Code::AdminPasswordExample, Some(place), "ADMIN_PASS is the example's", change);
    } else if lower == user.to_ascii_lowercase() {
        "is the admin's name".to_owned()
    } else if COMMON.contains(&lower.as_str()) || COMMON.contains(&stripped) {
        "is one that everybody tries first".to_owned()
    } else if password.chars().count() < SHORTEST_PASSWORD {
        format!("has {} characters; {SHORTEST_PASSWORD} are the least", password.chars().count())
    } else if password.bytes().collect::<BTreeSet<_>>().len() < 5 {
        "has hardly any different characters".to_owned()
    } else {
        return;
    };
    out.error(Code::AdminPasswordWeak, Some(place), format!("ADMIN_PASS {why}"), change);
}

/// The password of a Redis' address; `None` if there is none in it.
#[must_use]
pub fn password_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (login, _) = rest.split(['/', '?']).next()?.rsplit_once('@')?;
    let (_, password) = login.split_once(':')?;
    (!password.is_empty()).then_some(password)
}

/// Whether Redis is for this machine alone, as far as its address tells.
fn is_near(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', '?']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]")
}

fn redis_password(known: &Known<'_>, out: &mut Findings) {
    const NAME: &str = "REDIS_PASSWORD";
    let settings = &known.settings;
    let (own, url) = (settings.get(NAME), settings.get("REDIS_URL"));
    let in_url = url.as_ref().and_then(|url| password_of(&url.value)).map(str::to_owned);
    let change = "Give Redis a password: whoever reaches it can read and forge everything.";
    let in_conf = known.files.redis.as_ref().and_then(|conf| conf.get("requirepass"));
    if let Some(directive) = in_conf.filter(|directive| is_example(&directive.value))
        && let Some(conf) = &known.files.redis
    {
        let place = Place::line(&conf.text.name, directive.line, "requirepass (hidden)");
        let place = place.replace(format!("requirepass {NEW_SECRET}"));
        return out.error(Code::RedisPasswordExample, Some(place), "Redis' password is the example's", change);
    }
    let given = own.map(|own| (NAME, own.value)).or(in_url.map(|password| ("REDIS_URL", password)));
    match given {
        Some((name, password)) if is_example(&password) => {
            let value = if name == NAME { NEW_SECRET } else { "redis://:<password>@host:6379" };
            let seen = "Redis' password is the example's";
            out.error(Code::RedisPasswordExample, Some(settings.place(name, value)), seen, change);
        }
        Some(_) => {}
        None if in_conf.is_some() => {}
        None => {
            let in_compose = known.files.compose.as_ref().is_some_and(|compose| compose.redis().is_some());
            let option = |name: &str| {
                let redis = known.files.compose.as_ref().and_then(super::super::source::compose::Compose::redis)?;
                redis.options().into_iter().find(|option| option.name == name)
            };
            let is_far = url.as_ref().is_some_and(|url| !is_near(&url.value)) || in_compose;
            if is_far && option("requirepass").is_none() {
                let place = match &known.files.redis {
                    Some(conf) if url.is_none() => {
                        Place::insert(&conf.text.name, conf.text.last_line(), format!("requirepass {NEW_SECRET}"))
                    }
                    _ => settings.place(NAME, NEW_SECRET),
                };
                let seen = "Redis has no password, and not only this machine reaches it";
                out.error(Code::RedisPasswordMissing, Some(place), seen, change);
            }
        }
    }
}

fn reused(known: &Known<'_>, out: &mut Findings) {
    let names = ["JWT_SECRET", "ADMIN_PASS", "REDIS_PASSWORD"];
    let mut seen: Vec<(&str, String)> = Vec::new();
    for name in names {
        let Some(setting) = known.settings.get(name) else { continue };
        if let Some((other, _)) = seen.iter().find(|(_, value)| *value == setting.value) {
            let text = format!("{name} is the same as {other}: whoever learns one has both");
            let place = known.settings.place(name, NEW_SECRET);
            out.warning(Code::SecretReused, Some(place), text, "Make one of its own for each.");
        }
        seen.push((name, setting.value));
    }
}

fn env_file(known: &Known<'_>, out: &mut Findings) {
    let codes = [Code::EnvFileReadable, Code::EnvDollar];
    let Some(file) = &known.files.env else { return out.skip(&codes, "there is no .env here") };
    out.looked(&codes);
    let (name, mode) = (&file.text.name, file.text.mode & 0o777);
    let has_secret = file.assignments.iter().any(|a| !a.value.is_empty() && known.settings.is_secret(&a.name));
    if mode & 0o077 != 0 && has_secret {
        let (whom, severity) = match mode & 0o007 {
            0 => ("others of its group", Severity::Warning),
            _ => ("everybody on this machine", Severity::Error),
        };
        let place = Place::at(name.as_str()).edit(Edit::Run(format!("chmod 600 {name}")));
        let seen = format!("{name} has secrets, and is open to {whom} (mode {mode:03o})");
        out.add(Code::EnvFileReadable, severity, Some(place), seen, "Keep it to its owner.".to_owned());
    }
    if known.files.compose.is_none() {
        return;
    }
    for assignment in file.assignments.iter().filter(|a| !a.literal && is_interpolated(&a.value)) {
        let shown = if known.settings.is_secret(&assignment.name) { "(hidden)" } else { &assignment.value };
        let place = Place::line(name, assignment.line, format!("{}={shown}", assignment.name));
        let place = place.replace(format!("{}='<the same, in single quotes>'", assignment.name));
        let seen = format!("compose takes a `$` in {} for a variable: services get another value", assignment.name);
        out.warning(Code::EnvDollar, Some(place), seen, "Put the value in single quotes.");
    }
}

fn is_interpolated(value: &str) -> bool {
    let next = value.replace("$$", "");
    next.split('$').skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '{'))
}
