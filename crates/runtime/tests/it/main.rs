//! The runtime over real sockets: each test starts a server of its own on a free port.

mod http;
mod ops;
mod shutdown;
mod signals;
mod support;
mod upgrade;
