//! What is taken down of a message that is followed (`docs/tracing.md`): `send` where its command was taken, `append` in it
//! while it gets its place, and `deliver` on every node that hands it to members.

use engine::{
    TraceContext,
    connection::ConnectionId,
    trace::{Delivering, Tracer},
};
use runtime::traces::{self, Kind, Span};
use std::sync::atomic::{AtomicU64, Ordering};

/// A command that says something.
pub(crate) fn send(connection: u64) -> Option<Span> {
    let mut span = traces::begin("send", Kind::Server)?;
    span.note("roomful.connection", ConnectionId(connection).to_string());
    Some(span)
}

/// Its message, on its way into the timeline: this is what nodes that hear it go on with.
pub(crate) fn append(send: &Span) -> Option<Span> {
    send.child("append", Kind::Producer)
}

/// What goes along with the message.
pub(crate) fn context(span: &Span) -> Option<TraceContext> {
    TraceContext::new(span.trace(), span.id())
}

/// Takes deliveries down.
pub(crate) struct Deliveries;

impl Tracer for Deliveries {
    fn delivering(&self, message: TraceContext) -> Box<dyn Delivering> {
        let span = traces::go_on("deliver", Kind::Consumer, message.trace(), message.span());
        Box::new(Delivery { span, members: AtomicU64::new(0), bytes: AtomicU64::new(0) })
    }
}

/// Shared by all workers that have members in the room.
struct Delivery {
    span: Option<Span>,
    members: AtomicU64,
    bytes: AtomicU64,
}

impl Delivering for Delivery {
    fn reached(&self, members: u64, bytes: u64) {
        self.members.fetch_add(members, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(mut span) = self.span.take() {
            let number = |number: &mut AtomicU64| i64::try_from(*number.get_mut()).unwrap_or(i64::MAX);
            span.note("roomful.members", number(&mut self.members));
            span.note("roomful.bytes", number(&mut self.bytes));
        }
    }
}
