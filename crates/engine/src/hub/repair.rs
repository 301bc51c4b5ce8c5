//! Reading a room again in which something is missing.

use super::{Hub, Repaired, State};
use crate::{
    engine::Known,
    outbox::Wire,
    port::PortError,
    stats::one,
    view::{Position, RoomView},
};
use protocol::RoomId;
use std::sync::Arc;
use tokio::{sync::Semaphore, task::JoinSet, time::Duration};

/// What a worker that cannot reach the backend waits before it reads a room again.
const REPAIR_PAUSE: Duration = Duration::from_millis(500);

impl<W: Wire> Hub<W> {
    pub(super) fn start_repairs(&self, repairs: &mut JoinSet<Repaired>, turns: &Arc<Semaphore>) {
        let broken = std::mem::take(&mut self.state.borrow_mut().broken);
        for room in broken {
            let mut state = self.state.borrow_mut();
            let State { feeds, readings, .. } = &mut *state;
            let Some(feed) = feeds.get_mut(&room) else { continue };
            let Some(position) = feed.behind().zip(feed.epoch.clone()) else {
                // Whoever needed it has left; nobody is to wait for nothing.
                let waiting = feed.waiting.take().unwrap_or_default();
                drop(state);
                waiting.into_iter().for_each(|item| self.apply(item, false));
                continue;
            };
            *readings += 1;
            feed.reading = Some((*readings, position.0));
            let (reading, known) = (*readings, Known { newest: feed.last.unwrap_or_default(), mark: feed.mark });
            let position = Position { epoch: position.1, seq: position.0 };
            drop(state);
            one(&self.engine.stats.repairs);
            let (engine, turns) = (self.engine.clone(), turns.clone());
            repairs.spawn(async move {
                loop {
                    let turn = turns.acquire().await;
                    let view = engine.read_again(room, &position, &known).await;
                    drop(turn);
                    match view {
                        // The backend is away: the sockets stay, and the room is read when it is back.
                        Err(PortError::Unavailable(_)) => tokio::time::sleep(REPAIR_PAUSE).await,
                        view => return (room, reading, view),
                    }
                }
            });
        }
    }

    /// Gives the members what they missed, then all that came meanwhile.
    pub(super) fn finish_repair(&self, room: RoomId, reading: u64, view: Result<RoomView, PortError>) {
        let (slow, waiting) = {
            let mut state = self.state.borrow_mut();
            let State { feeds, dirty, delivered, .. } = &mut *state;
            // All have left since, and perhaps others came: that reading was not for them.
            let Some(feed) = feeds.get_mut(&room) else { return };
            let Some((_, since)) = feed.reading.take_if(|(number, _)| *number == reading) else { return };
            let Ok(view) = view else {
                drop(state);
                return self.end_room(room);
            };
            let handed = feed.show(&view, (reading, since), self.config.outbox_bytes, dirty);
            *delivered += handed.delivered;
            (handed.slow, feed.waiting.take().unwrap_or_default())
        };
        self.close_slow(&slow);
        waiting.into_iter().for_each(|item| self.apply(item, false));
        let mut state = self.state.borrow_mut();
        let State { feeds, broken, .. } = &mut *state;
        if let Some(feed) = feeds.get_mut(&room) {
            feed.repair(room, broken);
        }
        drop(state);
        self.flush.notify_one();
    }
}
