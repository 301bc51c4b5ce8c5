//! What [`Records`](crate::port::Records) promises.

use super::{Backend, LONG, Node};
use crate::port::{Document, PortError, Table};
use bytes::Bytes;
use std::time::Duration;
use tokio::task::JoinSet;

fn document(id: &str, body: &str) -> Document {
    Document { id: id.to_owned(), body: Bytes::from(body.to_owned()) }
}

async fn put(node: &Node, table: Table, id: &str, body: &str, ttl: Option<Duration>) {
    node.ports.records.put(table, document(id, body), ttl).await.unwrap();
}

async fn get(node: &Node, table: Table, id: &str) -> Option<String> {
    let body = node.ports.records.get(table, id).await.unwrap()?;
    Some(String::from_utf8(body.to_vec()).unwrap())
}

async fn remove(node: &Node, table: Table, id: &str) -> bool {
    node.ports.records.remove(table, id).await.unwrap()
}

/// Pages until the end: all ids of a table, in pages of this size.
async fn ids(node: &Node, table: Table, limit: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    loop {
        let page = node.ports.records.list(table, all.last().map(String::as_str), limit).await.unwrap();
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        all.extend(page.into_iter().map(|document| document.id));
        if is_last {
            return all;
        }
    }
}

/// What one node wrote every node reads, until it is replaced or removed; tables have nothing to do with each other.
pub async fn a_document_is_read_until_it_is_removed(backend: &impl Backend) {
    let (one, two) = (Node::new(backend).await, Node::new(backend).await);
    for table in Table::ALL {
        assert_eq!(get(&one, table, "id").await, None);
        assert!(!remove(&one, table, "id").await);
        put(&one, table, "id", table.name(), None).await;
    }
    for table in Table::ALL {
        assert_eq!(get(&two, table, "id").await.as_deref(), Some(table.name()));
        put(&two, table, "id", "another", Some(LONG)).await;
        assert_eq!(get(&one, table, "id").await.as_deref(), Some("another"));
        assert_eq!(one.ports.records.list(table, None, 9).await.unwrap(), [document("id", "another")]);
        assert!(remove(&one, table, "id").await);
        assert!(!remove(&two, table, "id").await, "it is gone already");
        assert_eq!(get(&two, table, "id").await, None);
        assert_eq!(ids(&two, table, 9).await, [""; 0]);
    }
}

/// Ids and bodies are taken as they are, whatever they look like to the backend.
pub async fn ids_and_bodies_are_opaque(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let long = "x".repeat(128);
    let printable: String = (' '..='~').collect();
    let mut odd =
        vec!["ends", "log", "(a", "[a", "-", "+", "1", "a:b", "{m}", "{a}", "*", "message", "", &long, &printable];
    for id in &odd {
        put(&node, Table::Minutes, id, &format!("of {id}"), Some(LONG)).await;
    }
    odd.sort_unstable();
    for id in &odd {
        assert_eq!(get(&node, Table::Minutes, id).await, Some(format!("of {id}")));
    }
    assert_eq!(ids(&node, Table::Minutes, 500).await, odd);
    for body in [&b""[..], b"\x00\xff\r\n", b"message", b"17", &[b'x'; 100_000]] {
        let body = Bytes::from_static(Box::leak(body.to_vec().into_boxed_slice()));
        let whole = Document { id: "id".to_owned(), body: body.clone() };
        node.ports.records.put(Table::Acts, whole.clone(), None).await.unwrap();
        assert_eq!(node.ports.records.get(Table::Acts, "id").await, Ok(Some(body)));
        assert_eq!(node.ports.records.list(Table::Acts, None, 1).await, Ok(vec![whole]));
    }
    for id in &odd {
        assert!(remove(&node, Table::Minutes, id).await);
    }
    assert_eq!(ids(&node, Table::Minutes, 1).await, [""; 0]);
}

/// A list is in the order of ids, byte by byte, whatever the pages' size and the order of writing; from any id on, also
/// one that is gone or never was.
pub async fn a_list_is_in_the_order_of_ids(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let mut all: Vec<String> = (0..30).map(|n| format!("{}-{n}", ["b", "B", "~", "aa", "a"][n % 5])).collect();
    for (n, id) in all.iter().enumerate() {
        put(&node, Table::Bans, id, "x", (n % 2 == 0).then_some(LONG)).await;
    }
    all.sort_unstable();
    for limit in [1, 7, 30, 500] {
        assert_eq!(ids(&node, Table::Bans, limit).await, all, "{limit} a page");
    }
    assert_eq!(node.ports.records.list(Table::Bans, None, 0).await, Ok(vec![]));
    let after = async |id: &str| {
        let page = node.ports.records.list(Table::Bans, Some(id), 2).await.unwrap();
        page.into_iter().map(|document| document.id).collect::<Vec<_>>()
    };
    assert_eq!(after("").await, all[..2]);
    assert_eq!(after(&all[4]).await, all[5..7]);
    assert!(remove(&node, Table::Bans, &all[4]).await);
    assert_eq!(after(&all[4]).await, all[5..7], "it is gone, and its place is known");
    assert_eq!(after(&all[3]).await, all[5..7]);
    assert_eq!(after(&all[29]).await, [""; 0]);
    assert_eq!(after("~~~").await, [""; 0]);
}

