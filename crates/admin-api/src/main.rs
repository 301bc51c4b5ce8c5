//! `admin-api`: HTTP under `/admin`, in a process of its own. It has no state: any number of them do.

use admin_api::Config;
use engine::clock::{Entropy, SystemClock, SystemEntropy};
use engine_redis::{PATIENCE, RedisCluster, RedisConfig};
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
    admin: Config,
    redis: RedisConfig,
}

fn main() -> ExitCode {
    let about = "answers Roomful's operators under /admin; any number of them do";
    let sections = || {
        vec![
            ("Where the processes of a cluster meet", engine_redis::env::VARIABLES.to_vec()),
            ("The admin API", [&[NODE_ID], Config::VARIABLES, Config::LIMITS].concat()),
        ]
    };
    Program { name: "admin-api", version: VERSION, about, sections, more: &[] }.main(
        read,
        |settings| settings.node_id.to_string(),
        serve,
    )
}

fn read(r: &mut Reader<'_>) -> Value<Settings> {
    let (node_id, admin, redis) = (node_id(r, SystemEntropy.uuid()), Config::read(r), RedisConfig::read(r));
    r.reject_unknown("LIMIT_", limit_variables().iter().map(String::as_str));
    Value::build(|| Ok(Settings { node_id: node_id.get()?, admin: admin.get()?, redis: redis.get()? }))
}

async fn serve(settings: Settings, listener: TcpListener, lifecycle: Lifecycle) -> Served {
    let Settings { node_id, admin, redis } = settings;
    let waiting = RedisCluster::wait_for(redis, PATIENCE);
    let Some(cluster) = lifecycle.soft.run_until_cancelled(waiting).await.transpose()? else { return Ok(()) };
    let (ports, health) = (cluster.node(node_id.clone()), Health::new());
    health.add_check("redis", Arc::new(cluster.clone()));
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let server = admin_api::build(admin, node_id, ports, clock, entropy, health, VERSION, listener).await?;
    cluster.show(server.metrics());
    Ok(server.run(&lifecycle).await?)
}
