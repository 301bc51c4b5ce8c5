//! A service as a process of its own: arguments, configuration, logs, signals, and the exit status. What differs between
//! services is what they read and what they serve.

use crate::{
    env::{EXIT_CONFIG, Env, ProcessEnv, Reader, Value, Variable, example},
    files,
    lifecycle::Lifecycle,
    probe::{self, Question},
    server::{self, HOST, PORT},
    telemetry::{self, Process, Telemetry, say_why},
    traces::{self, TracesConfig},
};
use std::{
    error::Error,
    fmt::Display,
    future::Future,
    net::{IpAddr, SocketAddr, TcpListener},
    process::ExitCode,
    str::FromStr,
    time::Duration,
};
use uuid::Uuid;

/// How long tasks may take to end once the service has ended.
const GRACE: Duration = Duration::from_secs(5);

/// `NODE_ID`.
pub const NODE_ID: Variable = Variable::new("NODE_ID", "Names this process. Without it, a fresh UUID each time.")
    .unit("letters, digits, '-', '_', '.'");

/// Reads [`NODE_ID`] as whatever type names a process; `fresh` names it when nothing else does.
pub fn node_id<T: FromStr<Err: Display>>(r: &mut Reader<'_>, fresh: Uuid) -> Value<T> {
    r.parse_with(&NODE_ID.default(""), |name| match name {
        "" => fresh.to_string().parse(),
        name => name.parse(),
    })
}

/// How serving ended.
pub type Served = Result<(), Box<dyn Error + Send + Sync>>;

/// A service's program.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// What it is called.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Where it is described what it reads, besides where it listens and how it logs.
    pub sections: fn() -> Vec<(&'static str, Vec<Variable>)>,
    /// Arguments that it takes besides, each with a line that says what it does. Whoever names some here sees to them
    /// before [`Program::answer`] is asked.
    pub more: &'static [(&'static str, &'static str)],
}

impl Program {
    /// Runs from `main`: reads everything, listens, and serves until the service ends by itself, or was asked to (SIGTERM,
    /// SIGINT) and has. A second signal ends it at once.
    ///
    /// `node` is what `NODE_ID` came to, for the logs.
    ///
    /// `serve` may take its time after `lifecycle.soft`, and bounds it itself: only the service knows how long its
    /// clients need.
    pub fn main<C, F>(
        self,
        read: impl FnOnce(&mut Reader<'_>) -> Value<C>,
        node: impl FnOnce(&C) -> String,
        serve: impl FnOnce(C, TcpListener, Lifecycle) -> F,
    ) -> ExitCode
    where
        C: 'static,
        F: Future<Output = Served> + Send + 'static,
    {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        if let Some(status) = self.answer(&arguments) {
            return status;
        }
        let (address, telemetry, traces, config) = match self.read(&ProcessEnv, read) {
            Ok(read) => read,
            Err(faults) => {
                Telemetry::init_for_faults(&ProcessEnv, self.name);
                say_why(self.name, &faults);
                return ExitCode::from(u8::try_from(EXIT_CONFIG).unwrap_or(1));
            }
        };
        if let Err(why) = follow(&telemetry, traces.as_ref(), Process { service: self.name, node: Some(node(&config)) })
        {
            say_why(self.name, &why);
            return ExitCode::FAILURE;
        }
        run(self.name, |lifecycle| {
            let listener = server::bind(address);
            let serving = listener.map(|listener| serve(config, listener, lifecycle));
            async move { serving?.await }
        })
    }

    fn read<C>(
        &self,
        env: &dyn Env,
        read: impl FnOnce(&mut Reader<'_>) -> Value<C>,
    ) -> Result<(SocketAddr, Telemetry, Option<TracesConfig>, C), crate::env::ConfigError> {
        let mut r = Reader::new(env);
        let (host, port) = (r.parse::<IpAddr>(&HOST), r.parse::<u16>(&PORT));
        let (telemetry, traces, config) = (Telemetry::read(&mut r), TracesConfig::read(&mut r), read(&mut r));
        r.finish()?;
        Ok((SocketAddr::new(host.get()?, port.get()?), telemetry.get()?, traces.get()?, config.get()?))
    }

    /// Does what the arguments ask for when that needs no service; `None` when there are none, and it is to serve.
    #[must_use]
    pub fn answer(&self, arguments: &[String]) -> Option<ExitCode> {
        let Self { name, version, about, .. } = self;
        match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => return None,
            ["env"] => print!("{}", self.example()),
            ["health"] => return Some(probe::main(name, &ProcessEnv, Question::Ready)),
            ["health", "--live"] => return Some(probe::main(name, &ProcessEnv, Question::Live)),
            ["--version" | "-V"] => println!("{name} {version}"),
            ["--help" | "-h" | "help"] => println!("{name}: {about}\n\n{}", self.usage()),
            _ => {
                eprintln!("{name}: no such argument: {}\n\n{}", arguments.join(" "), self.usage());
                return Some(ExitCode::from(2));
            }
        }
        Some(ExitCode::SUCCESS)
    }

    fn usage(&self) -> String {
        let name = self.name;
        let own = [
            ("", "serve until SIGTERM or Ctrl-C; the second one ends it at once"),
            ("env", "print every environment variable that it reads, as in .env.example"),
            ("health [--live]", "ask the one that runs here how it is"),
            ("--version", ""),
        ];
        let (first, rest) = own.split_at(1);
        let lines = first.iter().chain(self.more).chain(rest).enumerate().map(|(i, (argument, what))| {
            let line = format!("{} {name} {argument:<18} {what}", if i == 0 { "usage:" } else { "      " });
            format!("{}\n", line.trim_end())
        });
        format!(
            "{}\nThe variables are read and checked before a port is bound; what is wrong with\n\
             them is told at once, and the exit status is {EXIT_CONFIG}.\n\n{}",
            lines.collect::<String>(),
            probe::HELP
        )
    }

    /// All that it reads, as in `.env.example`.
    #[must_use]
    pub fn example(&self) -> String {
        let mut sections = vec![("Where it listens", vec![HOST, PORT])];
        sections.extend((self.sections)());
        sections.push(("Logs", telemetry::VARIABLES.to_vec()));
        sections.push(("Traces", traces::VARIABLES.to_vec()));
        let sections: Vec<_> = sections.iter().map(|(title, variables)| (*title, variables.as_slice())).collect();
        example(&sections)
    }
}

/// Starts logs, and traces if they are wanted.
pub fn follow(telemetry: &Telemetry, traces: Option<&TracesConfig>, process: Process) -> Result<(), String> {
    telemetry.init(process.clone());
    traces.map_or(Ok(()), |traces| traces.init(&process))
}

/// Runs what `serve` makes on a runtime of its own, with signals on the lifecycle that it gets, and says how it went.
pub fn run<F>(name: &str, serve: impl FnOnce(Lifecycle) -> F) -> ExitCode
where
    F: Future<Output = Served> + Send + 'static,
{
    files::raise_limit();
    // The sockets have worker threads of their own; here are the backend's connections and what goes on by itself.
    let served = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .map_err(Into::into)
        .and_then(|runtime| {
            let _entered = runtime.enter();
            let lifecycle = Lifecycle::new();
            lifecycle.listen_for_signals()?;
            runtime.block_on(until_ended(serve(lifecycle.clone()), lifecycle))
        });
    traces::finish();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            say_why(name, &e);
            ExitCode::FAILURE
        }
    }
}

