//! At the end: reads the room list and every room's whole log, as a client like any other.

use super::Desk;
use crate::journal::{How, Link, What};
use protocol::{
    ClientCommand, CorrelationId, ErrorCode, RoomId, Seq, ServerEvent,
    command::{Connect, FetchHistory, JoinRoom, ListRooms},
    event::{Message, RoomJoined, RoomSummary},
    http::RoomPage,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout};

/// How long each command may take, with all its retries.
const PATIENCE: Duration = Duration::from_secs(15);
/// Pages of any list that are read at most.
const PAGES: usize = 10_000;

/// Reads all there is, and stays for a while. `api` is the base of the HTTP calls, where there is one.
///
/// # Errors
/// What could not be read, which is a fault of its own.
pub async fn inspect(desk: &Arc<Desk>, api: Option<&str>, stay: Duration) -> Result<(), String> {
    let mut inspector = Inspector::connect(desk).await?;
    let result = inspector.read(api).await;
    // What the logs have shown must have reached everybody before the end.
    if result.is_ok() {
        let deadline = Instant::now() + stay;
        while inspector.link.hear(deadline.saturating_duration_since(Instant::now())).await.is_ok_and(|e| e.is_some()) {
        }
        sleep(deadline.saturating_duration_since(Instant::now())).await;
    }
    inspector.link.end(How::Left).await;
    result
}

struct Inspector {
    desk: Arc<Desk>,
    link: Link,
    commands: u64,
}

impl Inspector {
    async fn connect(desk: &Arc<Desk>) -> Result<Self, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut last = String::from("no address");
        while Instant::now() < deadline {
            for url in &desk.urls {
                match Link::open(&desk.journal, desk.settings.clients, url, Duration::from_secs(5)).await {
                    Ok(link) => {
                        let mut inspector = Self { desk: desk.clone(), link, commands: 0 };
                        let command = Connect { id: inspector.id(), session: None, username: None, resume: None };
                        match inspector.ask(ClientCommand::Connect(command)).await {
                            Ok(ServerEvent::Connected(_)) => return Ok(inspector),
                            other => last = format!("CONNECT: {other:?}"),
                        }
                    }
                    Err(error) => last = error.to_string(),
                }
            }
            sleep(Duration::from_millis(500)).await;
        }
        Err(format!("the inspector cannot connect: {last}"))
    }

    async fn read(&mut self, api: Option<&str>) -> Result<(), String> {
        let rooms = self.list().await?;
        self.link.note(What::Listed { source: "LIST_ROOMS", rooms });
        if let Some(api) = api {
            let rooms = list_over_http(api).await?;
            self.link.note(What::Listed { source: "GET /api/rooms", rooms });
        }
        for room in self.desk.ever() {
            let id = self.id();
            match self.ask(ClientCommand::JoinRoom(JoinRoom { id, room_id: room })).await? {
                ServerEvent::RoomJoined(joined) => self.log(joined).await?,
                // It has ended. Whether it should have is for the judge.
                ServerEvent::CommandError(error) if error.code == ErrorCode::RoomNotFound => {}
                other => return Err(format!("JOIN_ROOM {room} was answered with {other:?}")),
            }
        }
        Ok(())
    }

    async fn list(&mut self) -> Result<Vec<RoomSummary>, String> {
        let (mut rooms, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let id = self.id();
            match self.ask(ClientCommand::ListRooms(ListRooms { id, cursor, limit: Some(100) })).await? {
                ServerEvent::Rooms(page) => {
                    rooms.extend(page.rooms);
                    cursor = page.cursor;
                }
                other => return Err(format!("LIST_ROOMS was answered with {other:?}")),
            }
            if cursor.is_none() {
                return Ok(rooms);
            }
        }
        Err("LIST_ROOMS does not end".to_owned())
    }

    async fn log(&mut self, joined: RoomJoined) -> Result<(), String> {
        let room: RoomId = joined.room.room_id;
        let mut messages: Vec<Message> = Vec::new();
        let mut after = Seq::ZERO;
        for _ in 0..PAGES {
            let id = self.id();
            let part = FetchHistory { id, room_id: Some(room), before: None, after: Some(after), limit: Some(100) };
            let history = match self.ask(ClientCommand::FetchHistory(part)).await? {
                ServerEvent::History(history) => history,
                other => return Err(format!("FETCH_HISTORY of room {room} was answered with {other:?}")),
            };
            after = history.messages.last().map_or(after, |message| message.seq);
            messages.extend(history.messages);
            if !history.more {
                messages.iter_mut().for_each(crate::journal::slim_message);
                self.link.note(What::Log { room, epoch: history.epoch, messages });
                return Ok(());
            }
        }
        Err(format!("the log of room {room} does not end"))
    }

    /// Sends a command until it has an answer that is one.
    async fn ask(&mut self, mut command: ClientCommand) -> Result<ServerEvent, String> {
        let answer = async {
            loop {
                let id = crate::judge::service::id_of(&command);
                self.link.say(&command, None).await.map_err(|how| format!("the connection ended: {how:?}"))?;
                let event = loop {
                    let heard = self.link.hear(PATIENCE).await;
                    match heard.map_err(|how| format!("the connection ended: {how:?}"))? {
                        Some(event) if crate::judge::service::reply_to(&event) == id.as_ref() => break event,
                        _ => {}
                    }
                };
                match event {
                    ServerEvent::CommandError(error) if error.code.retryable() => {
                        sleep(Duration::from_millis(error.retry_after_ms.unwrap_or(500))).await;
                        rename(&mut command, self.id());
                    }
                    event => return Ok(event),
                }
            }
        };
        timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err("the inspector got no answer".to_owned()))
    }

    fn id(&mut self) -> Option<CorrelationId> {
        self.commands += 1;
        format!("inspect-{}", self.commands).parse().ok()
    }
}

fn rename(command: &mut ClientCommand, id: Option<CorrelationId>) {
    match command {
        ClientCommand::Connect(c) => c.id = id,
        ClientCommand::JoinRoom(c) => c.id = id,
        ClientCommand::FetchHistory(c) => c.id = id,
        ClientCommand::ListRooms(c) => c.id = id,
        _ => {}
    }
}

/// The same list as whoever has no socket reads it.
async fn list_over_http(api: &str) -> Result<Vec<RoomSummary>, String> {
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().map_err(|e| e.to_string())?;
    let (mut rooms, mut cursor): (_, Option<String>) = (Vec::new(), None);
    for _ in 0..PAGES {
        let mut url = format!("{api}/rooms?limit=100");
        if let Some(cursor) = &cursor {
            url += &format!("&cursor={cursor}");
        }
        let mut tries = 0;
        let page: RoomPage = loop {
            let got = async { http.get(&url).send().await?.error_for_status()?.json().await }.await;
            match got {
                Ok(page) => break page,
                Err(_) if tries < 5 => {
                    tries += 1;
                    sleep(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(format!("GET {url}: {error}")),
            }
        };
        rooms.extend(page.rooms);
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(rooms);
        }
    }
    Err(format!("GET {api}/rooms does not end"))
}
