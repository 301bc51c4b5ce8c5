//! The report as a page: one file, which loads nothing.

use super::{
    Latency, Process, Report,
    plot::{Plot, Series, escape},
    text::{grouped, mib},
};
use std::fmt::Write as _;

const HEAD: &str = "<!doctype html>
<html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">
<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">
<style>
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#667080;--grid:#e3e6ea;--paper:#fff;--good:#1a7f4b;--bad:#b3261e;
--c0:#2f6fd6;--c1:#d9822b;--c2:#2c9a6d;--c3:#b04ec4;--c4:#c9403a;--c5:#4b8fa8;--c6:#8a7a1f;--c7:#6b7280}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#98a2b0;--grid:#2d333b;--paper:#15181c;--good:#56c98d;--bad:#ff8a80;
--c0:#6fa3f5;--c1:#f0a860;--c2:#5fc79b;--c3:#d48be3;--c4:#f0817b;--c5:#7fc0d8;--c6:#cfbd55;--c7:#9aa4b2}}
body{font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:1500px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}p{margin:.3rem 0;color:var(--soft)}.good{color:var(--good)}.bad{color:var(--bad)}
main{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1.5rem;margin:1.5rem 0}
figure{margin:0}figcaption{font-size:.9rem}.legend{float:right}.legend span{margin-left:.8rem;white-space:nowrap}
.legend i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.3em}
svg{width:100%;height:auto}svg text{font-size:11px;fill:var(--soft)}.grid{stroke:var(--grid)}.shade{fill:var(--grid);opacity:.45}
.line{fill:none;stroke-width:1.8;stroke-linejoin:round}circle{fill:transparent}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:.5rem 0 1.2rem}
th,td{padding:.25rem .8rem;text-align:right;border-bottom:1px solid var(--grid);white-space:nowrap}
th:first-child,td:first-child{text-align:left}th{font-weight:600;color:var(--soft)}
</style>
";

pub(super) fn page(report: &Report) -> String {
    let load = &report.load;
    let title = format!(
        "{}: {} clients in {} rooms, {}",
        load.profile.name(),
        grouped(load.clients as f64),
        grouped(load.rooms as f64),
        load.rate
    );
    let mut out = format!("{HEAD}<title>{0}</title>\n<h1>{0}</h1>\n", escape(&title));
    let _ = writeln!(
        out,
        "<p>{}; {}. {} senders, {} B a message, seed {}, version {}.</p>",
        escape(&report.server),
        escape(&report.machine),
        load.senders,
        load.bytes,
        load.seed,
        report.version
    );
    let verdict = if report.problems.is_empty() {
        "<p class=good>All well: nothing lost, doubled or out of order.</p>".to_owned()
    } else {
        format!("<p class=bad>{}</p>", escape(&report.problems.join("; ")))
    };
    let _ = writeln!(out, "{verdict}\n{}<main>{}</main>\n{}", figures(report), plots(report), processes(report));
    if !report.faults.reasons.is_empty() {
        let reasons = report.faults.reasons.iter();
        let rows: String = reasons.map(|(why, n)| format!("<tr><td>{}<td>{n}", escape(why))).collect();
        let _ = writeln!(out, "<table><tr><th>what went wrong<th>times{rows}</table>");
    }
    out
}

fn figures(report: &Report) -> String {
    let mut out = String::from(
        "<div class=scroll><table><tr><th>milliseconds<th>p50<th>p90<th>p99<th>p99.9<th>max<th>mean<th>count",
    );
    let rows = [
        ("until delivered", Some(&report.delivery)),
        ("until the last had it", Some(&report.last_delivery)),
        ("until acknowledged", Some(&report.ack)),
        ("until in the room", Some(&report.setup.latency)),
        ("until back", report.comeback.as_ref().map(|comeback| &comeback.latency)),
    ];
    let rollout = report.rollout.iter().flat_map(super::Rollout::latencies).map(|(name, times)| (name, Some(times)));
    for (name, times) in rows.into_iter().chain(rollout) {
        let Some(Latency { count, mean, p50, p90, p99, p999, max }) = times.filter(|times| times.count > 0) else {
            continue;
        };
        let _ = write!(out, "<tr><td>{name}");
        for value in [p50, p90, p99, p999, max, mean] {
            let _ = write!(out, "<td>{value:.2}");
        }
        let _ = write!(out, "<td>{}", grouped(*count as f64));
    }
    let (setup, traffic, faults) = (&report.setup, &report.traffic, &report.faults);
    let mut facts = vec![
        ("connections a second", grouped(setup.per_second)),
        ("messages a second", grouped(traffic.messages_per_second)),
        ("deliveries a second", grouped(traffic.deliveries_per_second)),
        ("bytes a delivery", grouped(traffic.bytes_per_delivery)),
        ("lost", grouped(faults.lost as f64)),
        ("doubled", grouped(faults.doubled as f64)),
        ("out of order", grouped(faults.reordered as f64)),
        ("connections failed", grouped((faults.failed + faults.dropped) as f64)),
    ];
    if let Some(comeback) = &report.comeback {
        facts.push(("cut", grouped(comeback.cut as f64)));
        facts.push(("back", grouped(comeback.back as f64)));
        facts.extend(comeback.seconds.map(|seconds| ("seconds until all were back", format!("{seconds:.1}"))));
    }
    out += "</table>";
    for facts in [Some(facts), report.rollout.as_ref().map(super::Rollout::facts)].into_iter().flatten() {
        let (heads, cells): (String, String) =
            facts.into_iter().map(|(name, value)| (format!("<th>{name}"), format!("<td>{value}"))).unzip();
        let _ = write!(out, "<table><tr>{heads}<tr>{cells}</table>");
    }
    out + "</div>\n"
}

