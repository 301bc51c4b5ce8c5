//! `/ws` through the proxy, and whose pages may open it.

use super::{Known, proxy};
use crate::{
    code::Code,
    finding::{Edit, Findings, Place},
    site::Site,
};

/// What became of asking for a WebSocket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upgrade {
    /// There is one.
    Open {
        /// What was chosen of what was offered.
        subprotocol: Option<String>,
        /// Whether `CONNECT` was answered as it should be; not tried where it does not matter.
        connect: Option<Result<(), String>>,
    },
    /// Another answer.
    Status(u16),
    /// None.
    Failed(String),
}

/// What was seen of `/ws`.
#[derive(Debug, Clone)]
pub struct Seen {
    /// As the site's own page asks.
    pub own: Upgrade,
    /// As another site's page would.
    pub foreign: Upgrade,
    /// Whose page the first one pretended to be.
    pub origin: String,
}

const LIVE: &[Code] = &[
    Code::WebSocketUpgrade,
    Code::WebSocketUnavailable,
    Code::WebSocketOriginRefused,
    Code::WebSocketOriginOpen,
    Code::WebSocketSubprotocol,
    Code::WebSocketConnect,
];
const ORIGINS: &[Code] = &[Code::OriginMalformed, Code::OriginsLackSite, Code::OriginScheme];
const NAME: &str = "ALLOWED_ORIGINS";

/// Nothing of it was looked at.
pub fn skip(why: &str, out: &mut Findings) {
    out.skip(LIVE, why);
}

/// The entries of `ALLOWED_ORIGINS`, as they stand.
#[must_use]
pub fn allowed(known: &Known<'_>) -> Vec<String> {
    let text = known.settings.get(NAME).map(|setting| setting.value).unwrap_or_default();
    text.split(',').map(|entry| entry.trim().to_owned()).filter(|entry| !entry.is_empty()).collect()
}

/// Whose page to pretend to be: the site's own; from within the network, where the site has another name, one that is
/// allowed.
#[must_use]
pub fn origin_to_show(known: &Known<'_>, site: &Site) -> String {
    let own = site.origin();
    match allowed(known) {
        list if site.is_near() && !list.is_empty() && !list.contains(&own) => list[0].clone(),
        _ => own,
    }
}

/// Looks at `ALLOWED_ORIGINS`.
pub fn origins(known: &Known<'_>, site: Option<&Site>, out: &mut Findings) {
    if !known.settings.is_any() {
        return out.skip(ORIGINS, "there are no settings here");
    }
    let list = allowed(known);
    out.looked(&[Code::OriginMalformed]);
    let place = |list: &[String]| Some(known.settings.place(NAME, &list.join(",")));
    for entry in list.iter().filter(|entry| bare(entry).as_ref() != Some(*entry)) {
        let fixed: Vec<_> = list.iter().map(|entry| bare(entry).unwrap_or_else(|| entry.clone())).collect();
        let seen = format!("{entry} in ALLOWED_ORIGINS is no origin: scheme and host, without a path or a last slash");
        out.error(
            Code::OriginMalformed,
            place(&fixed),
            seen,
            "Write it as browsers send it, as in https://chat.example.org.",
        );
    }
    let Some(site) = site else { return out.skip(ORIGINS, "no --url: which site it is, is not known") };
    if site.is_near() {
        return out.skip(ORIGINS, "this is not the name that browsers know the site by");
    }
    out.looked(ORIGINS);
    let own = site.origin();
    if list.is_empty() || list.iter().any(|entry| entry.eq_ignore_ascii_case(&own)) {
        return;
    }
    // A malformed entry has been told.
    let other = if site.is_https() { own.replacen("https", "http", 1) } else { own.replacen("http", "https", 1) };
    let fixed = |entry: &String| if entry.eq_ignore_ascii_case(&other) { own.clone() } else { entry.clone() };
    if list.iter().any(|entry| entry.eq_ignore_ascii_case(&other)) {
        let seen = format!("ALLOWED_ORIGINS has {other}, but the site is {own}: its own pages get 403");
        let place = place(&list.iter().map(fixed).collect::<Vec<_>>());
        out.error(Code::OriginScheme, place, seen, "Write the scheme that browsers see.");
    } else if !list.iter().any(|entry| bare(entry).as_ref() == Some(&own)) {
        let seen = format!("ALLOWED_ORIGINS lacks {own}: the site's own pages get 403");
        let place = place(&[list.clone(), vec![own]].concat());
        out.error(
            Code::OriginsLackSite,
            place,
            seen,
            "Add it. Without any entry, the site's own is allowed by itself.",
        );
    }
}

