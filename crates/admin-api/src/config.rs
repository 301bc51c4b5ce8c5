//! What the admin API can be told.

use argon2::PasswordHash;
use protocol::policy::{Bucket, Quota, Window};
use runtime::{
    client_addr::{TRUSTED_PROXIES, TrustedProxies},
    env::{DURATION, Reader, Secret, Value, Variable},
    signing::{JWT_SECRET, jwt_secret},
    websocket::{ALLOWED_ORIGINS, allowed_origins},
};
use std::{num::NonZeroU32, time::Duration};

/// The admin's name.
pub const ADMIN_USER: Variable = Variable::new("ADMIN_USER", "The admin's name.")
    .default("admin")
    .unit("1 to 64 letters, digits, '-', '_', '.', '@'");

/// The admin's password.
pub const ADMIN_PASS: Variable = Variable::new(
    "ADMIN_PASS",
    "The admin's password. One that was set through the admin API takes its place until another one is set here. Either \
     this or ADMIN_PASS_HASH is needed, not both.",
)
.secret();

/// The same, hashed.
pub const ADMIN_PASS_HASH: Variable =
    Variable::new("ADMIN_PASS_HASH", "The same, hashed: `argon2 \"$(openssl rand -hex 16)\" -id -e` makes one.")
        .unit("an Argon2id hash: $argon2id$v=19$m=19456,t=2,p=1$…")
        .secret();

/// How long a token works.
pub const ADMIN_TOKEN_TTL: Variable =
    Variable::new("ADMIN_TOKEN_TTL", "How long an admin stays signed in.").default("30m").unit(DURATION);

/// How often one address may try to sign in at this process.
pub const LIMIT_ADMIN_LOGIN_NODE: Variable = Variable::new(
    "LIMIT_ADMIN_LOGIN_NODE",
    "Tries to sign in as an admin, per address, counted by each process for itself.",
)
.default("4,5s")
.unit("<burst>,<interval of one more>, or off");

/// The same over all processes.
pub const LIMIT_ADMIN_LOGIN_CLUSTER: Variable =
    Variable::new("LIMIT_ADMIN_LOGIN_CLUSTER", "The same over the whole cluster.")
        .default("20/60s")
        .unit("<count>/<window>, or off");

/// How much of the audit log is kept.
pub const AUDIT_LOG_MAX: Variable =
    Variable::new("AUDIT_LOG_MAX", "How many entries of the audit log are kept.").default("100000").unit("count");

/// The longest time that a token may work.
const TTL_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a password is checked against.
#[derive(Debug, Clone)]
pub enum Password {
    /// The password itself.
    Plain(Secret),
    /// Its Argon2id hash, in PHC form; it was checked.
    Hash(Secret),
}

/// What a hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory, in KiB.
    pub memory: u32,
    /// How often it is gone over.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// What OWASP asks for at least: on a server's core some 20 ms.
    fn default() -> Self {
        Self { memory: 19_456, passes: 2, lanes: 1 }
    }
}

/// The admin API's configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// [`ADMIN_USER`].
    pub user: String,
    /// [`ADMIN_PASS`] or [`ADMIN_PASS_HASH`].
    pub password: Password,
    /// [`JWT_SECRET`].
    pub jwt_secret: Secret,
    /// [`ADMIN_TOKEN_TTL`].
    pub token_ttl: Duration,
    /// [`LIMIT_ADMIN_LOGIN_NODE`].
    pub limit_node: Quota<Bucket>,
    /// [`LIMIT_ADMIN_LOGIN_CLUSTER`].
    pub limit_cluster: Quota<Window>,
    /// [`TRUSTED_PROXIES`].
    pub trusted_proxies: TrustedProxies,
    /// [`ALLOWED_ORIGINS`].
    pub allowed_origins: Vec<String>,
    /// [`AUDIT_LOG_MAX`].
    pub audit_log_max: usize,
    /// What the hashes cost that this process makes. No variable: who wants another cost sets a hash of it.
    pub hash_cost: HashCost,
}

impl Config {
    /// Every variable that it reads, less the limits.
    pub const VARIABLES: &[Variable] = &[
        ADMIN_USER,
        ADMIN_PASS,
        ADMIN_PASS_HASH,
        JWT_SECRET,
        ADMIN_TOKEN_TTL,
        AUDIT_LOG_MAX,
        ALLOWED_ORIGINS,
        TRUSTED_PROXIES,
    ];

    /// The limits among the variables.
    pub const LIMITS: &[Variable] = &[LIMIT_ADMIN_LOGIN_NODE, LIMIT_ADMIN_LOGIN_CLUSTER];

    /// Reads all of it.
    pub fn read(r: &mut Reader<'_>) -> Value<Self> {
        let user = r.parse_with(&ADMIN_USER, user);
        let password = password(r);
        let (jwt_secret, ttl) = (jwt_secret(r), r.duration(&ADMIN_TOKEN_TTL));
        if ttl.peek().is_some_and(|ttl| !(Duration::from_secs(1)..=TTL_MAX).contains(ttl)) {
            r.fault(&ADMIN_TOKEN_TTL, "expected 1s to 30d");
        }
        let (limit_node, limit_cluster) = (r.parse(&LIMIT_ADMIN_LOGIN_NODE), r.parse(&LIMIT_ADMIN_LOGIN_CLUSTER));
        let audit_log_max = r.parse::<NonZeroU32>(&AUDIT_LOG_MAX);
        let (origins, proxies) = (allowed_origins(r), r.parse(&TRUSTED_PROXIES));
        Value::build(|| {
            Ok(Self {
                user: user.get()?,
                password: password.get()?,
                jwt_secret: jwt_secret.get()?,
                token_ttl: ttl.get()?,
                limit_node: limit_node.get()?,
                limit_cluster: limit_cluster.get()?,
                trusted_proxies: proxies.get()?,
                allowed_origins: origins.get()?,
                audit_log_max: audit_log_max.get()?.get() as usize,
                hash_cost: HashCost::default(),
            })
        })
    }
}

