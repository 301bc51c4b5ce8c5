//! What Redis says of itself, by `INFO`.

/// What is known of the server.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Known {
    /// It was not asked yet.
    #[default]
    Nothing,
    /// It did not answer.
    Down,
    /// It said this.
    Up(ServerInfo),
}

/// Figures of a server; those that it does not give are none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ServerInfo {
    pub memory_used: Option<f64>,
    pub memory_max: Option<f64>,
    pub clients: Option<f64>,
    pub commands: Option<f64>,
    pub evicted: Option<f64>,
    pub rejected: Option<f64>,
    pub aof_enabled: Option<f64>,
    pub aof_write_ok: Option<f64>,
    pub uptime: Option<f64>,
}

impl ServerInfo {
    /// Reads what `INFO` gave: a `name:value` a line.
    pub fn of(text: &str) -> Self {
        let find = |name: &str| {
            let of_line =
                |line: &'_ str| line.strip_prefix(name)?.strip_prefix(':').map(|value| value.trim().to_owned());
            text.lines().find_map(of_line)
        };
        let number = |name: &str| find(name)?.parse().ok();
        Self {
            memory_used: number("used_memory"),
            memory_max: number("maxmemory"),
            clients: number("connected_clients"),
            commands: number("total_commands_processed"),
            evicted: number("evicted_keys"),
            rejected: number("rejected_connections"),
            aof_enabled: number("aof_enabled"),
            aof_write_ok: find("aof_last_write_status").map(|status| f64::from(status == "ok")),
            uptime: number("uptime_in_seconds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_and_the_rest_is_none() {
        let text = "# Memory\r\nused_memory:1048576\r\nused_memory_human:1.00M\r\nmaxmemory:0\r\n\
                    # Persistence\r\naof_enabled:1\r\naof_last_write_status:err\r\nevicted_keys:many\r\n";
        let info = ServerInfo::of(text);
        assert_eq!((info.memory_used, info.memory_max), (Some(1_048_576.0), Some(0.0)));
        assert_eq!((info.aof_enabled, info.aof_write_ok), (Some(1.0), Some(0.0)));
        assert_eq!((info.evicted, info.clients), (None, None));
    }
}