/// An entry as it should be, if something can be made of it.
fn bare(entry: &str) -> Option<String> {
    let (scheme, rest) = entry.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let is_good = matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['@', ' ', '*']);
    is_good.then(|| format!("{scheme}://{host}"))
}

/// Looks at `/ws`.
pub fn check(known: &Known<'_>, site: &Site, seen: &Seen, out: &mut Findings) {
    out.looked(LIVE);
    let address = format!("{}/ws", site.socket());
    let at = || Place::at(address.as_str());
    let upgrade =
        proxy::upgrade_place(known).unwrap_or_else(|| at().edit(Edit::Insert(proxy::UPGRADE_LINES.to_owned())));
    match &seen.own {
        Upgrade::Open { subprotocol, connect } => {
            if subprotocol.as_deref() != Some(SUBPROTOCOL) {
                let text = format!(
                    "{SUBPROTOCOL} was offered and not accepted: something on the way drops Sec-WebSocket-Protocol"
                );
                out.warning(
                    Code::WebSocketSubprotocol,
                    Some(at()),
                    text,
                    "Have the proxy hand the header on, both ways.",
                );
            }
            if let Some(Err(why)) = connect {
                let text = format!("there is a WebSocket, but CONNECT is not answered: {why}");
                out.error(
                    Code::WebSocketConnect,
                    Some(at()),
                    text,
                    "Is Redis well? The chat-nodes' logs say what happened.",
                );
            }
        }
        Upgrade::Status(403) => {
            let text = format!("a page of {} gets 403: the site's own pages cannot open a WebSocket", seen.origin);
            let place = match allowed(known).is_empty() {
                false => known.settings.place(NAME, &[allowed(known), vec![seen.origin.clone()]].concat().join(",")),
                true => at().edit(Edit::Insert("proxy_set_header Host $http_host;".to_owned())),
            };
            let change = "Name the site in ALLOWED_ORIGINS, or have the proxy hand Host on as the browser sent it.";
            out.error(Code::WebSocketOriginRefused, Some(place), text, change);
        }
        Upgrade::Status(429) => {
            let text = "this address has opened too many WebSockets lately (429)";
            let change =
                "Wait a minute and try again. If everybody sees this, TRUSTED_PROXIES is wrong: all share one address.";
            out.warning(Code::WebSocketUnavailable, Some(at()), text, change);
        }
        Upgrade::Status(status @ (502..=504)) => {
            let text = format!("/ws answers {status}: the proxy finds no chat-node that takes clients");
            let change = "Is one up and ready? `docker compose ps chat-node`, and its log.";
            out.error(Code::WebSocketUnavailable, Some(at()), text, change);
        }
        Upgrade::Status(status) => {
            let text =
                format!("asked for a WebSocket, /ws answers {status}: a proxy on the way does not hand the upgrade on");
            out.error(Code::WebSocketUpgrade, Some(upgrade), text, "Add the lines to the location of /ws.");
        }
        Upgrade::Failed(why) => {
            let text = format!("/ws does not answer: {why}");
            out.error(Code::WebSocketUnavailable, Some(at()), text, "Is a chat-node up, and does the proxy know it?");
        }
    }
    if let Upgrade::Open { .. } = seen.foreign {
        let text = "a page of any other site may open a WebSocket as whoever looks at it";
        let header = known.files.nginx.as_ref().and_then(|nginx| {
            let route = nginx.websocket()?;
            let header = route.header("Origin")?;
            Some(Place::line(&header.file, header.line, format!("{};", header.text())).edit(Edit::Delete))
        });
        let change = "Have the proxy hand Origin on as it came; nodes compare it with ALLOWED_ORIGINS, or with Host.";
        out.error(Code::WebSocketOriginOpen, Some(header.unwrap_or_else(at)), text, change);
    }
}

/// What a client of ours offers.
pub const SUBPROTOCOL: &str = "roomful.v1";
