//! What operators leave behind. All of it has one hash tag, so that an entry of the log and the act that it settles are
//! one step.

use crate::{
    RedisNode,
    reply::Reply,
    script::{RECORD_APPEND, RECORD_GET, RECORD_LIST, RECORD_LOG, RECORD_PUT, RECORD_REMOVE, Script},
    timeline::{arg, millis},
};
use async_trait::async_trait;
use bytes::Bytes;
use engine::{
    PortError, Unavailable,
    port::{Document, Records, Table},
};
use fred::types::{Key, Value};
use std::time::Duration;

/// Ids that one call of a script looks at, so that Redis is not held up …
const PORTION: usize = 100;
/// … and bytes of documents that it gives, about.
const BYTES: usize = 256 * 1024;

#[async_trait]
impl Records for RedisNode {
    async fn put(&self, table: Table, document: Document, ttl: Option<Duration>) -> Result<(), Unavailable> {
        let ttl = ttl.map_or_else(|| "".into(), millis);
        let args = vec![document.id.into(), Value::Bytes(document.body), ttl];
        self.record(&RECORD_PUT, self.shared.keys.table(table), args).await.map(|_| ())
    }

    async fn get(&self, table: Table, id: &str) -> Result<Option<Bytes>, Unavailable> {
        let mut reply = self.record(&RECORD_GET, vec![self.shared.keys.document(table, id)], Vec::new()).await?;
        if reply.int()? == 1 { reply.bytes().map(Some) } else { Ok(None) }
    }

    async fn remove(&self, table: Table, id: &str) -> Result<bool, Unavailable> {
        let mut reply = self.record(&RECORD_REMOVE, self.shared.keys.table(table), vec![id.into()]).await?;
        reply.int()?;
        Ok(reply.int()? == 1)
    }

    async fn list(&self, table: Table, after: Option<&str>, limit: usize) -> Result<Vec<Document>, Unavailable> {
        let (mut found, mut above) = (Vec::new(), after.map_or_else(|| "-".to_owned(), |id| format!("({id}")));
        while found.len() < limit {
            let portion = PORTION.min(limit - found.len());
            let args = vec![above.as_str().into(), arg(portion), arg(BYTES)];
            let mut reply = self.record(&RECORD_LIST, self.shared.keys.table(table), args).await?;
            let (count, more, last) = (reply.number()?, reply.int()? == 1, reply.text()?);
            found.extend(documents(reply, count)?);
            if !more {
                break;
            }
            above = format!("({last}");
        }
        Ok(found)
    }

    async fn append(&self, body: Bytes, keep: usize, settles: Option<&str>) -> Result<Option<String>, Unavailable> {
        let mut keys = vec![self.shared.keys.log()];
        keys.extend(self.shared.keys.table(Table::Acts));
        let mut args = vec![Value::Bytes(body), arg(keep)];
        args.extend(settles.map(Value::from));
        let mut reply = self.record(&RECORD_APPEND, keys, args).await?;
        if reply.int()? == 0 { Ok(None) } else { reply.text().map(Some) }
    }

    async fn log(&self, before: Option<&str>, limit: usize) -> Result<Vec<Document>, PortError> {
        if !before.is_none_or(is_cursor) {
            return Err(PortError::BadCursor);
        }
        let (mut found, mut before) = (Vec::new(), before.map(ToOwned::to_owned));
        while found.len() < limit {
            // Redis knows nothing before the first of all ids.
            if before.as_deref().is_some_and(|id| id.bytes().all(|byte| matches!(byte, b'0' | b'-'))) {
                break;
            }
            let portion = PORTION.min(limit - found.len());
            let below = before.map_or_else(|| "+".to_owned(), |id| format!("({id}"));
            let mut reply =
                self.record(&RECORD_LOG, vec![self.shared.keys.log()], vec![below.into(), arg(portion)]).await?;
            let count = reply.number()?;
            found.extend(documents(reply, count)?);
            before = found.last().map(|entry: &Document| entry.id.clone());
            if count < portion {
                break;
            }
        }
        Ok(found)
    }
}

impl RedisNode {
    async fn record(&self, script: &Script, keys: Vec<Key>, args: Vec<Value>) -> Result<Reply, Unavailable> {
        self.shared.commands.run(script, keys, args).await
    }
}

fn documents(mut reply: Reply, count: usize) -> Result<Vec<Document>, Unavailable> {
    let mut documents = Vec::with_capacity(count);
    for _ in 0..count {
        documents.push(Document { id: reply.text()?, body: reply.bytes()? });
    }
    Ok(documents)
}

/// Whether it is the id of an entry of the log, which is a stream's. Redis would take other things for one, too.
fn is_cursor(text: &str) -> bool {
    let is_number = |text: &str| (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.split_once('-').is_some_and(|(time, number)| is_number(time) && is_number(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_stream_s_id() {
        for good in ["0-0", "1700000000000-0", "9999999999999999-9999999999999999"] {
            assert!(is_cursor(good), "{good}");
        }
        for bad in
            ["", "-", "1", "1-", "-1", "1-x", "1-1-1", "+1-1", " 1-1", "(1-1", "1-1\n", "١-١", "12345678901234567-0"]
        {
            assert!(!is_cursor(bad), "{bad:?}");
        }
    }
}
