//! `chat-node`: sockets, in a process of their own. Any number of them meet in Redis.

use chat_node::{Config, SERVICE, VERSION, config};
use engine::clock::{Entropy, SystemClock, SystemEntropy};
use engine_redis::{PATIENCE, RedisCluster, RedisConfig};
use protocol::policy::limit_variables;
use runtime::{
    env::{Reader, Value},
    health::Health,
    lifecycle::Lifecycle,
    program::{Program, Served},
};
use std::{net::TcpListener, process::ExitCode, sync::Arc};

fn main() -> ExitCode {
    let about = "owns the WebSockets of Roomful; any number of them meet in Redis";
    let sections = || {
        vec![
            ("Where the processes of a cluster meet", engine_redis::env::VARIABLES.to_vec()),
            ("Clients and their sockets", config::VARIABLES.to_vec()),
            ("Limits that protect the cluster", config::limit_variables()),
        ]
    };
    Program { name: SERVICE, version: VERSION, about, sections, more: &[] }.main(
        read,
        |(config, _)| config.node_id.to_string(),
        serve,
    )
}

fn read(r: &mut Reader<'_>) -> Value<(Config, RedisConfig)> {
    let (config, redis) = (Config::read(r, SystemEntropy.uuid()), RedisConfig::read(r));
    r.reject_unknown("LIMIT_", limit_variables().iter().map(String::as_str));
    Value::build(|| Ok((config.get()?, redis.get()?)))
}

async fn serve((config, redis): (Config, RedisConfig), listener: TcpListener, lifecycle: Lifecycle) -> Served {
    let redis = redis.for_nodes(config.retention, config.engine.lease, config.engine.heartbeat);
    let waiting = RedisCluster::wait_for(redis, PATIENCE);
    let Some(cluster) = lifecycle.soft.run_until_cancelled(waiting).await.transpose()? else { return Ok(()) };
    let (ports, health) = (cluster.node(config.node_id.clone()), Health::new());
    health.add_check("redis", Arc::new(cluster.clone()));
    let node =
        chat_node::build(config, ports, Arc::new(SystemClock), Arc::new(SystemEntropy), health, listener).await?;
    cluster.show(node.metrics());
    Ok(node.run(&lifecycle).await?)
}
