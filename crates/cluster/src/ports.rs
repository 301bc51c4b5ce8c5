//! Ports that stay ours while nobody listens on them.
//!
//! A process that is started again has to get its port back, so it must not be taken meanwhile: not by an outgoing
//! connection, for which the kernel takes ports from 32768 on, and not by another cluster, such as the one of a test
//! that runs at the same time.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixListener},
    },
};
use uuid::Uuid;

/// Below the ports of outgoing connections (`net.ipv4.ip_local_port_range`), and above those of well-known services.
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

/// Ports tried before giving up.
const ATTEMPTS: usize = 200;

/// A port that no other cluster of this machine takes as long as this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// An abstract socket's name, which only one process can have, and which the kernel gives up with that process,
    /// however it ends. A lock file would be left behind.
    _claim: UnixListener,
}

impl Port {
    /// Any free one.
    ///
    /// # Errors
    /// When none was free.
    pub fn any() -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let [a, b, ..] = Uuid::new_v4().into_bytes();
            match Self::new(FIRST + u16::from_be_bytes([a, b]) % (LAST - FIRST)) {
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => {}
                decided => return decided,
            }
        }
        Err(io::Error::new(io::ErrorKind::AddrInUse, format!("{ATTEMPTS} ports were tried, and none is free")))
    }

    /// This one.
    ///
    /// # Errors
    /// When it is in use, or claimed by another cluster.
    pub fn new(number: u16) -> io::Result<Self> {
        let name = SocketAddr::from_abstract_name(format!("roomful-port-{number}"))?;
        let claim = UnixListener::bind_addr(&name)?;
        let port = Self { number, _claim: claim };
        port.is_free()?;
        Ok(port)
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Fails while somebody listens on it.
    pub(crate) fn is_free(&self) -> io::Result<()> {
        is_free(self.number)
    }
}

/// Fails while somebody listens on `port`.
pub(crate) fn is_free(port: u16) -> io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_belongs_to_one_cluster_until_it_is_given_up() {
        let port = Port::any().unwrap();
        let number = port.number();
        assert!((FIRST..LAST).contains(&number));
        assert_eq!(Port::new(number).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        drop(port);
        assert_eq!(Port::new(number).unwrap().number(), number);
    }

    #[test]
    fn a_port_where_somebody_listens_is_not_free() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = listener.local_addr().unwrap().port();
        assert_eq!(Port::new(taken).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
