//! Membership changes of a crowded room, folded over time: ten thousand who join within a second, or lose their
//! connections, would otherwise cost fifty million deliveries.

use crate::port::Change;
use protocol::{
    ClientId, RoomId, ServerEvent,
    event::{Member, Presence, UserEvent},
};
use std::collections::HashMap;
use tokio::time::{Duration, Instant};

/// From this many members on, a room is crowded.
pub const CROWD: u32 = 50;
/// How long changes are gathered then.
pub const GATHER: Duration = Duration::from_millis(500);
/// Changes in one event, so that its frame stays small.
const CHUNK: usize = 250;

/// What became of each client since the last event; the last change of a client is the one that counts.
#[derive(Default)]
pub struct Fold {
    changes: HashMap<ClientId, Fate>,
    /// Whose connection is not as it was told last.
    presence: HashMap<ClientId, Seen>,
    member_count: u32,
    due: Option<Instant>,
}

enum Fate {
    Joined(Member),
    Left,
    Renamed(Member),
}

#[derive(PartialEq, Eq)]
enum Seen {
    Lost,
    Back,
}

impl Fold {
    /// When the gathered changes are to be told.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Adds a change.
    pub fn add(&mut self, change: Change, member_count: u32, now: Instant) {
        self.member_count = member_count;
        self.due.get_or_insert(now + GATHER);
        match change {
            Change::Joined(member) => {
                self.presence.remove(&member.client_id);
                self.changes.insert(member.client_id, Fate::Joined(member));
            }
            Change::Left(client) => {
                self.presence.remove(&client);
                self.changes.insert(client, Fate::Left);
            }
            Change::Renamed(member) => {
                let came = matches!(self.changes.get(&member.client_id), Some(Fate::Joined(_)));
                let fate = if came { Fate::Joined(member.clone()) } else { Fate::Renamed(member.clone()) };
                self.changes.insert(member.client_id, fate);
            }
            Change::Lost(client) => self.saw(client, Seen::Lost),
            Change::Back(client) => self.saw(client, Seen::Back),
        }
    }

    /// Each undoes the other: then it is as it was told.
    fn saw(&mut self, client: ClientId, seen: Seen) {
        if self.presence.remove(&client).is_none_or(|former| former == seen) {
            self.presence.insert(client, seen);
        }
    }

    /// The gathered changes, as few events as they fit into. Who came is told before whose connection is lost.
    pub fn take(&mut self, room: RoomId) -> Vec<ServerEvent> {
        self.due = None;
        let mut events = Vec::new();
        let (changes, presence) = (std::mem::take(&mut self.changes), std::mem::take(&mut self.presence));
        gather(&mut events, changes, user_event(room, self.member_count), |event, client, fate| match fate {
            Fate::Joined(member) => event.joined.push(member),
            Fate::Left => event.left.push(client),
            Fate::Renamed(member) => event.renamed.push(member),
        });
        gather(&mut events, presence, unchanged(room), |event, client, seen| match seen {
            Seen::Lost => event.reconnecting.push(client),
            Seen::Back => event.back.push(client),
        });
        events
    }
}

/// Puts all into events like the empty one, so many into each; none if there is nothing.
fn gather<T, E: Clone + Into<ServerEvent>>(
    events: &mut Vec<ServerEvent>,
    all: HashMap<ClientId, T>,
    empty: E,
    put: impl Fn(&mut E, ClientId, T),
) {
    let mut all = all.into_iter().peekable();
    while all.peek().is_some() {
        let mut event = empty.clone();
        all.by_ref().take(CHUNK).for_each(|(client, what)| put(&mut event, client, what));
        events.push(event.into());
    }
}

fn user_event(room_id: RoomId, member_count: u32) -> UserEvent {
    UserEvent { room_id, member_count, joined: Vec::new(), left: Vec::new(), renamed: Vec::new() }
}

fn unchanged(room_id: RoomId) -> Presence {
    Presence { room_id, reconnecting: Vec::new(), back: Vec::new() }
}

