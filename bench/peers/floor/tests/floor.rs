//! The program itself: it lets a WebSocket in, and writes whole frames to it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{Duration, Instant},
};

struct Floor(Child);

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn connected(port: u16) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(socket) => return socket,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn frames_come_one_after_the_other() {
    for messages in ["200", "max"] {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut floor = Command::new(env!("CARGO_BIN_EXE_bench-floor"));
        floor.envs([("PORT", port.to_string().as_str()), ("ROOMS", "1"), ("MESSAGES", messages), ("BYTES", "120")]);
        let _floor = Floor(floor.spawn().unwrap());
        let mut socket = connected(port);
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        socket.write_all(b"GET /ws HTTP/1.1\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            socket.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        assert!(String::from_utf8_lossy(&answer).contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        for _ in 0..20 {
            let mut head = [0; 4];
            socket.read_exact(&mut head).unwrap();
            assert_eq!(head[..2], [0x81, 126]);
            let mut text = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
            socket.read_exact(&mut text).unwrap();
            assert!(text.starts_with(b"{\"seq\":") && text.ends_with(b"xxx\"}"));
        }
    }
}
