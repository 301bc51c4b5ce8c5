//! Certificates: each is looked at by the doctor's own clock, so that none of these ever runs out by itself.

use crate::support::{
    fake::{Fake, Manners},
    *,
};
use doctor::{code::Code, finding::Severity, site::Site};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use std::sync::Arc;
use tokio_rustls::rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

const DAY: u64 = 86_400_000;

/// Signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "tests");
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2040, 1, 1));
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// For a year up to 2026-07-01, which is 30 days after [`NOW`].
    fn server(&self, name: &str) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(2025, 7, 1), date_time_ymd(2026, 7, 1));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }
}

/// A site with a certificate for `name`, as seen at `now` by whoever trusts `trusted`.
async fn findings(name: &str, now: u64, trusts_us: bool, manners: Manners) -> (Site, Vec<doctor::finding::Finding>) {
    let (authority, other) = (Authority::new(), Authority::new());
    let health = format!(r#"{{"status":"ok","timestamp":{now},"nodes":3,"checks":{{}}}}"#);
    let fake = Fake::with(Manners { health: (200, health), ..manners }, Some(authority.server(name))).await;
    let mut deployment = Deployment::bare();
    deployment.write("ca.pem", if trusts_us { &authority.pem } else { &other.pem });
    deployment.args.ca_file = Some(deployment.path("ca.pem"));
    deployment.args.url = Some(fake.site.clone());
    deployment.now = now;
    (fake.site.clone(), deployment.examine().await)
}

#[tokio::test]
async fn a_good_one() {
    let (_, findings) = findings("localhost", NOW, true, Manners::default()).await;
    assert!(wrong(&findings).is_empty(), "{:#?}", wrong(&findings));
    for code in [Code::CertificateExpired, Code::CertificateUntrusted, Code::WebSocketConnect] {
        assert_eq!(severity(&findings, code), Severity::Ok, "{code:?}");
    }
}

#[tokio::test]
async fn each_fault_is_told_by_itself() {
    for (name, now, trusts_us, code, seen) in [
        ("localhost", NOW + 20 * DAY, true, Code::CertificateExpiring, "runs out in 10 days"),
        ("localhost", NOW + 40 * DAY, true, Code::CertificateExpired, "has run out for 10 days"),
        ("localhost", NOW - 400 * DAY, true, Code::CertificateExpired, "not valid yet"),
        ("other.example", NOW, true, Code::CertificateName, "not for localhost"),
        ("localhost", NOW, false, Code::CertificateUntrusted, "unknown issuer"),
    ] {
        let (site, findings) = findings(name, now, trusts_us, Manners::default()).await;
        let finding = only(&findings, code);
        assert!(finding.seen.contains(seen), "{}", finding.seen);
        assert_eq!(place(finding).0, site.origin());
        // What is behind it was looked at all the same.
        assert_eq!(severity(&findings, Code::WebSocketConnect), Severity::Ok);
    }
}

#[tokio::test]
async fn several_at_once() {
    let (_, findings) = findings("other.example", NOW + 40 * DAY, false, Manners::default()).await;
    let codes: Vec<_> = wrong(&findings).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::CertificateExpired, Code::CertificateName, Code::CertificateUntrusted]);
}

#[tokio::test]
async fn a_site_that_forgets_that_it_is_https() {
    let manners = Manners { admin: "http://localhost/admin/", ..Manners::default() };
    let (site, findings) = findings("localhost", NOW, true, manners).await;
    assert_eq!(place(only(&findings, Code::ForwardedProtoLost)).0, format!("{}/admin", site.origin()));
}

#[tokio::test]
async fn a_port_without_tls() {
    let fake = Fake::start(Manners::default()).await;
    let mut deployment = Deployment::bare();
    deployment.args.url = Some(Site::parse(&fake.site.origin().replace("http", "https")).unwrap());
    let findings = deployment.examine().await;
    assert!(only(&findings, Code::SiteUnreachable).seen.contains("there is no TLS"), "{findings:#?}");
}
