//! What docker-compose.yml reads and no program does. Declared here, so that `.env.example` has all that can be set.

use runtime::env::{DURATION, Variable};

const BYTES: &str = "bytes, or with k, m, g behind";
const IMAGE: &str = "an image";

/// In the order of the file.
pub const VARIABLES: &[Variable] = &[
    Variable::new("REDIS_PASSWORD", "Redis asks everybody for it. `make env` makes one up.").secret(),
    Variable::new(
        "BIND",
        "Where nginx can be reached. 127.0.0.1 leaves only this machine in, as a proxy in front of it.",
    )
    .default("0.0.0.0")
    .unit("IP address"),
    Variable::new("OPEN_FILES", "Files that a process may have open: one a client in a chat-node, two in nginx.")
        .default("65536")
        .unit("count"),
    Variable::new("NGINX_CONNECTIONS", "Connections that a worker of nginx holds; two carry one WebSocket.")
        .default("60000")
        .unit("count, below OPEN_FILES"),
    Variable::new("NGINX_WORKERS", "Workers of nginx.").default("auto").unit("count, or auto: one a core"),
    Variable::new("NGINX_MEMORY", "What nginx may take.").default("1g").unit(BYTES),
    Variable::new("CHAT_NODE_MEMORY", "What one chat-node may take; an idle client is some 4 KiB.")
        .default("2g")
        .unit(BYTES),
    Variable::new("GATEWAY_MEMORY", "What one gateway may take.").default("256m").unit(BYTES),
    Variable::new("ADMIN_API_MEMORY", "What one admin-api may take.").default("256m").unit(BYTES),
    Variable::new("REDIS_MAX_MEMORY", "What Redis may hold; when that is full, messages are refused.")
        .default("512mb")
        .unit("bytes, or with kb, mb, gb behind"),
    Variable::new("REDIS_MEMORY", "What its container may take. Twice as much: a rewrite of its file forks it.")
        .default("1g")
        .unit(BYTES),
    Variable::new("STOP_GRACE_PERIOD", "How long a chat-node may take to end. Above DRAIN_WINDOW by 15 s or more.")
        .default("30s")
        .unit(DURATION),
    Variable::new("IMAGES", "Where the images are, as in ghcr.io/roomful.")
        .default("roomful")
        .unit("what stands before the name"),
    Variable::new("VERSION", "Which of them.").default("local").unit("a tag"),
    Variable::new("REDIS_IMAGE", "Redis 7.0 or newer, or Valkey.").default("redis:7.4-bookworm").unit(IMAGE),
    Variable::new("PROMETHEUS_IMAGE", "With --profile observability.").default("prom/prometheus:v3.5.0").unit(IMAGE),
    Variable::new("PROMETHEUS_RETENTION", "How long Prometheus keeps what it has seen.")
        .default("15d")
        .unit("duration"),
    Variable::new("PROMETHEUS_PORT", "Where Prometheus is, on this machine only.").default("9090").unit("port"),
    Variable::new("GRAFANA_IMAGE", "With --profile observability.").default("grafana/grafana:12.1.0").unit(IMAGE),
    Variable::new("GRAFANA_PASSWORD", "Of the user admin in Grafana.").secret(),
    Variable::new("GRAFANA_PORT", "Where Grafana is, on this machine only.").default("3000").unit("port"),
    Variable::new("ENV_FILE", "What the doctor reads.").default("./.env").unit("a file"),
];
