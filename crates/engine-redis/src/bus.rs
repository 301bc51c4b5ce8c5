//! Timelines and publishing.

use crate::{
    RedisNode, envelope,
    script::{APPEND, READ, RENEW},
    timeline::{arg, fresh_epoch, millis},
};
use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Unavailable, Who,
    port::{Address, Appended, Bus, Entry, Post, Sink, Slice, Span},
};
use fred::types::Value;
use protocol::{ClientId, Epoch, RoomId, Seq, policy::Policy};
use std::{sync::Arc, time::Duration};
use tokio::runtime::{Handle, RuntimeFlavor};

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
        if let Some(slice) = self.try_read(room, span, limit).await? {
            return Ok(slice);
        }
        if self.heal(room).await?
            && let Some(slice) = self.try_read(room, span, limit).await?
        {
            return Ok(slice);
        }
        Err(PortError::RoomNotFound)
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
        let Post { room, client, id, payload, window, trace } = post;
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
        args.extend(trace.map(arg));
        let mut reply = self.shared.commands.run(&APPEND, names, args).await?;
        match reply.int()? {
            -1 => return Ok(None),
            -2 => return Err(PortError::Limited(Duration::from_millis(reply.number()?))),
            _ => {}
        }
        let seq = Seq::new(reply.number()?);
        Ok(Some(Appended { seq, sent_at: reply.time()?, duplicate: reply.int()? == 1 }))
    }

    /// None: there is no timeline.
    async fn try_read(&self, room: RoomId, span: Span, limit: usize) -> Result<Option<Slice>, Unavailable> {
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
        ];
        let mut reply = self.shared.commands.run(&READ, self.shared.keys.timeline(room), args).await?;
        if reply.int()? < 0 {
            return Ok(None);
        }
        let (oldest, newest) = (Seq::new(reply.number()?), Seq::new(reply.number()?));
        let more = reply.int()? == 1;
        let count: usize = reply.number()?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            entries.push(Entry { seq: Seq::new(reply.number()?), sent_at: reply.time()?, payload: Bytes::new() });
        }
        let epoch = reply.parse()?;
        for entry in &mut entries {
            entry.payload = reply.bytes()?;
        }
        Ok(Some(Slice { epoch, oldest, newest, entries, more }))
    }
}
