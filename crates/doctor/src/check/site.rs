//! What the site answers from outside, and its certificate.

use super::{Known, clock};
use crate::{
    code::Code,
    finding::{Edit, Findings, Place},
    site::Site,
};
use runtime::http::CONTENT_SECURITY_POLICY;
use serde_json::Value;

/// An answer over HTTP.
#[derive(Debug, Clone, Default)]
pub struct Response {
    /// Its status.
    pub status: u16,
    /// Its headers; names in small letters.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body.
    pub body: String,
    /// When it was asked for, and when it was here: milliseconds since 1970.
    pub times: (u64, u64),
}

impl Response {
    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// What a certificate was found to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Certificate {
    /// It is past its time: seconds since 1970.
    pub expired: Option<u64>,
    /// Its time is near: seconds since 1970.
    pub expiring: Option<u64>,
    /// Its time has not come.
    pub is_early: bool,
    /// It is for another name.
    pub is_other_name: bool,
    /// Nobody we trust has signed it, or it is broken: why.
    pub untrusted: Option<String>,
}

/// What was seen of a site.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `GET /`, or why there is nothing at all.
    pub page: Result<Response, String>,
    /// `GET /api/health`.
    pub health: Result<Response, String>,
    /// `GET /admin`, which leads on.
    pub admin: Result<Response, String>,
    /// What is for operators only, where anything but 404 came back.
    pub operators: Vec<(&'static str, Result<Response, String>)>,
    /// Of an https site: `Err` when there is nobody to compare with.
    pub certificate: Option<Result<Certificate, String>>,
}

const CODES: &[Code] = &[
    Code::HealthMissing,
    Code::HealthDegraded,
    Code::PageMissing,
    Code::CspMissing,
    Code::OpsExposed,
    Code::ForwardedProtoLost,
    Code::ClockSkewSite,
];
const CERTIFICATE: &[Code] =
    &[Code::CertificateExpired, Code::CertificateExpiring, Code::CertificateName, Code::CertificateUntrusted];

/// What is for operators only.
pub const OPERATORS: [&str; 3] = ["/livez", "/readyz", "/metrics"];

/// Nothing of it was looked at.
pub fn skip(why: &str, out: &mut Findings) {
    out.skip(CODES, why);
    out.skip(CERTIFICATE, why);
    out.skip(&[Code::SiteUnreachable, Code::PlainHttp], why);
}

/// Looks at all of it.
pub fn check(known: &Known<'_>, site: &Site, seen: &Seen, out: &mut Findings) {
    out.looked(&[Code::SiteUnreachable, Code::PlainHttp]);
    transport(site, seen, out);
    if let Err(why) = &seen.page {
        let change = "Is nginx up, its port open, and the name in DNS? `docker compose ps` says what runs.";
        out.error(Code::SiteUnreachable, at(site, ""), format!("nothing answers at {}: {why}", site.origin()), change);
        return out.skip(CODES, "the site does not answer");
    }
    out.looked(CODES);
    if let Ok(page) = &seen.page {
        self::page(site, page, out);
    }
    health(site, &seen.health, out);
    operators(known, site, seen, out);
    if let Ok(Response { headers, .. }) = &seen.admin
        && let Some((_, location)) = headers.iter().find(|(name, _)| name == "location")
        && site.is_https()
        && location.starts_with("http://")
    {
        let seen = format!("/admin leads to {location}: behind the proxy the site does not know that it is https");
        let place = Place::at(format!("{}/admin", site.origin()))
            .edit(Edit::Insert("proxy_set_header X-Forwarded-Proto $scheme;\nabsolute_redirect off;".to_owned()));
        let change = "Have what ends TLS hand the scheme on, and have nginx lead on with paths alone.";
        out.error(Code::ForwardedProtoLost, Some(place), seen, change);
    }
}

fn at(site: &Site, path: &str) -> Option<Place> {
    Some(Place::at(format!("{}{path}", site.origin())))
}

fn transport(site: &Site, seen: &Seen, out: &mut Findings) {
    if !site.is_https() {
        if !site.is_near() {
            let text = "the site is plain http: sessions and passwords can be read on the way";
            let change = "Put a certificate in front (https), and name the https address in ALLOWED_ORIGINS.";
            out.warning(Code::PlainHttp, at(site, ""), text, change);
        }
        return out.skip(CERTIFICATE, "the site is plain http");
    }
    let certificate = match &seen.certificate {
        Some(Ok(certificate)) => certificate,
        Some(Err(why)) => return out.skip(CERTIFICATE, why),
        None => return out.skip(CERTIFICATE, "there was no TLS to look at"),
    };
    out.looked(CERTIFICATE);
    let now = seen.page.as_ref().map_or(0, |page| page.times.0 / 1000);
    let (host, renew) = (site.host(), "Renew it, and look at why that did not happen by itself.");
    if let Some(end) = certificate.expired {
        let ago = if now > end { format!(" for {} days", (now - end) / 86_400) } else { String::new() };
        let text = format!("the certificate of {host} has run out{ago}: browsers refuse the site");
        out.error(Code::CertificateExpired, at(site, ""), text, renew);
    } else if certificate.is_early {
        let text = format!("the certificate of {host} is not valid yet: is a clock wrong?");
        out.error(Code::CertificateExpired, at(site, ""), text, "Compare the clocks; else have it issued anew.");
    } else if let Some(end) = certificate.expiring {
        let text = format!("the certificate of {host} runs out in {} days", end.saturating_sub(now) / 86_400);
        out.warning(Code::CertificateExpiring, at(site, ""), text, renew);
    }
    if certificate.is_other_name {
        let text = format!("the certificate is not for {host}: browsers refuse the site");
        out.error(
            Code::CertificateName,
            at(site, ""),
            text,
            "Have one issued that names the site, or use the name that it has.",
        );
    }
    if let Some(why) = &certificate.untrusted {
        let text = format!("nobody that this system trusts has signed the certificate of {host} ({why})");
        let change = "Serve the whole chain (fullchain.pem); with an authority of your own, name it with --ca-file.";
        out.error(Code::CertificateUntrusted, at(site, ""), text, change);
    }
}

