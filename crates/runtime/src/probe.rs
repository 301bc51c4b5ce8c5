//! `health`: asks this machine's own process how it is, as a container's health check does. There is no shell and no
//! curl in an image, so that each service's program can ask itself.

use crate::{
    env::{ConfigError, EXIT_CONFIG, Env, Reader},
    server::{HOST, PORT},
};
use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::{Duration, Instant},
};

/// How long the answer may take, from the first packet to its last byte. A readiness check of a service takes one second
/// at most.
const PATIENCE: Duration = Duration::from_secs(2);
/// An answer has a head and some lines. What is longer is not ours.
const LONGEST: u64 = 16 * 1024;

/// What there is to say of `health` in a program's help.
pub const HELP: &str = "\
health asks the process at HOST and PORT whether it is ready (/readyz), and with --live
whether it serves at all (/livez); the exit status is 0 or 1. Where containers that are
unhealthy get restarted, ask --live: a process that drains, or whose Redis is away, is not
ready, and to end it would only cost its clients their connections.";

/// `/livez` or `/readyz`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// Whether it serves at all. It answers once it has found its backend, and until it ends.
    Live,
    /// Whether it should be given work. Not while it drains, and not while its backend is away.
    Ready,
}

impl Question {
    fn path(self) -> &'static str {
        match self {
            Self::Live => "/livez",
            Self::Ready => "/readyz",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Ready => "ready",
        }
    }
}

/// Asks, says the answer in one line, and gives the exit status: 0 if it is well, 1 if it is not, and [`EXIT_CONFIG`] when
/// HOST or PORT are at fault.
pub fn main(name: &str, env: &dyn Env, question: Question) -> ExitCode {
    let address = match address(env) {
        Ok(address) => address,
        Err(faults) => {
            eprintln!("{name}: {faults}");
            return ExitCode::from(u8::try_from(EXIT_CONFIG).unwrap_or(1));
        }
    };
    match ask(address, question, PATIENCE) {
        Ok(()) => {
            println!("{name}: {}", question.word());
            ExitCode::SUCCESS
        }
        Err(reason) => {
            println!("{name}: not {}: {reason}", question.word());
            ExitCode::FAILURE
        }
    }
}

/// Where the process of this environment is to be found: an address that stands for all is reached by loopback.
fn address(env: &dyn Env) -> Result<SocketAddr, ConfigError> {
    let mut r = Reader::new(env);
    let (host, port) = (r.parse::<IpAddr>(&HOST), r.parse::<u16>(&PORT));
    if port.peek() == Some(&0) {
        r.fault(&PORT, "it is any free one, and nobody knows which");
    }
    r.finish()?;
    let host = match host.get()? {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    Ok(SocketAddr::new(host, port.get()?))
}

/// Asks the process at `address`.
///
/// # Errors
/// Why it is not well, as it says itself, or why that cannot be known, in one line.
pub fn ask(address: SocketAddr, question: Question, patience: Duration) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    let silent = |e: std::io::Error| match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => format!("no answer at {address} within {patience:?}"),
        ErrorKind::ConnectionRefused => format!("nobody listens at {address}"),
        _ => format!("{address}: {e}"),
    };
    let mut stream = TcpStream::connect_timeout(&address, patience).map_err(silent)?;
    // A time-out of zero would be none.
    let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
    stream.set_write_timeout(Some(left())).map_err(silent)?;
    let request = format!("GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n", question.path());
    stream.write_all(request.as_bytes()).map_err(silent)?;

    let (mut answer, mut chunk) = (Vec::new(), [0; 1024]);
    while (answer.len() as u64) < LONGEST {
        // Byte by byte it could go on for ever.
        if Instant::now() >= deadline {
            return Err(silent(ErrorKind::TimedOut.into()));
        }
        stream.set_read_timeout(Some(left())).map_err(silent)?;
        match stream.read(&mut chunk).map_err(silent)? {
            0 => break,
            read => answer.extend_from_slice(&chunk[..read]),
        }
    }
    judge(&String::from_utf8_lossy(&answer))
}

fn judge(answer: &str) -> Result<(), String> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|s| s.parse::<u16>().ok());
    match status {
        Some(200) => Ok(()),
        Some(status) => {
            let detail = serde_json::from_str::<serde_json::Value>(body).ok();
            let detail = detail.as_ref().and_then(|problem| problem["detail"].as_str());
            // In one line, whatever it is.
            Err(detail.map_or_else(|| format!("it answers {status}"), |detail| detail.replace(char::is_control, " ")))
        }
        None => Err("what answers is no service of ours".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::MapEnv;
    use std::{net::TcpListener, thread};

    /// Answers once, and reads the request first.
    fn server(answer: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut request, mut chunk) = (Vec::new(), [0; 256]);
            while !request.ends_with(b"\r\n\r\n") {
                let read = stream.read(&mut chunk).unwrap();
                request.extend_from_slice(&chunk[..read]);
            }
            let _ = stream.write_all(answer.as_bytes());
            String::from_utf8(request).unwrap()
        });
        (address, asked)
    }

    #[test]
    fn it_is_asked_what_was_meant_and_says_why_not() {
        for (question, path, answer, expected) in [
            (Question::Live, "GET /livez ", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", Ok(())),
            (Question::Ready, "GET /readyz ", "HTTP/1.1 200 OK\r\n\r\n{}", Ok(())),
            (
                Question::Ready,
                "GET /readyz ",
                "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"detail\":\"this process\\nis draining\"}",
                Err("this process is draining"),
            ),
            (Question::Ready, "GET /readyz ", "HTTP/1.1 404 Not Found\r\n\r\n<html>", Err("it answers 404")),
            (Question::Ready, "GET /readyz ", "+PONG\r\n", Err("what answers is no service of ours")),
            (Question::Ready, "GET /readyz ", "", Err("what answers is no service of ours")),
        ] {
            let (address, asked) = server(answer);
            assert_eq!(ask(address, question, PATIENCE), expected.map_err(str::to_owned));
            assert!(asked.join().unwrap().starts_with(path));
        }
    }

    #[test]
    fn whoever_is_silent_is_given_up_and_nobody_is_told_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let silent = ask(address, Question::Live, Duration::from_millis(50)).unwrap_err();
        assert_eq!(silent, format!("no answer at {address} within 50ms"));
        drop(listener);
        assert_eq!(ask(address, Question::Live, PATIENCE).unwrap_err(), format!("nobody listens at {address}"));
    }

    #[test]
    fn a_flood_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let flood = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(&[b'x'; 4096]).is_ok() {}
        });
        assert_eq!(ask(address, Question::Live, PATIENCE).unwrap_err(), "what answers is no service of ours");
        flood.join().unwrap();
    }

    #[test]
    fn where_a_process_is() {
        let at = |host: &str, port: &str| address(&MapEnv::from_iter([("HOST", host), ("PORT", port)]));
        for (host, port, expected) in [
            ("", "", "127.0.0.1:8080"),
            ("0.0.0.0", "80", "127.0.0.1:80"),
            ("::", "80", "[::1]:80"),
            ("10.0.0.7", "8081", "10.0.0.7:8081"),
        ] {
            assert_eq!(at(host, port).unwrap().to_string(), expected);
        }
        for (host, port) in [("localhost", "80"), ("", "0"), ("", "http")] {
            assert!(at(host, port).is_err(), "{host}:{port}");
        }
    }
}
