//! The supervisor.

use crate::{
    description::{ChatNode, Description, Role, Service},
    error::StartError,
    lock::Lock,
    nginx::{Site, Upstream},
    options::{MAX_NODES, Options},
    plan::{self, Services, Shared, loopback},
    ports::Port,
    process::{Ended, KILLED, OnStart, Plan, Process, ProcessError},
    programs::Programs,
};
use rustix::process::Signal;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, time::Instant};

const DESCRIPTION: &str = "cluster.json";

/// A running cluster. Dropping it kills everything; [`stop`](Self::stop) asks first.
pub struct Cluster {
    redis: Process,
    nginx: Process,
    gateway: Process,
    admin_apis: Vec<Process>,
    nodes: Vec<Process>,
    ends: (mpsc::UnboundedSender<Ended>, mpsc::UnboundedReceiver<Ended>),
    published: Arc<Published>,
    site: Site,
    shared: Shared,
    options: Options,
    /// Given up after the processes that listen on them.
    ports: Vec<Port>,
    _lock: Lock,
}

impl Cluster {
    /// Starts everything, and returns when all of it is ready. `progress` is told each step, in a line.
    ///
    /// # Errors
    /// As [`StartError`] says. Whatever was started has ended by then.
    pub async fn start(options: Options, progress: &mut dyn FnMut(&str)) -> Result<Self, StartError> {
        let mut cluster = Self::lay_out(options)?;
        if let Err(e) = cluster.bring_up(progress).await {
            cluster.kill().await;
            return Err(e);
        }
        Ok(cluster)
    }

    /// Everything that can fail before the first process is started.
    fn lay_out(options: Options) -> Result<Self, StartError> {
        let programs = Programs::find()?;
        options.check()?;
        fs::create_dir_all(&options.dir).map_err(StartError::io(&options.dir))?;
        let dir = options.dir.canonicalize().map_err(StartError::io(&options.dir))?;
        let lock = Lock::take(&dir)?;
        tidy(&dir)?;

        let site_port = match options.port {
            0 => Port::any().map_err(StartError::Port)?,
            port => Port::new(port).map_err(|e| match e.kind() {
                io::ErrorKind::AddrInUse => StartError::PortInUse(port),
                _ => StartError::Port(e),
            })?,
        };
        let any = || Port::any().map_err(StartError::Port);
        let (redis_port, gateway_port) = (any()?, any()?);
        let replicas = options.program("admin-api").map_or(0, |_| options.admin_apis);
        let admin_ports = (0..replicas).map(|_| any()).collect::<Result<Vec<_>, _>>()?;
        let node_ports = (0..options.nodes).map(|_| any()).collect::<Result<Vec<_>, _>>()?;

        let service = |port: &Port| Service { pid: 0, port: port.number() };
        let published = Arc::new(Published {
            path: dir.join(DESCRIPTION),
            state: Mutex::new(State {
                public: false,
                description: Description {
                    url: format!("http://{}", loopback(&site_port)),
                    redis: service(&redis_port),
                    nginx: service(&site_port),
                    gateway: service(&gateway_port),
                    admin_api: admin_ports.first().map(service),
                    more_admin_apis: admin_ports.iter().skip(1).map(service).collect(),
                    chat_nodes: Vec::new(),
                },
            }),
        });
        let ends = mpsc::unbounded_channel();
        let process = |role, plan: Plan| Process::new(plan, ends.0.clone(), published.on_start(role));

        let shared = Shared::new(&options, dir.clone(), loopback(&redis_port));
        let services = Services { gateway: &gateway_port, admin_apis: &admin_ports, chat_nodes: &node_ports };
        let site = plan::site(&options, &dir, &site_port, services)?;
        site.write()?;
        let redis = process(Role::Redis, plan::redis(&programs.redis, &dir, &redis_port)?);
        let nginx = process(Role::Nginx, plan::nginx(&programs, &site, dir.join("nginx.log")));
        let gateway = process(Role::Gateway, shared.service(&options, "gateway", "gateway", &gateway_port)?);
        let mut admin_apis = Vec::new();
        for (n, port) in admin_ports.iter().enumerate() {
            let name = if n == 0 { "admin-api".to_owned() } else { format!("admin-api-{}", n + 1) };
            admin_apis.push(process(Role::AdminApi(n), shared.service(&options, "admin-api", &name, port)?));
        }
        let mut ports: Vec<_> = [site_port, redis_port, gateway_port].into_iter().chain(admin_ports).collect();
        let mut nodes = Vec::new();
        for port in node_ports {
            let plan = shared.service(&options, "chat-node", &node_id(nodes.len()), &port)?;
            published.add(&plan);
            nodes.push(process(Role::ChatNode(nodes.len()), plan));
            ports.push(port);
        }
        Ok(Self {
            redis,
            nginx,
            gateway,
            admin_apis,
            nodes,
            ends,
            published,
            site,
            shared,
            options,
            ports,
            _lock: lock,
        })
    }

