//! The command's arguments.

use crate::site::Site;
use std::path::PathBuf;

/// What `--help` prints.
pub const HELP: &str = "\
roomful doctor: looks at a deployment, and says what to change and where

usage: roomful doctor [--url https://chat.example.org] [options]

  --url URL            the site, as browsers know it; within compose's network http://nginx:8080
  --env-file FILE      its settings                        (default: .env, if it is here)
  --compose FILE       the compose file                    (docker-compose.yml, compose.yaml)
  --redis-conf FILE    Redis' own file                     (deploy/redis.conf, redis.conf)
  --nginx-conf FILE    nginx's own file; what it includes is looked for beside it
                                                           (nginx/nginx.conf.template, nginx/nginx.conf)
  --ca-file FILE       who must have signed the site's certificate; without it, whom the system trusts
  --json               for machines: one object with all findings

It reads the environment as a service does, and what compose and .env would give to one. It
changes nothing and prints no secret. What each finding means is in docs/doctor.md.

Exit status: 0 nothing but warnings, 1 errors were found, 2 bad usage, 64 a file cannot be read or a
setting is one that no service starts with.";

/// What was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Args {
    /// The site.
    pub url: Option<Site>,
    /// Files that were named.
    pub env_file: Option<PathBuf>,
    /// The same.
    pub compose: Option<PathBuf>,
    /// The same.
    pub redis_conf: Option<PathBuf>,
    /// The same.
    pub nginx_conf: Option<PathBuf>,
    /// Authorities.
    pub ca_file: Option<PathBuf>,
    /// For machines.
    pub json: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Look at it.
    Examine(Box<Args>),
    /// Say how.
    Help,
}

impl Args {
    /// Reads them; `--name value` and `--name=value` are the same.
    ///
    /// # Errors
    /// What is wrong with them, in one line.
    pub fn parse(arguments: &[String]) -> Result<Command, String> {
        let mut args = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let (name, inline) = match argument.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.as_str(), None),
            };
            match name {
                "--help" | "-h" | "help" => return Ok(Command::Help),
                "--json" => {
                    args.json = true;
                    continue;
                }
                _ => {}
            }
            let file = match name {
                "--url" => None,
                "--env-file" => Some(&mut args.env_file),
                "--compose" => Some(&mut args.compose),
                "--redis-conf" => Some(&mut args.redis_conf),
                "--nginx-conf" => Some(&mut args.nginx_conf),
                "--ca-file" => Some(&mut args.ca_file),
                _ => return Err(format!("no such argument: {argument}")),
            };
            let value = inline.or_else(|| rest.next().cloned()).filter(|value| !value.is_empty());
            let value = value.ok_or_else(|| format!("{name} wants a value"))?;
            match file {
                Some(file) => *file = Some(value.into()),
                None => args.url = Some(Site::parse(&value)?),
            }
        }
        Ok(Command::Examine(Box::new(args)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Command, String> {
        Args::parse(&arguments.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn both_ways_of_writing_them() {
        let url = Some(Site::parse("https://a.example").unwrap());
        let wanted = Args { url, compose: Some("c.yml".into()), json: true, ..Args::default() };
        let wanted = Ok(Command::Examine(Box::new(wanted)));
        assert_eq!(parse(&["--url", "https://a.example", "--compose=c.yml", "--json"]), wanted);
        assert_eq!(parse(&["--json", "-h"]), Ok(Command::Help));
        for arguments in [&["--url"][..], &["--url", "a"], &["x"], &["--env-file="]] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
