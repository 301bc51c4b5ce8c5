//! Asks Redis how it is, and how it is set up.

use super::{PATIENCE, http::Now, within};
use crate::{
    check::{
        Known,
        clock::Reading,
        redis::{Asked, Running},
        secrets::password_of,
    },
    settings::Origin,
};
use engine_redis::{ConnectError, RedisConfig};
use runtime::env::{Env, MapEnv, Reader};

/// A connection, and a dozen questions on it.
const ALL: std::time::Duration = PATIENCE.saturating_mul(3);

/// Asks the one that services are told of. One that this process's own environment names goes before: within a network
/// Redis has another name than outside.
pub async fn look(known: &Known<'_>, now: Now<'_>) -> Asked {
    let settings = &known.settings;
    let process = settings.process;
    let is_named =
        ["REDIS_URL", "REDIS_ENDPOINT"].iter().any(|name| process.var(name).is_some_and(|v| !v.trim().is_empty()));
    let names = engine_redis::env::VARIABLES.iter().map(|variable| variable.name);
    let env: MapEnv = names
        .filter_map(|name| {
            let own = process.var(name);
            let value = if is_named { own } else { settings.get(name).map(|setting| setting.value) };
            Some((name.to_owned(), value?))
        })
        .collect();
    let mut r = Reader::new(&env);
    let config = RedisConfig::read_optional(&mut r);
    let config = match r.finish().and_then(|()| config.get()) {
        Ok(Some(config)) => config,
        Ok(None) => return Asked::Not("neither REDIS_URL nor REDIS_ENDPOINT is set here".to_owned()),
        // Told as a setting that is refused.
        Err(_) => return Asked::Not("REDIS_URL cannot be read".to_owned()),
    };
    let addresses = config.addresses();
    let origin = settings.get("REDIS_URL").or_else(|| settings.get("REDIS_ENDPOINT")).map(|setting| setting.origin);
    let is_inside = |address: &String| {
        let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
        known.files.compose.as_ref().is_some_and(|compose| compose.service(host).is_some())
    };
    if !is_named && matches!(origin, Some(Origin::Compose(_))) && addresses.iter().any(is_inside) {
        let why = format!(
            "{} is a name within compose's network: `docker compose run --rm doctor` asks it there",
            addresses.join(", ")
        );
        return Asked::Not(why);
    }
    let inspecting = within(ALL, async { Ok(config.inspect(now).await) });
    match inspecting.await {
        Ok(Ok(found)) => {
            let is_local =
                addresses.iter().all(|a| a.starts_with("127.") || a.starts_with("localhost") || a.starts_with("::1"));
            let (asked, said, answered) = found.clock;
            Asked::Yes(Running {
                address: addresses.join(", "),
                is_local,
                is_open: env.var("REDIS_URL").is_none_or(|url| password_of(&url).is_none()),
                info: found.info,
                config: found.config,
                cluster_state: found.cluster_state,
                clock: Some(Reading { asked, said, answered }),
            })
        }
        Ok(Err(ConnectError::Refused(why) | ConnectError::Config(why))) => Asked::Refused(why),
        Ok(Err(ConnectError::Unreachable(why))) | Err(why) => {
            Asked::Unreachable(format!("Redis cannot be reached at {}: {why}", addresses.join(", ")))
        }
    }
}
