use super::*;
use protocol::sample;
use serde_json::json;

const ROOM: u64 = 10_001;

fn room(id: u64) -> RoomId {
    RoomId::new(id).unwrap()
}

fn new_message(seq: u64, room: u64) -> ServerEvent {
    serde_json::from_value(json!({
        "type": "NEW_MESSAGE", "roomId": room, "seq": seq, "id": "67e55044-10b1-426f-9247-bb680e5fe0c8",
        "sender": {"clientId": 10_042, "username": "Zoë"}, "body": "hello", "sentAt": 1,
    }))
    .unwrap()
}

/// What a `ROOM_JOINED` says.
#[derive(Clone, Copy)]
struct Shown {
    id: Option<&'static str>,
    epoch: &'static str,
    messages: (u64, u64),
    gap: Option<(u64, u64)>,
}

/// Answers a command: a fresh look at the room.
const LOOK: Shown = Shown { id: Some("c-1"), epoch: "a", messages: (1, 0), gap: None };
/// By the server itself: a resume.
const RESUME: Shown = Shown { id: None, ..LOOK };

/// `messages` is a range; an empty one ends at the newest position as well.
fn joined(shown: Shown) -> ServerEvent {
    let (from, to) = shown.messages;
    let messages: Vec<_> = (from..=to).map(|seq| serde_json::to_value(new_message(seq, ROOM)).unwrap()).collect();
    let gap = shown.gap.map(|(from, to)| json!({"from": from, "to": to}));
    serde_json::from_value(json!({
        "type": "ROOM_JOINED", "id": shown.id, "epoch": shown.epoch, "seq": to, "members": [], "messages": messages,
        "recovered": gap.is_none(), "gap": gap,
        "room": {"roomId": ROOM, "name": "Tea", "ownerId": 10_042, "createdAt": 1, "memberCount": 1},
    }))
    .unwrap()
}

/// A timeline after a join that showed these.
fn at(from: u64, to: u64) -> Timeline {
    let mut timeline = Timeline::new();
    timeline.feed(&joined(Shown { messages: (from, to), ..LOOK })).unwrap();
    timeline
}

fn seqs(timeline: &mut Timeline, seqs: impl IntoIterator<Item = u64>) -> Vec<Fault> {
    seqs.into_iter().filter_map(|seq| timeline.feed(&new_message(seq, ROOM)).err()).collect()
}

fn last(timeline: &Timeline) -> u64 {
    timeline.position(room(ROOM)).unwrap().seq.get()
}

fn duplicate(seq: u64, last: u64) -> Fault {
    Fault::Duplicate { room: room(ROOM), seq: Seq::new(seq), last: Seq::new(last) }
}

fn out_of_order(seq: u64, last: u64) -> Fault {
    Fault::OutOfOrder { room: room(ROOM), seq: Seq::new(seq), last: Seq::new(last) }
}

fn hole(from: u64, to: u64) -> Fault {
    Fault::Hole { room: room(ROOM), missing: Gap { from: Seq::new(from), to: Seq::new(to) } }
}

