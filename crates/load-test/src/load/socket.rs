//! One non-blocking socket.

use rustix::{
    fd::{AsFd, OwnedFd},
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, recv, send, socket_with, sockopt,
    },
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Connections of one source address to one port, at most: the system has some 28,000 ports to give.
const OF_ONE_ADDRESS: usize = 20_000;
/// Of one that they are bound to, where thousands go and come: ports of connections that have ended are taken for another
/// minute, and looking for one that is free costs the more the fewer there are.
const OF_ONE_BOUND: u64 = 1000;

/// Where connection number `n` to a port comes from. On loopback every address of 127.0.0.0/8 is ours; elsewhere, and
/// for the first connections, the system chooses.
#[must_use]
pub fn source(to: IpAddr, n: usize) -> Option<IpAddr> {
    let block = u8::try_from(n / OF_ONE_ADDRESS).ok().filter(|block| *block > 0)?;
    to.is_loopback().then(|| Ipv4Addr::new(127, 0, 1, block).into()).filter(|_| to.is_ipv4())
}

/// Where the next connection of somebody comes from who has one already, the `n`-th that is made.
#[must_use]
pub fn next_source(to: IpAddr, n: u64) -> Option<IpAddr> {
    let block = u8::try_from(1 + n / OF_ONE_BOUND % 250).ok()?;
    to.is_loopback().then(|| Ipv4Addr::new(127, 0, 2, block).into()).filter(|_| to.is_ipv4())
}

/// Begins to connect.
///
/// # Errors
/// When it is clear at once that it cannot be.
pub fn dial(to: SocketAddr, from: Option<IpAddr>) -> Result<OwnedFd, Errno> {
    let family = if to.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    if let Some(from) = from {
        bind(&socket, &SocketAddr::new(from, 0))?;
    }
    match connect(&socket, &to) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error),
    }
}

/// Whether a connection that was begun has come about.
///
/// # Errors
/// Why it has not.
pub fn dialed(socket: impl AsFd) -> Result<(), Errno> {
    sockopt::socket_error(socket)?
}

/// Reads once: `None` when there is nothing, 0 at the end.
///
/// # Errors
/// When the connection is lost.
#[inline]
pub fn read(socket: impl AsFd, buffer: &mut [u8]) -> Result<Option<usize>, Errno> {
    match recv(socket, buffer, RecvFlags::empty()) {
        Ok((read, _)) => Ok(Some(read)),
        Err(Errno::AGAIN | Errno::INTR) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes as much as the socket takes now.
///
/// # Errors
/// When the connection is lost.
pub fn write(socket: impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    match retry_on_intr(|| send(&socket, bytes, SendFlags::NOSIGNAL)) {
        Err(Errno::AGAIN) => Ok(0),
        written => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_enough_for_many() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(source(loopback, 19_999), None);
        assert_eq!(source(loopback, 20_000), Some([127, 0, 1, 1].into()));
        assert_eq!(source(loopback, 45_000), Some([127, 0, 1, 2].into()));
        assert_eq!(source([10, 0, 0, 1].into(), 45_000), None);
        assert_eq!(next_source(loopback, 999), Some([127, 0, 2, 1].into()));
        assert_eq!(next_source(loopback, 251_000), Some([127, 0, 2, 2].into()));
        assert_eq!(next_source([10, 0, 0, 1].into(), 1), None);
    }

    #[test]
    fn nobody_listens_is_an_error() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap();
        let failed = dial(free, None).and_then(|socket| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            dialed(&socket)
        });
        assert_eq!(failed, Err(Errno::CONNREFUSED));
    }
}
