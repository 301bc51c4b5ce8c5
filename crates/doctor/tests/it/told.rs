//! How it is told: everything, to people and machines, and never a secret.

use crate::support::*;
use doctor::report;
use serde_json::Value;

#[tokio::test]
async fn no_secret_is_ever_told() {
    // Everything wrong that has a secret in it, and secrets in places where they should not be.
    let (jwt, admin, redis, url) = ("hunter2-jwt", "hunter2-adm", "hunter2-redis", "hunter2-url");
    let deployment = Deployment::new()
        .change(ENV_FILE, JWT_SECRET, &format!("{jwt}$x"))
        .change(ENV_FILE, ADMIN_PASS, admin)
        .change(ENV_FILE, REDIS_PASSWORD, redis)
        .change(
            COMPOSE_FILE,
            "REDIS_URL: redis://:${REDIS_PASSWORD}@redis:6379",
            &format!("REDIS_URL: redis://:change-me-{url}@127.0.0.1:1"),
        )
        .change(COMPOSE_FILE, "--requirepass ${REDIS_PASSWORD}", &format!("--requirepass {redis} --appendfsync no"))
        .change(REDIS_FILE, "maxmemory 1gb", &format!("requirepass change-me-{redis}"));
    deployment.mode(ENV_FILE, 0o644);
    let findings = deployment.examine().await;
    assert!(wrong(&findings).len() >= 7, "{:#?}", wrong(&findings));
    for text in [report::text(&findings), report::json(&findings), format!("{findings:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn people_and_machines_get_the_same() {
    let deployment = Deployment::new().change(REDIS_FILE, "appendfsync always", "appendfsync everysec").change(
        COMPOSE_FILE,
        "    stop_grace_period: 20s\n",
        "",
    );
    let findings = deployment.examine().await;
    let text = report::text(&findings);
    for wanted in [
        "  ✗ error    redis-appendfsync\n",
        "      at              deploy/redis.conf:4: appendfsync everysec\n      change to       appendfsync always\n",
        "      add after       docker-compose.yml:",
        "                          stop_grace_period: 20s\n",
        "2 errors, no warnings; ",
        "– 6 not looked at: redis:6379 is a name within compose's network",
    ] {
        assert!(text.contains(wanted), "no {wanted:?} in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 140), "{text}");
    let json: Value = serde_json::from_str(&report::json(&findings)).unwrap();
    assert_eq!((&json["errors"], &json["warnings"]), (&2.into(), &0.into()));
    let found = json["findings"].as_array().unwrap().iter().find(|f| f["code"] == "redis-appendfsync").unwrap();
    assert_eq!(found["place"]["source"], "deploy/redis.conf");
    assert_eq!(
        (&found["place"]["line"], &found["place"]["edit"]["replace"]),
        (&4.into(), &"appendfsync always".into())
    );
    assert_eq!((&found["severity"], &found["topic"]), (&"error".into(), &"redis".into()));
}
