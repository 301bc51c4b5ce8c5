//! Listening sockets.

use crate::env::Variable;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{SocketAddr, TcpListener},
};

/// The address to listen on.
pub const HOST: Variable = Variable::new("HOST", "The address to listen on. 0.0.0.0 or :: lets other machines in.")
    .default("127.0.0.1")
    .unit("IP address");
/// The port to listen on.
pub const PORT: Variable =
    Variable::new("PORT", "The port to listen on.").default("8080").unit("0 to 65535; 0 is any free one");

/// Connections that wait to be accepted: room for everybody to come back at once after a restart. The kernel caps it at
/// `net.core.somaxconn`.
const BACKLOG: i32 = 8192;

/// Listens on `address`. Port 0 is any free one.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    listen(address).map_err(|error| {
        let port = address.port();
        let advice = match error.kind() {
            io::ErrorKind::AddrInUse => format!("port {port} is in use: stop what listens there, or set PORT"),
            io::ErrorKind::PermissionDenied => format!("port {port} may not be used: set PORT to one above 1023"),
            _ => format!("cannot listen on {address}: {error}"),
        };
        io::Error::new(error.kind(), advice)
    })
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restart must not wait for the former process's connections to leave TIME_WAIT. On Linux this does not let two
    // processes listen on the same port.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // `[::]` is for IPv4 as well, whatever the system's default.
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_named_with_its_variable() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let taken = first.local_addr().unwrap();
        let error = bind(taken).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(error.to_string(), format!("port {} is in use: stop what listens there, or set PORT", taken.port()));
    }
}
