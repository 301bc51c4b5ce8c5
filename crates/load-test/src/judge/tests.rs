//! Each promise, kept and broken, on tapes made by hand.

mod changes;
mod tape;

use super::Kind;
use crate::journal::{How, What};
use protocol::{ClientCommand, event::RoomSummary};
use serde_json::json;
use tape::{A, B, C, ROOM, Tape};

fn list(count: u32) -> What {
    let room = json!({"roomId": ROOM, "name": "x", "memberCount": count, "createdAt": 1});
    let rooms: Vec<RoomSummary> = vec![serde_json::from_value(room).unwrap()];
    What::Listed { source: "test", rooms }
}

fn join(tape: &mut Tape, connection: u32, id: &str, room: u32) {
    let join = json!({"id": id, "roomId": room});
    tape.sent(connection, ClientCommand::JoinRoom(serde_json::from_value(join).unwrap()));
}

#[test]
fn a_sound_room_is_sound() {
    let (mut tape, a, b) = Tape::two();
    tape.said(b, 2, 2, &[a, b]);
    tape.send(b, 2);
    tape.ack(b, 2, 2, true);
    tape.note(0, list(2));
    // Cut off, and back before anybody was told; what it missed comes first.
    tape.drop(b);
    tape.said(a, 3, 3, &[a]);
    let b = tape.open(B);
    let id = tape.hello(b, B, Some(B), Some(2));
    tape.joined(b, Some(&id), 3..4, &[A, B], true, None);
    // Another look shows again what was seen.
    tape.enter(b, "JOIN_ROOM", 1..4, &[A, B]);
    tape.said(a, 4, 4, &[a, b]);
    assert_eq!(tape.kinds(), []);
}

#[test]
fn acknowledged_and_not_in_the_log() {
    let (mut tape, a, b) = Tape::two();
    tape.said(a, 2, 2, &[a, b]);
    tape.log.remove(&2);
    assert_eq!(tape.kinds(), [Kind::Lost]);
}

#[test]
fn acknowledged_and_another_one_is_there() {
    let (mut tape, a, b) = Tape::two();
    tape.send(a, 2);
    tape.ack(a, 2, 2, false);
    tape.said(b, 3, 2, &[a, b]);
    assert_eq!(tape.kinds(), [Kind::Lost, Kind::Conflict]);
}

#[test]
fn one_message_at_two_positions() {
    let (mut tape, a, b) = Tape::two();
    tape.said(a, 2, 2, &[a, b]);
    tape.told(a, 3, 2);
    tape.told(b, 3, 2);
    tape.log.insert(3, 2);
    assert_eq!(tape.kinds(), [Kind::Doubled]);
}

#[test]
fn what_nobody_sent() {
    let (mut tape, a, b) = Tape::two();
    tape.told(a, 2, 2);
    tape.told(b, 2, 2);
    tape.log.insert(2, 2);
    assert_eq!(tape.kinds(), [Kind::Altered]);
}

#[test]
fn acknowledgements_that_disagree() {
    let (mut tape, a, b) = Tape::two();
    tape.said(a, 2, 2, &[a, b]);
    tape.send(a, 2);
    tape.ack(a, 2, 2, false);
    assert_eq!(tape.kinds(), [Kind::AckDisagrees]);
}

#[test]
fn positions_that_come_twice_late_or_not_at_all() {
    let (mut tape, _, b) = Tape::two();
    tape.told(b, 1, 1);
    assert_eq!(tape.kinds(), [Kind::Repeated]);

    let (mut tape, a, b) = Tape::two();
    tape.said(a, 2, 2, &[a]);
    tape.said(a, 3, 3, &[a, b]);
    tape.told(b, 2, 2);
    assert_eq!(tape.kinds(), [Kind::OutOfOrder, Kind::Hole]);

    let (mut tape, a, b) = Tape::two();
    tape.said(a, 2, 2, &[a]);
    tape.said(a, 3, 3, &[a, b]);
    assert_eq!(tape.kinds(), [Kind::Hole, Kind::Unseen]);
}

#[test]
fn the_last_message_that_nobody_follows() {
    let (mut tape, a, _) = Tape::two();
    tape.said(a, 2, 2, &[a]);
    assert_eq!(tape.kinds(), [Kind::Unseen]);

    let (mut tape, a, b) = Tape::two();
    tape.said(a, 2, 2, &[a]);
    tape.pass(6);
    tape.told(b, 2, 2);
    assert_eq!(tape.kinds(), [Kind::Late]);

    let (mut tape, a, b) = Tape::two();
    tape.fault(true);
    tape.said(a, 2, 2, &[a]);
    tape.pass(6);
    tape.fault(false);
    tape.told(b, 2, 2);
    assert_eq!(tape.kinds(), [], "something was wrong");
}

#[test]
fn a_message_of_another_room() {
    let (mut tape, a, b) = Tape::two();
    let c = tape.guest(C);
    tape.said(a, 2, 2, &[a, b, c]);
    assert_eq!(tape.kinds(), [Kind::Stray]);
}

