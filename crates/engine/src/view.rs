//! What a client is shown of a room when it comes in: read after the node hears the room, so that nothing can fall
//! between the two.

use crate::{
    frame,
    port::{Bus, Directory, Entry, PortError, Slice, Span},
    sharing::Sharing,
};
use protocol::{
    CorrelationId, Epoch, RoomId, Seq,
    event::{Gap, Member, Message, Room, RoomJoined},
    limits::{JOIN_MESSAGES, MEMBERS_LISTED},
};

/// Rooms and their first members, for all who come in at the same time.
pub(crate) type Lists = Sharing<RoomId, (Room, Vec<Member>)>;

/// Where a client was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The life of the timeline.
    pub epoch: Epoch,
    /// The newest position seen.
    pub seq: Seq,
}

/// A room at one moment.
#[derive(Debug, Clone)]
pub struct RoomView {
    /// The room.
    pub room: Room,
    /// Its first members.
    pub members: Vec<Member>,
    /// The life of the timeline.
    pub epoch: Epoch,
    /// The newest position that is in `entries` or before them.
    pub seq: Seq,
    /// The newest position that the timeline has given.
    pub newest: Seq,
    /// The messages to show.
    pub entries: Vec<Entry>,
    /// Whether nothing is missing since the position asked for.
    pub recovered: bool,
    /// What is missing.
    pub gap: Option<Gap>,
}

/// Entries read at once when resuming, so that no reply of the backend is unbounded.
const PAGE: usize = 500;
/// Pages read at most; a log that is longer leaves a gap, and says so.
const PAGES: usize = 200;

impl RoomView {
    /// Reads a room: its newest messages, or all since a position.
    pub(crate) async fn read(
        bus: &dyn Bus,
        directory: &dyn Directory,
        lists: &Lists,
        room: RoomId,
        since: Option<&Position>,
    ) -> Result<Self, PortError> {
        let log = async {
            let mut resumed = None;
            if let Some(position) = since {
                resumed = read_since(bus, room, position).await?;
            }
            Ok::<_, PortError>(match (resumed, since) {
                (Some((slice, gap)), _) => (slice, gap.is_none(), gap),
                // Another life of the room, or a position that it never gave: what the client knew says nothing.
                (None, since) => (bus.read(room, Span::Newest, JOIN_MESSAGES).await?, since.is_none(), None),
            })
        };
        // Side by side: whoever reads a room hears it already, so neither has to be older than the other.
        let list = lists.ask(room, directory.room(room, MEMBERS_LISTED));
        let ((slice, recovered, gap), (room, members)) = tokio::try_join!(log, list)?;
        let seq = slice.entries.last().map_or(slice.newest, |e| e.seq);
        let Slice { epoch, newest, entries, .. } = slice;
        Ok(Self { room, members, epoch, seq, newest, entries, recovered, gap })
    }

    /// What lies between a position that its reader has already and the first message shown here. Where that is gone, the
    /// view says so.
    pub(crate) async fn take_between(&mut self, bus: &dyn Bus, heard: &Position) -> Result<Vec<Entry>, PortError> {
        let first = self.entries.first().map_or(self.seq.next(), |e| e.seq);
        let mut between: Vec<Entry> = Vec::new();
        if heard.epoch != self.epoch {
            return Ok(between);
        }
        let mut last = heard.seq;
        for _ in 0..PAGES {
            if last.next() >= first {
                return Ok(between);
            }
            let page = bus.read(self.room.room_id, Span::Between(last, first), PAGE).await?;
            if page.epoch != self.epoch || page.entries.first().is_none_or(|e| e.seq != last.next()) {
                break;
            }
            last = page.entries.last().map_or(last, |e| e.seq);
            between.extend(page.entries);
        }
        self.recovered = false;
        self.gap = Some(Gap { from: last.next(), to: first.prev() });
        Ok(between)
    }

    /// The event that shows it.
    #[must_use]
    pub fn event(&self, id: Option<CorrelationId>) -> RoomJoined {
        RoomJoined {
            id,
            room: self.room.clone(),
            epoch: self.epoch.clone(),
            seq: self.seq,
            members: self.members.clone(),
            messages: messages(&self.entries),
            recovered: self.recovered,
            gap: self.gap,
        }
    }
}

/// All entries since a position, and what of them is gone. `None` when the position means nothing to this timeline.
async fn read_since(
    bus: &dyn Bus,
    room: RoomId,
    position: &Position,
) -> Result<Option<(Slice, Option<Gap>)>, PortError> {
    let mut whole = bus.read(room, Span::After(position.seq), PAGE).await?;
    if whole.epoch != position.epoch || position.seq > whole.newest {
        return Ok(None);
    }
    for _ in 0..PAGES {
        let Some(last) = whole.entries.last().map(|e| e.seq).filter(|_| whole.more) else { break };
        let page = bus.read(room, Span::After(last), PAGE).await?;
        if page.epoch != whole.epoch {
            return Ok(None);
        }
        if page.entries.first().is_some_and(|e| e.seq != last.next()) {
            // Trimmed while we read: what came before the hole would look complete without being so.
            whole.entries.clear();
        }
        whole.newest = page.newest;
        whole.more = page.more;
        whole.entries.extend(page.entries);
    }
    let first = whole.entries.first().map_or(whole.newest.next(), |e| e.seq);
    let gap = (first > position.seq.next()).then(|| Gap { from: position.seq.next(), to: first.prev() });
    Ok(Some((whole, gap)))
}

/// Entries as the messages of `ROOM_JOINED` and `HISTORY`.
#[must_use]
pub fn messages(entries: &[Entry]) -> Vec<Message> {
    entries
        .iter()
        .filter_map(|entry| {
            let json = frame::splice(entry.seq, entry.sent_at, &entry.payload);
            serde_json::from_slice(&json)
                .inspect_err(|e| tracing::error!(seq = %entry.seq, error = %e, "an entry that is no message"))
                .ok()
        })
        .collect()
}
