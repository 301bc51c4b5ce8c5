//! Starting a process so that it cannot outlive us.
//!
//! | how we end | what ends it |
//! | --- | --- |
//! | in order | [`Process`](crate::Process) does |
//! | SIGKILL, a crash | the kernel, by the signal that `setpriv --pdeathsig` asked it for |
//!
//! `setpriv` (util-linux) asks for the parent-death signal and then *becomes* the program: the pid is the program's
//! own. Doing it ourselves between fork and exec would take unsafe code. Who asks too late, when we are gone already,
//! is never told; so a line of shell in between looks whether its parent is still us.
//!
//! The signal is tied to the thread that forked, not to the process. So each process has a thread of its own here,
//! which starts it, waits for its end, and only then ends itself. The process gets a group of its own: Ctrl-C in a
//! terminal reaches the supervisor alone, which then ends everything in order.

use crate::process::{Ended, os_pid};
use rustix::{
    io::Errno,
    process::{Signal, WaitId, WaitIdOptions, kill_process_group, waitid},
};
use std::{
    ffi::OsString,
    fs::OpenOptions,
    io,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    thread,
};
use tokio::sync::{mpsc, oneshot, watch};

/// Which signal the kernel sends when we are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrphanSignal {
    /// Nothing has to be put in order.
    Kill,
    /// It has processes of its own, which it takes along when it is asked to end, and could not when it is killed.
    Terminate,
}

/// What is run.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) program: PathBuf,
    pub(crate) args: Vec<OsString>,
    /// On top of ours. Secrets are here, and never among the arguments, which everybody can see.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) orphan_signal: OrphanSignal,
    /// Takes what it prints.
    pub(crate) log: PathBuf,
}

/// `$0` is our pid. The shell becomes the program, or ends.
const ONLY_IF_OURS: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// What would mean something else to a process that inherits it: another way to name Redis, and sockets to take over.
const NOT_INHERITED: [&str; 2] = ["REDIS_ENDPOINT", "NGINX"];

/// Where a process is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Idle,
    Starting,
    Running(u32),
    Ended(u32, ExitStatus),
}

/// Starts it, and gives its pid.
pub(crate) async fn spawn(
    name: &str,
    command: &Command,
    life: watch::Sender<Life>,
    ends: mpsc::UnboundedSender<Ended>,
) -> io::Result<u32> {
    let (started, begun) = oneshot::channel();
    let (process, command) = (name.to_owned(), command.clone());
    // Before the thread begins: who drops the process from here on waits for it.
    life.send_replace(Life::Starting);
    let not_started = life.clone();
    let thread = thread::Builder::new().name(process.clone()).stack_size(128 * 1024).spawn(move || {
        let child = match os_command(&command).and_then(|mut command| command.spawn()) {
            Ok(child) => child,
            Err(e) => {
                life.send_replace(Life::Idle);
                return drop(started.send(Err(e)));
            }
        };
        let pid = child.id();
        life.send_replace(Life::Running(pid));
        if started.send(Ok(pid)).is_err() {
            // Nobody waits for it any more.
            kill_group(pid);
        }
        if let Some(status) = wait(child, &life) {
            let _ = ends.send(Ended { name: process, pid, status });
        }
    });
    if let Err(e) = thread {
        not_started.send_replace(Life::Idle);
        return Err(e);
    }
    begun.await.unwrap_or_else(|_| Err(io::Error::other("its thread ended")))
}

/// Waits for its end, kills what it leaves behind, and only then lets the kernel forget its pid.
fn wait(mut child: Child, life: &watch::Sender<Life>) -> Option<ExitStatus> {
    let pid = child.id();
    if let Some(id) = os_pid(pid) {
        while let Err(Errno::INTR) = waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {}
    }
    let mut ended = None;
    // Under the lock: who sends a signal holds it too, and so never sends one to a pid that is somebody else's by now.
    life.send_modify(|life| {
        // nginx's workers would go on serving without their master. Its pid names the group until it is reaped.
        kill_group(pid);
        // It cannot fail: nobody else waits for this child.
        if let Ok(status) = child.wait() {
            *life = Life::Ended(pid, status);
            ended = Some(status);
        }
    });
    ended
}

/// Kills a process and all that it has started.
pub(crate) fn kill_group(pid: u32) {
    if let Some(pid) = os_pid(pid) {
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

fn os_command(command: &Command) -> io::Result<std::process::Command> {
    let log = open_log(&command.log)?;
    let mut os = std::process::Command::new("setpriv");
    os.arg("--pdeathsig")
        .arg(match command.orphan_signal {
            OrphanSignal::Kill => "KILL",
            OrphanSignal::Terminate => "TERM",
        })
        .args(["--", "/bin/sh", "-c", ONLY_IF_OURS])
        .arg(std::process::id().to_string())
        .arg(&command.program)
        .args(&command.args)
        .envs(command.env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    for name in NOT_INHERITED {
        os.env_remove(name);
    }
    Ok(os)
}

fn open_log(path: &Path) -> io::Result<std::fs::File> {
    // Appending, so that a second life is below the first, and that nginx may open the same file once more.
    OpenOptions::new().create(true).append(true).open(path)
}
