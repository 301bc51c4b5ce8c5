//! Logs for a collector: one flat JSON object a line, in the manner of the product's other JSON.
//!
//! `timestamp`, `level`, `service`, `nodeId`, `target` and `message` come first and are nobody else's names. What spans
//! know (a request's `requestId`) is in each line that is written within them; of two fields of one name the inner counts.

use super::Process;
use serde_json::{Number, Value};
use std::{error::Error, fmt, io::Write as _};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::{
        MakeWriter,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    layer::Context,
    registry::LookupSpan,
};

/// The most bytes of one text: a line is for somebody to read.
const LONGEST: usize = 4096;
/// Names that every line has for itself.
const OURS: [&str; 6] = ["timestamp", "level", "service", "nodeId", "target", "message"];

/// Writes each event as a line.
pub(super) struct JsonLines<W> {
    process: Process,
    writer: W,
}

impl<W> JsonLines<W> {
    pub(super) fn new(process: Process, writer: W) -> Self {
        Self { process, writer }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(fields);
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            record.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(known) = span.extensions().get::<Fields>() {
                known.named.iter().for_each(|(name, value)| fields.set(name, value.clone()));
            }
        }
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = self.line(metadata.level().as_str(), metadata.target(), fields);
        // In one piece, or lines of several threads would mix. There is nobody to tell that it failed.
        let _ = self.writer.make_writer_for(metadata).write_all(line.as_bytes());
    }
}

impl<W> JsonLines<W> {
    fn line(&self, level: &str, target: &str, fields: Fields) -> String {
        let mut timestamp = String::new();
        let _ = SystemTime.format_time(&mut Writer::new(&mut timestamp));
        let Process { service, node } = &self.process;
        let target = fields.target.as_deref().unwrap_or(target);
        let node = node.as_ref().map(|node| ("nodeId", node.as_str()));
        let first = [("timestamp", timestamp.as_str()), ("level", level), ("service", service)];
        let last = [("target", target), ("message", fields.message.as_str())];
        let mut line = String::from("{");
        for (name, value) in first.into_iter().chain(node).chain(last) {
            put(&mut line, name, &Value::from(value));
        }
        for (name, value) in &fields.named {
            put(&mut line, name, value);
        }
        line.push_str("}\n");
        line
    }
}

fn put(line: &mut String, name: &str, value: &Value) {
    if line.len() > 1 {
        line.push(',');
    }
    // Strings and numbers always serialise, in one line.
    for part in [Value::from(name).to_string().as_str(), ":", value.to_string().as_str()] {
        line.push_str(part);
    }
}

/// What an event or a span says, by the names that it has in JSON.
#[derive(Debug, Default)]
struct Fields {
    message: String,
    /// Where an event of the `log` crate comes from; such events all have the same target of their own.
    target: Option<String>,
    named: Vec<(String, Value)>,
}

impl Fields {
    fn set(&mut self, name: &str, value: Value) {
        match self.named.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value,
            None => self.named.push((name.to_owned(), value)),
        }
    }

    fn text(&mut self, field: &Field, mut text: String) {
        if text.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(end.unwrap_or_default());
            text.push('…');
        }
        match field.name() {
            "message" => self.message = text,
            "log.target" => self.target = Some(text),
            "log.module_path" | "log.file" => {}
            name => self.named(name, text.into()),
        }
    }

    fn named(&mut self, name: &str, value: Value) {
        let name = camel_case(name);
        if name != "log.line" && !OURS.contains(&name.as_str()) {
            self.set(&name, value);
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.text(field, value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.named(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.named(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.named(field.name(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.named(field.name(), Number::from_f64(value).map_or(Value::Null, Value::Number));
    }
}

/// As in all JSON of the product: `request_id` is `requestId`.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut letters = part.chars();
        camel.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        camel.push_str(letters.as_str());
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(node: Option<&str>, act: impl FnOnce()) -> Vec<Value> {
        let paper = Paper::default();
        let process = Process { service: "echo", node: node.map(str::to_owned) };
        let writer = paper.clone();
        let lines = JsonLines::new(process, move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), act);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_one_flat_object() {
        let lines = written(Some("n1"), || {
            let span = tracing::info_span!("http", request_id = "r1", path = "/outer", late = tracing::field::Empty);
            span.in_scope(|| {
                span.record("late", 1_u64);
                tracing::warn!(path = "/inner", ms = 1.5, bad = f64::NAN, ok = true, error = %"a\n\"b\"\u{1b}", "it was {}", "so");
            });
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.ends_with('Z') && timestamp.contains('T'), "{timestamp}");
        let expected = serde_json::json!({
            "timestamp": timestamp, "level": "WARN", "service": "echo", "nodeId": "n1",
            "target": "runtime::telemetry::json::tests", "message": "it was so",
            "requestId": "r1", "path": "/inner", "late": 1, "ms": 1.5, "bad": null, "ok": true, "error": "a\n\"b\"\u{1b}",
        });
        assert_eq!(*line, expected);
    }

    #[test]
    fn no_field_takes_a_name_of_ours_and_none_is_without_end() {
        let lines = written(None, || {
            let service = "forged";
            tracing::info!(service, node_id = "forged", level = "forged", long = "ä".repeat(LONGEST), "here");
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!((&line["service"], &line["level"]), (&"echo".into(), &"INFO".into()));
        assert!(line.get("nodeId").is_none());
        assert!(line["long"].as_str().unwrap().len() < LONGEST + 8);
    }
}
