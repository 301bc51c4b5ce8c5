//! `roomful`: the whole product in one process.

use engine::{
    MemoryCluster, Ports,
    clock::{Entropy, SystemClock, SystemEntropy},
};
use engine_redis::{ConnectError, PATIENCE, RedisCluster};
use roomful::{
    config::{self, Config},
    product,
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
        [] => serve(&ProcessEnv),
        ["--dev"] => serve(&config::with_made_up_secrets(&ProcessEnv, [SystemEntropy.uuid(), SystemEntropy.uuid()])),
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

fn serve(env: &dyn Env) -> ExitCode {
    let config = match Config::from_env(env, SystemEntropy.uuid()) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("roomful: {faults}\n`make run` makes up what a developer's machine needs.");
            return ExitCode::from(u8::try_from(EXIT_CONFIG).unwrap_or(1));
        }
    };
    config.telemetry.init();
    program::run("roomful", |lifecycle| run(config, lifecycle))
}

async fn run(config: Config, lifecycle: Lifecycle) -> Served {
    let listener = server::bind(config.address)?;
    let address = listener.local_addr()?;
    let (clock, entropy, health) = (Arc::new(SystemClock), Arc::new(SystemEntropy), Health::new());
    let ports = ports(&config, clock.clone(), entropy.clone(), &health);
    let Some(ports) = lifecycle.soft.run_until_cancelled(ports).await.transpose()? else { return Ok(()) };
    let product = product::build(config, ports, clock, entropy, health, listener).await?;

    let shown = if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    };
    say(&format!("\n  Roomful is at  {shown}\n\n  Open it in two windows and talk. Ctrl-C ends it.\n"));
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

/// What the node stands on: a Redis that it shares with others, or this process's memory.
async fn ports(
    config: &Config,
    clock: Arc<SystemClock>,
    entropy: Arc<SystemEntropy>,
    health: &Health,
) -> Result<Ports, ConnectError> {
    let node = config.chat_node.node_id.clone();
    let Some(redis) = &config.redis else {
        return Ok(MemoryCluster::new(clock, entropy, config.chat_node.retention).node(node));
    };
    let cluster = RedisCluster::wait_for(redis.clone(), PATIENCE).await?;
    health.add_check("redis", Arc::new(cluster.clone()));
    Ok(cluster.node(node))
}

/// To whoever still listens: a closed pipe is no reason to end.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