/// One change as an event of its own.
#[must_use]
pub fn single(room: RoomId, change: Change, member_count: u32) -> ServerEvent {
    let (mut event, mut presence) = (user_event(room, member_count), unchanged(room));
    match change {
        Change::Joined(member) => event.joined.push(member),
        Change::Left(client) => event.left.push(client),
        Change::Renamed(member) => event.renamed.push(member),
        Change::Lost(client) => {
            presence.reconnecting.push(client);
            return presence.into();
        }
        Change::Back(client) => {
            presence.back.push(client);
            return presence.into();
        }
    }
    event.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::Username;

    fn room() -> RoomId {
        RoomId::new(10_000).unwrap()
    }

    fn id(id: u64) -> ClientId {
        ClientId::new(id).unwrap()
    }

    fn member(number: u64, name: &str) -> Member {
        Member { client_id: id(number), username: Username::parse(&name.into(), 16).unwrap() }
    }

    /// What a fold of these tells.
    fn folded(changes: impl IntoIterator<Item = Change>) -> (Vec<UserEvent>, Vec<Presence>) {
        let (mut fold, now) = (Fold::default(), Instant::now());
        changes.into_iter().for_each(|change| fold.add(change, 51, now));
        assert_eq!(fold.due(), Some(now + GATHER));
        let (mut events, mut presence) = (Vec::new(), Vec::new());
        for event in fold.take(room()) {
            match event {
                ServerEvent::UserEvent(event) if presence.is_empty() => events.push(event),
                ServerEvent::Presence(event) => presence.push(event),
                other => panic!("not here: {other:?}"),
            }
        }
        assert_eq!(fold.due(), None);
        assert_eq!(fold.take(room()), [], "once");
        (events, presence)
    }

    #[test]
    fn the_last_change_of_a_client_counts() {
        let (events, presence) = folded([
            Change::Joined(member(10_001, "a")),
            Change::Renamed(member(10_001, "b")),
            Change::Joined(member(10_002, "c")),
            Change::Left(id(10_002)),
            Change::Renamed(member(10_003, "d")),
        ]);
        assert_eq!((events.len(), presence), (1, vec![]));
        assert_eq!(events[0].member_count, 51);
        assert_eq!(events[0].joined, [member(10_001, "b")]);
        assert_eq!(events[0].left, [id(10_002)]);
        assert_eq!(events[0].renamed, [member(10_003, "d")]);
    }

    #[test]
    fn a_large_fold_is_told_in_several_events() {
        let (events, presence) = folded((0..600).flat_map(|n| {
            let (came, lost) = (member(10_000 + n, "x"), id(20_000 + n));
            [Change::Joined(came), if n < 300 { Change::Lost(lost) } else { Change::Back(lost) }]
        }));
        assert_eq!(events.iter().map(|e| e.joined.len()).collect::<Vec<_>>(), [250, 250, 100]);
        let sizes: Vec<_> = presence.iter().map(|e| e.reconnecting.len() + e.back.len()).collect();
        assert_eq!(sizes, [250, 250, 100]);
        assert_eq!(presence.iter().map(|e| e.back.len()).sum::<usize>(), 300);
    }

    #[test]
    fn connections_alone_are_no_change_of_membership() {
        let (events, presence) = folded([Change::Lost(id(10_001)), Change::Back(id(10_002))]);
        let expected = Presence { room_id: room(), reconnecting: vec![id(10_001)], back: vec![id(10_002)] };
        assert_eq!((events, presence), (vec![], vec![expected]));
    }

    #[test]
    fn who_is_as_before_is_not_told_of() {
        let (lost, back) = (Change::Lost(id(10_001)), Change::Back(id(10_001)));
        for (n, changes) in [
            vec![lost.clone(), back.clone()],
            vec![back.clone(), lost.clone()],
            vec![lost.clone(), back.clone(), lost.clone(), back.clone()],
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(folded(changes), (vec![], vec![]), "{n}");
        }
        // The last one counts here, too, also if it was heard twice.
        for changes in [vec![lost.clone(), back.clone(), lost.clone()], vec![lost.clone(), lost]] {
            assert_eq!(folded(changes).1[0].reconnecting, [id(10_001)]);
        }
        assert_eq!(folded([back.clone(), back]).1[0].back, [id(10_001)]);
    }

    #[test]
    fn who_comes_or_leaves_is_told_of_by_that() {
        let (lost, joined) = (Change::Lost(id(10_001)), Change::Joined(member(10_001, "a")));
        let (events, presence) = folded([lost.clone(), Change::Left(id(10_001))]);
        assert_eq!((&events[0].left, presence), (&vec![id(10_001)], vec![]));
        let (events, presence) = folded([lost.clone(), Change::Left(id(10_001)), joined.clone()]);
        assert_eq!((events[0].joined.len(), events[0].left.len(), presence), (1, 0, vec![]));
        // It is known before it is told to be away.
        let (events, presence) = folded([joined, lost]);
        assert_eq!((events[0].joined.len(), &presence[0].reconnecting), (1, &vec![id(10_001)]));
    }

    #[test]
    fn one_change_is_one_event() {
        let presence = |event| match event {
            ServerEvent::Presence(event) => (event.reconnecting, event.back),
            other => panic!("{other:?}"),
        };
        assert_eq!(presence(single(room(), Change::Lost(id(10_001)), 7)), (vec![id(10_001)], vec![]));
        assert_eq!(presence(single(room(), Change::Back(id(10_001)), 7)), (vec![], vec![id(10_001)]));
        let left = single(room(), Change::Left(id(10_001)), 7);
        assert!(matches!(left, ServerEvent::UserEvent(e) if e.left == [id(10_001)] && e.member_count == 7));
    }
}
