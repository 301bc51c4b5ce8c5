//! The address of a site.

use std::net::IpAddr;

/// `http://` or `https://`, a host, and perhaps a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    https: bool,
    host: String,
    port: u16,
}

impl Site {
    /// Reads it. A path is left out but for the slash.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("--url wants http:// or https:// and a host, as in https://chat.example.org; got {text:?}");
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(wrong)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(wrong()),
        };
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() || rest.contains(['/', '?', '#', '@', ' ', '\\']) || rest.chars().any(char::is_control) {
            return Err(wrong());
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (rest, if https { 443 } else { 80 }),
        };
        Ok(Self { https, host: host.to_ascii_lowercase(), port })
    }

    /// Whether it is encrypted.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.https
    }

    /// The host's name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.trim_matches(['[', ']'])
    }

    /// The port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// As in `Host`: with the port, unless it is the usual one.
    #[must_use]
    pub fn authority(&self) -> String {
        let usual = if self.https { 443 } else { 80 };
        if self.port == usual { self.host.clone() } else { format!("{}:{}", self.host, self.port) }
    }

    /// As in a browser's `Origin`.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.https { "https" } else { "http" }, self.authority())
    }

    /// The same for WebSockets.
    #[must_use]
    pub fn socket(&self) -> String {
        format!("{}://{}", if self.https { "wss" } else { "ws" }, self.authority())
    }

    /// Whether it is a name that only this machine or its own network has, and not the one that browsers know.
    #[must_use]
    pub fn is_near(&self) -> bool {
        match self.host().parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback(),
            Err(_) => !self.host.contains('.') || self.host.ends_with(".localhost"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, origin, socket, near) in [
            ("https://Chat.example.org/", "https://chat.example.org", "wss://chat.example.org", false),
            ("http://nginx:8080", "http://nginx:8080", "ws://nginx:8080", true),
            ("http://[::1]:81", "http://[::1]:81", "ws://[::1]:81", true),
            ("https://a.b:443", "https://a.b", "wss://a.b", false),
            ("http://127.0.0.1", "http://127.0.0.1", "ws://127.0.0.1", true),
        ] {
            let site = Site::parse(text).unwrap();
            assert_eq!((site.origin().as_str(), site.socket().as_str(), site.is_near()), (origin, socket, near));
        }
        for text in ["chat.example.org", "ftp://a", "https://", "https://a/b", "https://a:x", "https://u@a"] {
            assert!(Site::parse(text).is_err(), "{text}");
        }
    }
}
