//! A room's timeline: its life in the slot of the room, which begins after and ends after the room's life in the slot
//! of membership.
//!
//! In a Redis Cluster no script reaches both, so what is done between the two may be interrupted:
//! - created, but no timeline yet: whoever misses it begins it ([`Timelines::heal`]);
//! - ended, but the timeline is still there: it is on the list of the ended, and the next sweep removes it.
//!
//! A number that grows, the room's life, keeps a late hand from touching the timeline of a later room of the same id.

use crate::{
    RedisNode,
    commands::Commands,
    config::RedisConfig,
    directory::Status,
    keys::Keys,
    reply::Reply,
    routes::Routes,
    script::{CLOSE, CLOSED, LIFE, OPEN, TOUCH},
};
use engine::Unavailable;
use fred::types::Value;
use protocol::RoomId;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Rooms that are heard are touched this often at least, if that is often enough …
const ROUND: Duration = Duration::from_secs(15 * 60);
/// … in portions, each after this time.
const STEP: Duration = Duration::from_secs(20);

impl RedisNode {
    /// Begins a room's timeline.
    pub(crate) async fn open_timeline(&self, room: RoomId, life: u64) -> Result<(), Unavailable> {
        let args = vec![arg(life), fresh_epoch().into(), millis(self.shared.config.orphan_ttl)];
        self.shared.commands.run(&OPEN, self.shared.keys.timeline(room), args).await.map(|_| ())
    }

    /// There is no timeline: begins it if there is a room. Says whether there is.
    pub(crate) async fn heal(&self, room: RoomId) -> Result<bool, Unavailable> {
        let Some(life) = self.life(room).await? else { return Ok(false) };
        self.open_timeline(room, life).await?;
        if self.life(room).await? == Some(life) {
            tracing::info!(%room, "a room was without a timeline");
            return Ok(true);
        }
        // It ended meanwhile, and whoever ended it may have looked too early.
        self.close_timeline(room, life).await?;
        Ok(false)
    }

    /// Removes the timelines of the rooms at the end of a reply. What fails is left to the next sweep.
    pub(crate) async fn close_ended(&self, mut reply: Reply) -> Result<(), Unavailable> {
        while reply.has_more() {
            let (room, life) = (reply.room()?, reply.number()?);
            if let Err(e) = self.close_timeline(room, life).await {
                tracing::warn!(%room, error = %e, "an ended room's timeline is left to the next sweep");
            }
        }
        Ok(())
    }

    async fn close_timeline(&self, room: RoomId, life: u64) -> Result<(), Unavailable> {
        self.shared.commands.run(&CLOSE, self.shared.keys.timeline(room), vec![arg(life)]).await?;
        self.membership(&CLOSED, vec![format!("{room}:{life}").into()]).await.map(|_| ())
    }

    async fn life(&self, room: RoomId) -> Result<Option<u64>, Unavailable> {
        let mut reply = self.membership(&LIFE, vec![arg(room)]).await?;
        match Status::of(&mut reply)? {
            Status::Done => Ok(Some(reply.number()?)),
            _ => Ok(None),
        }
    }
}

/// Keeps the timelines of rooms that somebody listens to, however silent they are, from being taken for orphans.
pub async fn keep_alive(
    config: RedisConfig,
    keys: Keys,
    commands: Arc<Commands>,
    routes: Arc<Routes>,
    end: CancellationToken,
) {
    let round = ROUND.min(config.orphan_ttl / 4);
    let step = STEP.min(round);
    let steps = (round.as_millis() / step.as_millis().max(1)).max(1);
    let mut last: Option<RoomId> = None;
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            () = tokio::time::sleep(step) => {}
        }
        let mut rooms = routes.rooms();
        rooms.sort_unstable();
        let portion = rooms.len().div_ceil(usize::try_from(steps).unwrap_or(usize::MAX));
        // On from where it stopped, and from the beginning again after the end.
        let from = last.map_or(0, |last| rooms.partition_point(|room| *room <= last));
        let from = if from == rooms.len() { 0 } else { from };
        for room in rooms.iter().skip(from).take(portion) {
            last = Some(*room);
            let _ = commands.run(&TOUCH, keys.timeline(*room), vec![millis(config.orphan_ttl)]).await;
        }
    }
}

/// Another epoch for each beginning, so that positions of a timeline that was lost say nothing.
pub fn fresh_epoch() -> String {
    Uuid::new_v4().simple().to_string()
}

/// A number, as an argument.
pub fn arg(value: impl ToString) -> Value {
    Value::String(value.to_string().into())
}

/// A time, as an argument: at most some thousand years, which Lua's numbers still hold exactly.
pub fn millis(time: Duration) -> Value {
    arg(time.as_millis().min(100_000_000_000_000))
}
