//! Changes of messages: by those who may and by others, and what is read afterwards.

use super::tape::{A, B, ROOM, Tape, uuid};
use crate::{journal::digest, judge::Kind};
use protocol::ClientCommand;
use serde_json::{Value, json};

/// A's message 1 is edited at 2.
fn edited() -> (Tape, u32, u32) {
    let (mut tape, a, b) = Tape::two();
    tape.changed(a, 2, 1, "edit", &[a, b]);
    tape.reads.insert(1, json!({"body": "body 2", "edited": 2}));
    (tape, a, b)
}

/// And deleted at 3.
fn deleted() -> (Tape, u32, u32) {
    let (mut tape, a, b) = edited();
    tape.changed(a, 3, 1, "delete", &[a, b]);
    tape.reads.insert(1, json!({"body": digest("(deleted)"), "deleted": 3}));
    tape.reads.get_mut(&2).unwrap()["body"] = digest("(edited)").into();
    (tape, a, b)
}

/// What is found when a message reads like this at the end.
fn reads(made: fn() -> (Tape, u32, u32), message: u32, fields: Value) -> Vec<Kind> {
    let (mut tape, _, b) = made();
    let read = tape.reads.entry(message).or_insert_with(|| json!({}));
    fields.as_object().unwrap().iter().for_each(|(name, value)| read[name] = value.clone());
    tape.read(b);
    tape.kinds()
}

#[test]
fn changes_of_ones_own_and_reactions_are_sound() {
    for made in [edited, deleted] {
        let (mut tape, a, b) = made();
        let next = tape.log.len() as u32 + 1;
        tape.said(b, next, next.into(), &[a, b]);
        tape.changed(a, next + 1, next.into(), "react", &[a, b]);
        tape.changed(b, next + 2, next.into(), "unreact", &[a, b]);
        // The same again is answered with the same.
        tape.ask(a, next + 1, next.into(), "react");
        tape.ack(a, next + 1, u64::from(next) + 1, true);
        tape.read(b);
        tape.enter(b, "JOIN_ROOM", 1..u64::from(next) + 3, &[A, B]);
        assert_eq!(tape.kinds(), []);
    }
}

#[test]
fn a_change_is_an_entry_like_any_other() {
    let (mut tape, a, b) = edited();
    tape.changed(a, 3, 1, "react", &[a]);
    tape.said(b, 4, 4, &[a, b]);
    assert_eq!(tape.kinds(), [Kind::Hole, Kind::Unseen], "B is not shown a reaction");

    let (mut tape, _, _) = edited();
    tape.log.remove(&2);
    assert!(tape.kinds().contains(&Kind::Lost), "an edit is acknowledged, and not in the log");

    let (mut tape, a, _) = edited();
    tape.ask(a, 2, 1, "edit");
    tape.ack(a, 2, 2, false);
    assert_eq!(tape.kinds(), [Kind::AckDisagrees], "a retry is done again");

    let (mut tape, a, b) = edited();
    tape.told(a, 3, 2);
    tape.told(b, 3, 2);
    tape.log.insert(3, 2);
    assert_eq!(tape.kinds(), [Kind::Doubled], "an edit is in two places");
}

#[test]
fn what_was_taken_away_is_read_by_nobody() {
    let as_sent = json!({"body": "body 1", "edited": null, "deleted": null});
    assert_eq!(reads(edited, 1, as_sent.clone()), [Kind::Disclosed], "edited, and reads as it was");
    assert_eq!(reads(deleted, 1, as_sent), [Kind::Disclosed], "deleted, and reads as it was");
    let as_edited = json!({"body": "body 2", "edited": 2, "deleted": null});
    assert_eq!(reads(deleted, 1, as_edited), [Kind::Disclosed], "deleted, and reads as it was edited");
    assert_eq!(reads(deleted, 2, json!({"body": "body 2"})), [Kind::Disclosed], "its edit has the text");
}

#[test]
fn who_asked_before_may_be_shown_what_was_there() {
    let (mut tape, a, b) = Tape::two();
    let part = json!({"id": "early", "roomId": ROOM, "after": 0});
    tape.sent(b, ClientCommand::FetchHistory(serde_json::from_value(part).unwrap()));
    tape.ask(a, 2, 1, "delete");
    tape.ack(a, 2, 2, false);
    tape.history(b, "early");
    tape.log.insert(2, 2);
    tape.told(a, 2, 2);
    tape.told(b, 2, 2);
    tape.reads.insert(1, json!({"body": digest("(deleted)"), "deleted": 2}));
    tape.read(b);
    assert_eq!(tape.kinds(), []);
}

