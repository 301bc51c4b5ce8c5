//! The report as text.

use super::{Latency, Process, Report};
use std::fmt::{self, Write as _};

pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    // A String takes everything.
    let _ = write(&mut out, report);
    out
}

/// 12,345,678.
pub(crate) fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut out = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if number <= -0.5 { format!("-{out}") } else { out }
}

pub(super) fn mib(bytes: u64) -> String {
    format!("{:.1}", bytes as f64 / f64::from(1 << 20))
}

fn write(out: &mut String, report: &Report) -> fmt::Result {
    let Report { load, setup, traffic, faults, .. } = report;
    writeln!(
        out,
        "{}: {} clients in {} rooms, {} senders, {}, {} B a message; seed {}",
        load.profile.name(),
        grouped(load.clients as f64),
        grouped(load.rooms as f64),
        load.senders,
        load.rate,
        load.bytes,
        load.seed
    )?;
    if let Some(rollout) = &report.rollout {
        let nodes = rollout.drains.len();
        let window = rollout.drain_window_seconds;
        writeln!(out, "on {nodes} nodes, all of which are replaced, with a drain window of {window} s each")?;
    }
    if load.kill {
        writeln!(
            out,
            "all on the node that is killed; on the others {} more in rooms of their own, and a witness in each of theirs",
            grouped(load.others as f64)
        )?;
    }
    writeln!(out, "{}; {}", report.server, report.machine)?;
    writeln!(out)?;
    writeln!(
        out,
        "connections    {} in {:.1} s: {} a second",
        grouped(setup.connections as f64),
        setup.seconds,
        grouped(setup.per_second)
    )?;
    if traffic.messages > 0 {
        writeln!(
            out,
            "messages       {} in {:.1} s: {} a second",
            grouped(traffic.messages as f64),
            traffic.seconds,
            grouped(traffic.messages_per_second)
        )?;
        writeln!(
            out,
            "deliveries     {}: {} a second, {:.0} bytes each on the wire, {:.1} a read",
            grouped(traffic.deliveries as f64),
            grouped(traffic.deliveries_per_second),
            traffic.bytes_per_delivery,
            traffic.deliveries_per_read
        )?;
    }
    writeln!(
        out,
        "on the wire    {} MiB to the clients, {} MiB from them",
        mib(traffic.bytes_received),
        mib(traffic.bytes_sent)
    )?;
    writeln!(out, "\nmilliseconds              p50       p90       p99     p99.9       max      mean     count")?;
    latency(out, "until delivered", &report.delivery)?;
    latency(out, "until the last had it", &report.last_delivery)?;
    latency(out, "until acknowledged", &report.ack)?;
    latency(out, "until in the room", &setup.latency)?;
    if let Some(rollout) = &report.rollout {
        for (name, times) in rollout.latencies() {
            latency(out, name, times)?;
        }
        rollout.write(out, load, faults)?;
    }
    if let Some(comeback) = &report.comeback {
        latency(out, "until back", &comeback.latency)?;
        latency(out, "others meanwhile", &comeback.others)?;
        let seconds = comeback.seconds.map_or(String::new(), |seconds| format!(", all within {seconds:.1} s"));
        writeln!(
            out,
            "\n{} connections were cut and {} came back{seconds}; {} attempts failed, {} were put off; {} messages \
             were caught up",
            grouped(comeback.cut as f64),
            grouped(comeback.back as f64),
            grouped(comeback.retried as f64),
            grouped(comeback.deferred as f64),
            grouped(comeback.recovered as f64)
        )?;
    }
    writeln!(out, "\nprocess, and what it spent on")?;
    row(
        out,
        ["", "CPU", "a delivery", "a message", "a connection", "MiB", "MiB", "MiB", "bytes", "switches", "a second"],
    )?;
    row(out, ["", "%", "µs", "µs", "µs", "empty", "full", "end", "a connection", "own", "forced"])?;
    for process in report.processes.iter().chain([&report.tester]) {
        cost(out, process)?;
    }
    writeln!(
        out,
        "\nlost {}, doubled {}, out of order {}, gaps {}, connections failed {} and dropped {}, messages refused {}",
        faults.lost, faults.doubled, faults.reordered, faults.gaps, faults.failed, faults.dropped, faults.refused
    )?;
    if let Some(expected) = faults.expected {
        writeln!(out, "{} deliveries of {} expected", grouped(faults.delivered as f64), grouped(expected as f64))?;
    }
    if faults.withheld > 0 {
        writeln!(out, "{} messages were not sent: their senders had no connection", faults.withheld)?;
    }
    if faults.unanswered > 0 {
        writeln!(out, "{} messages had no answer when their senders' connections ended", faults.unanswered)?;
    }
    for (reason, count) in &faults.reasons {
        writeln!(out, "  {count} × {reason}")?;
    }
    let verdict = if report.problems.is_empty() { "all well".to_owned() } else { report.problems.join("; ") };
    writeln!(out, "{verdict}")
}

fn latency(out: &mut String, name: &str, times: &Latency) -> fmt::Result {
    if times.count == 0 {
        return Ok(());
    }
    let Latency { p50, p90, p99, p999, max, mean, count } = times;
    let count = grouped(*count as f64);
    writeln!(out, "{name:<21}{p50:>8.2}  {p90:>8.2}  {p99:>8.2}  {p999:>8.2}  {max:>8.2}  {mean:>8.2}  {count}")
}

fn cost(out: &mut String, process: &Process) -> fmt::Result {
    let name = process.name.as_str();
    let numbers = [
        format!("{:.1}", process.cpu_percent),
        format!("{:.2}", process.cpu_us_per_delivery),
        format!("{:.1}", process.cpu_us_per_message),
        format!("{:.0}", process.cpu_us_per_connection),
        mib(process.resident_empty),
        mib(process.resident_connected),
        mib(process.resident_end),
        grouped(process.resident_per_connection),
        grouped(process.voluntary_per_second),
        grouped(process.involuntary_per_second),
    ];
    let [a, b, c, d, e, f, g, h, i, j] = &numbers;
    row(out, [name, a, b, c, d, e, f, g, h, i, j])
}

fn row(out: &mut String, cells: [&str; 11]) -> fmt::Result {
    const WIDTHS: [usize; 11] = [15, 7, 11, 10, 13, 7, 7, 7, 13, 9, 9];
    for (n, (cell, width)) in cells.iter().zip(WIDTHS).enumerate() {
        if n == 0 { write!(out, "{cell:<width$}")? } else { write!(out, "{cell:>width$}")? }
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0.0, "0"), (999.4, "999"), (1000.0, "1,000"), (-1_234_567.0, "-1,234,567"), (-0.2, "0")]
        {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(mib(3 << 19), "1.5");
    }
}
