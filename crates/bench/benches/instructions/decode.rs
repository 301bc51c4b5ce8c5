//! From bytes to what is acted on.

use crate::{
    count, envelope,
    reader::{Message, Reader},
    sample,
};
use actix_http::ws::{OpCode, Parser};
use bytes::{Bytes, BytesMut};
use protocol::ClientCommand;
use std::hint::black_box;

pub fn send_message() {
    let (id, body) = (sample::MESSAGE, sample::body());
    frame(&format!(r#"{{"type":"SEND_MESSAGE","id":"{id}","body":"{body}"}}"#), |command| {
        assert!(matches!(command, ClientCommand::SendMessage(_)));
    });
}

pub fn connect() {
    // As long as the sessions that a node signs.
    let session = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9".repeat(7);
    let resume = format!(r#"{{"roomId":48151,"epoch":"{}","seq":1041}}"#, sample::epoch());
    let json = format!(r#"{{"type":"CONNECT","id":"c-1","session":"{session}","username":"Ada","resume":{resume}}}"#);
    frame(&json, |command| {
        assert!(matches!(command, ClientCommand::Connect(connect) if connect.resume.is_some()));
    });
}

/// From a masked frame to a command, until the reader has nothing more.
fn frame(json: &str, is_right: impl Fn(&ClientCommand)) {
    let reader = || {
        let mut bytes = BytesMut::new();
        Parser::write_message(&mut bytes, json, OpCode::Text, true, true);
        Reader::new(bytes, 16 * 1024)
    };
    count(reader, |mut reader| {
        let Ok(Some(Message::Text(text))) = reader.next() else { panic!("one text") };
        let decoded = protocol::decode(&text).unwrap();
        is_right(&decoded.1);
        drop(black_box(decoded));
        assert_eq!(reader.next(), Ok(None));
    });
}

/// A room's message, as the bus brings it.
pub fn envelope() {
    let message = || Bytes::from([b"1 e 1042 1700000000123 456\n", &sample::payload()[..]].concat());
    count(message, |message| drop(black_box(envelope::decode(sample::room(), &message, |_| None)).unwrap()));
}
