//! What a client is shown of a room when it comes in: read after the node hears the room, so that nothing can fall
//! between the two.

use crate::{
    frame,
    port::{Bus, Directory, Entry, Listing, PortError, Slice, Span},
    sharing::Sharing,
};
use protocol::{
    ClientId, CorrelationId, Epoch, RoomId, Seq, ServerEvent,
    event::{Gap, Member, Message, Room, RoomJoined},
    limits::{JOIN_MESSAGES, MEMBERS_LISTED},
};

/// Rooms and their first members, for all who come in at the same time.
pub(crate) type Lists = Sharing<RoomId, Listing>;

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
    /// Those of them whose connection is lost.
    pub reconnecting: Vec<ClientId>,
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
        let list = lists.ask(room, directory.listing(room, MEMBERS_LISTED));
        let ((slice, recovered, gap), Listing { room, members, reconnecting }) = tokio::try_join!(log, list)?;
        let seq = slice.entries.last().map_or(slice.newest, |e| e.seq);
        let Slice { epoch, newest, entries, .. } = slice;
        Ok(Self { room, members, reconnecting, epoch, seq, newest, entries, recovered, gap })
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

    /// The event that shows it, as text. Its messages are put in as they are stored: who reads a room wants to know what
    /// they say, and nobody here does.
    #[must_use]
    pub fn encode(&self, id: Option<CorrelationId>) -> Vec<u8> {
        const NONE: &str = r#""messages":[]"#;
        let whole = ServerEvent::from(self.without_messages(id)).encode();
        // There is one such place: in what somebody has named, a quotation mark has a backslash in front.
        let Some((head, tail)) = whole.split_once(NONE) else { return whole.into_bytes() };
        let size: usize = self.entries.iter().map(|entry| entry.payload.len() + 64).sum();
        let mut text = Vec::with_capacity(whole.len() + size);
        text.extend_from_slice(head.as_bytes());
        text.extend_from_slice(br#""messages":["#);
        for (n, entry) in self.entries.iter().enumerate() {
            if n > 0 {
                text.push(b',');
            }
            // In a list of messages none says that it is one.
            let payload = entry.payload.strip_prefix(br#"{"type":"NEW_MESSAGE","#);
            let rest = payload.or(entry.payload.get(1..)).unwrap_or(b"}");
            text.extend_from_slice(frame::position(entry.seq, entry.sent_at).as_bytes());
            text.extend_from_slice(rest);
        }
        text.push(b']');
        text.extend_from_slice(tail.as_bytes());
        text
    }

    /// The event that shows it.
    #[must_use]
    pub fn event(&self, id: Option<CorrelationId>) -> RoomJoined {
        RoomJoined { messages: messages(&self.entries), ..self.without_messages(id) }
    }

    fn without_messages(&self, id: Option<CorrelationId>) -> RoomJoined {
        RoomJoined {
            id,
            room: self.room.clone(),
            epoch: self.epoch.clone(),
            seq: self.seq,
            members: self.members.clone(),
            reconnecting: self.reconnecting.clone(),
            messages: Vec::new(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use protocol::{Timestamp, sample};

    #[test]
    fn messages_are_put_in_whatever_names_say() {
        let Some(ServerEvent::RoomJoined(joined)) =
            sample::events().into_iter().find(|event| matches!(event, ServerEvent::RoomJoined(_)))
        else {
            panic!("no sample")
        };
        let entry = |message: &Message| {
            let mut object = serde_json::to_value(message).unwrap();
            let fields = object.as_object_mut().unwrap();
            for given in ["seq", "sentAt"] {
                fields.remove(given);
            }
            let rest = serde_json::to_string(&object).unwrap();
            let payload = Bytes::from([r#"{"type":"NEW_MESSAGE","#, &rest[1..]].concat());
            Entry { seq: message.seq, sent_at: Timestamp(message.sent_at.0), payload }
        };
        for count in 0..3 {
            let mut room = joined.room.clone();
            room.name = protocol::RoomName::parse(&r#""messages":[]"#.into(), 64).unwrap();
            let view = RoomView {
                room,
                members: joined.members.clone(),
                reconnecting: joined.reconnecting.clone(),
                epoch: joined.epoch.clone(),
                seq: joined.seq,
                newest: joined.seq,
                entries: joined.messages.iter().cycle().take(count).map(entry).collect(),
                recovered: joined.recovered,
                gap: joined.gap,
            };
            let shown: ServerEvent = serde_json::from_slice(&view.encode(joined.id.clone())).unwrap();
            let expected = view.event(joined.id.clone());
            assert_eq!(expected.messages.len(), count);
            assert!(!String::from_utf8(view.encode(None)).unwrap().contains("NEW_MESSAGE"));
            assert_eq!(shown, expected.into());
        }
    }
}
