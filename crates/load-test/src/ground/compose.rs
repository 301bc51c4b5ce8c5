//! The product in containers: docker-compose.yml as it is, under a project name of its own.

use super::{Ground, environment};
use crate::plan::Fault;
use async_trait::async_trait;
use std::{
    fs::OpenOptions,
    io::Write as _,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};
use tokio::{
    process::Command,
    time::{Instant, sleep, timeout},
};
use uuid::Uuid;

/// How long building all images may take: the dependencies are compiled the first time.
const BUILD: Duration = Duration::from_secs(90 * 60);
/// How long the engine may take for anything else: the slowest replaces all nodes, each of which drains.
const ACT: Duration = Duration::from_secs(5 * 60);
/// How long all containers may take to be healthy.
const HEALTHY: Duration = Duration::from_secs(120);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// What is started.
const SERVICES: [&str; 5] = ["redis", "chat-node", "gateway", "admin-api", "nginx"];
/// The service that is scaled.
const NODES: &str = "chat-node";

/// What the containers of a run are told beside what every cluster of ours is.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("BIND", "127.0.0.1"),
    ("MAX_CONNECTIONS", "5000"),
    ("OPEN_FILES", "16384"),
    ("NGINX_CONNECTIONS", "8000"),
    // Not those that somebody may have built to be used.
    ("IMAGES", "roomful-test"),
];

/// A stack of containers.
pub struct Compose {
    /// Where docker-compose.yml is.
    root: PathBuf,
    /// `docker compose`, or the older `docker-compose`.
    program: Vec<&'static str>,
    environment: Vec<(String, String)>,
    project: String,
    port: u16,
    nodes: usize,
    versions: u32,
}

impl Compose {
    /// Builds the images of the project at `root` and starts the stack, with as many nodes.
    ///
    /// # Errors
    /// When there is no engine, or an image cannot be built, or something does not become healthy.
    pub async fn start(root: &Path, nodes: usize, tell: &(dyn Fn(&str) + Sync)) -> Result<Self, String> {
        let root = root.canonicalize().map_err(|e| format!("{}: {e}", root.display()))?;
        let program = find().await?;
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|e| format!("a free port: {e}"))?.port();
        let secret = || Uuid::new_v4().simple().to_string();
        let project = format!("roomful-test-{}", &secret()[..8]);
        let mut environment = environment();
        environment.extend(ENVIRONMENT.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        environment.extend([
            ("COMPOSE_PROJECT_NAME".to_owned(), project.clone()),
            ("PORT".to_owned(), port.to_string()),
            ("VERSION".to_owned(), "test-1".to_owned()),
            ("JWT_SECRET".to_owned(), secret() + &secret()),
            ("REDIS_PASSWORD".to_owned(), secret()),
            ("ADMIN_PASS".to_owned(), secret()),
            ("GRAFANA_PASSWORD".to_owned(), secret()),
        ]);
        let mut stack = Self { root, program, environment, project, port, nodes, versions: 1 };
        tell("building the images (the first time, the dependencies take some minutes)");
        let begin = Instant::now();
        stack.build().await?;
        tell(&format!("built after {:.0} s; starting the stack", begin.elapsed().as_secs_f64()));
        let started = match stack.up().await {
            Ok(()) => stack.examine(tell).await,
            Err(fault) => {
                stack.tell_why(tell).await;
                Err(fault)
            }
        };
        if let Err(fault) = started {
            stack.stop().await;
            return Err(fault);
        }
        Ok(stack)
    }