#[test]
fn a_resume_brings_what_was_missed_or_says_so() {
    let resumed = |messages: std::ops::Range<u64>, recovered, gap| {
        let (mut tape, a, b) = Tape::two();
        (2..6).for_each(|n| tape.said(a, n, n.into(), &[a]));
        tape.drop(b);
        let b = tape.open(B);
        let id = tape.hello(b, B, Some(B), Some(1));
        tape.joined(b, Some(&id), messages, &[A, B], recovered, gap);
        tape.kinds()
    };
    // While it was still connected it was not shown what came; that is not what is judged here.
    assert_eq!(resumed(2..6, true, None), []);
    assert!(resumed(4..6, true, None).contains(&Kind::FalselyRecovered));
    assert!(resumed(4..6, false, Some((2, 3))).contains(&Kind::NeedlessGap));
    assert!(resumed(4..6, false, None).contains(&Kind::NeedlessGap));
    assert!(resumed(4..6, true, Some((2, 3))).contains(&Kind::Snapshot));
    assert!(resumed(3..6, false, Some((3, 2))).contains(&Kind::Snapshot));
    assert!(resumed(1..1, true, None).contains(&Kind::Regressed));
}

#[test]
fn members_who_are_gone() {
    let (mut tape, _, b) = Tape::two();
    tape.drop(b);
    assert_eq!(tape.kinds(), [Kind::Ghost], "A was never told that B left");

    let (mut tape, a, b) = Tape::two();
    tape.drop(b);
    tape.pass(10);
    tape.went(a, B, 1);
    tape.pass(20);
    tape.note(0, list(2));
    assert_eq!(tape.kinds(), [Kind::Ghost], "the list still counts B");

    let (mut tape, a, b) = Tape::two();
    tape.drop(b);
    tape.pass(10);
    tape.went(a, B, 1);
    tape.pass(20);
    tape.note(0, list(1));
    assert_eq!(tape.kinds(), []);
}

#[test]
fn members_who_are_there() {
    let (mut tape, a, _) = Tape::two();
    tape.went(a, B, 1);
    assert_eq!(tape.kinds(), [Kind::Expelled], "B is connected, and gone for A");

    let (mut tape, _, _) = Tape::two();
    tape.pass(10);
    tape.note(0, list(1));
    assert_eq!(tape.kinds(), [Kind::Expelled], "the list does not count B");

    let (mut tape, _, _) = Tape::two();
    tape.pass(10);
    let c = tape.guest(C);
    tape.enter(c, "JOIN_ROOM", 1..2, &[A, C]);
    assert!(tape.kinds().contains(&Kind::Expelled), "a fresh look does not show B");

    let (mut tape, _, b) = Tape::two();
    tape.send(b, 2);
    tape.refused(b, &tape::uuid(2).to_string(), "not_in_room");
    assert_eq!(tape.kinds(), [Kind::Expelled], "B is told that it is not in its room");
}

#[test]
fn a_member_that_nobody_is_told_of() {
    let (mut tape, a, _) = Tape::two();
    let c = tape.guest(C);
    tape.enter(c, "JOIN_ROOM", 1..2, &[A, B, C]);
    tape.came(a, C, 3);
    assert_eq!(tape.kinds(), [Kind::Expelled], "B was not told of C");
}

#[test]
fn a_count_that_is_wrong() {
    let (mut tape, a, _) = Tape::two();
    tape.heard(a, json!({"type": "USER_EVENT", "roomId": ROOM, "memberCount": 7}));
    assert_eq!(tape.kinds(), [Kind::Snapshot]);
}

#[test]
fn a_room_that_is_lost() {
    let (mut tape, _, b) = Tape::two();
    tape.heard(b, json!({"type": "ROOM_LEFT", "roomId": ROOM, "reason": "room_deleted"}));
    assert!(tape.kinds().contains(&Kind::RoomLost));

    let (mut tape, a, b) = Tape::two();
    let c = tape.guest(C);
    join(&mut tape, c, "j", ROOM);
    tape.refused(c, "j", "room_not_found");
    tape.said(a, 2, 2, &[a, b]);
    assert_eq!(tape.kinds(), [Kind::RoomLost]);

    let mut tape = Tape::new();
    let a = tape.guest(A);
    tape.enter(a, "CREATE_ROOM", 0..0, &[A]);
    tape.drop(a);
    let a = tape.open(A);
    let id = tape.hello(a, A, Some(A), Some(0));
    tape.refused(a, &id, "room_not_found");
    assert_eq!(tape.kinds(), [Kind::RoomLost], "its only member was away for a moment");

    let mut tape = Tape::new();
    let a = tape.guest(A);
    tape.enter(a, "CREATE_ROOM", 0..0, &[A]);
    tape.drop(a);
    tape.pass(12);
    let a = tape.open(A);
    let id = tape.hello(a, A, Some(A), Some(0));
    tape.refused(a, &id, "room_not_found");
    assert_eq!(tape.kinds(), [], "its only member was away for longer than the grace");
}

