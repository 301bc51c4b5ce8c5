//! What a worker looks at several times a second: who is silent or stuck, what has gathered, and what is counted.

use super::{
    Hub, State,
    feed::{Held, How},
};
use crate::{frame, outbox::Wire};
use protocol::{CloseCode, ServerEvent, event::UserEvent};
use std::sync::atomic::Ordering;
use tokio::time::Instant;

impl<W: Wire> Hub<W> {
    pub(super) fn on_tick(&self, now: Instant) {
        self.tell_folds(now);
        let mut close = Vec::new();
        let mut ping = Vec::new();
        let mut queued = 0;
        for connection in self.state.borrow().connections.values() {
            self.engine.stats.count_bytes(connection);
            queued += connection.outbox.borrow().bytes() as u64;
            if connection.closing().is_some() {
                continue;
            }
            let silent = now.saturating_duration_since(connection.heard());
            let since_ping = now.saturating_duration_since(connection.pinged.get());
            if connection.blocked_since().is_some_and(|since| since + self.config.stall <= now) {
                close.push((connection.clone(), CloseCode::TooSlow));
            } else if connection.client().is_none() {
                if since_ping >= self.config.connect_timeout {
                    close.push((connection.clone(), CloseCode::ConnectTimeout));
                }
            } else if silent >= self.config.heartbeat * 2 {
                close.push((connection.clone(), CloseCode::HeartbeatLost));
            } else if since_ping >= self.config.heartbeat {
                connection.pinged.set(now);
                ping.push(connection.clone());
            }
        }
        close.iter().for_each(|(connection, code)| self.close(connection, *code));
        ping.iter().for_each(|connection| self.push(connection, frame::PING));
        // Of all workers: what this one adds to the sum is what has changed.
        let former = self.queued.replace(queued);
        self.engine.stats.queued.fetch_add(queued.wrapping_sub(former), Ordering::Relaxed);
        let members = self.state.borrow().feeds.values().map(|feed| feed.members.len() as u64).sum();
        let former = self.members.replace(members);
        self.engine.stats.members.fetch_add(members.wrapping_sub(former), Ordering::Relaxed);
        let delivered = std::mem::take(&mut self.state.borrow_mut().delivered);
        self.engine.stats.delivered.fetch_add(delivered, Ordering::Relaxed);
    }

    fn tell_folds(&self, now: Instant) {
        let mut slow = Vec::new();
        {
            let mut state = self.state.borrow_mut();
            let State { feeds, dirty, readings, .. } = &mut *state;
            for (room, feed) in feeds.iter_mut().filter(|(_, f)| f.fold.due().is_some_and(|due| due <= now)) {
                for event in feed.fold.take(*room) {
                    let frame = frame::text(event.encode().as_bytes());
                    let how = How { limit: self.config.outbox_bytes, through: false };
                    let told = match event {
                        ServerEvent::UserEvent(UserEvent { member_count, .. }) => {
                            Held::Membership { room: *room, about: None, member_count, frame }
                        }
                        _ => Held::Other(frame),
                    };
                    slow.extend(feed.deliver(&told, None, how, *readings, dirty).slow);
                }
            }
        }
        self.flush.notify_one();
        self.close_slow(&slow);
    }
}
