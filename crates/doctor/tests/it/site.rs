//! One thing wrong with a site, over real sockets.

use crate::support::{
    fake::{Fake, Manners},
    *,
};
use doctor::{
    check::{
        Files, Known,
        site::{Seen, check},
    },
    code::Code,
    finding::{Edit, Findings, Severity},
    site::Site,
};
use runtime::env::MapEnv;

async fn findings(deployment: &mut Deployment, manners: Manners) -> (Fake, Vec<doctor::finding::Finding>) {
    let fake = Fake::start(manners).await;
    deployment.args.url = Some(fake.site.clone());
    let findings = deployment.examine().await;
    (fake, findings)
}

#[tokio::test]
async fn a_site_that_is_well() {
    let (fake, findings) = findings(&mut Deployment::bare(), Manners::default()).await;
    assert!(wrong(&findings).is_empty(), "{:#?}", wrong(&findings));
    for code in [Code::HealthDegraded, Code::WebSocketConnect, Code::WebSocketOriginOpen, Code::ClockSkewSite] {
        assert_eq!(severity(&findings, code), Severity::Ok, "{code:?}");
    }
    let said = fake.said();
    assert!(said.iter().any(|text| text.contains("\"CONNECT\"")), "{said:?}");
}

#[tokio::test]
async fn what_it_answers() {
    let degraded = r#"{"status":"degraded","timestamp":1780272000000,"nodes":0,"checks":{"engine":{"status":"ok"},"redis":{"status":"degraded","detail":"it cannot be reached"}}}"#;
    let nodeless = r#"{"status":"ok","timestamp":1780272000000,"nodes":0,"checks":{}}"#;
    let manners = Manners::default;
    let cases = [
        (
            Manners { health: (503, degraded.into()), ..manners() },
            Code::HealthDegraded,
            "/api/health",
            "redis (it cannot be reached)",
        ),
        (Manners { health: (200, nodeless.into()), ..manners() }, Code::HealthDegraded, "/api/health", "no chat-node"),
        (
            Manners { health: (503, "{\"title\":\"Service Unavailable\"}".into()), ..manners() },
            Code::HealthMissing,
            "/api/health",
            "answers 503",
        ),
        (Manners { page: (200, None), ..manners() }, Code::CspMissing, "/", "without its Content-Security-Policy"),
        (
            Manners { page: (200, Some("script-src 'unsafe-inline' *")), ..manners() },
            Code::CspMissing,
            "/",
            "lets scripts in",
        ),
        (Manners { page: (404, None), ..manners() }, Code::PageMissing, "/", "answers 404"),
        (Manners { operators: &["/metrics"], ..manners() }, Code::OpsExposed, "/metrics", "open to everybody"),
        (Manners { operators: &["/readyz"], ..manners() }, Code::OpsExposed, "/readyz", "open to everybody"),
    ];
    for (manners, code, path, seen) in cases {
        let (fake, findings) = findings(&mut Deployment::bare(), manners).await;
        let finding = only(&findings, code);
        assert!(finding.seen.contains(seen), "{}", finding.seen);
        assert_eq!(place(finding).0, format!("{}{path}", fake.site.origin()));
    }
}

#[tokio::test]
async fn an_upgrade_that_gets_lost_names_the_lines_for_nginx() {
    let lines =
        "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection \"upgrade\";";
    for status in [200, 400, 426] {
        let mut deployment = Deployment::new();
        let (_, findings) = findings(&mut deployment, Manners { upgrade: status, ..Manners::default() }).await;
        let finding = only(&findings, Code::WebSocketUpgrade);
        assert!(finding.seen.contains(&format!("/ws answers {status}")), "{}", finding.seen);
        let line = deployment.line(NGINX_FILE, "location = /ws {");
        assert_eq!(place(finding), (format!("{NGINX_FILE}:{line}"), insert(lines)));
        assert_eq!(
            severity(&findings, Code::WebSocketConnect),
            Severity::Ok,
            "{status}: the others are told as looked at"
        );
    }
}

