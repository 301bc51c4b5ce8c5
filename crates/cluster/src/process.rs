//! One process, for as many lives as it is started.

use crate::{
    log,
    ports::is_free,
    probe::Probe,
    spawn::{self, Command, Life},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{fmt, io, os::unix::process::ExitStatusExt, path::PathBuf, process::ExitStatus, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout},
};

/// How often a process is asked whether it is ready, and a port whether it is free.
const LOOK: Duration = Duration::from_millis(20);
/// How long the port of a former life may take to be free: what shared it, such as nginx's workers, was killed as well,
/// but ends in its own time.
const PORT_FREE: Duration = Duration::from_secs(3);
/// How long the kernel may take to end what was killed, where that can be awaited.
pub(crate) const KILLED: Duration = Duration::from_secs(5);
/// And where it cannot.
const DROPPED: Duration = Duration::from_secs(1);

/// Why a process is not there.
#[derive(Debug, Error)]
pub enum ProcessError {
    /// It runs already.
    #[error("{name} runs already, with pid {pid}")]
    Running {
        /// Which.
        name: String,
        /// Its pid.
        pid: u32,
    },
    /// It could not be started at all.
    #[error("{name} cannot be started: {source}")]
    Spawn {
        /// Which.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// Somebody else listens on its port.
    #[error("{name} cannot be started: port {port} is in use")]
    PortInUse {
        /// Which.
        name: String,
        /// Its port.
        port: u16,
    },
    /// It ended before it was ready.
    #[error("{ended} before it was ready. The end of its log:\n{tail}")]
    Ended {
        /// Which, and how.
        ended: Ended,
        /// The end of its log.
        tail: String,
    },
    /// It runs, and was not ready in time.
    #[error("{name} was not ready within {} s ({answer}). The end of its log:\n{tail}", within.as_secs())]
    NotReady {
        /// Which.
        name: String,
        /// How long it had.
        within: Duration,
        /// What it answered last.
        answer: String,
        /// The end of its log.
        tail: String,
    },
    /// It was never started.
    #[error("{0} was never started")]
    Idle(String),
    /// It was started, but its pid could not be written where others look for it.
    #[error("{}: {source}", path.display())]
    Describe {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// That a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub name: String,
    /// The pid that it had.
    pub pid: u32,
    /// How.
    pub status: ExitStatus,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {}) ", self.name, self.pid)?;
        match (self.status.code(), self.status.signal()) {
            (Some(code), _) => write!(f, "ended with status {code}"),
            (None, Some(signal)) => write!(f, "was killed by signal {signal}"),
            (None, None) => write!(f, "ended: {}", self.status),
        }
    }
}

/// What a process is, before it is started.
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) probe: Probe,
    pub(crate) command: Command,
}

/// Called with the pid of each start.
pub(crate) type OnStart = Arc<dyn Fn(u32) -> Result<(), ProcessError> + Send + Sync>;

/// One process. Dropping it kills it.
pub struct Process {
    name: String,
    port: u16,
    probe: Probe,
    command: Command,
    life: watch::Sender<Life>,
    ends: mpsc::UnboundedSender<Ended>,
    on_start: OnStart,
    /// Where the log of this life begins.
    log_from: u64,
}

impl Process {
    pub(crate) fn new(plan: Plan, ends: mpsc::UnboundedSender<Ended>, on_start: OnStart) -> Self {
        let Plan { name, port, probe, command } = plan;
        Self { name, port, probe, command, life: watch::Sender::new(Life::Idle), ends, on_start, log_from: 0 }
    }

