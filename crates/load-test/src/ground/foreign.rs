//! A cluster that somebody else has started: all that can be done to it is to cut its clients off.

use super::Ground;
use crate::{
    plan::Fault,
    proxy::{Proxy, Weather},
};
use async_trait::async_trait;
use std::net::{SocketAddr, ToSocketAddrs};
use tokio::runtime::Handle;

/// Known by its URLs.
pub struct Foreign {
    given: Vec<String>,
    urls: Vec<String>,
    api: Option<String>,
    proxies: Vec<Proxy>,
}

impl Foreign {
    /// From WebSocket or HTTP URLs: of nginx, or of one node each.
    ///
    /// # Errors
    /// When one is no URL, or names a host that is not known.
    pub fn new(given: &[String], runtime: &Handle) -> Result<Self, String> {
        let mut foreign = Self { given: given.to_vec(), urls: Vec::new(), api: None, proxies: Vec::new() };
        for given in given {
            let url = socket_url(given)?;
            foreign.api = foreign.api.or_else(|| api_of(&url).filter(|_| !given.starts_with("ws")));
            // Over TLS a proxy would have the wrong name.
            let through = match url.strip_prefix("ws://") {
                Some(rest) => {
                    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                    let proxy = Proxy::start(runtime, resolve(host)?).map_err(|e| format!("a proxy: {e}"))?;
                    let through = format!("ws://{}{path}", proxy.address);
                    foreign.proxies.push(proxy);
                    through
                }
                None => url,
            };
            foreign.urls.push(through);
        }
        if foreign.urls.is_empty() { Err("no URL".to_owned()) } else { Ok(foreign) }
    }
}

/// The WebSocket's URL of a URL that may be the site's.
fn socket_url(given: &str) -> Result<String, String> {
    let given = given.trim_end_matches('/');
    let url = match given.split_once("://") {
        Some(("http", rest)) => format!("ws://{rest}"),
        Some(("https", rest)) => format!("wss://{rest}"),
        Some(("ws" | "wss", _)) => given.to_owned(),
        _ => return Err(format!("{given}: expected a URL as http://127.0.0.1:8080 or ws://127.0.0.1:8080/ws")),
    };
    Ok(if url.ends_with("/ws") { url } else { url + "/ws" })
}

fn api_of(socket: &str) -> Option<String> {
    let site = socket.strip_suffix("/ws")?;
    site.strip_prefix("ws").map(|rest| format!("http{rest}/api"))
}

fn resolve(host: &str) -> Result<SocketAddr, String> {
    let with_port = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut addresses = with_port.to_socket_addrs().map_err(|e| format!("{host}: {e}"))?;
    addresses.next().ok_or_else(|| format!("{host}: no address"))
}

#[async_trait]
impl Ground for Foreign {
    fn urls(&self) -> Vec<String> {
        self.urls.clone()
    }

    fn api(&self) -> Option<String> {
        self.api.clone()
    }

    fn nodes(&self) -> usize {
        self.urls.len()
    }

    fn describe(&self) -> Vec<String> {
        vec![format!("a cluster that was running already, at {}", self.given.join(", "))]
    }

    fn possible(&self, fault: Fault) -> bool {
        matches!(fault, Fault::CutClients | Fault::HoleClients) && self.proxies.len() == self.urls.len()
    }

    async fn begin(&mut self, fault: Fault) -> Result<(), String> {
        match fault {
            Fault::CutClients => self.proxies.iter().for_each(Proxy::cut),
            Fault::HoleClients => self.proxies.iter().for_each(|proxy| proxy.set(Weather::Hole)),
            fault => return Err(format!("{fault}: not possible here")),
        }
        Ok(())
    }

    async fn end(&mut self, _fault: Fault) -> Result<(), String> {
        self.proxies.iter().for_each(|proxy| proxy.set(Weather::Fair));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_has_a_socket_and_an_api() {
        assert_eq!(socket_url("http://a:1/").unwrap(), "ws://a:1/ws");
        assert_eq!(socket_url("https://a").unwrap(), "wss://a/ws");
        assert_eq!(socket_url("ws://a:1/ws").unwrap(), "ws://a:1/ws");
        assert!(socket_url("a:1").is_err());
        assert_eq!(api_of("ws://a:1/ws").unwrap(), "http://a:1/api");
        assert_eq!(api_of("wss://a/ws").unwrap(), "https://a/api");
    }
}
