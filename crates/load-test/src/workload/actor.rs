//! One client: what it believes, what it waits for, and how it comes back.

use super::{
    Desk, Mood, Role,
    script::{self, Deed, Farewell},
    text,
};
use crate::{
    dice::Dice,
    journal::{How, Link, Phase, What},
};
use client::ClientError;
use protocol::{
    ClientCommand, ClientId, CloseCode, CorrelationId, ErrorCode, MessageId, RawText, RoomId, Seq, ServerEvent,
    close::Reconnect,
    command::{
        Connect, CreateRoom, FetchHistory, JoinRoom, LeaveRoom, ListRooms, Ping, Resume, SendMessage, Typing,
        UpdateUsername,
    },
    event::CommandError,
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Attempts for each command that is not answered.
const ATTEMPTS: u32 = 5;
/// How many commands may wait for their answer.
const PENDING: usize = 20;
/// How many acknowledged messages are kept to be sent again.
const SAID: usize = 20;

/// One client of the workload.
pub struct Actor {
    number: u32,
    role: Role,
    dice: Dice,
    desk: Arc<Desk>,
    me: Option<Me>,
    /// Where it was when it last heard.
    place: Option<Resume>,
    pending: Vec<Pending>,
    /// Acknowledged, the newest last.
    said: VecDeque<SendMessage>,
    commands: u64,
    /// Attempts to connect that failed, one after the other.
    failures: u32,
    farewell: Option<Farewell>,
}

struct Me {
    client: ClientId,
    session: String,
}

/// A command that waits for its answer.
struct Pending {
    id: CorrelationId,
    command: ClientCommand,
    attempts: u32,
    due: Instant,
}

/// One connection's own state.
struct Talk {
    welcome: bool,
    hellos: u32,
    hello_due: Option<Instant>,
    deed: Instant,
    heard: Instant,
    asked: Option<Instant>,
    moving: Option<Instant>,
}

/// What comes after a connection.
enum Next {
    Again(Duration),
    /// The old connection is left open, to be closed by the server.
    Overlap(Box<Link>),
    /// As a new guest.
    Stranger(Duration),
    Gone,
}

impl Actor {
    /// Nobody yet.
    #[must_use]
    pub fn new(number: u32, role: Role, dice: Dice, desk: Arc<Desk>) -> Self {
        Self {
            number,
            role,
            dice,
            desk,
            me: None,
            place: None,
            pending: Vec::new(),
            said: VecDeque::new(),
            commands: 0,
            failures: 0,
            farewell: None,
        }
    }

    /// Lives until the audit is over.
    pub async fn run(mut self) {
        // Those who make rooms come first.
        let spread = if self.role == Role::Roamer { (500, 2500) } else { (0, 500) };
        let mut wait = self.dice.time(Duration::from_millis(spread.0), Duration::from_millis(spread.1));
        loop {
            self.desk.feel(self.number, Mood::Away);
            if !self.pause(wait).await {
                return;
            }
            let next = match self.open().await {
                Ok(link) => self.talk(link).await,
                Err(wait) => Next::Again(wait),
            };
            wait = match next {
                Next::Again(wait) => wait,
                Next::Overlap(link) => {
                    tokio::spawn(listen_out(*link));
                    Duration::ZERO
                }
                Next::Stranger(wait) => {
                    (self.me, self.place) = (None, None);
                    self.pending.clear();
                    self.said.clear();
                    wait
                }
                Next::Gone => return self.desk.feel(self.number, Mood::Gone),
            };
        }
    }

    fn phase(&self) -> Phase {
        *self.desk.phase.borrow()
    }

    /// Waits, no longer than a part of the audit lasts; false when all is over.
    async fn pause(&mut self, wait: Duration) -> bool {
        let mut phase = self.desk.phase.clone();
        let quiet = async { phase.wait_for(|phase| *phase != Phase::Busy).await.is_ok() };
        if self.phase() == Phase::Busy {
            tokio::select! {
                () = sleep(wait) => {}
                _ = quiet => {}
            }
        } else {
            sleep(wait.min(Duration::from_secs(2))).await;
        }
        if self.phase() != Phase::Busy && self.farewell.is_none() {
            self.farewell = Some(script::farewell(self.role, &mut self.dice));
            // Who is away, and would go, is gone.
            if matches!(self.farewell, Some(Farewell::Drop | Farewell::Close)) {
                self.desk.feel(self.number, Mood::Gone);
                return false;
            }
        }
        self.phase() != Phase::Over
    }

    /// A new connection, or how long to wait for the next attempt.
    async fn open(&mut self) -> Result<Link, Duration> {
        let Some(url) = self.dice.pick(&self.desk.urls).cloned() else { return Err(Duration::from_secs(1)) };
        let opened = Link::open(&self.desk.journal, self.number, &url, self.desk.settings.patience).await;
        opened.map_err(|error| {
            self.failures += 1;
            match error {
                ClientError::Rejected { status: 429, .. } => {
                    self.dice.time(Duration::from_secs(1), Duration::from_secs(4))
                }
                _ => self.back_off(),
            }
        })
    }

    /// From 0.5 s up, with full jitter.
    fn back_off(&mut self) -> Duration {
        let most = Duration::from_millis(500) * 2_u32.saturating_pow(self.failures.min(4));
        self.dice.time(Duration::from_millis(50), most.min(Duration::from_secs(5)))
    }

    // ---------------------------------------------------------------------------------------------- conversation

    /// Talks until the connection ends.
    async fn talk(&mut self, mut link: Link) -> Next {
        let now = Instant::now();
        let mut talk = Talk {
            welcome: false,
            hellos: 0,
            hello_due: Some(now),
            deed: now + self.dice.time(Duration::ZERO, self.desk.settings.pace),
            heard: now,
            asked: None,
            moving: None,
        };
        // A move whose answer did not come is not known to have happened: what the server says next decides.
        self.pending.retain(|pending| matches!(pending.command, ClientCommand::SendMessage(_)));
        let mut phase = self.desk.phase.clone();
        let desk = self.desk.clone();
        loop {
            let mood = match (talk.welcome, self.pending.is_empty()) {
                (false, _) => Mood::Away,
                (true, false) => Mood::Waiting,
                (true, true) => Mood::Content,
            };
            self.desk.feel(self.number, mood);
            let wait = self.next_timer(&talk).saturating_duration_since(Instant::now());
            let heard = tokio::select! {
                biased;
                heard = link.hear(wait) => heard,
                _ = phase.changed() => Ok(None),
                () = rung(&desk, self.role), if talk.welcome && self.place.is_some() => {
                    match self.burst(&mut link).await {
                        Ok(()) => Ok(None),
                        Err(how) => Err(how),
                    }
                }
            };
            let went_on = match heard {
                Ok(Some(event)) => {
                    talk.heard = Instant::now();
                    talk.asked = None;
                    self.take(&mut talk, event);
                    Ok(())
                }
                Ok(None) => self.timers(&mut link, &mut talk).await,
                Err(how) => Err(how),
            };
            if let Err(how) = went_on {
                return self.after(how);
            }
            let now = Instant::now();
            if talk.moving.is_some_and(|at| at <= now) {
                return self.move_on(link).await;
            }
            let patience = self.desk.settings.patience;
            if talk.asked.is_some_and(|asked| asked + patience <= now)
                || !talk.welcome && talk.heard + patience * 2 <= now
            {
                link.end(How::Silent).await;
                self.failures += 1;
                return Next::Again(self.back_off());
            }
            match self.phase() {
                Phase::Busy if talk.welcome && talk.deed <= now => {
                    talk.deed = now + self.rest();
                    match self.act(link, &mut talk).await {
                        Ok(same) => link = same,
                        Err(next) => return next,
                    }
                }
                Phase::Busy => {}
                Phase::Quiet | Phase::Settled => match self.farewell(link, &talk).await {
                    Ok(same) => link = same,
                    Err(next) => return next,
                },
                Phase::Over => {
                    link.end(How::Left).await;
                    return Next::Gone;
                }
            }
        }
    }

    fn next_timer(&self, talk: &Talk) -> Instant {
        let patience = self.desk.settings.patience;
        let retry = self.pending.iter().map(|pending| pending.due).filter(|_| talk.welcome).min();
        let deed = (talk.welcome && self.phase() == Phase::Busy).then_some(talk.deed);
        let probe = talk.asked.unwrap_or(talk.heard) + patience;
        [Some(probe), retry, deed, talk.hello_due, talk.moving].into_iter().flatten().min().unwrap_or(probe)
    }

    /// Does what is due.
    async fn timers(&mut self, link: &mut Link, talk: &mut Talk) -> Result<(), How> {
        let now = Instant::now();
        if talk.hello_due.is_some_and(|due| due <= now) {
            talk.hello_due = None;
            talk.hellos += 1;
            self.hello(link).await?;
        }
        if !talk.welcome {
            return Ok(());
        }
        if talk.asked.is_none() && talk.heard + self.desk.settings.patience <= now {
            talk.asked = Some(now);
            let ping = ClientCommand::Ping(Ping { id: self.id("ping") });
            link.say(&ping, None).await?;
        }
        while let Some(at) = self.pending.iter().position(|pending| pending.due <= now) {
            let mut pending = self.pending.swap_remove(at);
            let here = match &pending.command {
                ClientCommand::SendMessage(message) => self.place.as_ref().map(|p| p.room_id) == message.room_id,
                _ => true,
            };
            if pending.attempts >= ATTEMPTS || !here {
                continue;
            }
            pending.attempts += 1;
            let wait = self.desk.settings.retry * 2_u32.pow(pending.attempts.min(4)) / 2;
            pending.due = now + self.dice.around(wait);
            // A message and a new room are recognised by their ids; of the others each attempt is a command of its own.
            if !matches!(pending.command, ClientCommand::SendMessage(_) | ClientCommand::CreateRoom(_)) {
                let Some(id) = self.id("again") else { continue };
                name(&mut pending.command, &id);
                pending.id = id;
            }
            let command = pending.command.clone();
            self.pending.push(pending);
            link.say(&command, None).await?;
        }
        Ok(())
    }

    async fn hello(&mut self, link: &mut Link) -> Result<(), How> {
        // Not everybody remembers where it was.
        let resume = if self.dice.percent(93) { self.place.clone() } else { None };
        let username = if self.me.is_none() && self.dice.percent(70) { Some(text::name(&mut self.dice)) } else { None };
        let connect = Connect {
            id: self.id("connect"),
            session: self.me.as_ref().map(|me| me.session.clone()),
            username: username.map(RawText),
            resume: resume.filter(|_| self.me.is_some()),
        };
        link.say(&ClientCommand::Connect(connect), self.me.as_ref().map(|me| me.client)).await
    }

    /// Takes an event in.
    fn take(&mut self, talk: &mut Talk, event: ServerEvent) {
        match event {
            ServerEvent::Connected(connected) => {
                (talk.welcome, self.failures) = (true, 0);
                if self.me.as_ref().is_some_and(|me| me.client != connected.client_id) {
                    // What this one says would be somebody else's message.
                    self.pending.clear();
                    self.said.clear();
                }
                self.me = Some(Me { client: connected.client_id, session: connected.session });
                let soon = Instant::now() + self.dice.time(Duration::ZERO, Duration::from_secs(1));
                self.pending.iter_mut().for_each(|pending| pending.due = pending.due.min(soon));
            }
            ServerEvent::RoomJoined(joined) => {
                self.answered(joined.id.as_ref());
                let room = joined.room.room_id;
                self.place = Some(Resume { room_id: room, epoch: joined.epoch, seq: joined.seq });
                self.desk.entered(room);
                match self.role {
                    Role::Anchor | Role::Roamer => self.desk.open_room(room),
                    Role::Host(n) => self.set_parlour(n, Some(room)),
                    Role::Visitor(_) => talk.deed = Instant::now() + self.desk.settings.silence,
                }
            }
            ServerEvent::RoomLeft(left) => {
                self.answered(left.id.as_ref());
                if self.place.as_ref().is_some_and(|place| place.room_id == left.room_id) {
                    self.place = None;
                }
            }
            ServerEvent::NewMessage(message) => {
                if let Some(place) = self.place.as_mut().filter(|place| place.room_id == message.room_id) {
                    place.seq = place.seq.max(message.seq);
                }
            }
            ServerEvent::Ack(ack) => {
                if let (Some(session), Some(me)) = (ack.session, &mut self.me) {
                    me.session = session;
                }
                self.answered(ack.id.as_ref());
            }
            ServerEvent::Reconnect(reconnect) => {
                talk.moving = Some(Instant::now() + Duration::from_millis(reconnect.after_ms));
            }
            ServerEvent::CommandError(error) => self.refused(talk, &error),
            _ => {}
        }
    }

    /// A command has its answer.
    fn answered(&mut self, id: Option<&CorrelationId>) -> Option<ClientCommand> {
        let at = self.pending.iter().position(|pending| Some(&pending.id) == id)?;
        let command = self.pending.swap_remove(at).command;
        if let ClientCommand::SendMessage(message) = &command {
            self.said.push_back(message.clone());
            if self.said.len() > SAID {
                self.said.pop_front();
            }
        }
        Some(command)
    }

    fn refused(&mut self, talk: &mut Talk, error: &CommandError) {
        let wait = Duration::from_millis(error.retry_after_ms.unwrap_or(1000));
        let again = Instant::now() + wait + self.dice.time(Duration::ZERO, Duration::from_millis(500));
        if !talk.welcome {
            // CONNECT may be sent again; after that the connection has to be.
            talk.hello_due = (talk.hellos < 3).then_some(again);
            return;
        }
        let at = self.pending.iter().position(|pending| Some(&pending.id) == error.id.as_ref());
        let Some(at) = at else {
            if error.code == ErrorCode::RoomNotFound {
                self.forget_place(); // the room that CONNECT was to resume
            }
            return;
        };
        if error.code.retryable() {
            self.pending[at].due = again;
            return;
        }
        match self.pending.swap_remove(at).command {
            ClientCommand::JoinRoom(join) if error.code == ErrorCode::RoomNotFound => {
                self.desk.close_room(join.room_id);
                if let Role::Visitor(n) = self.role {
                    self.set_parlour(n, None);
                }
            }
            ClientCommand::SendMessage(_) | ClientCommand::LeaveRoom(_) if error.code == ErrorCode::NotInRoom => {
                self.place = None;
            }
            _ => {}
        }
    }

    fn forget_place(&mut self) {
        if let Some(place) = self.place.take() {
            self.desk.close_room(place.room_id);
            if let Role::Host(n) = self.role {
                self.set_parlour(n, None);
            }
        }
    }

    fn set_parlour(&self, n: usize, room: Option<RoomId>) {
        if let Some(parlour) = self.desk.parlours.get(n) {
            *parlour.room.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = room;
        }
    }

    fn parlour(&self, n: usize) -> Option<RoomId> {
        *self.desk.parlours.get(n)?.room.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What to do when a connection has ended, by its end.
    fn after(&mut self, how: How) -> Next {
        let How::Closed(code, _) = how else {
            self.failures += 1;
            return Next::Again(self.back_off());
        };
        match CloseCode::from_number(code).map_or(Reconnect::Yes, CloseCode::reconnect) {
            Reconnect::AtOnce => Next::Again(self.dice.time(Duration::ZERO, Duration::from_secs(1))),
            Reconnect::WithoutSession => Next::Stranger(self.back_off()),
            // A newer connection of this actor's own goes on; if this is the newest, whoever did that is judged for it.
            Reconnect::No | Reconnect::WhenAsked => Next::Stranger(Duration::from_secs(2)),
            Reconnect::AfterPause => Next::Again(Duration::from_secs(30)),
            Reconnect::Yes => {
                self.failures += 1;
                Next::Again(self.back_off())
            }
        }
    }

    /// The node drains.
    async fn move_on(&mut self, link: Link) -> Next {
        if self.dice.percent(50) {
            return Next::Overlap(Box::new(link));
        }
        link.end(How::Left).await;
        Next::Again(Duration::ZERO)
    }

    async fn farewell(&mut self, mut link: Link, talk: &Talk) -> Result<Link, Next> {
        if self.farewell.is_some() || !talk.welcome {
            return Ok(link);
        }
        let farewell = script::farewell(self.role, &mut self.dice);
        self.farewell = Some(farewell);
        match farewell {
            Farewell::Stay => Ok(link),
            Farewell::Drop => {
                link.end(How::Dropped).await;
                Err(Next::Gone)
            }
            Farewell::Close => {
                link.end(How::Left).await;
                Err(Next::Gone)
            }
            Farewell::Leave => self.leave(&mut link).await.map(|()| link).map_err(|how| self.after(how)),
        }
    }

    // ----------------------------------------------------------------------------------------------------- deeds

    /// How long until the next deed.
    fn rest(&mut self) -> Duration {
        match self.role {
            Role::Visitor(_) => self.desk.settings.silence,
            _ => self.dice.around(self.desk.settings.pace),
        }
    }

    /// Does something; what comes after the connection if that is to end it.
    async fn act(&mut self, mut link: Link, talk: &mut Talk) -> Result<Link, Next> {
        let moving = self.pending.iter().any(|p| !matches!(p.command, ClientCommand::SendMessage(_)));
        if moving {
            return Ok(link);
        }
        let Some(place) = self.place.clone() else {
            return self.go_somewhere(&mut link, talk).await.map(|()| link).map_err(|how| self.after(how));
        };
        let Some(deed) = script::next(self.role, &mut self.dice) else { return Ok(link) };
        let (grace, ms) = (self.desk.settings.grace, Duration::from_millis);
        let away = match deed {
            Deed::Flicker => Some((How::Dropped, ms(0), ms(300))),
            Deed::Stumble => Some((How::Dropped, grace / 10, grace / 2)),
            Deed::Vanish => Some((How::Dropped, grace * 12 / 10, grace * 18 / 10)),
            Deed::Visit => Some((How::Left, ms(0), grace * 16 / 10)),
            Deed::Forget => {
                let how = if self.dice.percent(80) { How::Dropped } else { How::Left };
                link.end(how).await;
                return Err(Next::Stranger(self.dice.around(self.desk.settings.pace)));
            }
            Deed::Overlap => return Err(Next::Overlap(Box::new(link))),
            _ => None,
        };
        if let Some((how, from, to)) = away {
            link.end(how).await;
            return Err(Next::Again(self.dice.time(from, to)));
        }
        let done = self.speak(&mut link, deed, &place).await;
        if let Role::Visitor(_) = self.role {
            talk.deed = Instant::now() + self.dice.time(self.desk.settings.visits, self.desk.settings.visits * 3 / 2);
        }
        done.map(|()| link).map_err(|how| self.after(how))
    }

    /// A deed that leaves the connection as it is.
    async fn speak(&mut self, link: &mut Link, deed: Deed, place: &Resume) -> Result<(), How> {
        let room_id = Some(place.room_id);
        match deed {
            Deed::Say => self.say(link, place.room_id, 1).await,
            Deed::SayTwice => self.say(link, place.room_id, 2).await,
            Deed::Repeat => {
                let again: Vec<SendMessage> =
                    self.said.iter().filter(|said| said.room_id == room_id).cloned().collect();
                let Some(again) = self.dice.pick(&again).cloned() else { return Ok(()) };
                link.say(&ClientCommand::SendMessage(again), None).await
            }
            Deed::Typing => {
                let typing = self.dice.percent(50);
                link.say(&ClientCommand::Typing(Typing { typing, room_id }), None).await
            }
            Deed::ReadHistory => {
                let command = self.part_of_history(place);
                link.say(&command, None).await
            }
            Deed::ListRooms => {
                let limit = Some(self.dice.number(1..101));
                link.say(&ClientCommand::ListRooms(ListRooms { id: self.id("list"), cursor: None, limit }), None).await
            }
            Deed::Rename => {
                let username = RawText(text::name(&mut self.dice));
                let command = UpdateUsername { id: self.id("rename"), username };
                link.say(&ClientCommand::UpdateUsername(command), None).await
            }
            Deed::LookAgain => self.join(link, place.room_id).await,
            Deed::Move => {
                let others: Vec<RoomId> = self.desk.rooms().into_iter().filter(|r| *r != place.room_id).collect();
                match self.dice.pick(&others).copied() {
                    Some(room) => self.join(link, room).await,
                    None => Ok(()),
                }
            }
            Deed::Leave => self.leave(link).await,
            Deed::Create => self.create(link).await,
            Deed::Doze => {
                let time = self.dice.time(Duration::from_millis(500), self.desk.settings.patience);
                self.doze(link, time).await;
                Ok(())
            }
            Deed::Gorge => {
                for _ in 0..8 {
                    let (room_id, limit) = (room_id, Some(100));
                    let command = FetchHistory { id: self.id("gorge"), room_id, before: None, after: None, limit };
                    link.say(&ClientCommand::FetchHistory(command), None).await?;
                }
                let time = self.desk.settings.patience;
                self.doze(link, time).await;
                Ok(())
            }
            // These end the connection, and are done where that is known.
            Deed::Flicker | Deed::Stumble | Deed::Vanish | Deed::Visit | Deed::Forget | Deed::Overlap => Ok(()),
        }
    }

    fn part_of_history(&mut self, place: &Resume) -> ClientCommand {
        let below = |dice: &mut Dice| Some(Seq::new(dice.number(0..place.seq.get() + 2)));
        let (before, after) = match self.dice.number(0..4) {
            0 => (None, None),
            1 => (below(&mut self.dice), None),
            2 => (None, below(&mut self.dice)),
            _ => (below(&mut self.dice), below(&mut self.dice)),
        };
        let limit = Some(self.dice.number(1..101));
        let id = self.id("history");
        ClientCommand::FetchHistory(FetchHistory { id, room_id: Some(place.room_id), before, after, limit })
    }

    /// Somebody who is in no room goes into one.
    async fn go_somewhere(&mut self, link: &mut Link, talk: &mut Talk) -> Result<(), How> {
        let rooms = self.desk.rooms();
        let most = (self.desk.settings.rooms as usize) * 3 / 2;
        match self.role {
            Role::Anchor | Role::Host(_) => self.create(link).await,
            Role::Visitor(n) => {
                let Some(room) = self.parlour(n) else {
                    talk.deed = Instant::now() + Duration::from_millis(300);
                    return Ok(());
                };
                if let Some(parlour) = self.desk.parlours.get(n) {
                    parlour.bell.notify_one();
                }
                self.join(link, room).await
            }
            Role::Roamer if rooms.len() < most && self.dice.percent(5) => self.create(link).await,
            Role::Roamer => match self.dice.pick(&rooms).copied() {
                Some(room) => self.join(link, room).await,
                None => Ok(()),
            },
        }
    }

    /// The visitor comes: this is when something is said.
    async fn burst(&mut self, link: &mut Link) -> Result<(), How> {
        let Some(room) = self.place.as_ref().map(|place| place.room_id) else { return Ok(()) };
        for _ in 0..self.dice.number(2..6) {
            sleep(self.dice.time(Duration::ZERO, Duration::from_millis(50))).await;
            self.say(link, room, 1).await?;
        }
        Ok(())
    }

    async fn say(&mut self, link: &mut Link, room: RoomId, times: u32) -> Result<(), How> {
        let body = RawText(text::body(&mut self.dice, self.desk.settings.longest));
        let message = SendMessage { id: MessageId::new(self.dice.uuid()), room_id: Some(room), body };
        let (id, command) = (message.id.into(), ClientCommand::SendMessage(message));
        if !self.expect(id, &command) {
            return Ok(());
        }
        for _ in 0..times {
            link.say(&command, None).await?;
        }
        Ok(())
    }

    async fn join(&mut self, link: &mut Link, room_id: RoomId) -> Result<(), How> {
        let id = self.id("join");
        self.ask(link, ClientCommand::JoinRoom(JoinRoom { id, room_id })).await
    }

    async fn leave(&mut self, link: &mut Link) -> Result<(), How> {
        let Some(room) = self.place.as_ref().map(|place| place.room_id) else { return Ok(()) };
        let id = self.id("leave");
        self.ask(link, ClientCommand::LeaveRoom(LeaveRoom { id, room_id: Some(room) })).await
    }

    async fn create(&mut self, link: &mut Link) -> Result<(), How> {
        let (id, name) = (self.id("create"), RawText(text::name(&mut self.dice)));
        self.ask(link, ClientCommand::CreateRoom(CreateRoom { id, name })).await
    }

    async fn ask(&mut self, link: &mut Link, command: ClientCommand) -> Result<(), How> {
        match crate::judge::service::id_of(&command).map(|id| self.expect(id, &command)) {
            Some(true) => link.say(&command, None).await,
            _ => Ok(()),
        }
    }

    /// Waits for a command's answer from now on. False when too much is waited for.
    fn expect(&mut self, id: CorrelationId, command: &ClientCommand) -> bool {
        if self.pending.len() >= PENDING {
            return false;
        }
        let due =
            Instant::now() + self.desk.settings.retry + self.dice.time(Duration::ZERO, self.desk.settings.retry / 2);
        self.pending.push(Pending { id, command: command.clone(), attempts: 1, due });
        true
    }

    async fn doze(&mut self, link: &Link, time: Duration) {
        link.note(What::Dozing);
        sleep(time).await;
        link.note(What::Awake);
    }

    fn id(&mut self, what: &str) -> Option<CorrelationId> {
        self.commands += 1;
        format!("{what}-{}", self.commands).parse().ok()
    }
}

/// Gives a command another id.
fn name(command: &mut ClientCommand, id: &CorrelationId) {
    match command {
        ClientCommand::JoinRoom(c) => c.id = Some(id.clone()),
        ClientCommand::LeaveRoom(c) => c.id = Some(id.clone()),
        _ => {}
    }
}

/// Until a host's visitor rings; nobody rings for the others.
async fn rung(desk: &Desk, role: Role) {
    match role {
        Role::Host(n) if n < desk.parlours.len() => desk.parlours[n].bell.notified().await,
        _ => std::future::pending().await,
    }
}

/// Listens to a connection that another one has taken over from, until the server closes it.
async fn listen_out(mut link: Link) {
    let deadline = Instant::now() + Duration::from_secs(15);
    while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if link.hear(left).await.is_err() {
            return;
        }
    }
    link.end(How::Dropped).await;
}