/// What comes and goes while somebody pages neither hides nor doubles what stays.
pub async fn a_list_goes_on_while_documents_come_and_go(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let id = |n: usize| format!("{n:03}");
    for n in (0..60).step_by(2) {
        put(&node, Table::Bans, &id(n), "x", None).await;
    }
    let mut seen: Vec<String> = Vec::new();
    loop {
        let page = node.ports.records.list(Table::Bans, seen.last().map(String::as_str), 4).await.unwrap();
        seen.extend(page.iter().map(|document| document.id.clone()));
        let Some(last) = seen.last().filter(|_| page.len() == 4) else { break };
        let last: usize = last.parse().unwrap();
        // The page's last one and every fourth one go, others come before and behind.
        remove(&node, Table::Bans, &id(last)).await;
        remove(&node, Table::Bans, &id((last + 4) / 8 * 8)).await;
        put(&node, Table::Bans, &id(last - 1), "x", None).await;
        put(&node, Table::Bans, &id(last + 3), "x", None).await;
    }
    assert!(seen.is_sorted_by(|a, b| a < b), "nothing twice");
    for n in (0..60).step_by(2).filter(|n| n % 8 != 0) {
        assert!(seen.contains(&id(n)), "{n} stayed");
    }
}

/// After its time a document is not there, for any call; a new one of that id has a time of its own.
pub async fn a_document_expires(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let unit = backend.unit();
    for (id, ttl) in [
        ("a", Some(unit)),
        ("b", None),
        ("c", Some(unit)),
        ("d", Some(unit)),
        ("e", Some(unit)),
        ("f", Some(LONG)),
        ("g", Some(unit)),
    ] {
        put(&node, Table::Bans, id, "x", ttl).await;
    }
    put(&node, Table::Bans, "d", "stays", None).await;
    put(&node, Table::Bans, "e", "stays longer", Some(LONG)).await;
    put(&node, Table::Bans, "f", "goes earlier", Some(unit)).await;
    put(&node, Table::Bans, "at once", "x", Some(Duration::ZERO)).await;
    backend.pass(unit * 2).await;
    for id in ["a", "c", "f", "g", "at once"] {
        assert_eq!(get(&node, Table::Bans, id).await, None, "{id}");
        assert_eq!(node.ports.records.list(Table::Bans, Some(id), 1).await.unwrap().len(), usize::from(id < "e"));
    }
    assert!(!remove(&node, Table::Bans, "a").await, "it is not there");
    for limit in [1, 2, 500] {
        assert_eq!(ids(&node, Table::Bans, limit).await, ["b", "d", "e"], "{limit} a page");
    }
    put(&node, Table::Bans, "c", "again", Some(LONG)).await;
    assert_eq!(get(&node, Table::Bans, "c").await.as_deref(), Some("again"));
    assert_eq!(ids(&node, Table::Bans, 1).await, ["b", "c", "d", "e"]);
}

/// A page is as long as it may be, however many documents have expired before and between.
pub async fn what_has_expired_shortens_no_page(backend: &impl Backend) {
    let node = Node::new(backend).await;
    for n in 0..600 {
        let stays = [0, 299, 599].contains(&n);
        put(&node, Table::Revoked, &format!("{n:03}"), "x", (!stays).then_some(backend.unit())).await;
    }
    backend.pass(backend.unit() * 2).await;
    let page = node.ports.records.list(Table::Revoked, None, 3).await.unwrap();
    assert_eq!(page.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), ["000", "299", "599"]);
    assert_eq!(ids(&node, Table::Revoked, 1).await, ["000", "299", "599"]);
}

// -------------------------------------------------------------------------------------------------------- log

async fn append(node: &Node, text: &str, keep: usize) -> String {
    node.ports.records.append(Bytes::from(text.to_owned()), keep, None).await.unwrap().expect("an id")
}

/// Pages until the end: all of the log, in pages of this size.
async fn log(node: &Node, limit: usize) -> Vec<Document> {
    let mut all: Vec<Document> = Vec::new();
    loop {
        let before = all.last().map(|last| last.id.as_str());
        let page = node.ports.records.log(before, limit).await.unwrap();
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        all.extend(page);
        if is_last {
            return all;
        }
    }
}

