//! Reads a script's reply from front to back.

use crate::names;
use bytes::Bytes;
use engine::Unavailable;
use fred::types::Value;
use protocol::{ClientId, RoomId, RoomName, Timestamp, Username};
use std::str::FromStr;

/// A script's reply: integers first, since fred takes a short array that begins with the string `subscribe` or
/// `message` for a push, and waits for ever for the reply that it has thrown away.
#[derive(Debug)]
pub struct Reply {
    values: std::vec::IntoIter<Value>,
}

impl Reply {
    /// Takes what came.
    pub fn new(value: Value) -> Self {
        let values = match value {
            Value::Array(values) => values,
            other => vec![other],
        };
        Self { values: values.into_iter() }
    }

    /// The next one, a whole number.
    pub fn int(&mut self) -> Result<i64, Unavailable> {
        self.values.next().and_then(|value| value.as_i64()).ok_or_else(|| odd("a number"))
    }

    /// The next one, a whole number that is not negative and fits.
    pub fn number<T: TryFrom<i64>>(&mut self) -> Result<T, Unavailable> {
        T::try_from(self.int()?).map_err(|_| odd("a number of that size"))
    }

    /// Whether there is one more.
    pub fn has_more(&self) -> bool {
        self.values.len() > 0
    }

    /// The next one, as bytes.
    pub fn bytes(&mut self) -> Result<Bytes, Unavailable> {
        match self.values.next() {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            Some(Value::String(text)) => Ok(text.into_inner()),
            Some(Value::Integer(n)) => Ok(n.to_string().into()),
            Some(Value::Null) => Ok(Bytes::new()),
            _ => Err(odd("a text")),
        }
    }

    /// The next one, as text.
    pub fn text(&mut self) -> Result<String, Unavailable> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| odd("a text"))
    }

    /// The next one, parsed.
    pub fn parse<T: FromStr>(&mut self) -> Result<T, Unavailable> {
        self.text()?.parse().map_err(|_| odd("something that can be read"))
    }

    /// The next one, a time.
    pub fn time(&mut self) -> Result<Timestamp, Unavailable> {
        self.number().map(Timestamp)
    }

    /// The next one, a client.
    pub fn client(&mut self) -> Result<ClientId, Unavailable> {
        ClientId::new(self.number()?).map_err(|_| odd("a client's id"))
    }

    /// The next one, a room.
    pub fn room(&mut self) -> Result<RoomId, Unavailable> {
        RoomId::new(self.number()?).map_err(|_| odd("a room's id"))
    }

    /// The next one, the name of this client.
    pub fn username(&mut self, client: ClientId) -> Result<Username, Unavailable> {
        names::username(client, &self.text()?).ok_or_else(|| odd("a name"))
    }

    /// The next one, a room's name.
    pub fn room_name(&mut self) -> Result<RoomName, Unavailable> {
        names::trusted(&self.text()?).ok_or_else(|| odd("a room's name"))
    }
}

/// A reply that no script of ours gives: another version's, or another program's key under our prefix. The port has no
/// error for it but this one, and neither has the caller.
fn odd(expected: &str) -> Unavailable {
    Unavailable(format!("the reply has not {expected} where there should be one"))
}