    /// Has the doctor look at it: what operators are told to start with must have no error.
    async fn examine(&self, tell: &(dyn Fn(&str) + Sync)) -> Result<(), String> {
        let file = std::env::temp_dir().join(format!("{}.env", self.project));
        let lines = self.environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect::<String>();
        let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file);
        let written = written.and_then(|mut file| file.write_all(lines.as_bytes()));
        written.map_err(|e| format!("{}: {e}", file.display()))?;
        let mut command = Command::new(self.program[0]);
        command.args(&self.program[1..]).args(["run", "--rm", "-T", "doctor"]).env("ENV_FILE", &file);
        let said = run(self.at_home(command), ACT).await;
        let _ = std::fs::remove_file(&file);
        tell(&format!("the doctor says:\n{}", said?));
        Ok(())
    }

    /// Ends everything, and removes what it has written.
    pub async fn stop(self) {
        if let Err(fault) = self.compose(&["down", "--volumes", "--timeout", "5"], ACT).await {
            eprintln!("load-test: {}: {fault}", self.project);
        }
    }

    /// What each image weighs above the one that it stands on, in bytes.
    ///
    /// # Errors
    /// When the engine does not say.
    pub async fn weights(&self) -> Result<Vec<(String, u64, u64)>, String> {
        let dockerfile =
            std::fs::read_to_string(self.root.join("Dockerfile")).map_err(|e| format!("Dockerfile: {e}"))?;
        let mut weights = Vec::new();
        for service in SERVICES.into_iter().filter(|service| *service != "redis") {
            let image = format!("roomful-test/{service}:{}", self.version());
            let size = run(docker(&["image", "inspect", "--format", "{{.Size}}", &image]), ACT).await?;
            let size = size.trim().parse::<u64>().map_err(|e| format!("{image}: {e}"))?;
            let base = base_of(&dockerfile, service).ok_or_else(|| format!("Dockerfile: {service} has no base"))?;
            let below = run(docker(&["image", "inspect", "--format", "{{.Size}}", &base]), ACT).await?;
            let below = below.trim().parse::<u64>().map_err(|e| format!("{base}: {e}"))?;
            let above = size.saturating_sub(below);
            weights.push((image, size, above));
        }
        Ok(weights)
    }

    fn version(&self) -> String {
        format!("test-{}", self.versions)
    }

    async fn build(&mut self) -> Result<(), String> {
        self.set("VERSION", self.version());
        self.compose(&["build", "chat-node", "gateway", "admin-api", "nginx", "doctor"], BUILD).await.map(drop)
    }

    fn set(&mut self, name: &str, value: String) {
        self.environment.retain(|(other, _)| other != name);
        self.environment.push((name.to_owned(), value));
    }

    /// Starts what is missing, and waits until all of it is healthy.
    async fn up(&self) -> Result<(), String> {
        self.start_services(&SERVICES).await?;
        self.healthy().await
    }

    /// As many nodes as there are to be; and nothing else is looked at.
    async fn scale(&self) -> Result<(), String> {
        self.start_services(&["--no-deps", NODES]).await?;
        self.healthy().await
    }

    async fn start_services(&self, which: &[&str]) -> Result<(), String> {
        let scale = format!("{NODES}={}", self.nodes);
        let args = [&["up", "-d", "--no-build", "--no-recreate", "--scale", &scale][..], which].concat();
        self.compose(&args, ACT).await.map(drop)
    }

    async fn healthy(&self) -> Result<(), String> {
        let filter = format!("label=com.docker.compose.project={}", self.project);
        let wanted = SERVICES.len() - 1 + self.nodes;
        let begin = Instant::now();
        loop {
            let list = docker(&["ps", "--all", "--filter", &filter, "--format", "{{.Names}}: {{.Status}}"]);
            let list = run(list, ACT).await?;
            let bad: Vec<&str> = list.lines().filter(|line| !line.ends_with("(healthy)")).collect();
            if bad.is_empty() && list.lines().count() == wanted {
                return Ok(());
            }
            if begin.elapsed() > HEALTHY {
                return Err(format!("{wanted} containers are to be healthy, and after {HEALTHY:?} there are:\n{list}"));
            }
            sleep(LOOK).await;
        }
    }

    /// The containers of the chat-nodes that run.
    async fn containers(&self) -> Result<Vec<String>, String> {
        let ids = self.compose(&["ps", "-q", NODES], ACT).await?;
        Ok(ids.lines().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect())
    }

    async fn tell_why(&self, tell: &(dyn Fn(&str) + Sync)) {
        if let Ok(logs) = self.compose(&["logs", "--no-color", "--tail", "20"], ACT).await {
            tell(&logs);
        }
    }

    async fn compose(&self, args: &[&str], at_most: Duration) -> Result<String, String> {
        let mut command = Command::new(self.program[0]);
        command.args(&self.program[1..]).args(args);
        run(self.at_home(command), at_most).await
    }

    fn at_home(&self, mut command: Command) -> Command {
        command.current_dir(&self.root).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The image that a stage of a Dockerfile stands on in the end, its arguments filled in.
fn base_of(dockerfile: &str, stage: &str) -> Option<String> {
    let words = |line: &'_ str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = dockerfile.lines().map(words).collect();
    let mut base = stage.to_owned();
    // At most as many steps as there are lines.
    for _ in &lines {
        let from = lines.iter().find(|line| matches!(&line[..], [from, _, _, name] if from == "FROM" && *name == base));
        let Some(from) = from else { break };
        base.clone_from(&from[1]);
    }
    for line in &lines {
        if let [arg, default] = &line[..]
            && arg == "ARG"
            && let Some((name, value)) = default.split_once('=')
        {
            base = base.replace(&format!("${{{name}}}"), value);
        }
    }
    (base != stage).then_some(base)
}

/// Which compose there is.
async fn find() -> Result<Vec<&'static str>, String> {
    run(docker(&["info"]), ACT).await.map_err(|fault| format!("no Docker engine answers: {fault}"))?;
    if run(docker(&["compose", "version"]), ACT).await.is_ok() {
        return Ok(vec!["docker", "compose"]);
    }
    let mut older = Command::new("docker-compose");
    older.arg("version");
    run(older, ACT).await.map_err(|fault| format!("neither `docker compose` nor docker-compose is there: {fault}"))?;
    Ok(vec!["docker-compose"])
}

