//! Timelines and publishing.

use crate::{
    RedisNode, envelope,
    reply::Reply,
    script::{APPEND, READ, RENEW},
    timeline::{arg, fresh_epoch, millis},
};
use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Unavailable, Who,
    port::{Address, Amended, Amendment, Appended, Bus, Entry, Original, Post, Sink, Slice, Span},
};
use fred::types::Value;
use protocol::{ClientId, Epoch, RoomId, Seq, event::Budget, policy::Policy};
use std::{sync::Arc, time::Duration};
use tokio::runtime::{Handle, RuntimeFlavor};
use uuid::Uuid;

#[async_trait]
impl Bus for RedisNode {
    fn attach(&self, sink: Arc<dyn Sink>) {
        self.tap.open(sink);
    }

    fn settle(&self) {
        // On a runtime of several threads there is no thread to settle on.
        let Ok(thread) = Handle::try_current() else { return };
        if thread.runtime_flavor() == RuntimeFlavor::CurrentThread {
            self.shared.commands.settle(&thread);
            self.shared.subscriber.settle(thread);
        }
    }

    async fn listen(&self) -> Result<(), Unavailable> {
        self.shared.subscriber.subscribe(self.shared.keys.everyone()).await?;
        self.shared.subscriber.subscribe(self.shared.keys.node(&self.node)).await
    }

    async fn subscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        let channel = self.shared.keys.channel(room);
        let is_new = self.shared.routes.add(&channel, Some(room), &self.tap);
        let result = self.shared.subscriber.subscribe(channel.clone()).await;
        // What the caller was told to have failed must not go on by itself.
        if result.is_err() && is_new && self.shared.routes.remove(&channel, &self.tap) {
            self.shared.subscriber.unsubscribe(channel);
        }
        result
    }

    async fn unsubscribe(&self, room: RoomId) -> Result<(), Unavailable> {
        let channel = self.shared.keys.channel(room);
        if self.shared.routes.remove(&channel, &self.tap) {
            self.shared.subscriber.unsubscribe(channel);
        }
        Ok(())
    }

    async fn append(&self, post: Post) -> Result<Appended, PortError> {
        if let Some(appended) = self.try_append(&post).await? {
            return Ok(appended);
        }
        if self.heal(post.room).await?
            && let Some(appended) = self.try_append(&post).await?
        {
            return Ok(appended);
        }
        Err(PortError::RoomNotFound)
    }

    async fn publish(&self, room: RoomId, except: Option<ClientId>, payload: Bytes) -> Result<(), Unavailable> {
        let channel = self.shared.keys.channel(room);
        self.shared.commands.publish(&channel, envelope::ephemeral(except, &payload)).await
    }

    async fn read(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice, PortError> {
        self.read_as(false, room, span, limit, in_force).await
    }

    async fn originals(&self, room: RoomId, span: Span, limit: usize) -> Result<Slice<Original>, PortError> {
        self.read_as(true, room, span, limit, original).await
    }

    async fn renew(&self, room: RoomId, lost: &Epoch) -> Result<(), PortError> {
        let (keys, fresh) = (&self.shared.keys, fresh_epoch());
        let args = vec![keys.channel(room).into(), lost.as_str().into(), fresh.into()];
        let mut reply = self.shared.commands.run(&RENEW, keys.timeline(room), args).await?;
        if reply.int()? < 0 { Err(PortError::RoomNotFound) } else { Ok(()) }
    }

    async fn order(&self, to: Address, order: Bytes) -> Result<(), Unavailable> {
        let channel = match to {
            Address::Node(node) => self.shared.keys.node(&node),
            Address::Everyone => self.shared.keys.everyone(),
        };
        self.shared.commands.publish(&channel, envelope::order(&order)).await
    }
}

