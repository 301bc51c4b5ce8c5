//! `cluster.json`: what runs, and where (docs/protocol.md §7).

use serde::{Deserialize, Serialize};
use std::{fs, io, path::Path};

/// What runs, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// The site: nginx.
    pub url: String,
    /// redis-server.
    pub redis: Service,
    /// nginx's master process.
    pub nginx: Service,
    /// The gateway.
    pub gateway: Service,
    /// The admin API; missing as long as there is no such program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_api: Option<Service>,
    /// Its further replicas; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_admin_apis: Vec<Service>,
    /// The chat-nodes, in the order in which they were added.
    pub chat_nodes: Vec<ChatNode>,
}

/// One process. It listens on loopback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Service {
    /// Of its latest start; 0 before the first.
    pub pid: u32,
    /// The same for all of its starts.
    pub port: u16,
}

/// One chat-node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChatNode {
    /// What it calls itself, in `CONNECT` and to its peers.
    pub node_id: String,
    /// Of its latest start; 0 before the first.
    pub pid: u32,
    /// The same for all of its starts.
    pub port: u16,
}

impl Description {
    /// Notes that a process was started.
    pub(crate) fn started(&mut self, role: Role, pid: u32) {
        let known = match role {
            Role::Redis => Some(&mut self.redis.pid),
            Role::Nginx => Some(&mut self.nginx.pid),
            Role::Gateway => Some(&mut self.gateway.pid),
            Role::AdminApi(0) => self.admin_api.as_mut().map(|service| &mut service.pid),
            Role::AdminApi(n) => self.more_admin_apis.get_mut(n - 1).map(|service| &mut service.pid),
            Role::ChatNode(n) => self.chat_nodes.get_mut(n).map(|node| &mut node.pid),
        };
        if let Some(known) = known {
            *known = pid;
        }
    }

    /// Writes it so that a reader sees either all of it or none.
    pub(crate) fn write(&self, path: &Path) -> io::Result<()> {
        write_atomically(path, &serde_json::to_vec_pretty(self)?)
    }
}

/// Which of them a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Redis,
    Nginx,
    Gateway,
    /// Counted from 0.
    AdminApi(usize),
    /// Counted from 0.
    ChatNode(usize),
}

/// Puts `bytes` at `path` in one step.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut next = path.as_os_str().to_owned();
    next.push(".next");
    fs::write(&next, bytes)?;
    fs::rename(&next, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn description() -> Description {
        Description {
            url: "http://127.0.0.1:8080".into(),
            redis: Service { pid: 1, port: 2 },
            nginx: Service { pid: 3, port: 8080 },
            gateway: Service { pid: 4, port: 5 },
            admin_api: None,
            more_admin_apis: Vec::new(),
            chat_nodes: vec![ChatNode { node_id: "chat-node-1".into(), pid: 6, port: 7 }],
        }
    }

    #[test]
    fn the_keys_are_the_contracts() {
        let mut expected = json!({
            "url": "http://127.0.0.1:8080",
            "redis": {"pid": 1, "port": 2},
            "nginx": {"pid": 3, "port": 8080},
            "gateway": {"pid": 4, "port": 5},
            "chatNodes": [{"nodeId": "chat-node-1", "pid": 6, "port": 7}],
        });
        let mut description = description();
        assert_eq!(serde_json::to_value(&description).unwrap(), expected);
        assert_eq!(serde_json::from_value::<Description>(expected.clone()).unwrap(), description);

        description.admin_api = Some(Service { pid: 8, port: 9 });
        expected["adminApi"] = json!({"pid": 8, "port": 9});
        assert_eq!(serde_json::to_value(&description).unwrap(), expected);
    }

    #[test]
    fn a_start_is_noted_where_it_belongs() {
        let mut description = description();
        for (role, pid) in [(Role::Redis, 11), (Role::Nginx, 13), (Role::Gateway, 14), (Role::ChatNode(0), 16)] {
            description.started(role, pid);
        }
        description.started(Role::AdminApi(0), 18);
        description.started(Role::ChatNode(1), 19);
        let pids = [description.redis.pid, description.nginx.pid, description.gateway.pid];
        assert_eq!(pids, [11, 13, 14]);
        assert_eq!(description.chat_nodes[0].pid, 16);
        assert_eq!((description.admin_api, description.chat_nodes.len()), (None, 1));
    }
}