    async fn bring_up(&mut self, progress: &mut dyn FnMut(&str)) -> Result<(), StartError> {
        let within = self.options.ready_within;
        let mut up = |process: &Process| {
            let pid = process.pid().unwrap_or_default();
            progress(&format!("{:<12} is ready on port {} with pid {pid}", process.name(), process.port()));
        };
        self.redis.start().await?;
        self.redis.ready(within).await?;
        up(&self.redis);
        // All at once: none waits for another.
        for process in services(&mut self.gateway, &mut self.admin_apis, &mut self.nodes) {
            process.start().await?;
        }
        for process in services(&mut self.gateway, &mut self.admin_apis, &mut self.nodes) {
            process.ready(within).await?;
            up(process);
        }
        self.nginx.start().await?;
        self.nginx.ready(within).await?;
        up(&self.nginx);
        Ok(self.published.publish()?)
    }

    /// The site: `http://127.0.0.1:<port of nginx>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.site.listen)
    }

    /// What `cluster.json` has.
    #[must_use]
    pub fn description(&self) -> Description {
        self.published.lock().description.clone()
    }

    /// The password of the admin API, if the environment had none and it was made up.
    #[must_use]
    pub fn admin_password(&self) -> Option<&str> {
        self.admin_apis.first().and(self.shared.admin_password.as_deref())
    }

    /// redis-server.
    pub fn redis(&mut self) -> &mut Process {
        &mut self.redis
    }

    /// nginx's master process.
    pub fn nginx(&mut self) -> &mut Process {
        &mut self.nginx
    }

    /// The gateway.
    pub fn gateway(&mut self) -> &mut Process {
        &mut self.gateway
    }

    /// The replicas of the admin API, where there is such a program.
    pub fn admin_apis(&mut self) -> &mut [Process] {
        &mut self.admin_apis
    }

    /// A chat-node, from 0 on.
    ///
    /// # Panics
    /// When there are not as many.
    pub fn node(&mut self, index: usize) -> &mut Process {
        &mut self.nodes[index]
    }

    /// How many chat-nodes there are, dead ones too.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The next process that ends, by itself or by anybody's hand.
    pub async fn next_end(&mut self) -> Ended {
        match self.ends.1.recv().await {
            Some(ended) => ended,
            // Never, for we hold a sender ourselves.
            None => std::future::pending().await,
        }
    }

    /// Adds a chat-node, and has nginx find it. Connections that are open stay.
    ///
    /// # Errors
    /// When it could not be started, or nginx not be told of it; there is no new node then.
    pub async fn add_node(&mut self) -> Result<&mut Process, StartError> {
        let index = self.nodes.len();
        if index >= MAX_NODES {
            return Err(StartError::Nodes { given: index + 1, max: MAX_NODES });
        }
        let port = Port::any().map_err(StartError::Port)?;
        let plan = self.shared.service(&self.options, "chat-node", &node_id(index), &port)?;
        // Not in the description before it is ready; so its first start is noted by hand.
        let described = plan.name.clone();
        let mut node = Process::new(plan, self.ends.0.clone(), self.published.on_start(Role::ChatNode(index)));
        node.start().await?;
        node.ready(self.options.ready_within).await?;

        let mut site = self.site.clone();
        if let Upstream::Addresses(addresses) = &mut site.chat_nodes {
            addresses.push(loopback(&port));
        }
        site.write_upstreams()?;
        self.nginx.signal(Signal::HUP);
        self.site = site;
        let pid = node.pid().unwrap_or_default();
        self.published.lock().description.chat_nodes.push(ChatNode { node_id: described, pid, port: node.port() });
        self.published.publish()?;
        self.ports.push(port);
        self.nodes.push(node);
        Ok(&mut self.nodes[index])
    }

    /// Has nginx forget chat-nodes, from 0 on: who connects from now on is not sent there. The processes are as they were,
    /// and keep their numbers, and so do connections that are open: whoever retires a node ends it beforehand, and nginx
    /// has gone past it since it began to drain.
    ///
    /// # Errors
    /// When that would leave none, or nginx cannot be told; it knows all of them still, then.
    pub fn retire_nodes(&mut self, indices: &[usize]) -> Result<(), StartError> {
        let gone: Vec<_> = indices.iter().filter_map(|index| self.nodes.get(*index)).map(Process::port).collect();
        let mut site = self.site.clone();
        if let Upstream::Addresses(addresses) = &mut site.chat_nodes {
            addresses.retain(|address| !gone.contains(&address.port()));
            if addresses.is_empty() {
                return Err(StartError::Nodes { given: 0, max: MAX_NODES });
            }
        }
        site.write_upstreams()?;
        self.nginx.signal(Signal::HUP);
        self.site = site;
        Ok(())
    }

    /// Ends everything in order: chat-nodes first, while nginx still carries what they tell their clients and Redis
    /// takes what they have left to say. Who does not end in time is killed. Nothing is left when this returns.
    pub async fn stop(mut self) {
        let (drain, end) = (self.options.drain_within, self.options.end_within);
        stop_all(self.nodes.iter(), drain).await;
        stop_all(std::iter::once(&self.gateway).chain(&self.admin_apis), end).await;
        stop_all([&self.nginx], end).await;
        stop_all([&self.redis], end).await;
        self.kill().await;
    }

    /// Ends everything at once.
    async fn kill(&mut self) {
        self.all().for_each(Process::kill);
        for process in self.all() {
            process.wait(KILLED).await;
        }
    }

    fn all(&self) -> impl Iterator<Item = &Process> {
        let services = std::iter::once(&self.gateway).chain(&self.admin_apis).chain(&self.nodes);
        services.chain([&self.nginx, &self.redis])
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // All at once; each is waited for as it is dropped itself.
        self.all().for_each(Process::kill);
        let _ = fs::remove_file(&self.published.path);
    }
}