impl RedisNode {
    /// None: there is no timeline.
    async fn try_append(&self, post: &Post) -> Result<Option<Appended>, PortError> {
        let Post { room, client, key, id, payload, amendment, window, trace } = post;
        let (keys, config) = (&self.shared.keys, &self.shared.config);
        let (limit, length) = window.map_or((0, Duration::ZERO), |window| (window.count, window.window));
        let mut names = keys.timeline(*room);
        names.push(keys.seen(*room));
        names.push(keys.limit_in(*room, Policy::Message, &Who::Client(*client).to_string()));
        let mut args = vec![
            keys.channel(*room).into(),
            format!("{client}:{id}").into(),
            Value::Bytes(payload.clone()),
            arg(config.retention.messages),
            millis(config.retention.duplicates),
            millis(config.orphan_ttl),
            arg(limit),
            millis(length.max(Duration::from_millis(1))),
        ];
        args.push(key.map_or_else(nothing, |key| Value::Bytes(Bytes::copy_from_slice(key.as_bytes()))));
        args.push(trace.map_or_else(nothing, arg));
        if let Some(Amendment { target, expect, replacement, noted_as, superseded }) = amendment {
            args.extend([
                arg(target),
                arg(expect.unwrap_or(Seq::ZERO)),
                millis(config.retention.time),
                Value::Bytes(replacement.clone()),
                (*noted_as).into(),
            ]);
            args.extend(superseded.iter().flat_map(|(seq, payload)| [arg(seq), Value::Bytes(payload.clone())]));
        }
        let mut reply = self.shared.commands.run(&APPEND, names, args).await?;
        match reply.int()? {
            -1 => return Ok(None),
            -2 => return Err(PortError::Limited(Duration::from_millis(reply.number()?))),
            -3 => return Err(PortError::Amended),
            _ => {}
        }
        let seq = Seq::new(reply.number()?);
        let (sent_at, duplicate, remaining) = (reply.time()?, reply.int()? == 1, reply.int()?);
        let one_more_ms = reply.number()?;
        let budget = u32::try_from(remaining).ok().map(|remaining| Budget { remaining, one_more_ms });
        Ok(Some(Appended { seq, sent_at, duplicate, budget }))
    }

    /// Reads a part of a log, each entry's texts with `texts`.
    async fn read_as<E>(
        &self,
        as_posted: bool,
        room: RoomId,
        span: Span,
        limit: usize,
        texts: Texts<E>,
    ) -> Result<Slice<E>, PortError> {
        if let Some(slice) = self.try_read(as_posted, room, span, limit, texts).await? {
            return Ok(slice);
        }
        if self.heal(room).await?
            && let Some(slice) = self.try_read(as_posted, room, span, limit, texts).await?
        {
            return Ok(slice);
        }
        Err(PortError::RoomNotFound)
    }

    /// None: there is no timeline.
    async fn try_read<E>(
        &self,
        as_posted: bool,
        room: RoomId,
        span: Span,
        limit: usize,
        texts: Texts<E>,
    ) -> Result<Option<Slice<E>>, Unavailable> {
        // A position beyond every timeline; Lua's numbers are exact up to there.
        const END: u64 = 1 << 53;
        let (low, high, forward) = match span {
            Span::Newest => (0, END, false),
            Span::Before(before) => (0, before.prev().get(), false),
            Span::After(after) => (after.get().saturating_add(1), END, true),
            Span::Between(after, before) => (after.get().saturating_add(1), before.prev().get(), true),
        };
        let config = &self.shared.config;
        let args = vec![
            arg(low.min(END)),
            arg(high.min(END)),
            arg(u8::from(forward)),
            arg(limit),
            millis(config.retention.time),
            millis(config.orphan_ttl),
            arg(u8::from(as_posted)),
        ];
        let mut reply = self.shared.commands.run(&READ, self.shared.keys.timeline(room), args).await?;
        if reply.int()? < 0 {
            return Ok(None);
        }
        let (oldest, newest) = (Seq::new(reply.number()?), Seq::new(reply.number()?));
        let more = reply.int()? == 1;
        let count: usize = reply.number()?;
        let mut places = Vec::with_capacity(count);
        for _ in 0..count {
            places.push((Seq::new(reply.number()?), reply.time()?));
        }
        let epoch = reply.parse()?;
        let entry = |(seq, sent_at)| texts(Entry { seq, sent_at, payload: reply.bytes()? }, &mut reply);
        let entries = places.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Some(Slice { epoch, oldest, newest, entries, more }))
    }
}

/// Reads what else a reply has of an entry.
type Texts<E> = fn(Entry, &mut Reply) -> Result<E, Unavailable>;

fn in_force(entry: Entry, _: &mut Reply) -> Result<Entry, Unavailable> {
    Ok(entry)
}

fn original(entry: Entry, reply: &mut Reply) -> Result<Original, Unavailable> {
    // One of another length is none: an older node wrote it.
    let key = Uuid::from_slice(&reply.bytes()?).ok();
    let overlay = reply.bytes()?;
    let amended = memchr::memchr(b' ', &overlay).and_then(|end| {
        let by = std::str::from_utf8(&overlay[..end]).ok()?.parse().ok()?;
        Some(Amended { by: Seq::new(by), payload: overlay.slice(end + 1..) })
    });
    Ok(Original { entry, key, amended })
}

/// An argument that is not there, before one that may be.
fn nothing() -> Value {
    "".into()
}