/// It is an id of what the backend keeps, and shown in logs and tables.
fn user(text: &str) -> Result<String, &'static str> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '@');
    if !(1..=64).contains(&text.len()) || !text.chars().all(good) {
        return Err("it is no name");
    }
    Ok(text.to_owned())
}

fn password(r: &mut Reader<'_>) -> Value<Password> {
    let (plain, hash) = (r.optional_secret(&ADMIN_PASS), r.optional_with(&ADMIN_PASS_HASH, phc));
    match (plain.peek(), hash.peek()) {
        (Some(Some(_)), Some(Some(_))) => {
            r.fault(&ADMIN_PASS_HASH, "expected either ADMIN_PASS or this one, not both");
            r.secret(&ADMIN_PASS).map(Password::Plain)
        }
        (_, Some(Some(_)) | None) => r.parse_with(&ADMIN_PASS_HASH, phc).map(Password::Hash),
        // Required, since there is no hash.
        (_, Some(None)) => r.secret(&ADMIN_PASS).map(Password::Plain),
    }
}

/// A hash as this program can check it, and would not work on for minutes.
fn phc(text: &str) -> Result<Secret, String> {
    let hash = PasswordHash::new(text).map_err(|e| format!("it cannot be read ({e})"))?;
    let params = argon2::Params::try_from(&hash).map_err(|e| format!("its parameters cannot be used ({e})"))?;
    if hash.algorithm != argon2::ARGON2ID_IDENT || hash.version != Some(0x13) {
        return Err("it is not Argon2id, version 19".to_owned());
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err("it has no salt or no hash".to_owned());
    }
    if params.m_cost() > 1 << 20 || params.t_cost() > 64 || params.p_cost() > 16 {
        return Err("it costs too much: at most m=1048576,t=64,p=16".to_owned());
    }
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use runtime::env::{ConfigError, MapEnv};

    const SECRET: (&str, &str) = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ";

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let env = MapEnv::from_iter(pairs.iter().copied());
        let mut r = Reader::new(&env);
        let config = Config::read(&mut r);
        r.finish()?;
        config.get()
    }

    fn faults(pairs: &[(&str, &str)]) -> Vec<String> {
        read(pairs).unwrap_err().faults().iter().map(|fault| fault.variable.clone()).collect()
    }

    #[test]
    fn the_defaults_are_the_contracts() {
        let config = read(&[SECRET, ("ADMIN_PASS", "hunter2")]).unwrap();
        assert_eq!(config.user, "admin");
        assert_eq!(config.token_ttl, Duration::from_secs(1800));
        assert_eq!(config.limit_node, Quota::On(Bucket { burst: 4, interval: Duration::from_secs(5) }));
        assert_eq!(config.limit_cluster, Quota::On(Window { count: 20, window: Duration::from_secs(60) }));
        assert_eq!(config.audit_log_max, 100_000);
        assert_eq!(config.hash_cost, HashCost { memory: 19_456, passes: 2, lanes: 1 });
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn exactly_one_password_is_needed() {
        assert_eq!(faults(&[SECRET]), ["ADMIN_PASS"]);
        assert_eq!(faults(&[SECRET, ("ADMIN_PASS", "x"), ("ADMIN_PASS_HASH", HASH)]), ["ADMIN_PASS_HASH"]);
        assert!(matches!(read(&[SECRET, ("ADMIN_PASS_HASH", HASH)]).unwrap().password, Password::Hash(_)));
    }

    #[test]
    fn a_hash_must_be_one_that_can_be_checked() {
        let bad = [
            "hunter2".to_owned(),
            HASH.replace("argon2id", "argon2i"),
            HASH.replace("v=19", "v=16"),
            HASH.replace("m=19456", "m=9999999"),
            HASH.replace("t=2", "t=0"),
            "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA".to_owned(),
        ];
        for hash in bad {
            assert_eq!(faults(&[SECRET, ("ADMIN_PASS_HASH", &hash)]), ["ADMIN_PASS_HASH"], "{hash}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let faulty = [
            ("ADMIN_USER", "a b"),
            ("JWT_SECRET", "short"),
            ("ADMIN_TOKEN_TTL", "1y"),
            ("LIMIT_ADMIN_LOGIN_NODE", "many"),
            ("LIMIT_ADMIN_LOGIN_CLUSTER", "4"),
            ("AUDIT_LOG_MAX", "0"),
            ("ALLOWED_ORIGINS", "x"),
            ("TRUSTED_PROXIES", "nginx"),
        ];
        let pairs = [faulty.as_slice(), &[("ADMIN_PASS", "x")]].concat();
        assert_eq!(faults(&pairs), faulty.map(|(name, _)| name));
    }
}
