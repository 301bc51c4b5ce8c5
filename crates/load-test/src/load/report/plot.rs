//! Lines in an SVG: small, without a library, and readable where there is no script.

use std::fmt::Write as _;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;

/// How many colours the page has (`--c0` and so on).
const COLOURS: usize = 8;

/// One line.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A diagram.
pub(super) struct Plot<'a> {
    pub(super) title: &'a str,
    /// What the horizontal axis is.
    pub(super) across: &'a str,
    /// What the vertical axis is.
    pub(super) up: &'a str,
    pub(super) series: Vec<Series>,
    /// Names for places on the horizontal axis, instead of numbers.
    pub(super) marks: Vec<(f64, String)>,
    /// What is shaded: from, to.
    pub(super) shade: Option<(f64, f64)>,
}

impl Plot<'_> {
    /// The figure, with title and legend; nothing if there is nothing to show.
    pub(super) fn figure(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        if points().count() < 2 {
            return String::new();
        }
        let (low, high) = points().fold((f64::MAX, f64::MIN), |(low, high), (x, _)| (low.min(*x), high.max(*x)));
        let step = nice(points().fold(0.0, |top: f64, (_, y)| top.max(*y)) / 4.0);
        let top = (points().fold(0.0, |top: f64, (_, y)| top.max(*y)) / step).ceil().max(1.0) * step;
        let x = |value: f64| LEFT + (value - low) / (high - low).max(1e-9) * (WIDTH - LEFT - RIGHT);
        let y = |value: f64| HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM);

        let mut svg =
            format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">", escape(self.title));
        if let Some((from, to)) = self.shade {
            let (from, to) = (x(from.max(low)), x(to.min(high)));
            let (width, height) = ((to - from).max(0.0), HEIGHT - TOP - BOTTOM);
            let _ = write!(svg, "<rect class=shade x={from:.1} y={TOP} width={width:.1} height={height}></rect>");
        }
        for n in 0..=(top / step).round() as usize {
            let value = n as f64 * step;
            let at = y(value);
            let _ = write!(svg, "<path class=grid d=\"M{LEFT} {at:.1}H{}\"/>", WIDTH - RIGHT);
            let _ = write!(svg, "<text x={} y={:.1} text-anchor=end>{}</text>", LEFT - 6.0, at + 4.0, short(value));
        }
        let marks = if self.marks.is_empty() { numbers(low, high) } else { self.marks.clone() };
        for (value, name) in marks.iter().filter(|(value, _)| (low..=high).contains(value)) {
            // What stands at the very end would be cut off.
            let anchor = if x(*value) > WIDTH - 2.0 * RIGHT { "end" } else { "middle" };
            let _ = write!(svg, "<text x={:.1} y={} text-anchor={anchor}>{name}</text>", x(*value), HEIGHT - 18.0);
        }
        let middle = LEFT + (WIDTH - LEFT - RIGHT) / 2.0;
        let _ = write!(svg, "<text x={middle} y={} text-anchor=middle>{}</text>", HEIGHT - 3.0, escape(self.across));
        for (n, series) in self.series.iter().enumerate().filter(|(_, series)| !series.points.is_empty()) {
            let path: Vec<_> = series.points.iter().map(|(px, py)| format!("{:.1} {:.1}", x(*px), y(*py))).collect();
            let _ =
                write!(svg, "<path class=line style=\"stroke:var(--c{})\" d=\"M{}\"/>", n % COLOURS, path.join("L"));
            for (px, py) in &series.points {
                let _ = write!(
                    svg,
                    "<circle cx={:.1} cy={:.1} r=5><title>{}: {} at {}</title></circle>",
                    x(*px),
                    y(*py),
                    escape(&series.name),
                    short(*py),
                    marks.iter().find(|(value, _)| value == px).map_or_else(|| short(*px), |(_, name)| name.clone()),
                );
            }
        }
        svg.push_str("</svg>");
        let legend: String = self
            .series
            .iter()
            .enumerate()
            .map(|(n, series)| {
                format!("<span><i style=\"background:var(--c{})\"></i>{}</span>", n % COLOURS, escape(&series.name))
            })
            .collect();
        let (title, up) = (escape(self.title), escape(self.up));
        format!(
            "<figure><figcaption><b>{title}</b>, {up}<span class=legend>{legend}</span></figcaption>{svg}</figure>\n"
        )
    }
}

/// 1, 2 or 5 times a power of ten, and not below the value.
fn nice(value: f64) -> f64 {
    if value <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|nice| *nice >= value * 0.999).unwrap_or(power)
}

fn numbers(low: f64, high: f64) -> Vec<(f64, String)> {
    let step = nice((high - low) / 8.0);
    let first = (low / step).ceil() as i64;
    (0..20).map(|n| (first + n) as f64 * step).take_while(|x| *x <= high).map(|x| (x, short(x))).collect()
}

/// 0.25, 12, 3.4k, 25k.
fn short(value: f64) -> String {
    let trim = |text: String| {
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    };
    match value.abs() {
        v if v >= 1e6 => trim(format!("{:.2}", value / 1e6)) + "M",
        v if v >= 1e4 => trim(format!("{:.1}", value / 1e3)) + "k",
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => trim(format!("{value:.1}")),
        _ => trim(format!("{value:.3}")),
    }
}

/// Text, for HTML.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_readable() {
        for (value, expected) in [(0.0, 1.0), (0.3, 0.5), (1.0, 1.0), (1.1, 2.0), (23.0, 50.0), (70_000.0, 100_000.0)] {
            let nice = nice(value);
            assert!((nice / expected - 1.0).abs() < 1e-9, "{nice} for {value}");
        }
        for (value, text) in
            [(0.0, "0"), (0.25, "0.25"), (12.0, "12"), (250.0, "250"), (25_000.0, "25k"), (2.5e6, "2.5M")]
        {
            assert_eq!(short(value), text);
        }
        let names: Vec<_> = numbers(3.0, 21.0).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["5", "10", "15", "20"]);
    }

    #[test]
    fn a_plot_has_its_lines_within_its_frame() {
        let series = |name: &str, top: f64| Series {
            name: name.to_owned(),
            points: (0..10).map(|n| (f64::from(n), f64::from(n) * top)).collect(),
        };
        let plot = Plot {
            title: "a < b",
            across: "s",
            up: "ms",
            series: vec![series("one", 1.0), series("two & three", 7.3)],
            marks: Vec::new(),
            shade: Some((-5.0, 4.0)),
        };
        let figure = plot.figure();
        assert_eq!(figure.matches("class=line").count(), 2);
        assert!(figure.contains("a &lt; b") && figure.contains("two &amp; three") && !figure.contains("NaN"));
        let empty = Plot { series: Vec::new(), ..plot };
        assert_eq!(empty.figure(), "");
    }
}
