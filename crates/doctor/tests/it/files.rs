//! One thing wrong in the files: the code, the file, the line, and what is to stand there.

use crate::support::*;
use doctor::{
    check::{Files, Known, websocket::origins as origins_of},
    code::Code,
    finding::{Edit, Findings},
    site::Site,
    source::{Text, env_file::EnvFile},
};
use runtime::env::{MapEnv, Reader, Variable};

#[tokio::test]
async fn a_deployment_that_is_well() {
    let findings = Deployment::new().examine().await;
    assert!(wrong(&findings).is_empty(), "{:#?}", wrong(&findings));
    assert_eq!(doctor::examine::status(&findings), 0);
}

/// The file, what is changed in it to what, what is found, the line that has it, and what is to be done there.
type Case = (&'static str, &'static str, &'static str, Code, &'static str, Option<Edit>);

async fn each(cases: &[Case]) {
    for (file, from, to, code, line, edit) in cases {
        let deployment = Deployment::new().change(file, from, to);
        let findings = deployment.examine().await;
        let finding = only(&findings, *code);
        let at = format!("{file}:{}", deployment.line(file, line));
        assert_eq!(place(finding), (at, edit.clone()), "{code:?}");
        assert!(!finding.seen.is_empty() && !finding.change.is_empty());
    }
}

const NEW_SECRET: &str = "<what `openssl rand -base64 48` prints>";
const NEW_PASSWORD: &str = "<what `openssl rand -base64 18` prints>";

