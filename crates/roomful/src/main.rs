//! `roomful`: the whole product in one process.

use doctor::{check::Machine, examine::Surroundings};
use engine::{
    MemoryCluster,
    clock::{Clock, Entropy, SystemClock, SystemEntropy},
};
use engine_redis::{ConnectError, PATIENCE, RedisCluster};
use protocol::NodeId;
use roomful::{
    config::{self, Config, PROGRAM},
    product::{self, Backends},
};
use runtime::{
    env::{EXIT_CONFIG, Env, ProcessEnv},
    health::Health,
    lifecycle::Lifecycle,
    program::{self, Served},
    server::{self, HOST, PORT},
    telemetry::{self, Process, Telemetry, say_why},
    traces,
};
use std::{io::Write as _, path::Path, process::ExitCode, sync::Arc};

/// What it is called, in logs and elsewhere.
const SERVICE: &str = "roomful";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--dev"] => {
            let fresh = || SystemEntropy.uuid();
            let made_up = config::with_made_up_secrets(&ProcessEnv, [fresh(), fresh()], fresh());
            serve(&made_up.env, made_up.password)
        }
        ["doctor", ..] => diagnose(&arguments[1..]),
        _ => PROGRAM.answer(&arguments).unwrap_or_else(|| serve(&ProcessEnv, None)),
    }
}

/// Looks at a deployment. It serves nothing, and reads what services would.
fn diagnose(arguments: &[String]) -> ExitCode {
    let open_files = runtime::files::raise_limit();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let variables: Vec<_> = [HOST, PORT]
        .into_iter()
        .chain(config::sections().into_iter().flat_map(|(_, variables)| variables))
        .chain(telemetry::VARIABLES.iter().chain(traces::VARIABLES).copied())
        .collect();
    let faults = |env: &dyn Env| match Config::from_env(env, SystemEntropy.uuid()) {
        Ok(_) => vec![],
        Err(faults) => faults.faults().to_vec(),
    };
    let now = || SystemClock.now().0;
    let surroundings = Surroundings {
        env: &ProcessEnv,
        variables: &variables,
        faults: &faults,
        now: &now,
        machine: Machine { open_files, cores },
        directory: Path::new(""),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            let status = runtime.block_on(doctor::examine::main(arguments, &surroundings));
            // A name's look-up may hang; nobody waits for it any more.
            runtime.shutdown_background();
            status
        }
        Err(e) => {
            eprintln!("roomful doctor: {e}");
            ExitCode::FAILURE
        }
    }
}

/// `password`: the admin's, if nobody else knows it.
fn serve(env: &dyn Env, password: Option<String>) -> ExitCode {
    let config = match Config::from_env(env, SystemEntropy.uuid()) {
        Ok(config) => config,
        Err(faults) => {
            Telemetry::init_for_faults(env, SERVICE);
            say_why(SERVICE, &format!("{faults}\n`make run` makes up what a developer's machine needs."));
            return ExitCode::from(u8::try_from(EXIT_CONFIG).unwrap_or(1));
        }
    };
    let process = Process { service: SERVICE, node: Some(config.chat_node.node_id.to_string()) };
    if let Err(why) = program::follow(&config.telemetry, config.traces.as_ref(), process) {
        say_why(SERVICE, &why);
        return ExitCode::FAILURE;
    }
    program::run(SERVICE, |lifecycle| run(config, password, lifecycle))
}

async fn run(config: Config, password: Option<String>, lifecycle: Lifecycle) -> Served {
    let listener = server::bind(config.address)?;
    let address = listener.local_addr()?;
    let (clock, entropy, health) = (Arc::new(SystemClock), Arc::new(SystemEntropy), Health::new());
    let admin = entropy.uuid().to_string().parse()?;
    let backends = backends(&config, clock.clone(), entropy.clone(), &health, admin);
    let Some((backends, cluster)) = lifecycle.soft.run_until_cancelled(backends).await.transpose()? else {
        return Ok(());
    };
    let user = config.admin_api.user.clone();
    let product = product::build(config, backends, clock, entropy, health, listener).await?;
    if let Some(cluster) = cluster {
        cluster.show(product.metrics());
        cluster.show_server(product.metrics());
        let asking = async move { cluster.keep_asking_server().await };
        lifecycle.spawn(lifecycle.soft.clone().run_until_cancelled_owned(asking));
    }

    let shown = if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    };
    let dashboard = match password {
        Some(password) => {
            format!("{shown}/admin/\n                 as {user}, with the password of this run: {password}")
        }
        None => format!("{shown}/admin/"),
    };
    say(&format!(
        "\n  Roomful is at  {shown}\n  The dashboard  {dashboard}\n\n  Open it in two windows and talk. Ctrl-C ends it.\n"
    ));
    let ending = async {
        lifecycle.soft.cancelled().await;
        say("  ending; once more Ctrl-C ends it at once");
        std::future::pending().await
    };
    tokio::select! {
        served = product.run(&lifecycle) => Ok(served?),
        () = ending => Ok(()),
    }
}

/// What the services stand on: a Redis that they share with others, or this process's memory. And the Redis, if it is one.
async fn backends(
    config: &Config,
    clock: Arc<SystemClock>,
    entropy: Arc<SystemEntropy>,
    health: &Health,
    admin: NodeId,
) -> Result<(Backends, Option<RedisCluster>), ConnectError> {
    let node = config.chat_node.node_id.clone();
    let Some(redis) = &config.redis else {
        let cluster = MemoryCluster::new(clock, entropy, config.chat_node.retention);
        return Ok((Backends { node: cluster.node(node), admin: (admin.clone(), cluster.node(admin)) }, None));
    };
    let cluster = RedisCluster::wait_for(redis.clone(), PATIENCE).await?;
    health.add_check("redis", Arc::new(cluster.clone()));
    let backends = Backends { node: cluster.node(node), admin: (admin.clone(), cluster.node(admin)) };
    Ok((backends, Some(cluster)))
}

/// To whoever still listens: a closed pipe is no reason to end.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