#[tokio::test]
async fn sockets() {
    let manners = Manners::default;
    let refusal = r#"{"type":"ERROR","code":"unavailable","message":"Redis is away"}"#;
    for (manners, code, seen) in [
        (Manners { upgrade: 503, ..manners() }, Code::WebSocketUnavailable, "answers 503"),
        (Manners { upgrade: 429, ..manners() }, Code::WebSocketUnavailable, "too many"),
        (Manners { origins: &["https://elsewhere.example"], ..manners() }, Code::WebSocketOriginRefused, "gets 403"),
        (Manners { subprotocol: false, ..manners() }, Code::WebSocketSubprotocol, "roomful.v1"),
        (Manners { connect: refusal, ..manners() }, Code::WebSocketConnect, "unavailable: Redis is away"),
        (Manners { connect: "<html>", ..manners() }, Code::WebSocketConnect, "no JSON"),
    ] {
        let (fake, findings) = findings(&mut Deployment::bare(), manners).await;
        let finding = only(&findings, code);
        assert!(finding.seen.contains(seen), "{}", finding.seen);
        assert_eq!(place(finding).0, format!("{}/ws", fake.site.socket()));
    }
}

#[tokio::test]
async fn a_proxy_that_drops_origins_lets_every_page_in() {
    let line = "proxy_set_header Origin \"\";";
    let mut deployment = Deployment::new().change(
        NGINX_FILE,
        "proxy_read_timeout 75s;",
        &format!("{line}\n            proxy_read_timeout 75s;"),
    );
    let (_, findings) = findings(&mut deployment, Manners { origins: &["*"], ..Manners::default() }).await;
    let at = format!("{NGINX_FILE}:{}", deployment.line(NGINX_FILE, line));
    assert_eq!(place(only(&findings, Code::WebSocketOriginOpen)), (at, Some(Edit::Delete)));
}

#[tokio::test]
async fn from_within_the_network_the_public_origin_is_shown() {
    let manners = Manners { origins: &["https://chat.example.org"], ..Manners::default() };
    let (_, findings) = findings(&mut Deployment::new(), manners).await;
    assert!(wrong(&findings).is_empty(), "{:#?}", wrong(&findings));
}

#[tokio::test]
async fn clocks() {
    for (ahead, expected) in
        [(1_900_i64, Severity::Ok), (-1_900, Severity::Ok), (10_000, Severity::Warning), (-31_000, Severity::Error)]
    {
        let mut deployment = Deployment::bare();
        deployment.now = NOW.checked_add_signed(-ahead).unwrap();
        let (_, findings) = findings(&mut deployment, Manners::default()).await;
        assert_eq!(severity(&findings, Code::ClockSkewSite), expected, "{ahead}");
        if expected == Severity::Error {
            let seen = &only(&findings, Code::ClockSkewSite).seen;
            assert!(seen.ends_with("is 31.0 s behind this machine's"), "{seen}");
        }
    }
}

#[tokio::test]
async fn a_site_that_is_down_is_told_once_and_the_rest_goes_on() {
    let mut deployment = Deployment::new().change(REDIS_FILE, "appendfsync always", "appendfsync no");
    deployment.args.url = Some(Site::parse("http://127.0.0.1:1").unwrap());
    let findings = deployment.examine().await;
    let codes: Vec<_> = wrong(&findings).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::SiteUnreachable, Code::RedisAppendFsync]);
    assert_eq!(severity(&findings, Code::WebSocketUpgrade), Severity::Skipped);
    assert_eq!(doctor::examine::status(&findings), 1);
}

/// With paused time, who waits in vain waits no time at all.
#[tokio::test(start_paused = true)]
async fn a_site_that_is_silent_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut deployment = Deployment::bare();
    deployment.args.url = Some(Site::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap());
    let findings = deployment.examine().await;
    assert!(only(&findings, Code::SiteUnreachable).seen.ends_with("no answer within 5s"));
}

#[test]
fn plain_http_under_a_public_name() {
    let (files, process, mut out) = (Files::default(), MapEnv::default(), Findings::default());
    let known = Known::new(&files, &process, VARIABLES, MACHINE);
    let nothing = || Err("not asked".to_owned());
    let seen = Seen { page: nothing(), health: nothing(), admin: nothing(), operators: vec![], certificate: None };
    check(&known, &Site::parse("http://chat.example.org").unwrap(), &seen, &mut out);
    let findings = out.finish();
    assert_eq!(severity(&findings, Code::PlainHttp), Severity::Warning);
    assert_eq!(severity(&findings, Code::CertificateExpired), Severity::Skipped);
}