fn docker(args: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(args);
    command
}

/// What it says; its complaints, if it fails.
async fn run(mut command: Command, at_most: Duration) -> Result<String, String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    // Without its environment, in which the secrets are.
    let std = command.as_std();
    let words = std::iter::once(std.get_program()).chain(std.get_args());
    let name = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let done = timeout(at_most, command.output()).await.map_err(|_| format!("{name}: not done within {at_most:?}"))?;
    let Output { status, stdout, stderr } = done.map_err(|e| format!("{name}: {e}"))?;
    if status.success() {
        return Ok(String::from_utf8_lossy(&stdout).into_owned());
    }
    let said = [stdout, stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let tail: Vec<&str> = said.lines().rev().take(30).collect();
    Err(format!("{name}: {status}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n")))
}

#[async_trait]
impl Ground for Compose {
    fn urls(&self) -> Vec<String> {
        vec![format!("ws://127.0.0.1:{}/ws", self.port)]
    }

    fn api(&self) -> Option<String> {
        Some(format!("http://127.0.0.1:{}/api", self.port))
    }

    fn nodes(&self) -> usize {
        self.nodes
    }

    fn describe(&self) -> Vec<String> {
        vec![format!(
            "docker-compose.yml of version {}, by `{}`: nginx, gateway, admin-api, Redis, and {} chat-nodes at the end",
            env!("CARGO_PKG_VERSION"),
            self.program.join(" "),
            self.nodes
        )]
    }

    fn possible(&self, fault: Fault) -> bool {
        match fault {
            Fault::KillNode { node } => node < self.nodes,
            Fault::Scale { .. } | Fault::Rollout | Fault::RestartRedis | Fault::RestartStack => true,
            _ => false,
        }
    }

    async fn begin(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::KillNode { node } => {
                let containers = self.containers().await?;
                let container = containers.get(node).ok_or_else(|| format!("there is no node {}", node + 1))?;
                run(docker(&["kill", container]), ACT).await.map(drop)
            }
            Fault::Scale { to } => {
                self.nodes = to;
                self.scale().await
            }
            Fault::Rollout => {
                self.versions += 1;
                self.build().await?;
                let mut rollout = self.at_home(Command::new("deploy/rollout.sh"));
                rollout.args(["chat-node", "gateway", "admin-api"]);
                run(rollout, ACT).await.map(drop)
            }
            Fault::RestartRedis => self.compose(&["restart", "redis"], ACT).await.map(drop),
            Fault::RestartStack => self.compose(&["down"], ACT).await.map(drop),
            fault => Err(format!("{fault}: not possible here")),
        }
    }

    async fn end(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::KillNode { .. } => self.scale().await,
            Fault::RestartStack => self.up().await,
            _ => self.healthy().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_of_an_image_is_found() {
        let dockerfile = "ARG A=1.2\nFROM rust:${A} AS build\nFROM debian:${A}-slim AS runtime\nFROM runtime AS node\n";
        assert_eq!(base_of(dockerfile, "node").as_deref(), Some("debian:1.2-slim"));
        assert_eq!(base_of(dockerfile, "build").as_deref(), Some("rust:1.2"));
        assert_eq!(base_of(dockerfile, "page"), None);
        let ours = include_str!("../../../../Dockerfile");
        for service in SERVICES.into_iter().filter(|service| *service != "redis") {
            assert!(base_of(ours, service).is_some_and(|base| base.contains(':')), "{service}");
        }
    }
}