async fn until_ended(serving: impl Future<Output = Served> + Send + 'static, lifecycle: Lifecycle) -> Served {
    // A task of its own: it has to go on while shutdown waits.
    let serving = tokio::spawn(serving);
    let abort = serving.abort_handle();
    let served = tokio::select! {
        served = serving => served.unwrap_or_else(|e| Err(e.into())),
        () = lifecycle.hard.cancelled() => Ok(()),
    };
    let ended = lifecycle.shutdown(GRACE).await;
    abort.abort();
    served?;
    if ended { Ok(()) } else { Err("not everything ended in time".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MapEnv;

    const PROGRAM: Program = Program {
        name: "echo",
        version: "1",
        about: "says it again",
        sections: || vec![("Sounds", vec![Variable::new("VOICE", "Whose.").default("mine")])],
        more: &[("--loud", "say it so that everybody hears")],
    };

    #[test]
    fn all_that_it_reads_is_described_and_faults_are_told_together() {
        let example = PROGRAM.example();
        for name in ["HOST", "PORT", "VOICE", "LOG_LEVEL"] {
            assert!(example.contains(&format!("\n# {name}=")), "{example}");
        }
        let usage = PROGRAM.usage();
        for line in
            ["usage: echo  ", "       echo --loud  ", "       echo health [--live]  ", "       echo --version\n"]
        {
            assert!(usage.contains(line), "{usage}");
        }
        let env = MapEnv::from_iter([("PORT", "http"), ("VOICE", "")]);
        let needed = Variable::new("SECRET", "It is needed.");
        let faults = PROGRAM.read(&env, |r| r.string(&needed)).unwrap_err();
        assert_eq!(faults.faults().iter().map(|f| f.variable.as_str()).collect::<Vec<_>>(), ["PORT", "SECRET"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_ends_by_itself_or_when_it_is_made_to() {
        let lifecycle = Lifecycle::new();
        let soft = lifecycle.soft.clone();
        let ended = until_ended(async { Err("no port".into()) }, lifecycle).await;
        assert_eq!(ended.unwrap_err().to_string(), "no port");
        assert!(soft.is_cancelled(), "whatever else was running is to end, too");

        let lifecycle = Lifecycle::new();
        lifecycle.hard.cancel();
        until_ended(std::future::pending(), lifecycle).await.unwrap();
    }
}
