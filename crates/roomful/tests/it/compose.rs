//! docker-compose.yml against the declarations: what can be set is handed on, and what is not declared is not read.

use roomful::{compose, config};
use runtime::env::Variable;
use std::collections::BTreeMap;

const FILE: &str = include_str!("../../../../docker-compose.yml");

/// Set in the file itself, or of no use in a container.
const FIXED: &[&str] = &[
    "HOST",
    "PORT",
    "REDIS_URL",
    "REDIS_ENDPOINT",
    "REDIS_CA_FILE",
    "NODE_ID",
    "TRUSTED_PROXIES",
    "LOG_FORMAT",
    "OTEL_SERVICE_NAME",
];

/// What stands below a key, indented.
fn block<'a>(indent: &str, key: &str) -> &'a str {
    let begin = FILE.find(&format!("\n{indent}{key}:")).unwrap_or_else(|| panic!("{key}")) + 1;
    let rest = &FILE[begin..];
    let lines: usize = rest
        .split_inclusive('\n')
        .enumerate()
        .take_while(|(n, line)| *n == 0 || line.trim().is_empty() || line.starts_with(&format!("{indent} ")))
        .map(|(_, line)| line.len())
        .sum();
    &rest[..lines]
}

/// The names with a default, as `${NAME:-default}`, or with a demand, as `${NAME:?why}`.
fn read() -> BTreeMap<&'static str, Option<&'static str>> {
    let mut read = BTreeMap::new();
    for part in FILE.split("${").skip(1) {
        let inside = part.split('}').next().unwrap();
        let (name, rest) = inside.split_once(':').unwrap_or_else(|| panic!("{inside}: neither a default nor a demand"));
        let default = rest.strip_prefix('-');
        let former = read.insert(name, default);
        assert!(former.is_none_or(|former| former == default), "{name} has two defaults");
    }
    read
}

#[test]
fn every_variable_of_a_service_is_handed_on() {
    let common = block("", "x-environment");
    let services: [(&str, Vec<Variable>); 3] = [
        ("chat-node", [chat_node::config::VARIABLES, &chat_node::config::limit_variables()].concat()),
        ("gateway", gateway::Config::VARIABLES.to_vec()),
        ("admin-api", [admin_api::Config::VARIABLES, admin_api::Config::LIMITS].concat()),
    ];
    for (service, variables) in services {
        let own = block("  ", service);
        let all = variables
            .iter()
            .chain(engine_redis::env::VARIABLES)
            .chain(runtime::telemetry::VARIABLES)
            .chain(runtime::traces::VARIABLES);
        for variable in all.filter(|variable| !FIXED.contains(&variable.name)) {
            let line =
                |text: &str| text.lines().any(|line| line.trim_start().starts_with(&format!("{}:", variable.name)));
            assert!(line(own) || line(common), "docker-compose.yml does not hand {} on to {service}", variable.name);
        }
    }
}

#[test]
fn what_it_reads_is_declared_with_its_default() {
    let example = config::example();
    for (name, default) in read() {
        let declared = example.lines().find_map(|line| line.strip_prefix(&format!("# {name}=")));
        let declared = declared.unwrap_or_else(|| panic!("{name} is not in .env.example"));
        if let Some(default) = default {
            assert_eq!(declared, default, "{name}");
        }
    }
    for variable in compose::VARIABLES {
        assert!(read().contains_key(variable.name), "docker-compose.yml does not read {}", variable.name);
    }
}
