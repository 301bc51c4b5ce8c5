//! A master and its replica, and three sentinels that watch them.

#![allow(dead_code)] // each test uses a part of it

use super::{Server, caught_up, until};

/// The passwords of the servers and of the sentinels.
pub type Passwords = (&'static str, &'static str);

/// They end with this.
pub struct Watched {
    /// The master, and its replica.
    pub servers: Vec<Server>,
    pub sentinels: Vec<Server>,
}

impl Watched {
    pub fn start() -> Self {
        Self::with(None, 3)
    }

    pub fn with(passwords: Option<Passwords>, sentinels: usize) -> Self {
        let mut options = vec!["--save", "", "--repl-diskless-sync-delay", "0"];
        if let Some((password, _)) = passwords {
            options.extend(["--requirepass", password, "--masterauth", password]);
        }
        let master = Server::with("redis-server", &options);
        let of = format!("127.0.0.1 {}", master.port);
        options.extend(["--replicaof", &of]);
        let replica = Server::with("redis-server", &options);
        if passwords.is_none() {
            caught_up(replica.port, master.port);
        }
        let quorum = sentinels / 2 + 1;
        let sentinels: Vec<Server> = (0..sentinels).map(|_| sentinel(master.port, quorum, passwords)).collect();
        let watched = Self { servers: vec![master, replica], sentinels };
        let known = format!("status=ok,address=127.0.0.1:{},slaves=1,sentinels={}", watched.master(), quorum * 2 - 1);
        until("the sentinels know each other and the replica", || {
            watched.sentinels.iter().all(|sentinel| {
                let info = match passwords {
                    Some((_, password)) => sentinel.ask_as(password, "INFO sentinel"),
                    None => sentinel.ask("INFO sentinel"),
                };
                info.is_ok_and(|info| info.contains(&known))
            })
        });
        watched
    }

    /// The port of the one that was the master first.
    pub fn master(&self) -> u16 {
        self.servers[0].port
    }

    /// `credentials` before the host, `more` behind the service's name.
    pub fn url(&self, credentials: &str, more: &str) -> String {
        let ports: Vec<String> = self.sentinels.iter().map(|s| format!("127.0.0.1:{}", s.port)).collect();
        let others: String = ports[1..].iter().map(|host| format!("&node={host}")).collect();
        format!("redis-sentinel://{credentials}{}?sentinelServiceName=rooms{others}{more}", ports[0])
    }
}

fn sentinel(master: u16, quorum: usize, passwords: Option<Passwords>) -> Server {
    // Longer than a process waits for its turn on a busy machine, or they would see failures where there are none.
    let mut text = format!(
        "sentinel monitor rooms 127.0.0.1 {master} {quorum}\n\
         sentinel down-after-milliseconds rooms 1000\n\
         sentinel failover-timeout rooms 3000\n"
    );
    if let Some((servers, sentinels)) = passwords {
        text += &format!(
            "sentinel auth-pass rooms {servers}\nrequirepass {sentinels}\nsentinel sentinel-pass {sentinels}\n"
        );
    }
    Server::made("redis-server", |port, dir| {
        // A sentinel writes what it learns into its configuration.
        let file = dir.join("sentinel.conf");
        let own = format!("bind 127.0.0.1\nport {port}\ndir {}\n", dir.display());
        std::fs::write(&file, own + &text).expect("a directory to write to");
        vec![file.display().to_string(), "--sentinel".to_owned()]
    })
}
