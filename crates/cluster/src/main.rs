//! `cluster`: the real topology on this machine, until Ctrl-C.

mod args;

use args::{Args, Command};
use cluster::{Cluster, Description, Options};
use std::{
    io::Write as _,
    process::ExitCode,
    time::{Duration, Instant},
};
use tokio::signal::unix::{Signal, SignalKind, signal};

fn main() -> ExitCode {
    let command = match args::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(fault) => {
            eprintln!("cluster: {fault}\n\n{}", args::HELP);
            return ExitCode::from(2);
        }
    };
    let args = match command {
        Command::Run(args) => args,
        Command::Help => {
            say(args::HELP);
            return ExitCode::SUCCESS;
        }
        Command::Version => {
            say(&format!("cluster {}", env!("CARGO_PKG_VERSION")));
            return ExitCode::SUCCESS;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&e),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => fail(e.as_ref()),
    }
}

async fn run(args: Args) -> Result<(), Box<dyn std::error::Error>> {
    // From the first moment on: a Ctrl-C during the start must leave nothing behind either.
    let mut requests = Requests::listen()?;
    let dir = args.dir.clone();
    let options = options(args)?;
    let mut progress = |line: &str| say(&format!("  {line}"));
    let mut cluster = tokio::select! {
        started = Cluster::start(options, &mut progress) => started?,
        // What has been started is killed with the future that started it.
        () = requests.next() => return Ok(()),
    };
    say(&welcome(&cluster.description(), &dir.display().to_string()));
    if let Some(password) = cluster.admin_password() {
        say(&format!("  The admin API's user is admin, and the password of this run {password}\n"));
    }
    loop {
        tokio::select! {
            ended = cluster.next_end() => say(&format!("  {ended}; the others go on")),
            () = requests.next() => break,
        }
    }
    say("  ending: chat-nodes send their clients away first; once more Ctrl-C ends it at once");
    tokio::select! {
        () = cluster.stop() => say("  all ended"),
        // With the future that was stopping it, the cluster is dropped, and so killed.
        () = requests.again() => say("  killed"),
    }
    Ok(())
}

/// What comes sooner after the first signal is the same wish: `timeout`, for one, sends its signal to the process and
/// then to its group.
const AGAIN: Duration = Duration::from_millis(300);

fn options(args: Args) -> Result<Options, std::io::Error> {
    let binaries = match args.binaries {
        Some(binaries) => binaries,
        // Built together, they lie together.
        None => std::env::current_exe()?.parent().map(Into::into).unwrap_or_default(),
    };
    let mut options = Options::new(binaries);
    options.nodes = args.nodes;
    options.port = args.port;
    options.dir = args.dir;
    options.frontend = args.frontend;
    Ok(options)
}

/// SIGINT, which Ctrl-C sends to us alone; SIGHUP, when the terminal is closed; or SIGTERM.
struct Requests {
    interrupt: Signal,
    hangup: Signal,
    terminate: Signal,
}

impl Requests {
    fn listen() -> Result<Self, std::io::Error> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.hangup.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Once more, and meant so.
    async fn again(&mut self) {
        let first = Instant::now();
        while first.elapsed() < AGAIN {
            self.next().await;
        }
    }
}

fn welcome(cluster: &Description, dir: &str) -> String {
    let nodes: Vec<_> = cluster.chat_nodes.iter().map(|node| format!("{} {}", node.node_id, node.pid)).collect();
    let pids = nodes.join(", ");
    format!(
        "\n  Roomful is at  {}\n\n  \
         {dir}/cluster.json says where everything is, {dir}/*.log what it says.\n  \
         Try it: kill -9, -STOP or -TERM one of {pids}\n  \
         or Redis, {}. What ends is not started again. Ctrl-C ends it all.\n",
        cluster.url, cluster.redis.pid
    )
}

/// To whoever still listens: a closed pipe is no reason to end.
fn say(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

fn fail(e: &dyn std::error::Error) -> ExitCode {
    eprintln!("cluster: {e}");
    ExitCode::FAILURE
}
