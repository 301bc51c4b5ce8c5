//! `roomful`: the whole product in one process.

use engine::clock::{Entropy, SystemClock, SystemEntropy};
use roomful::{
    config::{self, Config},
    product,
};
use runtime::{
    env::{EXIT_CONFIG, Env, ProcessEnv},
    files,
    lifecycle::Lifecycle,
    server,
};
use std::{io::Write as _, process::ExitCode, sync::Arc, time::Duration};

const HELP: &str = "\
roomful: multi-room chat in the browser, in one process

usage: roomful [--dev]      serve until Ctrl-C
       roomful env          print every environment variable, as in .env.example
       roomful --version

  --dev   make up the secrets that are not set; they change with each start,
          so everybody is a new guest then

The variables are read and checked before a port is bound; what is wrong with
them is told at once, and the exit status is 64.";

/// How long clients and requests get to end before the process does.
const GRACE: Duration = Duration::from_secs(15);

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
    files::raise_limit();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&e),
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(e.as_ref()),
    }
}

async fn run(config: Config) -> Result<(), Box<dyn std::error::Error>> {
    let listener = server::bind(config.address)?;
    let address = listener.local_addr()?;
    let product = product::build(config, Arc::new(SystemClock), Arc::new(SystemEntropy), listener).await?;

    let lifecycle = Lifecycle::new();
    lifecycle.listen_for_signals()?;
    let serving = {
        let lifecycle = lifecycle.clone();
        tokio::spawn(async move { product.run(&lifecycle).await })
    };
    let shown = if address.ip().is_loopback() || address.ip().is_unspecified() {
        format!("http://localhost:{}", address.port())
    } else {
        format!("http://{address}")
    };
    say(&format!("\n  Roomful is at  {shown}\n\n  Open it in two windows and talk. Ctrl-C ends it.\n"));

    lifecycle.soft.cancelled().await;
    if !serving.is_finished() {
        say("  ending; once more Ctrl-C ends it at once");
    }
    let ended = lifecycle.shutdown(GRACE).await;
    if !ended {
        return Err("not everything ended in time".into());
    }
    Ok(serving.await??)
}

/// To whoever still listens: a closed pipe is no reason to end.
fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn fail(e: &dyn std::error::Error) -> ExitCode {
    eprintln!("roomful: {e}");
    ExitCode::FAILURE
}
