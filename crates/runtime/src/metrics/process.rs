//! What the kernel knows of this process. Elsewhere than on Linux these are 0: a missing figure must not cost the others.

use super::Sheet;
use std::fs;

/// The kernel's `USER_HZ`, fixed for user space on every architecture that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Writes all of it down.
pub(super) fn show(sheet: &mut Sheet) {
    let status = read("/proc/self/status");
    let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).and_then(first_number);
    let resident = line("VmRSS:").unwrap_or_default() * 1024.0;
    sheet.gauge("process_resident_memory_bytes", "Resident memory.", &[], resident);
    sheet.gauge("process_threads", "Threads of the process.", &[], line("Threads:").unwrap_or_default());
    sheet.gauge("process_open_fds", "Open file descriptors.", &[], open_fds());
    sheet.gauge("process_max_fds", "How many file descriptors may be open.", &[], max_fds());
    let stat = Stat::read();
    sheet.counter("process_cpu_seconds_total", "User and system CPU time.", &[], stat.cpu_seconds);
    let help = "When the process was started, in seconds since 1970.";
    sheet.gauge("process_start_time_seconds", help, &[], stat.started);
}

fn open_fds() -> f64 {
    // Linux 6.2 and later give the count as the directory's size; walking it costs tens of milliseconds with 100,000
    // sockets open.
    match fs::metadata("/proc/self/fd").map(|fds| fds.len()) {
        Ok(0) => fs::read_dir("/proc/self/fd").map_or(0.0, |fds| fds.count() as f64 - 1.0),
        Ok(count) => count as f64,
        Err(_) => 0.0,
    }
}

fn max_fds() -> f64 {
    let limits = read("/proc/self/limits");
    limits.lines().find_map(|line| line.strip_prefix("Max open files")).and_then(first_number).unwrap_or_default()
}

struct Stat {
    cpu_seconds: f64,
    started: f64,
}

impl Stat {
    fn read() -> Self {
        let stat = read("/proc/self/stat");
        // The second field is the program's name in parentheses and may hold anything, so counting begins after it:
        // utime and stime are fields 14 and 15, and when it was started, since the machine was, is field 22.
        let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default().split_whitespace();
        let ticks = |text: &str| text.parse::<f64>().unwrap_or_default() / TICKS_PER_SECOND;
        let times: Vec<f64> = fields.skip(11).take(9).map(ticks).collect();
        let booted = read("/proc/stat");
        let booted = booted.lines().find_map(|line| line.strip_prefix("btime")).and_then(first_number);
        Self {
            cpu_seconds: times.iter().take(2).sum(),
            started: booted.unwrap_or_default() + times.get(8).copied().unwrap_or_default(),
        }
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}