#[test]
fn an_epoch_that_changes() {
    let (mut tape, _, b) = Tape::two();
    tape.epoch = "b";
    tape.joined(b, None, 0..0, &[A, B], false, None);
    let kinds = tape.kinds();
    assert!(kinds.contains(&Kind::EpochChanged), "{kinds:?}");
}

#[test]
fn a_room_id_of_two_rooms() {
    let (mut tape, _, _) = Tape::two();
    tape.epoch = "b";
    let c = tape.guest(C);
    tape.enter(c, "CREATE_ROOM", 0..0, &[C]);
    let kinds = tape.kinds();
    assert!(kinds.contains(&Kind::RoomIdReused), "{kinds:?}");
}

#[test]
fn a_client_id_of_two_clients() {
    let mut tape = Tape::new();
    let a = tape.guest(A);
    let c = tape.open(C);
    tape.hello(c, A, None, None);
    tape.heard(a, json!({"type": "PONG"}));
    assert_eq!(tape.kinds(), [Kind::ClientIdReused]);

    let mut tape = Tape::new();
    let a = tape.guest(A);
    tape.drop(a);
    tape.pass(1);
    let c = tape.open(C);
    tape.hello(c, A, None, None);
    assert_eq!(tape.kinds(), [], "it was in no room, and has gone");
}

#[test]
fn a_connection_that_was_taken_over() {
    let taken_over = |closes: bool| {
        let mut tape = Tape::new();
        let old = tape.guest(A);
        let new = tape.open(A);
        tape.hello(new, A, Some(A), None);
        if closes {
            tape.note(old, What::Ended(How::Closed(4009, String::new())));
        }
        tape.pass(6);
        tape.heard(old, json!({"type": "PONG"}));
        tape.kinds()
    };
    assert_eq!(taken_over(true), []);
    assert_eq!(taken_over(false), [Kind::Protocol]);
}

#[test]
fn a_session_that_is_somebody_else() {
    let mut tape = Tape::new();
    let a = tape.guest(A);
    tape.drop(a);
    let a = tape.open(A);
    tape.hello(a, C, Some(A), None);
    assert_eq!(tape.kinds(), [Kind::IdentityLost]);

    let mut tape = Tape::new();
    let a = tape.guest(A);
    tape.note(a, What::Ended(How::Closed(4003, String::new())));
    assert_eq!(tape.kinds(), [Kind::IdentityLost]);
}

#[test]
fn commands_without_an_answer() {
    let (mut tape, a, _) = Tape::two();
    join(&mut tape, a, "j", ROOM);
    assert_eq!(tape.kinds(), [Kind::Unanswered]);

    let mut tape = Tape::new();
    let a = tape.guest(A);
    join(&mut tape, a, "j", ROOM);
    tape.drop(a);
    assert_eq!(tape.kinds(), [], "the connection was lost first");
}

#[test]
fn history_that_is_not_what_was_asked() {
    let asked = |seqs: &[u64]| {
        let (mut tape, a, b) = Tape::two();
        (2..6).for_each(|n| tape.said(a, n, n.into(), &[a, b]));
        let part = json!({"id": "h", "roomId": ROOM, "after": 1, "before": 5, "limit": 2});
        tape.sent(a, ClientCommand::FetchHistory(serde_json::from_value(part).unwrap()));
        let messages: Vec<_> = seqs.iter().map(|seq| tape.message(*seq, *seq as u32)).collect();
        tape.heard(
            a,
            json!({
                "type": "HISTORY", "id": "h", "roomId": ROOM, "epoch": "a", "messages": messages, "more": true,
            }),
        );
        tape.kinds()
    };
    assert_eq!(asked(&[2, 3]), []);
    for wrong in [&[2, 4][..], &[1, 2], &[4, 5], &[2, 3, 4]] {
        assert_eq!(asked(wrong), [Kind::Snapshot], "{wrong:?}");
    }
}

#[test]
fn what_the_contract_has_no_place_for() {
    let wrong = |note: fn(&mut Tape, u32)| {
        let mut tape = Tape::new();
        let a = tape.guest(A);
        note(&mut tape, a);
        tape.kinds()
    };
    assert_eq!(wrong(|tape, a| tape.note(a, What::Garbage("x".into()))), [Kind::Protocol]);
    assert_eq!(wrong(|tape, a| tape.refused(a, "x", "internal")), [Kind::Protocol]);
    assert_eq!(wrong(|tape, a| tape.note(a, What::Ended(How::Closed(4010, String::new())))), [Kind::Protocol]);
    assert_eq!(wrong(|tape, a| tape.note(a, What::Ended(How::Closed(4009, String::new())))), [Kind::Protocol]);
    assert_eq!(wrong(|tape, a| tape.note(a, What::Ended(How::Closed(1012, String::new())))), []);
    assert_eq!(wrong(|tape, a| tape.refused(a, "x", "rate_limited")), []);
}

#[test]
fn nothing_after_the_end_is_judged() {
    let (mut tape, a, b) = Tape::two();
    tape.note(0, What::Phase(crate::journal::Phase::Over));
    tape.told(b, 1, 1);
    tape.said(a, 2, 9, &[a, b]);
    tape.log.remove(&9);
    assert_eq!(tape.kinds(), []);
}
