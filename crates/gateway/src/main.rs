//! `gateway`: HTTP under `/api`, in a process of its own. It has no state: any number of them do.

use engine::clock::{Entropy, SystemClock, SystemEntropy};
use engine_redis::{PATIENCE, RedisCluster, RedisConfig};
use gateway::Config;
use protocol::{NodeId, policy::limit_variables};
use runtime::{
    env::{Reader, Value},
    health::Health,
    lifecycle::Lifecycle,
    program::{NODE_ID, Program, Served, node_id},
};
use std::{net::TcpListener, process::ExitCode, sync::Arc};

const VERSION: &str = env!("CARGO_PKG_VERSION");

struct Settings {
    node_id: NodeId,
    gateway: Config,
    redis: RedisConfig,
}

fn main() -> ExitCode {
    let about = "answers Roomful's HTTP calls under /api; any number of them do";
    let sections = || {
        vec![
            ("Where the processes of a cluster meet", engine_redis::env::VARIABLES.to_vec()),
            ("The gateway", [&[NODE_ID], Config::VARIABLES].concat()),
        ]
    };
    Program { name: "gateway", version: VERSION, about, sections, more: &[] }.main(
        read,
        |settings| settings.node_id.to_string(),
        serve,
    )
}

fn read(r: &mut Reader<'_>) -> Value<Settings> {
    let (node_id, gateway, redis) = (node_id(r, SystemEntropy.uuid()), Config::read(r), RedisConfig::read(r));
    r.reject_unknown("LIMIT_", limit_variables().iter().map(String::as_str));
    Value::build(|| Ok(Settings { node_id: node_id.get()?, gateway: gateway.get()?, redis: redis.get()? }))
}

async fn serve(settings: Settings, listener: TcpListener, lifecycle: Lifecycle) -> Served {
    let Settings { node_id, gateway, redis } = settings;
    let waiting = RedisCluster::wait_for(redis, PATIENCE);
    let Some(cluster) = lifecycle.soft.run_until_cancelled(waiting).await.transpose()? else { return Ok(()) };
    let (ports, health) = (cluster.node(node_id.clone()), Health::new());
    health.add_check("redis", Arc::new(cluster.clone()));
    let server = gateway::build(gateway, node_id, ports, Arc::new(SystemClock), health, VERSION, listener)?;
    // One document for all of the product's HTTP.
    let server = server.describing(admin_api::document(VERSION));
    cluster.show(server.metrics());
    cluster.show_server(server.metrics());
    let asking = lifecycle.soft.clone().run_until_cancelled_owned(async move { cluster.keep_asking_server().await });
    lifecycle.spawn(asking);
    Ok(server.run(&lifecycle).await?)
}