/// The log is read newest first, page by page, whatever is appended meanwhile.
pub async fn the_log_is_read_newest_first(backend: &impl Backend) {
    let (one, two) = (Node::new(backend).await, Node::new(backend).await);
    assert_eq!(log(&one, 9).await, []);
    let mut all = Vec::new();
    for n in 0..25 {
        let (node, text) = (if n % 2 == 0 { &one } else { &two }, format!("entry {n}"));
        let id = append(node, &text, 1000).await;
        all.insert(0, document(&id, &text));
    }
    for limit in [1, 7, 25, 500] {
        assert_eq!(log(&two, limit).await, all, "{limit} a page");
    }
    assert_eq!(one.ports.records.log(None, 0).await, Ok(vec![]));
    let first = one.ports.records.log(None, 4).await.unwrap();
    append(&one, "newer", 1000).await;
    let second = one.ports.records.log(Some(&first[3].id), 4).await.unwrap();
    assert_eq!([first, second].concat(), all[..8]);
    assert_eq!(one.ports.records.log(Some(&all[24].id), 4).await, Ok(vec![]), "nothing was before the first one");
}

/// The newest so many entries stay; a page goes on after an entry that is gone.
pub async fn a_full_log_forgets_its_oldest_entries(backend: &impl Backend) {
    let node = Node::new(backend).await;
    let mut given = Vec::new();
    for n in 0..30 {
        given.push(append(&node, &n.to_string(), 10).await);
    }
    let bodies = |entries: Vec<Document>| {
        entries.iter().map(|entry| std::str::from_utf8(&entry.body).unwrap().parse().unwrap()).collect::<Vec<u32>>()
    };
    assert_eq!(bodies(log(&node, 4).await), (20..30).rev().collect::<Vec<_>>());
    assert_eq!(node.ports.records.log(Some(&given[5]), 4).await, Ok(vec![]));
    append(&node, "30", 3).await;
    assert_eq!(bodies(log(&node, 500).await), [30, 29, 28]);
}

/// An entry settles an act: whoever sees the one does not see the other.
pub async fn an_entry_settles_an_act(backend: &impl Backend) {
    let node = Node::new(backend).await;
    for id in ["one", "two"] {
        put(&node, Table::Acts, id, "x", None).await;
        put(&node, Table::Bans, id, "x", None).await;
    }
    let settled = node.ports.records.append(Bytes::from_static(b"done"), 10, Some("one")).await.unwrap();
    assert_eq!(settled, Some(log(&node, 1).await[0].id.clone()));
    assert_eq!(get(&node, Table::Acts, "one").await, None);
    assert_eq!(ids(&node, Table::Acts, 9).await, ["two"]);
    assert_eq!(ids(&node, Table::Bans, 9).await, ["one", "two"], "another table's is no act");
    // Whoever is second finds it settled, and leaves it at that.
    assert_eq!(node.ports.records.append(Bytes::from_static(b"again"), 10, Some("one")).await, Ok(None));
    assert_eq!(log(&node, 9).await.len(), 1);
}

/// Entries that are appended at once are all there, each under an id of its own, and ids ascend for each appender.
pub async fn entries_of_several_nodes_are_all_in_the_log(backend: &impl Backend) {
    const EACH: usize = 20;
    let mut writers = JoinSet::new();
    for n in 0..4 {
        let node = Node::new(backend).await;
        writers.spawn(async move {
            let mut given = Vec::new();
            for i in 0..EACH {
                given.push(append(&node, &format!("{n}/{i}"), 1000).await);
                tokio::task::yield_now().await;
            }
            given
        });
    }
    let given = writers.join_all().await;
    let node = Node::new(backend).await;
    let read: Vec<String> = log(&node, 500).await.into_iter().rev().map(|entry| entry.id).collect();
    assert_eq!(read.len(), 4 * EACH);
    for ids in given {
        let places: Vec<_> = ids.iter().map(|id| read.iter().position(|other| other == id).unwrap()).collect();
        assert!(places.is_sorted_by(|a, b| a < b), "{places:?}");
    }
}

/// A cursor that no entry has is refused.
pub async fn a_bad_cursor_is_refused(backend: &impl Backend) {
    let node = Node::new(backend).await;
    append(&node, "x", 9).await;
    let long = "9".repeat(1000);
    for bad in ["", "x", "-", "+", "$", "1-", "-1", "1-x", "1-1-1", " 1", "(1", "1 1", "🦀", long.as_str()] {
        assert_eq!(node.ports.records.log(Some(bad), 5).await, Err(PortError::BadCursor), "{bad:?}");
    }
}
