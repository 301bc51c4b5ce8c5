//! The command: reads the files, asks the network, checks, and tells.

use crate::{
    args::{Args, Command, HELP},
    check::{self, Files, Known, Machine},
    code::Code,
    finding::{Finding, Findings, Place, Severity},
    probe::{
        self,
        http::Now,
        stream::{Dialer, roots},
    },
    report,
    source::{Text, compose::Compose, env_file::EnvFile, nginx::Nginx, redis_conf::RedisConf},
};
use runtime::env::{EXIT_CONFIG, Env, Fault, Variable};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What the doctor is given by whoever runs it.
pub struct Surroundings<'a> {
    /// The environment of this process.
    pub env: &'a dyn Env,
    /// Every variable that services read.
    pub variables: &'a [Variable],
    /// What services complain of when they read such settings.
    pub faults: &'a dyn Fn(&dyn Env) -> Vec<Fault>,
    /// Milliseconds since 1970.
    pub now: Now<'a>,
    /// The machine.
    pub machine: Machine,
    /// Where files are looked for that were not named.
    pub directory: &'a Path,
}

/// Does what the arguments ask for, prints it, and gives the exit status.
pub async fn main(arguments: &[String], surroundings: &Surroundings<'_>) -> ExitCode {
    let args = match Args::parse(arguments) {
        Ok(Command::Examine(args)) => args,
        Ok(Command::Help) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(fault) => {
            eprintln!("roomful doctor: {fault}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let findings = examine(&args, surroundings).await;
    match args.json {
        true => println!("{}", report::json(&findings)),
        false => print!("{}", report::text(&findings)),
    }
    ExitCode::from(status(&findings))
}

/// 0, 1, or [`EXIT_CONFIG`].
#[must_use]
pub fn status(findings: &[Finding]) -> u8 {
    let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error).peekable();
    let has_errors = errors.peek().is_some();
    match errors.any(|finding| matches!(finding.code, Code::FileUnreadable | Code::SettingRefused)) {
        true => u8::try_from(EXIT_CONFIG).unwrap_or(1),
        false => u8::from(has_errors),
    }
}

/// Looks at all of it.
pub async fn examine(args: &Args, surroundings: &Surroundings<'_>) -> Vec<Finding> {
    let Surroundings { env, variables, faults, now, machine, .. } = *surroundings;
    let mut out = Findings::default();
    let files = files(args, surroundings.directory, &mut out);
    let known = Known::new(&files, env, variables, machine);

    check::settings::check(&known, &faults(&known.settings), &mut out);
    check::secrets::check(&known, &mut out);
    check::websocket::origins(&known, args.url.as_ref(), &mut out);
    check::proxy::check(&known, &mut out);
    check::compose::check(&known, &mut out);
    let (redis, ()) = tokio::join!(probe::redis::look(&known, now), async {
        site(args, &known, now, &mut out).await;
    });
    check::redis::check(&known, &redis, &mut out);
    out.finish()
}

async fn site(args: &Args, known: &Known<'_>, now: Now<'_>, out: &mut Findings) {
    let Some(site) = &args.url else {
        check::site::skip("no --url", out);
        check::websocket::skip("no --url", out);
        return out.skip(&[Code::ClockSkewSite], "no --url");
    };
    let dialer = roots(args.ca_file.as_deref()).and_then(|roots| Dialer::new(roots, now() / 1000));
    let dialer = match dialer {
        Ok(dialer) => dialer,
        Err(why) => {
            check::site::skip(&why, out);
            check::websocket::skip(&why, out);
            let place = args.ca_file.as_ref().map(|file| Place::at(file.display().to_string()));
            return out.error(Code::FileUnreadable, place, why, "Name a file of certificates, as PEM.");
        }
    };
    let seen = probe::http::look(&dialer, site, now).await;
    check::site::check(known, site, &seen, out);
    if seen.page.is_err() {
        return check::websocket::skip("the site does not answer", out);
    }
    let origin = check::websocket::origin_to_show(known, site);
    let seen = probe::websocket::look(&dialer, site, origin).await;
    check::websocket::check(known, site, &seen, out);
}

/// The files that were named, and those that are here.
fn files(args: &Args, directory: &Path, out: &mut Findings) -> Files {
    out.looked(&[Code::FileUnreadable]);
    let mut read = |named: &Option<PathBuf>, usual: &[&str]| {
        let path = match named {
            Some(path) => directory.join(path),
            None => usual.iter().map(|name| directory.join(name)).find(|path| path.is_file())?,
        };
        match Text::read(&path) {
            // As it was named: `.env:12` is what editors open.
            Ok(text) => {
                let name = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
                Some((Text { name, ..text }, path))
            }
            Err(why) => {
                unreadable(out, &path.display().to_string(), &why);
                None
            }
        }
    };
    let env = read(&args.env_file, &[".env"]);
    let compose = read(&args.compose, &["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"]);
    let redis = read(&args.redis_conf, &["deploy/redis.conf", "redis.conf"]);
    let nginx_names = ["nginx/nginx.conf.template", "nginx/nginx.conf", "deploy/nginx.conf", "nginx.conf"];
    let nginx = read(&args.nginx_conf, &nginx_names);

    let compose = compose.and_then(|(text, _)| kept(Compose::parse(text), out));
    let nginx = nginx.and_then(|(text, path)| {
        let nginx = Nginx::parse(&text, path.parent().unwrap_or(directory));
        kept(nginx, out)
    });
    Files {
        env: env.map(|(text, _)| EnvFile::parse(text)),
        compose,
        redis: redis.map(|(text, _)| RedisConf::parse(text)),
        nginx,
    }
}

/// What could be made of a file; else it is told where it is wrong: `file:line: why`.
fn kept<T>(parsed: Result<T, String>, out: &mut Findings) -> Option<T> {
    parsed.map_err(|why| unreadable(out, why.split(": ").next().unwrap_or_default(), &why)).ok()
}

fn unreadable(out: &mut Findings, place: &str, why: &str) {
    let place = match place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?))) {
        Some((file, line)) => Place { line: Some(line), ..Place::at(file) },
        None => Place::at(place),
    };
    let change = "Mend the file, or name another one.";
    out.error(Code::FileUnreadable, Some(place), why.to_owned(), change);
}
