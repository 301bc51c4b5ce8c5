//! A server that cannot be undercut: it holds WebSockets in rooms and writes a ready-made frame to all members of one room
//! at each tick. Nothing is read, parsed, queued or published, and no task waits for a socket: a frame is one `write`.
//!
//! | variable | what |
//! | --- | --- |
//! | `PORT` | where it listens, on loopback |
//! | `ROOMS` | how many rooms; connections are put into them in turn |
//! | `MESSAGES` | frames a second that are written to a room each, or `max`: round after round |
//! | `BYTES` | characters of a message's text |

use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha1::{Digest as _, Sha1};
use std::{env, io, net::Ipv4Addr, process::ExitCode, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::yield_now,
    time::{interval, sleep, timeout},
};

/// The longest request that is read, and how long it may take.
const REQUEST: usize = 8 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
/// Sockets that may wait until they are put into a room.
const WAITING: usize = 1024;
/// After a round in which no socket took anything.
const PAUSE: Duration = Duration::from_millis(1);

struct Settings {
    port: u16,
    rooms: usize,
    /// A second; none: as many as sockets take.
    messages: Option<f64>,
    bytes: usize,
}

fn main() -> ExitCode {
    let done = settings().and_then(|settings| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.and_then(|runtime| runtime.block_on(run(&settings))).map_err(|error| error.to_string())
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("bench-floor: {fault}");
            ExitCode::FAILURE
        }
    }
}

fn settings() -> Result<Settings, String> {
    fn number<N: std::str::FromStr>(name: &str) -> Result<N, String> {
        let value = env::var(name).unwrap_or_default();
        value.parse().map_err(|_| format!("{name}={value}: expected a number"))
    }
    let max = env::var("MESSAGES").is_ok_and(|value| value == "max");
    let messages = if max { None } else { Some(number("MESSAGES")?) };
    if messages.is_some_and(|rate: f64| !(rate > 0.0 && rate <= 1e6)) {
        return Err("MESSAGES: expected more than 0 and at most 1000000, or max".to_owned());
    }
    Ok(Settings { port: number("PORT")?, rooms: number::<usize>("ROOMS")?.max(1), messages, bytes: number("BYTES")? })
}

async fn run(settings: &Settings) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port)).await?;
    let (ready, sockets) = mpsc::channel(WAITING);
    let rooms = Rooms {
        frame: frame(settings.bytes),
        rooms: (0..settings.rooms).map(|_| Vec::new()).collect(),
        sockets,
        came: 0,
        next: 0,
    };
    let writing = rooms.write(settings.messages);
    let accepting = async {
        loop {
            let (socket, _) = listener.accept().await?;
            let ready = ready.clone();
            // It ends with the handshake.
            tokio::spawn(async move {
                if let Ok(Ok(Some(socket))) = timeout(PATIENCE, upgrade(socket)).await {
                    let _ = ready.send(socket).await;
                }
            });
        }
    };
    tokio::select! {
        () = writing => Ok(()),
        failed = accepting => failed,
    }
}

/// Makes a socket a WebSocket. None: it asked for something else, and has its answer.
async fn upgrade(mut socket: TcpStream) -> io::Result<Option<TcpStream>> {
    socket.set_nodelay(true)?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if request.len() > REQUEST || socket.read_buf(&mut request).await? == 0 {
            return Ok(None);
        }
    }
    let request = String::from_utf8_lossy(&request);
    let key = request.lines().filter_map(|line| line.split_once(':'));
    let key = key.filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key")).map(|(_, key)| key.trim()).next();
    let Some(key) = key else {
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await?;
        return Ok(None);
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: {}\r\n\r\n",
        accept(key)
    );
    socket.write_all(answer.as_bytes()).await?;
    Ok(Some(socket))
}

/// RFC 6455, 4.2.2.
fn accept(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key);
    hash.update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    STANDARD.encode(hash.finalize())
}

/// A message of the same size as one of Roomful's.
fn frame(bytes: usize) -> Vec<u8> {
    let text = format!(
        r#"{{"seq":12345,"sentAt":1700000000000,"type":"NEW_MESSAGE","roomId":12345,"id":"00000000-0000-4000-8000-000000000000","sender":{{"clientId":12345,"username":"User 12345"}},"body":"{}"}}"#,
        "x".repeat(bytes)
    );
    // A text frame, whole and not masked.
    let mut frame = vec![0x81];
    match text.len() {
        len @ 0..126 => frame.push(len as u8),
        len @ 126..0x1_0000 => {
            frame.push(126);
            frame.extend((len as u16).to_be_bytes());
        }
        len => {
            frame.push(127);
            frame.extend((len as u64).to_be_bytes());
        }
    }
    frame.extend(text.into_bytes());
    frame
}

struct Member {
    socket: TcpStream,
    /// Where the next write begins: a socket may have taken the beginning of a frame only.
    from: usize,
}

struct Rooms {
    frame: Vec<u8>,
    rooms: Vec<Vec<Member>>,
    sockets: mpsc::Receiver<TcpStream>,
    came: usize,
    next: usize,
}

impl Rooms {
    async fn write(mut self, messages: Option<f64>) {
        let mut tick = messages.map(|rate| interval(Duration::from_secs_f64(1.0 / rate)));
        loop {
            match &mut tick {
                Some(tick) => {
                    tick.tick().await;
                    self.write_to_next();
                }
                None => {
                    let all = self.rooms.len();
                    let written = (0..all).filter(|_| self.write_to_next()).count();
                    if written == 0 { sleep(PAUSE).await } else { yield_now().await }
                }
            }
        }
    }

    /// Whether anybody took anything.
    fn write_to_next(&mut self) -> bool {
        while let Ok(socket) = self.sockets.try_recv() {
            let room = self.came % self.rooms.len();
            self.rooms[room].push(Member { socket, from: 0 });
            self.came += 1;
        }
        let room = self.next % self.rooms.len();
        self.next = room + 1;
        let mut any = false;
        let frame = &self.frame;
        self.rooms[room].retain_mut(|member| match member.socket.try_write(&frame[member.from..]) {
            Ok(written) => {
                any = true;
                member.from = (member.from + written) % frame.len();
                true
            }
            // It is left out.
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        });
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_the_rfc_has_its_answer() {
        assert_eq!(accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn frames_say_how_long_they_are() {
        let text = |bytes| frame(bytes).len() - bytes;
        assert_eq!(frame(120)[..2], [0x81, 126]);
        assert_eq!(u16::from_be_bytes([frame(120)[2], frame(120)[3]]) as usize, frame(120).len() - 4);
        assert_eq!(text(70_000), text(120) + 6);
    }
}