fn services<'a>(
    gateway: &'a mut Process,
    admin_apis: &'a mut [Process],
    nodes: &'a mut [Process],
) -> impl Iterator<Item = &'a mut Process> {
    std::iter::once(gateway).chain(admin_apis).chain(nodes)
}

async fn stop_all(processes: impl IntoIterator<Item = &Process>, within: Duration) {
    let processes: Vec<_> = processes.into_iter().collect();
    processes.iter().for_each(|process| process.ask_to_end());
    let deadline = Instant::now() + within;
    for process in processes {
        process.end_by(deadline).await;
    }
}

/// Names a chat-node: unique within a run, and what its log and its clients call it.
fn node_id(index: usize) -> String {
    format!("chat-node-{}", index + 1)
}

/// Removes what a former run has left: its description, for its processes are gone, and its logs.
fn tidy(dir: &Path) -> Result<(), StartError> {
    for entry in fs::read_dir(dir).map_err(StartError::io(dir))? {
        let path = entry.map_err(StartError::io(dir))?.path();
        let is_log = path.extension().is_some_and(|extension| extension == "log");
        if is_log || path.file_name().is_some_and(|name| name == DESCRIPTION) {
            fs::remove_file(&path).map_err(StartError::io(&path))?;
        }
    }
    Ok(())
}

/// `cluster.json`: written once all are ready, and again whenever one is started anew.
struct Published {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    public: bool,
    description: Description,
}

impl Published {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A chat-node that is to be started.
    fn add(&self, plan: &Plan) {
        self.lock().description.chat_nodes.push(ChatNode { node_id: plan.name.clone(), pid: 0, port: plan.port });
    }

    fn on_start(self: &Arc<Self>, role: Role) -> OnStart {
        let published = self.clone();
        Arc::new(move |pid| {
            let mut state = published.lock();
            state.description.started(role, pid);
            if state.public { published.write(&state) } else { Ok(()) }
        })
    }

    /// From here on others see it.
    fn publish(&self) -> Result<(), ProcessError> {
        let mut state = self.lock();
        state.public = true;
        self.write(&state)
    }

    fn write(&self, state: &State) -> Result<(), ProcessError> {
        let written = state.description.write(&self.path);
        written.map_err(|source| ProcessError::Describe { path: self.path.clone(), source })
    }
}
