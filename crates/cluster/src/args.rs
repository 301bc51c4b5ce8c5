//! The command line.

use std::{ffi::OsString, path::PathBuf, str::FromStr};

pub(crate) const HELP: &str = "\
cluster: Redis, nginx, the gateway, the admin API and chat-nodes as processes
of their own, on loopback, until Ctrl-C

usage: cluster [--nodes N] [--port P] [--dir D] [--binaries B] [--frontend F]

  --nodes N      chat-nodes; 3
  --port P       where the site is; 8080, and 0 is any free port
  --dir D        for cluster.json, logs and data; .run
  --binaries B   where chat-node, gateway and admin-api are; beside this program
  --frontend F   the built page; without it there is none

The services get the environment of this program: LOG_LEVEL=debug, or
LIMIT_CONNECT_NODE=off. What .env.example says of addresses, ports and names
is set here, and the secrets are new with each start.

Nothing that ends is started again. The exit status is 0 when it was asked to
end, 1 when it could not start, 2 for a fault in the arguments.";

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Run(Args),
    Help,
    Version,
}

/// Which cluster to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) nodes: usize,
    pub(crate) port: u16,
    pub(crate) dir: PathBuf,
    pub(crate) binaries: Option<PathBuf>,
    pub(crate) frontend: Option<PathBuf>,
}

/// Reads the arguments after the program's name: `--name value` or `--name=value`.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parsed = Args { nodes: 3, port: 8080, dir: ".run".into(), binaries: None, frontend: None };
    let mut args = args.into_iter();
    while let Some(arg) = args.next() {
        let text = arg.to_str().ok_or_else(|| format!("{} is not UTF-8", arg.display()))?;
        let (name, inline) = match text.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value.into())),
            _ => (text, None),
        };
        let mut value = || {
            inline.clone().or_else(|| args.next()).filter(|v| !v.is_empty()).ok_or(format!("{name} lacks its value"))
        };
        match name {
            "--help" | "-h" | "help" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            "--nodes" => parsed.nodes = number(name, &value()?)?,
            "--port" => parsed.port = number(name, &value()?)?,
            "--dir" => parsed.dir = value()?.into(),
            "--binaries" => parsed.binaries = Some(value()?.into()),
            "--frontend" => parsed.frontend = Some(value()?.into()),
            _ => return Err(format!("no such argument: {text}")),
        }
    }
    Ok(Command::Run(parsed))
}

fn number<N: FromStr>(name: &str, value: &OsString) -> Result<N, String> {
    let number = value.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{name} must be a number, and {} is none that would do", value.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(args: &[&str]) -> Result<Command, String> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn defaults_and_both_spellings() {
        let defaults = Args { nodes: 3, port: 8080, dir: ".run".into(), binaries: None, frontend: None };
        assert_eq!(of(&[]), Ok(Command::Run(defaults)));
        let all = Args {
            nodes: 5,
            port: 0,
            dir: "/tmp/a=b".into(),
            binaries: Some("target/release".into()),
            frontend: Some("frontend/dist".into()),
        };
        let args =
            ["--nodes", "5", "--port=0", "--dir=/tmp/a=b", "--binaries", "target/release", "--frontend=frontend/dist"];
        assert_eq!(of(&args), Ok(Command::Run(all)));
        assert_eq!(of(&["--nodes", "2", "--help"]), Ok(Command::Help));
        assert_eq!(of(&["-V"]), Ok(Command::Version));
    }

    #[test]
    fn faults() {
        for (args, fault) in [
            (&["--node", "3"][..], "no such argument: --node"),
            (&["3"], "no such argument: 3"),
            (&["--nodes"], "--nodes lacks its value"),
            (&["--dir="], "--dir lacks its value"),
            (&["--nodes", "many"], "--nodes must be a number, and many is none that would do"),
            (&["--port", "65536"], "--port must be a number, and 65536 is none that would do"),
        ] {
            assert_eq!(of(args).unwrap_err(), fault);
        }
    }
}
