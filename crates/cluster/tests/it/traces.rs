//! Traces over real processes: one message is one trace, from the node that took it to every node that hands it on, and a
//! collector that is away is nobody's loss.

use crate::{
    promises::node,
    support::{PATIENCE, http::get, programs::options},
};
use client::{Client, ConnectOptions};
use cluster::{Cluster, Signal};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use prost::Message as _;
use protocol::event::NewMessage;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

const BODY: &str = "a body that is nobody's business 4711";
const NAME: &str = "Xanthippe8153";

/// A span, and what says of which process it is.
#[derive(Debug, Clone)]
struct Taken {
    service: String,
    node: String,
    span: Span,
}

impl Taken {
    fn number(&self, name: &str) -> i64 {
        match value(&self.span.attributes, name) {
            Some(Value::IntValue(number)) => *number,
            other => panic!("{name} is {other:?} of {:?}", self.span),
        }
    }
}

fn value<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Value> {
    attributes.iter().find(|pair| pair.key == name)?.value.as_ref()?.value.as_ref()
}

/// Takes traces as a collector does.
struct Collector {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    task: AbortHandle,
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (address, bodies) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let taken = bodies.clone();
        let serve = async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let taken = taken.clone();
                tokio::spawn(async move { while take(&mut socket, &taken).await.is_some() {} });
            }
        };
        Self { address, bodies, task: tokio::spawn(serve).abort_handle() }
    }

    fn taken(&self) -> Vec<Taken> {
        let mut all = Vec::new();
        for body in self.bodies.lock().unwrap().iter() {
            for of_process in ExportTraceServiceRequest::decode(&body[..]).unwrap().resource_spans {
                let attributes = of_process.resource.unwrap().attributes;
                let text = |name| match value(&attributes, name) {
                    Some(Value::StringValue(text)) => text.clone(),
                    other => panic!("{name} is {other:?}"),
                };
                let (service, node) = (text("service.name"), text("service.instance.id"));
                let spans = of_process.scope_spans.into_iter().flat_map(|scope| scope.spans);
                all.extend(spans.map(|span| Taken { service: service.clone(), node: node.clone(), span }));
            }
        }
        all
    }

    /// Waits until all of them have come.
    async fn wait(&self, what: &str, is_there: impl Fn(&[Taken]) -> bool) -> Vec<Taken> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let taken = self.taken();
            if is_there(&taken) {
                return taken;
            }
            assert!(Instant::now() < deadline, "{what}: {taken:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// One request of a connection.
async fn take(socket: &mut TcpStream, taken: &Mutex<Vec<Vec<u8>>>) -> Option<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?.to_ascii_lowercase();
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: application/x-protobuf\r\n"), "{head}");
    assert!(head.contains("\r\nx-tenant: tea\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    socket.read_exact(&mut body).await.ok()?;
    taken.lock().unwrap().push(body);
    let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
    socket.write_all(answer.as_bytes()).await.ok()
}

async fn start(collector: SocketAddr) -> (Cluster, tempfile::TempDir) {
    let (mut options, dir) = options(2);
    let endpoint = format!("http://{collector}");
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=tea"),
        ("OTEL_TRACES_SAMPLER", "parentbased_always_on"),
        ("OTEL_BSP_SCHEDULE_DELAY", "50"),
    ];
    options.env.extend(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    (Cluster::start(options, &mut |_| {}).await.unwrap(), dir)
}

/// One on each node, in one room.
async fn people(cluster: &mut Cluster) -> (Client, Client) {
    let mut one = Client::connect(&node(cluster, 0), ConnectOptions::new().username(NAME)).await.unwrap();
    let mut two = Client::connect(&node(cluster, 1), ConnectOptions::new()).await.unwrap();
    let room = one.create_room("Tea").await.unwrap().room.room_id;
    two.join(room).await.unwrap();
    (one, two)
}

/// A message from the first to the second.
async fn talk((one, two): &mut (Client, Client)) {
    let seq = one.say(BODY).await.unwrap().seq.unwrap();
    two.expect(|message: &NewMessage| message.seq == seq).await.unwrap();
}

fn named(taken: &[Taken], name: &str) -> Vec<Taken> {
    taken.iter().filter(|t| t.span.name == name).cloned().collect()
}

/// The spans of a message that both nodes heard.
fn whole(taken: &[Taken]) -> Option<Vec<Taken>> {
    let of = |send: &Taken| taken.iter().filter(|t| t.span.trace_id == send.span.trace_id).cloned().collect::<Vec<_>>();
    let is_whole = |of: &Vec<Taken>| named(of, "append").len() == 1 && named(of, "deliver").len() == 2;
    named(taken, "send").iter().map(of).find(is_whole)
}

#[tokio::test]
async fn a_message_is_one_trace_across_the_nodes() {
    let collector = Collector::start().await;
    let (mut cluster, _dir) = start(collector.address).await;
    let mut people = people(&mut cluster).await;
    // A node that has just begun may read the room instead of hearing it, while what it hears with moves to its worker's
    // thread; of what is read there is no `deliver`. So the first message need not be the one.
    let deadline = Instant::now() + PATIENCE;
    let message = loop {
        talk(&mut people).await;
        let soon = Instant::now() + Duration::from_secs(1);
        while whole(&collector.taken()).is_none() && Instant::now() < soon {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        if let Some(message) = whole(&collector.taken()) {
            break message;
        }
        assert!(Instant::now() < deadline, "{:#?}", collector.taken());
    };
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("traceparent: 00-{trace}-b7ad6b7169203331");
    let gateway = SocketAddr::from((Ipv4Addr::LOCALHOST, cluster.gateway().port()));
    // Neither who only watches is followed, nor what its caller does not follow. Spans come in their order.
    for (path, sampled) in [("/readyz", "01"), ("/api/instance", "00"), ("/api/rooms?limit=3", "01")] {
        assert_eq!(get(gateway, path, &[&format!("{parent}-{sampled}")]).await.status, 200);
    }
    let taken = collector.wait("the request", |taken| !named(taken, "GET /api/rooms").is_empty()).await;
    let known = ["send", "append", "deliver", "GET /api/rooms"];
    assert!(taken.iter().all(|t| known.contains(&t.span.name.as_str())), "{taken:#?}");

    assert_eq!(message.len(), 4, "{message:#?}");
    let (sends, appends, delivers) = (named(&message, "send"), named(&message, "append"), named(&message, "deliver"));
    let (send, append) = (&sends[0], &appends[0]);
    assert_eq!((send.node.as_str(), append.node.as_str()), ("chat-node-1", "chat-node-1"));
    assert!(send.span.parent_span_id.is_empty() && send.span.trace_id.len() == 16);
    assert_eq!(append.span.parent_span_id, send.span.span_id);
    let mut on: Vec<_> = delivers.iter().map(|deliver| deliver.node.as_str()).collect();
    on.sort_unstable();
    assert_eq!(on, ["chat-node-1", "chat-node-2"]);
    for part in delivers.iter().chain([append]) {
        assert_eq!((&part.span.trace_id, part.service.as_str()), (&send.span.trace_id, "chat-node"));
    }
    for deliver in &delivers {
        assert_eq!(deliver.span.parent_span_id, append.span.span_id);
        assert_eq!(deliver.number("roomful.members"), 1);
        assert!(deliver.number("roomful.bytes") > BODY.len() as i64);
        // By one clock: it was heard after it was asked for, and took some time.
        let Span { start_time_unix_nano: begin, end_time_unix_nano: end, .. } = deliver.span;
        assert!(begin >= append.span.start_time_unix_nano && end >= begin);
    }
    assert!(send.span.end_time_unix_nano >= append.span.end_time_unix_nano);

    let request = &named(&taken, "GET /api/rooms")[0];
    assert_eq!((request.service.as_str(), request.number("http.response.status_code")), ("gateway", 200));
    let hex: String = request.span.trace_id.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, trace);
    assert_eq!(request.span.parent_span_id, 0xb7ad_6b71_6920_3331_u64.to_be_bytes());

    for secret in [BODY, NAME, "limit=3", "127.0.0.1"] {
        let told = |body: &Vec<u8>| body.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!collector.bodies.lock().unwrap().iter().any(told), "{secret:?} was sent");
    }
}

#[tokio::test]
async fn without_its_collector_everything_goes_on() {
    // Nothing listens on port 1.
    let (mut cluster, dir) = start(SocketAddr::from((Ipv4Addr::LOCALHOST, 1))).await;
    let mut people = people(&mut cluster).await;
    talk(&mut people).await;
    let log = dir.path().join("run/chat-node-1.log");
    crate::support::eventually("the log says it", async || {
        std::fs::read_to_string(&log).unwrap().contains("the collector takes no traces")
    })
    .await;
    talk(&mut people).await;
    cluster.node(0).signal(Signal::TERM);
    assert!(cluster.node(0).wait(PATIENCE).await.is_some_and(|status| status.success()));
    let log = std::fs::read_to_string(&log).unwrap();
    assert_eq!(log.matches("the collector takes no traces").count(), 1, "{log}");
    assert!(log.contains("traces were lost"), "{log}");
}
