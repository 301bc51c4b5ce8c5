//! The admin API over a store with 50,000 clients and 5,000 rooms: every page comes at once, and Redis is in nobody's way.

use crate::{
    admin::{Admin, start},
    promises::ask_redis,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// What attaching, making rooms and joining write, of a node that is there.
const POPULATE: &str = include_str!("../../../engine-redis/tests/populate.lua");
const CLIENTS: usize = 50_000;
const ROOMS: usize = 5_000;
/// A page may take so long.
const LATE: Duration = Duration::from_millis(100);
/// A script may take so long, in µs.
const SLOW: u64 = 5_000;
/// On a machine that does something else meanwhile anything takes long now and then; what is slow is so each time …
const TRIES: usize = 5;
/// … and a script that is slow is so more often than once in so many calls.
const SELDOM: u64 = 20;

async fn populate(port: u16) {
    let script = POPULATE.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ");
    let leases = ask_redis(port, "ZRANGE rf:{m}:leases 0 0").await;
    let generation = leases.lines().nth(2).unwrap().trim().to_owned();
    let node = ask_redis(port, &format!("HGET rf:{{m}}:life:{generation} node")).await;
    let node = node.lines().nth(1).unwrap().trim().to_owned();
    for low in (10_000..10_000 + CLIENTS).step_by(5_000) {
        let args = format!("rf:{{m}}: {generation} {node} {ROOMS} {low} {}", low + 4_999);
        let answer = ask_redis(port, &format!("EVAL \"{script}\" 0 {args}")).await;
        assert!(answer.starts_with(":1"), "{answer}");
    }
}

struct Pages<'a> {
    admin: &'a Admin,
    slowest: Duration,
    calls: u32,
}

impl Pages<'_> {
    /// A page that comes in time.
    async fn get(&mut self, path: &str) -> Value {
        let mut took = Duration::ZERO;
        for _ in 0..TRIES {
            let begin = Instant::now();
            let page = self.admin.get(path).await;
            took = begin.elapsed();
            if took < LATE {
                (self.slowest, self.calls) = (self.slowest.max(took), self.calls + 1);
                return page;
            }
        }
        panic!("{path} takes long each time: {took:?}");
    }

    /// All pages of a list: the ids.
    async fn all(&mut self, path: &str, ids: &str) -> Vec<u64> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}limit=500{cursor}")).await;
            all.extend(page[ids].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()));
            let Some(next) = page["cursor"].as_str() else { return all };
            cursor = format!("&cursor={next}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_thousand_clients_are_paged_through_without_holding_anybody_up() {
    let (mut cluster, admin, _dir) = start(&[]).await;
    let redis = cluster.redis().port();
    populate(redis).await;
    for command in [&format!("CONFIG SET slowlog-log-slower-than {SLOW}"), "CONFIG RESETSTAT", "SLOWLOG RESET"] {
        assert!(ask_redis(redis, command).await.starts_with("+OK"));
    }
    let mut pages = Pages { admin: &admin, slowest: Duration::ZERO, calls: 0 };

    let first = pages.get("/admin/client").await;
    assert_eq!((&first["total"], first["clientIds"].as_array().unwrap().len()), (&json!(CLIENTS), 50));
    let clients = pages.all("/admin/client?", "clientIds").await;
    assert_eq!(clients, (10_000..10_000 + CLIENTS as u64).collect::<Vec<_>>());

    let first = pages.get("/admin/room").await;
    assert_eq!((&first["total"], first["roomIds"].as_array().unwrap().len()), (&json!(ROOMS), 50));
    let mut rooms = pages.all("/admin/room?", "roomIds").await;
    rooms.sort_unstable();
    assert_eq!(rooms, (10_000..10_000 + ROOMS as u64).collect::<Vec<_>>());

    // Searches go on where they stopped, and end.
    let found = pages.all("/admin/client?query=name%2059999&", "clientIds").await;
    assert_eq!(found, [59_999]);
    let found = pages.all("/admin/client?query=192.0.2.7&", "clientIds").await;
    assert_eq!(found.len(), CLIENTS / 250);
    let detail = pages.get("/admin/client/59999").await;
    assert_eq!(detail["username"], "Name 59999");
    let Pages { slowest, calls, .. } = pages;
    let slow: u64 = ask_redis(redis, "SLOWLOG LEN").await.lines().next().unwrap()[1..].parse().unwrap();
    let stats = ask_redis(redis, "INFO commandstats").await;
    let script = stats.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:")).unwrap();
    let of = |name: &str| script.split(',').find_map(|part| part.strip_prefix(name)).unwrap().parse::<f64>().unwrap();
    let (scripts, mean) = (of("calls=") as u64, of("usec_per_call="));
    println!(
        "{calls} pages, the slowest in {slowest:?}; {scripts} scripts of {mean} µs, {slow} of them over {SLOW} µs"
    );
    assert!(mean < SLOW as f64 / 2.0 && slow * SELDOM < scripts, "{}", ask_redis(redis, "SLOWLOG GET 1").await);
    cluster.stop().await;
}