fn page(site: &Site, page: &Response, out: &mut Findings) {
    let is_html = page.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if page.status != 200 || !is_html {
        let text = format!("/ answers {} and no page", page.status);
        let change = "Is FRONTEND_ROOT (nginx) or FRONTEND_DIR the built front end?";
        return out.error(Code::PageMissing, at(site, "/"), text, change);
    }
    let policy = page.header("content-security-policy");
    // A strict one of one's own will do: what matters is that no script comes from a text.
    let is_strict = policy.is_some_and(|policy| policy == CONTENT_SECURITY_POLICY || keeps_scripts_out(policy));
    if !is_strict {
        let text = match policy {
            Some(_) => "the page comes with another Content-Security-Policy, which lets scripts in",
            None => "the page comes without its Content-Security-Policy",
        };
        let place =
            Place::at(format!("{}/", site.origin())).edit(Edit::Insert("include security_headers.conf;".to_owned()));
        let change =
            "Hand the header on, or set it as nginx/security_headers.conf does; an add_header elsewhere takes it away.";
        out.error(Code::CspMissing, Some(place), text, change);
    }
}

fn keeps_scripts_out(policy: &str) -> bool {
    let directives = || policy.split(';').map(str::trim);
    let scripts = directives()
        .find(|d| d.starts_with("script-src"))
        .or_else(|| directives().find(|d| d.starts_with("default-src")));
    scripts.is_some_and(|scripts| {
        !["unsafe-inline", "unsafe-eval", "*", "data:"].iter().any(|source| scripts.contains(source))
    })
}

fn health(site: &Site, health: &Result<Response, String>, out: &mut Findings) {
    let place = at(site, "/api/health");
    let missing = |out: &mut Findings, text: String| {
        let change = "Is a gateway up? `docker compose ps gateway`, and its log.";
        out.error(Code::HealthMissing, place.clone(), text, change);
    };
    let answer = match health {
        Ok(answer) => answer,
        Err(why) => return missing(out, format!("/api/health does not answer: {why}")),
    };
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let Some(checks) = body["checks"].as_object() else {
        return missing(out, format!("/api/health answers {}, and not as a gateway does", answer.status));
    };
    if answer.status != 200 || body["status"] != "ok" {
        let failing: Vec<_> = checks
            .iter()
            .filter(|(_, check)| check["status"] != "ok")
            .map(|(name, check)| format!("{name} ({})", check["detail"].as_str().unwrap_or("failed")))
            .collect();
        let text = format!("the site is degraded: {}", failing.join(", "));
        let change = "Look at what fails; the services' logs say why (`docker compose logs gateway`).";
        out.error(Code::HealthDegraded, place, text, change);
    } else if body["nodes"] == 0 {
        let change = "Start one: `docker compose up -d chat-node`.";
        out.error(Code::HealthDegraded, place, "the site has no chat-node", change);
    }
    if let Some(said) = body["timestamp"].as_u64() {
        let reading = clock::Reading { asked: answer.times.0, said, answered: answer.times.1 };
        clock::check(Code::ClockSkewSite, &site.origin(), reading, out);
    }
}

fn operators(known: &Known<'_>, site: &Site, seen: &Seen, out: &mut Findings) {
    // A product in one process has them on its only port.
    let alone = known.files.compose.as_ref().is_none_or(|compose| !compose.services().any(|s| s.is_front()));
    for (path, answer) in &seen.operators {
        let Ok(answer) = answer else { continue };
        let is_ours = match *path {
            "/livez" => answer.status == 200 && answer.body.trim() == "ok",
            "/readyz" => answer.body.contains("\"checks\"") || (answer.status == 503 && answer.body.contains("ready")),
            _ => answer.status == 200 && answer.body.contains("# TYPE"),
        };
        if is_ours {
            let text = format!("{path} is open to everybody");
            let place = Place::at(format!("{}{path}", site.origin()))
                .edit(Edit::Insert(format!("location = {path} {{ return 404; }}")));
            let change = "It is for the inside: have the proxy hand on /api, /ws and /admin alone.";
            match site.is_near() && alone {
                true => out.warning(Code::OpsExposed, Some(place), text, change),
                false => out.error(Code::OpsExposed, Some(place), text, change),
            }
        }
    }
}