fn contradiction(result: Result<(), Fault>) -> &'static str {
    match result {
        Err(Fault::Snapshot { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_follows_the_last() {
    let mut timeline = at(1, 0);
    assert_eq!(seqs(&mut timeline, 1..=100), []);
    assert_eq!((last(&timeline), timeline.messages), (100, 100));
    // A room that had a past: its newest are shown, or its log has run out.
    assert_eq!(seqs(&mut at(51, 100), 101..=103), []);
    assert_eq!(seqs(&mut at(101, 100), 101..=103), []);
}

#[test]
fn what_is_not_about_positions_is_nothing_to_it() {
    let mut timeline = at(1, 3);
    for event in sample::events() {
        if !matches!(event, ServerEvent::NewMessage(_) | ServerEvent::RoomJoined(_) | ServerEvent::RoomLeft(_)) {
            assert_eq!(timeline.feed(&event), Ok(()));
        }
    }
    assert_eq!(seqs(&mut timeline, [4]), []);
}

#[test]
fn twice() {
    assert_eq!(seqs(&mut at(1, 0), [1, 1, 2]), [duplicate(1, 1)]);
    assert_eq!(seqs(&mut at(1, 5), [5, 3, 6]), [duplicate(5, 5), duplicate(3, 5)]);
}

#[test]
fn a_hole_is_told_once_and_what_fills_it_is_late() {
    assert_eq!(seqs(&mut at(1, 1), [3, 4]), [hole(2, 2)]);
    let faults = seqs(&mut at(1, 1), [6, 3, 3, 2, 5, 7]);
    assert_eq!(faults, [hole(2, 5), out_of_order(3, 6), duplicate(3, 6), out_of_order(2, 6), out_of_order(5, 6)]);
}

#[test]
fn another_room() {
    let mut timeline = at(1, 3);
    let stranger = Fault::NotAMember { room: room(10_002), seq: Seq::new(1) };
    assert_eq!(timeline.feed(&new_message(1, 10_002)), Err(stranger));
    let left = json!({"type": "ROOM_LEFT", "roomId": ROOM, "reason": "left"});
    timeline.feed(&serde_json::from_value(left).unwrap()).unwrap();
    assert_eq!(timeline.position(room(ROOM)), None);
    assert_eq!(timeline.feed(&new_message(4, ROOM)), Err(Fault::NotAMember { room: room(ROOM), seq: Seq::new(4) }));
    // Whoever comes back sees what there is then.
    assert_eq!(timeline.feed(&joined(Shown { messages: (7, 9), ..LOOK })), Ok(()));
    assert_eq!(seqs(&mut timeline, [10]), []);
    assert_eq!(timeline.rooms().collect::<Vec<_>>(), [room(ROOM)]);
}

#[test]
fn a_resume_brings_exactly_what_was_missed() {
    let resume = |messages, gap| {
        let mut timeline = at(1, 10);
        let result = timeline.feed(&joined(Shown { messages, gap, ..RESUME }));
        (result, last(&timeline), timeline.gaps.len())
    };
    assert_eq!(resume((11, 14), None), (Ok(()), 14, 0));
    assert_eq!(resume((11, 10), None), (Ok(()), 10, 0));
    assert_eq!(resume((21, 25), Some((11, 20))), (Ok(()), 25, 1), "a gap that is told of");
    assert_eq!(resume((21, 20), Some((11, 20))), (Ok(()), 20, 1), "all of it is gone");
    assert_eq!(resume((10, 12), None), (Err(duplicate(10, 10)), 12, 0));
    assert_eq!(resume((13, 14), None), (Err(hole(11, 12)), 14, 0));
    assert_eq!(resume((15, 14), None), (Err(hole(11, 14)), 14, 0));
    assert_eq!(resume((21, 25), Some((13, 20))), (Err(hole(11, 20)), 25, 1), "the gap begins too late");
    let (result, ..) = resume((6, 5), None);
    assert_eq!(contradiction(result), "the room is older than what was seen of it");
}

#[test]
fn another_look_may_show_again_but_not_leave_out() {
    let mut timeline = at(1, 10);
    assert_eq!(timeline.feed(&joined(Shown { messages: (3, 12), ..LOOK })), Ok(()));
    assert_eq!((last(&timeline), timeline.messages), (12, 12));
    assert_eq!(timeline.feed(&joined(Shown { messages: (20, 30), ..LOOK })), Err(hole(13, 19)));
    assert_eq!(seqs(&mut timeline, [31]), []);
}

#[test]
fn another_epoch_begins_anew() {
    let mut timeline = at(1, 10);
    assert_eq!(timeline.feed(&joined(Shown { epoch: "b", messages: (1, 2), ..RESUME })), Ok(()));
    assert_eq!(seqs(&mut timeline, [3]), []);
    let position = timeline.position(room(ROOM)).unwrap();
    assert_eq!((position.epoch.as_str(), position.seq), ("b", Seq::new(3)));
}

#[test]
fn a_room_joined_that_contradicts_itself() {
    let broken = |change: fn(&mut RoomJoined)| {
        let ServerEvent::RoomJoined(mut event) = joined(Shown { messages: (5, 9), gap: Some((1, 4)), ..LOOK }) else {
            panic!("not a ROOM_JOINED")
        };
        change(&mut event);
        contradiction(Timeline::new().feed(&event.into()))
    };
    assert_eq!(broken(|event| event.seq = Seq::new(10)), "its last message is not its newest position");
    assert_eq!(broken(|event| drop(event.messages.remove(2))), "its messages do not follow each other");
    assert_eq!(broken(|event| event.messages[0].room_id = room(10_002)), "a message is of another room");
    assert_eq!(broken(|event| event.recovered = true), "it has a gap and says that nothing is missing");
    assert_eq!(broken(|event| drop(event.messages.remove(0))), "its messages do not begin where its gap ends");
}
