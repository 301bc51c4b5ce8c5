//! What a process has cost until now, by /proc.

use serde::Serialize;
use std::{fs, path::Path};

/// A process to look at, and its children, as nginx's master has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// What it is.
    pub name: String,
    /// Its id.
    pub pid: u32,
}

/// What it has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// In user space and in the kernel.
    pub cpu_nanoseconds: u64,
    /// Resident now.
    pub resident_bytes: u64,
    /// Context switches because it waited.
    pub voluntary: u64,
    /// Because its time was up.
    pub involuntary: u64,
}

impl Usage {
    /// Adds that of another process.
    pub fn add(&mut self, other: &Self) {
        self.cpu_nanoseconds += other.cpu_nanoseconds;
        self.resident_bytes += other.resident_bytes;
        self.voluntary += other.voluntary;
        self.involuntary += other.involuntary;
    }

    /// What it cost since then; what it holds is that of now.
    #[must_use]
    pub fn since(&self, then: &Self) -> Self {
        Self {
            cpu_nanoseconds: self.cpu_nanoseconds.saturating_sub(then.cpu_nanoseconds),
            resident_bytes: self.resident_bytes,
            voluntary: self.voluntary.saturating_sub(then.voluntary),
            involuntary: self.involuntary.saturating_sub(then.involuntary),
        }
    }
}

/// Looks at a process and its children; `None` when it is gone.
#[must_use]
pub fn look(pid: u32) -> Option<Usage> {
    let process = Path::new("/proc").join(pid.to_string());
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // With those of its children that have ended: nginx's workers do when their configuration is an old one.
    let mut usage = Usage { cpu_nanoseconds: (cpu(&stat, 11)? + cpu(&stat, 13)?) * tick(), ..Usage::default() };
    usage.resident_bytes = resident(&fs::read_to_string(process.join("status")).ok()?);
    for thread in fs::read_dir(process.join("task")).ok()?.flatten() {
        if let Ok(status) = fs::read_to_string(thread.path().join("status")) {
            usage.voluntary += field(&status, "voluntary_ctxt_switches:");
            usage.involuntary += field(&status, "nonvoluntary_ctxt_switches:");
        }
        let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
        let children = children.split_whitespace().filter_map(|child| child.parse().ok());
        children.filter_map(look).for_each(|child| usage.add(&child));
    }
    Some(usage)
}

/// Looks at this process, without the children: they are the servers.
#[must_use]
pub fn look_at_oneself() -> Usage {
    let mut usage = Usage::default();
    if let Ok(stat) = fs::read_to_string("/proc/self/stat") {
        usage.cpu_nanoseconds = cpu(&stat, 11).unwrap_or(0) * tick();
    }
    usage.resident_bytes = fs::read_to_string("/proc/self/status").as_deref().map_or(0, resident);
    for thread in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        if let Ok(status) = fs::read_to_string(thread.path().join("status")) {
            usage.voluntary += field(&status, "voluntary_ctxt_switches:");
            usage.involuntary += field(&status, "nonvoluntary_ctxt_switches:");
        }
    }
    usage
}

/// Nanoseconds of one of the kernel's ticks.
fn tick() -> u64 {
    1_000_000_000 / rustix::param::clock_ticks_per_second().max(1)
}

/// Ticks in user space and in the kernel: two fields from that one on behind the name, which is in brackets, and may have
/// any character.
fn cpu(stat: &str, from: usize) -> Option<u64> {
    let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(fields.get(from)?.parse::<u64>().ok()? + fields.get(from + 1)?.parse::<u64>().ok()?)
}

fn resident(status: &str) -> u64 {
    field(status, "VmRSS:") * 1024
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The machine, in a line.
#[must_use]
pub fn machine() -> String {
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let memory = fs::read_to_string("/proc/meminfo").as_deref().map_or(0, |text| field(text, "MemTotal:")) / (1 << 20);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {model}, {memory} GiB, Linux {}", kernel.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_is_read_behind_any_name() {
        let stat =
            "123 (a ) b) S 1 123 123 0 -1 4194560 2000 0 0 0 42 8 3 4 20 0 7 0 100 1000 200 18446744073709551615";
        assert_eq!((cpu(stat, 11), cpu(stat, 13), cpu("123", 11)), (Some(50), Some(7), None));
    }

    #[test]
    fn status_is_read() {
        let status = "Name:\tx\nVmRSS:\t    5120 kB\nvoluntary_ctxt_switches:\t7\nnonvoluntary_ctxt_switches:\t9\n";
        assert_eq!(resident(status), 5 << 20);
        assert_eq!(field(status, "voluntary_ctxt_switches:"), 7);
        assert_eq!(field(status, "nonvoluntary_ctxt_switches:"), 9);
    }

    #[test]
    fn this_process_can_be_seen() {
        let before = look_at_oneself();
        let seen = look(std::process::id()).unwrap();
        assert!(before.resident_bytes > 1 << 20 && seen.resident_bytes > 1 << 20);
        assert!(seen.since(&before).cpu_nanoseconds < 60_000_000_000);
        assert_eq!(look(u32::MAX), None);
        assert!(machine().contains("cores of"));
    }
}