#[test]
fn what_is_read_says_what_was_done() {
    assert_eq!(reads(edited, 1, json!({"body": "body 1"})), [Kind::Altered], "not the text of its edit");
    assert_eq!(reads(deleted, 1, json!({"body": "body 2"})), [Kind::Altered], "deleted, with a text");
    assert_eq!(reads(deleted, 1, json!({"deleted": 2})), [Kind::Altered], "an edit is no deletion");
    assert_eq!(reads(edited, 2, json!({"body": digest("(edited)")})), [Kind::Altered], "nothing came after");
    assert_eq!(reads(edited, 2, json!({"change": {"kind": "edit", "seq": 9}})), [Kind::Altered], "of another message");
    assert_eq!(reads(edited, 2, json!({"change": null})), [Kind::Altered], "an edit that reads as a message");
    assert_eq!(reads(Tape::two, 1, json!({"replyTo": 1})), [Kind::Altered], "it answered nothing");
    assert!(reads(Tape::two, 1, json!({"body": digest("(deleted)"), "deleted": 1})).contains(&Kind::Altered));
}

#[test]
fn nobody_changes_what_is_anothers_or_gone() {
    for kind in ["edit", "delete"] {
        let (mut tape, a, b) = Tape::two();
        tape.changed(b, 2, 1, kind, &[a, b]);
        assert_eq!(tape.kinds(), [Kind::Trespass], "B did {kind} what A wrote");

        let (mut tape, a, b) = deleted();
        tape.changed(a, 4, 1, kind, &[a, b]);
        assert_eq!(tape.kinds(), [Kind::Trespass], "{kind} of what is gone");

        let (mut tape, a, b) = edited();
        tape.changed(a, 3, 2, kind, &[a, b]);
        assert_eq!(tape.kinds(), [Kind::Trespass], "{kind} of a change");
    }
    let (mut tape, a, b) = deleted();
    tape.changed(b, 4, 1, "react", &[a, b]);
    assert_eq!(tape.kinds(), [Kind::Trespass], "of what is gone");
}

#[test]
fn a_refusal_leaves_no_trace() {
    let refused = |attempts: u32, refusals: u32, is_there: bool| {
        let (mut tape, a, b) = Tape::two();
        tape.said(b, 2, 2, &[a, b]);
        (0..attempts).for_each(|_| tape.ask(b, 3, 2, "delete"));
        // Another room than B's: that is not for the judge to know.
        tape.sent(b, ClientCommand::LeaveRoom(serde_json::from_value(json!({"id": "l"})).unwrap()));
        tape.heard(b, json!({"type": "ROOM_LEFT", "id": "l", "roomId": ROOM, "reason": "left"}));
        (0..refusals).for_each(|_| tape.refused(b, &uuid(3).to_string(), "forbidden"));
        tape.went(a, B, 1);
        if is_there {
            tape.told(a, 3, 3);
            tape.log.insert(3, 3);
        }
        tape.kinds()
    };
    assert_eq!(refused(1, 1, false), []);
    assert_eq!(refused(1, 1, true), [Kind::Trespass]);
    let one_of_two = refused(2, 1, true);
    assert!(!one_of_two.contains(&Kind::Trespass), "one attempt may have been carried out: {one_of_two:?}");
}

#[test]
fn what_is_forbidden_must_be() {
    let forbidden = |by_author: bool, made: fn() -> (Tape, u32, u32), kind: &str| {
        let (mut tape, a, b) = made();
        let by = if by_author { a } else { b };
        tape.ask(by, 9, 1, kind);
        tape.refused(by, &uuid(9).to_string(), "forbidden");
        tape.kinds()
    };
    for kind in ["edit", "delete", "react"] {
        assert_eq!(forbidden(true, deleted, kind), [], "it is gone");
        assert_eq!(forbidden(true, edited, kind), [Kind::Protocol], "its author may {kind} it");
    }
    assert_eq!(forbidden(false, edited, "edit"), []);
    assert_eq!(forbidden(false, edited, "react"), [Kind::Protocol], "everybody may react");
    let (mut tape, a, _) = Tape::two();
    tape.send(a, 2);
    tape.refused(a, &uuid(2).to_string(), "forbidden");
    assert!(tape.kinds().contains(&Kind::Protocol), "nothing forbids a message");
}