fn processes(report: &Report) -> String {
    let mut out = String::from(
        "<div class=scroll><table><tr><th>process<th>CPU %<th>µs a delivery<th>µs a message<th>µs a connection<th>MiB empty\
         <th>MiB connected<th>MiB at the end<th>B a connection<th>switches/s<th>forced/s",
    );
    for process in report.processes.iter().chain([&report.tester]) {
        let Process { name, cpu_percent, cpu_us_per_delivery, cpu_us_per_message, cpu_us_per_connection, .. } = process;
        let _ = write!(
            out,
            "<tr><td>{}<td>{cpu_percent:.1}<td>{cpu_us_per_delivery:.2}<td>{cpu_us_per_message:.1}\
             <td>{cpu_us_per_connection:.0}<td>{}<td>{}<td>{}<td>{}<td>{:.0}<td>{:.0}",
            escape(name),
            mib(process.resident_empty),
            mib(process.resident_connected),
            mib(process.resident_end),
            grouped(process.resident_per_connection),
            process.voluntary_per_second,
            process.involuntary_per_second,
        );
    }
    out + "</table></div>\n"
}

fn plots(report: &Report) -> String {
    let times = &report.timeline;
    let over_time = |name: &str, value: &dyn Fn(&super::Second) -> f64| Series {
        name: name.to_owned(),
        points: times.iter().map(|second| (second.at, value(second))).collect(),
    };
    // Only seconds that have deliveries have a latency.
    let latency = |name: &str, value: &dyn Fn(&super::Second) -> f64| Series {
        name: name.to_owned(),
        points: times.iter().filter(|s| s.max > 0.0).map(|second| (second.at, value(second))).collect(),
    };
    let tester = ["load tester".to_owned()];
    let watched: Vec<_> =
        report.processes.iter().filter(|process| process.pid.is_some()).map(|p| p.name.clone()).collect();
    let each = |value: &dyn Fn(&super::Second, usize) -> f64| -> Vec<Series> {
        let names = watched.iter().chain(&tester).enumerate();
        names.map(|(n, name)| over_time(name, &|second| value(second, n))).collect()
    };
    let plot =
        |title, up, series| Plot { title, across: "seconds", up, series, marks: Vec::new(), shade: None }.figure();
    // Even steps for each halving of those that are later.
    let place = |quantile: f64| -(1.0 - quantile).log10();
    let quantiles = report.quantiles.iter().map(|point| (place(point.quantile), point.ms)).collect();
    let marks =
        [(0.0, "0"), (0.5, "50"), (0.9, "90"), (0.99, "99"), (0.999, "99.9"), (0.9999, "99.99"), (0.99999, "99.999")];
    let distribution = Plot {
        title: "Latency by percentile",
        across: "percent of deliveries that are not later",
        up: "milliseconds",
        series: vec![Series { name: "until delivered".to_owned(), points: quantiles }],
        marks: marks.into_iter().map(|(quantile, name)| (place(quantile), name.to_owned())).collect(),
        shade: None,
    };
    [
        plot(
            "Latency",
            "milliseconds",
            vec![latency("p50", &|s| s.p50), latency("p99", &|s| s.p99), latency("max", &|s| s.max)],
        ),
        distribution.figure(),
        plot("Deliveries", "a second", vec![over_time("deliveries", &|s| s.deliveries)]),
        plot("Connections", "in their rooms", vec![over_time("connections", &|s| s.connections as f64)]),
        plot("CPU", "percent of a core", each(&|s, n| s.cpu.get(n).copied().unwrap_or(0.0))),
        plot(
            "Memory",
            "resident MiB",
            each(&|s, n| s.resident.get(n).copied().unwrap_or(0) as f64 / f64::from(1 << 20)),
        ),
    ]
    .concat()
}
