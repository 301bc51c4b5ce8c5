//! What operators leave behind.

use super::{MemoryNode, after};
use crate::port::{Document, PortError, Records, Table, Unavailable};
use async_trait::async_trait;
use bytes::Bytes;
use protocol::Timestamp;
use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    time::Duration,
};

/// Documents by table and id, with their end; and the log.
#[derive(Default)]
pub(super) struct Store {
    tables: BTreeMap<Table, BTreeMap<String, (Bytes, Option<Timestamp>)>>,
    log: VecDeque<(u64, Bytes)>,
    appended: u64,
}

impl Store {
    /// The table, without what has expired.
    fn table(&mut self, table: Table, now: Timestamp) -> &mut BTreeMap<String, (Bytes, Option<Timestamp>)> {
        let documents = self.tables.entry(table).or_default();
        documents.retain(|_, (_, end)| end.is_none_or(|end| end > now));
        documents
    }
}

#[async_trait]
impl Records for MemoryNode {
    async fn put(&self, table: Table, document: Document, ttl: Option<Duration>) -> Result<(), Unavailable> {
        let now = self.now();
        let end = ttl.map(|ttl| after(now, ttl));
        self.state().records.table(table, now).insert(document.id, (document.body, end));
        Ok(())
    }

    async fn get(&self, table: Table, id: &str) -> Result<Option<Bytes>, Unavailable> {
        let now = self.now();
        Ok(self.state().records.table(table, now).get(id).map(|(body, _)| body.clone()))
    }

    async fn remove(&self, table: Table, id: &str) -> Result<bool, Unavailable> {
        let now = self.now();
        Ok(self.state().records.table(table, now).remove(id).is_some())
    }

    async fn list(&self, table: Table, from: Option<&str>, limit: usize) -> Result<Vec<Document>, Unavailable> {
        let now = self.now();
        let mut state = self.state();
        let lower = from.map_or(Bound::Unbounded, Bound::Excluded);
        let documents = state.records.table(table, now).range::<str, _>((lower, Bound::Unbounded));
        Ok(documents.take(limit).map(|(id, (body, _))| Document { id: id.clone(), body: body.clone() }).collect())
    }

    async fn append(&self, body: Bytes, keep: usize, settles: Option<&str>) -> Result<Option<String>, Unavailable> {
        let now = self.now();
        let store = &mut self.state().records;
        if let Some(act) = settles
            && store.table(Table::Acts, now).remove(act).is_none()
        {
            return Ok(None);
        }
        store.appended += 1;
        store.log.push_back((store.appended, body));
        while store.log.len() > keep {
            store.log.pop_front();
        }
        Ok(Some(store.appended.to_string()))
    }

    async fn log(&self, before: Option<&str>, limit: usize) -> Result<Vec<Document>, PortError> {
        let before = before.map(|id| id.parse::<u64>().map_err(|_| PortError::BadCursor)).transpose()?;
        let state = self.state();
        let entries = state.records.log.iter().rev().filter(|(id, _)| before.is_none_or(|before| *id < before));
        Ok(entries.take(limit).map(|(id, body)| Document { id: id.to_string(), body: body.clone() }).collect())
    }
}