#[tokio::test]
async fn secrets() {
    let jwt = || replace(&format!("JWT_SECRET={NEW_SECRET}"));
    let admin = || replace(&format!("ADMIN_PASS={NEW_PASSWORD}"));
    each(&[
        (ENV_FILE, JWT_SECRET, "short", Code::JwtSecretShort, "JWT_SECRET=short", jwt()),
        (ENV_FILE, JWT_SECRET, "", Code::JwtSecretMissing, "JWT_SECRET=", jwt()),
        (
            ENV_FILE,
            JWT_SECRET,
            "change-me-to-48-random-bytes-0123456789",
            Code::JwtSecretExample,
            "JWT_SECRET=change-me-to-48-random-bytes-0123456789",
            jwt(),
        ),
        (
            ENV_FILE,
            JWT_SECRET,
            "abcdefghijklabcdefghijklabcdefghijkl",
            Code::JwtSecretWeak,
            "JWT_SECRET=abcdefghijklabcdefghijklabcdefghijkl",
            jwt(),
        ),
        (ENV_FILE, ADMIN_PASS, "admin", Code::AdminPasswordWeak, "ADMIN_PASS=admin", admin()),
        (ENV_FILE, ADMIN_PASS, "Password1234!", Code::AdminPasswordWeak, "ADMIN_PASS=Password1234!", admin()),
        (ENV_FILE, ADMIN_PASS, "x7Kp2mQ9", Code::AdminPasswordWeak, "ADMIN_PASS=x7Kp2mQ9", admin()),
        (ENV_FILE, ADMIN_PASS, "change-me", Code::AdminPasswordExample, "ADMIN_PASS=change-me", admin()),
        (ENV_FILE, ADMIN_PASS, "", Code::AdminPasswordMissing, "ADMIN_PASS=", admin()),
        (
            ENV_FILE,
            REDIS_PASSWORD,
            "change-me-too",
            Code::RedisPasswordExample,
            "REDIS_PASSWORD=change-me-too",
            replace(&format!("REDIS_PASSWORD={NEW_SECRET}")),
        ),
        (
            ENV_FILE,
            REDIS_PASSWORD,
            JWT_SECRET,
            Code::SecretReused,
            "REDIS_PASSWORD=kX7pQ2mV9sRt4wYz8bNc1dFg5hJk3lMa6oPe",
            replace(&format!("REDIS_PASSWORD={NEW_SECRET}")),
        ),
        (
            ENV_FILE,
            "ADMIN_PASS=correct-Horse7-battery",
            "ADMIN_PASS=correct-$Horse7-battery",
            Code::EnvDollar,
            "ADMIN_PASS=correct-$Horse7-battery",
            replace("ADMIN_PASS='<the same, in single quotes>'"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_password_and_its_hash() {
    let hash = "      ADMIN_PASS_HASH: $$argon2id$$v=19\n";
    let compose = "    TRUSTED_PROXIES: private\n";
    let deployment = Deployment::new().change(COMPOSE_FILE, compose, &format!("{compose}    {}", hash.trim_start()));
    let findings = deployment.examine().await;
    let line = deployment.line(ENV_FILE, "ADMIN_PASS=correct-Horse7-battery");
    assert_eq!(place(only(&findings, Code::AdminPasswordTwice)), (format!(".env:{line}"), Some(Edit::Delete)));
}

#[tokio::test]
async fn who_may_read_them() {
    let deployment = Deployment::new();
    deployment.mode(ENV_FILE, 0o644);
    let findings = deployment.examine().await;
    let finding = only(&findings, Code::EnvFileReadable);
    assert_eq!(place(finding), (ENV_FILE.into(), Some(Edit::Run("chmod 600 .env".into()))));
    assert!(finding.seen.contains("everybody on this machine (mode 644)"), "{}", finding.seen);
}

#[tokio::test]
async fn settings() {
    each(&[
        (
            ENV_FILE,
            "LOG_LEVEL=info",
            "LOG_LEVEL=info,chat_node=debug",
            Code::LogLevelVerbose,
            "LOG_LEVEL=info,chat_node=debug",
            replace("LOG_LEVEL=info"),
        ),
        (
            ENV_FILE,
            "LIMIT_MESSAGE_NODE=20,200ms",
            "LIMIT_MESSAGE_NODE=off",
            Code::LimitOff,
            "LIMIT_MESSAGE_NODE=off",
            replace("LIMIT_MESSAGE_NODE=20,200ms"),
        ),
        (
            ENV_FILE,
            "DRAIN_WINDOW=10s",
            "DRAIN_WINDOW=0s",
            Code::DrainWindowZero,
            "DRAIN_WINDOW=0s",
            replace("DRAIN_WINDOW=10s"),
        ),
        (ENV_FILE, "NODE_LEASE=10s", "NODE_LEASE=5m", Code::NodeLeaseOdd, "NODE_LEASE=5m", replace("NODE_LEASE=10s")),
        (ENV_FILE, "NODE_LEASE=10s", "NODE_LEASE=2s", Code::NodeLeaseOdd, "NODE_LEASE=2s", replace("NODE_LEASE=10s")),
        (
            ENV_FILE,
            "RESUME_GRACE=10s",
            "RESUME_GRACE=1s",
            Code::ResumeGraceShort,
            "RESUME_GRACE=1s",
            replace("RESUME_GRACE=10s"),
        ),
        (
            ENV_FILE,
            "=https://chat.example.org",
            "=https://chat.example.org/",
            Code::OriginMalformed,
            "ALLOWED_ORIGINS=https://chat.example.org/",
            replace("ALLOWED_ORIGINS=https://chat.example.org"),
        ),
        (
            COMPOSE_FILE,
            "TRUSTED_PROXIES: private",
            "TRUSTED_PROXIES: none",
            Code::TrustedProxiesNone,
            "TRUSTED_PROXIES: none",
            replace("TRUSTED_PROXIES: private"),
        ),
        (
            COMPOSE_FILE,
            "TRUSTED_PROXIES: private",
            "TRUSTED_PROXIES: 10.0.0.1,0.0.0.0/0",
            Code::TrustedProxiesWide,
            "TRUSTED_PROXIES: 10.0.0.1,0.0.0.0/0",
            replace("TRUSTED_PROXIES: private"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn what_is_missing_is_added_where_compose_hands_it_on() {
    let deployment = Deployment::new().change(COMPOSE_FILE, "    TRUSTED_PROXIES: private\n", "");
    let findings = deployment.examine().await;
    let after = deployment.line(COMPOSE_FILE, "LIMIT_MESSAGE_NODE: ${LIMIT_MESSAGE_NODE:-}");
    let expected = (format!("{COMPOSE_FILE}:{after}"), insert("    TRUSTED_PROXIES: \"private\""));
    assert_eq!(place(only(&findings, Code::TrustedProxiesNone)), expected);
}

#[tokio::test]
async fn a_setting_that_no_service_starts_with() {
    let mut deployment = Deployment::new().change(ENV_FILE, "HEARTBEAT=25s", "HEARTBEAT=soon");
    let env = MapEnv::from_iter([("HEARTBEAT", "soon")]);
    let mut r = Reader::new(&env);
    let _ = r.duration(&Variable::new("HEARTBEAT", ""));
    deployment.faults = r.finish().unwrap_err().faults().to_vec();
    let findings = deployment.examine().await;
    let line = deployment.line(ENV_FILE, "HEARTBEAT=soon");
    assert_eq!(place(only(&findings, Code::SettingRefused)), (format!(".env:{line}"), replace("HEARTBEAT=25s")));
    assert_eq!(doctor::examine::status(&findings), 64);
}

#[tokio::test]
async fn nginx() {
    let location = "location = /ws {";
    each(&[
        (
            NGINX_FILE,
            "            proxy_set_header Upgrade $http_upgrade;\n",
            "",
            Code::ProxyUpgradeHeaders,
            location,
            insert("proxy_set_header Upgrade $http_upgrade;"),
        ),
        (
            NGINX_FILE,
            "            proxy_http_version 1.1;\n",
            "",
            Code::ProxyUpgradeHeaders,
            location,
            insert("proxy_http_version 1.1;"),
        ),
        (
            NGINX_FILE,
            "Host $http_host",
            "Host $proxy_host",
            Code::ProxyHostHeader,
            "proxy_set_header Host $proxy_host;",
            replace("proxy_set_header Host $http_host;"),
        ),
        (
            NGINX_FILE,
            "            proxy_set_header X-Forwarded-For $remote_addr;\n",
            "",
            Code::ProxyForwardedFor,
            location,
            insert("proxy_set_header X-Forwarded-For $remote_addr;"),
        ),
        (
            NGINX_FILE,
            "proxy_read_timeout 75s",
            "proxy_read_timeout 30s",
            Code::ProxyReadTimeout,
            "proxy_read_timeout 30s;",
            replace("proxy_read_timeout 75s;"),
        ),
        (
            NGINX_FILE,
            "${WORKER_CONNECTIONS}",
            "1024",
            Code::WorkerConnectionsLow,
            "worker_connections 1024;",
            replace("worker_connections 21024;"),
        ),
        (
            NGINX_FILE,
            "${WORKER_CONNECTIONS}",
            "8192",
            Code::WorkerConnectionsBelowMax,
            "worker_connections 8192;",
            replace("worker_connections 21024;"),
        ),
        (
            NGINX_FILE,
            "nofile 70000",
            "nofile 4096",
            Code::WorkerFilesLow,
            "worker_rlimit_nofile 4096;",
            replace("worker_rlimit_nofile 66560;"),
        ),
        // What a template's variable stands for is in the compose file.
        (
            COMPOSE_FILE,
            "\"65536\"",
            "\"1024\"",
            Code::WorkerConnectionsLow,
            "WORKER_CONNECTIONS: \"1024\"",
            replace("WORKER_CONNECTIONS: \"21024\""),
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_default_of_nginx_is_too_short_for_a_long_heartbeat() {
    let deployment = Deployment::new().change(NGINX_FILE, "            proxy_read_timeout 75s;\n", "").change(
        ENV_FILE,
        "HEARTBEAT=25s",
        "HEARTBEAT=40s",
    );
    let findings = deployment.examine().await;
    let expected = (
        format!("{NGINX_FILE}:{}", deployment.line(NGINX_FILE, "location = /ws {")),
        insert("proxy_read_timeout 120s;"),
    );
    assert_eq!(place(only(&findings, Code::ProxyReadTimeout)), expected);
}

#[tokio::test]
async fn redis() {
    each(&[
        (
            REDIS_FILE,
            "appendfsync always",
            "appendfsync everysec",
            Code::RedisAppendFsync,
            "appendfsync everysec",
            replace("appendfsync always"),
        ),
        (
            REDIS_FILE,
            "appendonly yes",
            "appendonly no",
            Code::RedisAppendOnly,
            "appendonly no",
            replace("appendonly yes"),
        ),
        (
            REDIS_FILE,
            "noeviction",
            "allkeys-lru",
            Code::RedisEviction,
            "maxmemory-policy allkeys-lru",
            replace("maxmemory-policy noeviction"),
        ),
        (REDIS_FILE, "maxmemory 1gb", "maxmemory 0", Code::RedisMaxMemory, "maxmemory 0", replace("maxmemory 1gb")),
        (
            REDIS_FILE,
            "save \"\"",
            "replicaof 10.0.0.2 6379",
            Code::RedisReplica,
            "replicaof 10.0.0.2 6379",
            Some(Edit::Delete),
        ),
        // What is missing comes after the last line.
        (
            REDIS_FILE,
            "appendfsync always\n",
            "",
            Code::RedisAppendFsync,
            "maxmemory-policy noeviction",
            insert("appendfsync always"),
        ),
        // The command goes before the file.
        (
            COMPOSE_FILE,
            "--requirepass",
            "--appendfsync no --requirepass",
            Code::RedisAppendFsync,
            "command: redis-server /etc/redis.conf --appendfsync no --requirepass ${REDIS_PASSWORD}",
            replace("--appendfsync always"),
        ),
        (
            COMPOSE_FILE,
            "redis:7.4-alpine",
            "redis:6.2-alpine",
            Code::RedisVersion,
            "image: redis:6.2-alpine",
            replace("image: redis:7-alpine"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn snapshots_alone() {
    let deployment = Deployment::new().change(REDIS_FILE, "appendonly yes", "appendonly no").change(
        REDIS_FILE,
        "save \"\"",
        "save 60 1",
    );
    let findings = deployment.examine().await;
    let line = deployment.line(REDIS_FILE, "appendonly no");
    assert_eq!(
        place(only(&findings, Code::RedisSnapshotsOnly)),
        (format!("{REDIS_FILE}:{line}"), replace("appendonly yes"))
    );
}

#[tokio::test]
async fn redis_without_a_password() {
    let deployment = Deployment::new()
        .change(ENV_FILE, "REDIS_PASSWORD=Zr8uT3xW6vB1nM4qS9kD2fG7\n", "")
        .change(COMPOSE_FILE, " --requirepass ${REDIS_PASSWORD}", "")
        .change(COMPOSE_FILE, "redis://:${REDIS_PASSWORD}@redis", "redis://redis")
        .change(REDIS_FILE, "protected-mode yes", "protected-mode no");
    let findings = deployment.examine().await;
    let wrong = wrong(&findings);
    assert_eq!(
        wrong.iter().map(|f| f.code).collect::<Vec<_>>(),
        [Code::RedisPasswordMissing, Code::RedisProtectedMode]
    );
    let line = deployment.line(REDIS_FILE, "protected-mode no");
    assert_eq!(place(wrong[1]), (format!("{REDIS_FILE}:{line}"), replace("protected-mode yes")));
}

#[tokio::test]
async fn compose() {
    each(&[
        (
            COMPOSE_FILE,
            "    image: roomful/gateway\n",
            "    image: roomful/gateway\n    ports:\n      - \"8081:8080\"\n",
            Code::ComposePorts,
            "- \"8081:8080\"",
            Some(Edit::Delete),
        ),
        (
            COMPOSE_FILE,
            "    volumes:\n      - redis-data:/data\n",
            "",
            Code::ComposeRedisVolume,
            "redis:",
            insert("    volumes:\n      - redis-data:/data"),
        ),
        (
            COMPOSE_FILE,
            "stop_grace_period: 20s",
            "stop_grace_period: 12s",
            Code::ComposeStopGrace,
            "stop_grace_period: 12s",
            replace("stop_grace_period: 20s"),
        ),
        (
            COMPOSE_FILE,
            "    stop_grace_period: 20s\n",
            "",
            Code::ComposeStopGrace,
            "chat-node:",
            insert("    stop_grace_period: 20s"),
        ),
        (
            COMPOSE_FILE,
            "nofile: 65536",
            "nofile: 1024",
            Code::ComposeOpenFiles,
            "nofile: 1024",
            replace("nofile: 25000"),
        ),
        (
            COMPOSE_FILE,
            "    ulimits:\n      nofile: 65536\n",
            "",
            Code::ComposeOpenFiles,
            "chat-node:",
            insert("    ulimits:\n      nofile: 25000"),
        ),
        (
            COMPOSE_FILE,
            "    restart: unless-stopped\n    image: redis",
            "    restart: \"no\"\n    image: redis",
            Code::ComposeRestart,
            "restart: \"no\"",
            replace("restart: unless-stopped"),
        ),
        (
            COMPOSE_FILE,
            ", \"--live\"",
            "",
            Code::ComposeHealthReadiness,
            "test: [\"CMD\", \"/chat-node\", \"health\"]",
            replace("test: [\"CMD\", \"/chat-node\", \"health\", \"--live\"]"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_file_that_is_none() {
    let deployment = Deployment::new().change(COMPOSE_FILE, "services:\n", "services: [\n");
    let findings = deployment.examine().await;
    let finding = findings.iter().find(|finding| finding.code == Code::FileUnreadable).unwrap();
    let (at, _) = place(finding);
    assert!(
        at.starts_with(&format!("{COMPOSE_FILE}:")) && at.split(':').nth(1).unwrap().parse::<u32>().is_ok(),
        "{at}"
    );
    assert_eq!(doctor::examine::status(&findings), 64);
}

#[tokio::test]
async fn what_comes_from_the_environment_names_the_variable() {
    let mut deployment = Deployment::bare();
    deployment.env = MapEnv::from_iter([("JWT_SECRET", "short"), ("ADMIN_PASS", ADMIN_PASS)]);
    let findings = deployment.examine().await;
    let finding = only(&findings, Code::JwtSecretShort);
    assert_eq!(finding.place.clone().unwrap().to_string(), "environment: JWT_SECRET=(hidden, 5 bytes)");
}

#[tokio::test]
async fn few_open_files() {
    let mut deployment = Deployment::bare();
    let env = [("JWT_SECRET", JWT_SECRET), ("ADMIN_PASS", ADMIN_PASS), ("MAX_CONNECTIONS", "2000000")];
    deployment.env = MapEnv::from_iter(env);
    let findings = deployment.examine().await;
    let finding = only(&findings, Code::OpenFilesLow);
    assert_eq!(place(finding), ("environment".into(), Some(Edit::Run("export MAX_CONNECTIONS=800000".into()))));
    assert!(finding.change.contains("ulimit -Hn 2500000"), "{}", finding.change);
}

#[test]
fn the_site_and_who_may_open_sockets() {
    for (origins, url, code, wanted) in [
        (
            "https://other.example",
            "https://a.example",
            Code::OriginsLackSite,
            "https://other.example,https://a.example",
        ),
        ("http://a.example", "https://a.example", Code::OriginScheme, "https://a.example"),
        ("https://a.example", "http://a.example", Code::OriginScheme, "http://a.example"),
    ] {
        let env = EnvFile::parse(Text::new(ENV_FILE, &format!("# ours\nALLOWED_ORIGINS={origins}\n")));
        let files = Files { env: Some(env), ..Files::default() };
        let (process, mut out) = (MapEnv::default(), Findings::default());
        let known = Known::new(&files, &process, VARIABLES, MACHINE);
        origins_of(&known, Some(&Site::parse(url).unwrap()), &mut out);
        let findings = out.finish();
        let expected = (".env:2".to_owned(), replace(&format!("ALLOWED_ORIGINS={wanted}")));
        assert_eq!(place(only(&findings, code)), expected);
    }
}
