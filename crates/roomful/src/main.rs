//! `roomful`: the whole product in one process.

use engine::{
    MemoryCluster,
    clock::{Entropy, SystemClock, SystemEntropy},
};
use engine_redis::{ConnectError, PATIENCE, RedisCluster};
use protocol::NodeId;
use roomful::{
    config::{self, Config},
    product::{self, Backends},
};
use runtime::{
    env::{EXIT_CONFIG, Env, ProcessEnv},
    health::Health,
    lifecycle::Lifecycle,
    program::{self, Served},
    server,
};
use std::{io::Write as _, process::ExitCode, sync::Arc};

const HELP: &str = "\
roomful: multi-room chat in the browser, in one process

usage: roomful [--dev]      serve until Ctrl-C
       roomful env          print every environment variable, as in .env.example
       roomful --version

  --dev   make up the secrets that are not set; they change with each start,
          so everybody is a new guest then

The variables are read and checked before a port is bound; what is wrong with
them is told at once, and the exit status is 64.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => serve(&ProcessEnv, None),
        ["--dev"] => {
            let fresh = || SystemEntropy.uuid();
            let made_up = config::with_made_up_secrets(&ProcessEnv, [fresh(), fresh()], fresh());
            serve(&made_up.env, made_up.password)
        }
        ["env"] => {
            print!("{}", config::example());
            ExitCode::SUCCESS
        }
        ["--version" | "-V"] => {
            println!("roomful {}", product::VERSION);
            ExitCode::SUCCESS
        }
        ["--help" | "-h" | "help"] => {
            println!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("roomful: no such argument: {}\n\n{HELP}", args.join(" "));
            ExitCode::from(2)
        }
    }
}

/// `password`: the admin's, if nobody else knows it.
fn serve(env: &dyn Env, password: Option<String>) -> ExitCode {
    let config = match Config::from_env(env, SystemEntropy.uuid()) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("roomful: {faults}\n`make run` makes up what a developer's machine needs.");
            return ExitCode::from(u8::try_from(EXIT_CONFIG).unwrap_or(1));
        }
    };
    config.telemetry.init();
    program::run("roomful", |lifecycle| run(config, password, lifecycle))
}

async fn run(config: Config, password: Option<String>, lifecycle: Lifecycle) -> Served {
    let listener = server::bind(config.address)?;
    let address = listener.local_addr()?;
    let (clock, entropy, health) = (Arc::new(SystemClock), Arc::new(SystemEntropy), Health::new());
    let admin = entropy.uuid().to_string().parse()?;
    let backends = backends(&config, clock.clone(), entropy.clone(), &health, admin);
    let Some(backends) = lifecycle.soft.run_until_cancelled(backends).await.transpose()? else { return Ok(()) };
    let user = config.admin_api.user.clone();
    let product = product::build(config, backends, clock, entropy, health, listener).await?;

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

/// What the services stand on: a Redis that they share with others, or this process's memory.
async fn backends(
    config: &Config,
    clock: Arc<SystemClock>,
    entropy: Arc<SystemEntropy>,
    health: &Health,
    admin: NodeId,
) -> Result<Backends, ConnectError> {
    let node = config.chat_node.node_id.clone();
    let Some(redis) = &config.redis else {
        let cluster = MemoryCluster::new(clock, entropy, config.chat_node.retention);
        return Ok(Backends { node: cluster.node(node), admin: (admin.clone(), cluster.node(admin)) });
    };
    let cluster = RedisCluster::wait_for(redis.clone(), PATIENCE).await?;
    health.add_check("redis", Arc::new(cluster.clone()));
    Ok(Backends { node: cluster.node(node), admin: (admin.clone(), cluster.node(admin)) })
}

/// To whoever still listens: a closed pipe is no reason to end.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