    /// Its name, which is also its log's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its pid while it runs. It is that of the program itself: nothing stands between.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match *self.life.borrow() {
            Life::Running(pid) => Some(pid),
            Life::Idle | Life::Starting | Life::Ended(..) => None,
        }
    }

    /// Where it listens on loopback: the same in all its lives.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sends it a signal; it alone, not what it has started. Nothing happens once it has ended.
    pub fn signal(&self, signal: Signal) {
        // While this is borrowed, nobody can reap it, so the pid cannot be somebody else's meanwhile.
        if let Life::Running(pid) = *self.life.borrow()
            && let Some(pid) = os_pid(pid)
        {
            // It may have ended just now.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits for its end, and says how it ended; nothing if it did not in time, or was never started.
    pub async fn wait(&self, within: Duration) -> Option<ExitStatus> {
        let mut life = self.life.subscribe();
        let ended = timeout(within, life.wait_for(|life| !matches!(life, Life::Running(_)))).await.ok()?.ok()?;
        match *ended {
            Life::Ended(_, status) => Some(status),
            Life::Idle | Life::Starting | Life::Running(_) => None,
        }
    }

    /// Starts it: for the first time, or again after its end, with the same command and the same port. It is not
    /// [`ready`](Self::ready) yet.
    ///
    /// # Errors
    /// When it runs already, or cannot be started.
    pub async fn start(&mut self) -> Result<(), ProcessError> {
        if let Some(pid) = self.pid() {
            return Err(ProcessError::Running { name: self.name.clone(), pid });
        }
        self.port_is_free().await?;
        self.log_from = log::length(&self.command.log);
        let spawned = spawn::spawn(&self.name, &self.command, self.life.clone(), self.ends.clone()).await;
        let pid = spawned.map_err(|source| ProcessError::Spawn { name: self.name.clone(), source })?;
        (self.on_start)(pid)
    }

    async fn port_is_free(&self) -> Result<(), ProcessError> {
        let deadline = Instant::now() + PORT_FREE;
        while is_free(self.port).is_err() {
            if Instant::now() >= deadline {
                return Err(ProcessError::PortInUse { name: self.name.clone(), port: self.port });
            }
            sleep(LOOK).await;
        }
        Ok(())
    }

    /// Waits until it takes work.
    ///
    /// # Errors
    /// When it ends, or does not get there in time. The error has the end of its log.
    pub async fn ready(&self, within: Duration) -> Result<(), ProcessError> {
        let deadline = Instant::now() + within;
        loop {
            // Looked at before asking: a former life's answer, or a stranger's, must not count.
            match *self.life.borrow() {
                Life::Idle => return Err(ProcessError::Idle(self.name.clone())),
                Life::Starting | Life::Running(_) => {}
                Life::Ended(pid, status) => {
                    let ended = Ended { name: self.name.clone(), pid, status };
                    return Err(ProcessError::Ended { ended, tail: self.log_tail() });
                }
            }
            let Err(answer) = self.probe.ask(self.port).await else { return Ok(()) };
            if Instant::now() >= deadline {
                let (name, tail) = (self.name.clone(), self.log_tail());
                return Err(ProcessError::NotReady { name, within, answer, tail });
            }
            sleep(LOOK).await;
        }
    }

    /// Asks it to end, and makes it after `grace`. Returns when it has ended; says whether it did by itself.
    pub async fn stop(&self, grace: Duration) -> bool {
        self.ask_to_end();
        self.end_by(Instant::now() + grace).await
    }

    /// The first half of [`stop`](Self::stop), for several at once.
    pub(crate) fn ask_to_end(&self) {
        self.signal(Signal::TERM);
        // A stopped process would take notice when it is continued, which nobody will do any more.
        self.signal(Signal::CONT);
    }

    /// The second half: waits until then, and kills.
    pub(crate) async fn end_by(&self, deadline: Instant) -> bool {
        let remaining = deadline.saturating_duration_since(Instant::now());
        if self.pid().is_none() || self.wait(remaining).await.is_some() {
            return true;
        }
        self.kill();
        self.wait(KILLED).await;
        false
    }

    /// Kills it, and all that it has started.
    pub(crate) fn kill(&self) {
        if let Life::Running(pid) = *self.life.borrow() {
            spawn::kill_group(pid);
        }
    }

    /// The end of its log, since its latest start.
    #[must_use]
    pub fn log_tail(&self) -> String {
        log::tail(&self.command.log, self.log_from)
    }
}

impl Drop for Process {
    /// Kills it, and waits until it is gone, which takes milliseconds: who drops it, and perhaps ends, is not to leave
    /// an entry in the process table to an init that may never look.
    fn drop(&mut self) {
        let deadline = std::time::Instant::now() + DROPPED;
        // It may be on its way into life only now, if whoever started it lost interest.
        while matches!(*self.life.borrow(), Life::Starting | Life::Running(_)) && std::time::Instant::now() < deadline {
            self.kill();
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not its command, whose environment has secrets.
        f.debug_struct("Process").field("name", &self.name).field("port", &self.port).field("pid", &self.pid()).finish()
    }
}

pub(crate) fn os_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}
