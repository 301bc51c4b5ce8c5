//! One client: what it believes, what it waits for, and how it comes back.

mod changes;
mod deeds;
mod listen;

use super::{
    Desk, Mood, Role,
    script::{self, Farewell},
    text,
};
use crate::{
    dice::Dice,
    journal::{How, Link, Phase},
    judge::act::post,
};
use client::ClientError;
use protocol::{
    ClientCommand, ClientId, CloseCode, CorrelationId, RawText, RoomId, Seq,
    close::Reconnect,
    command::{Connect, Ping, Resume},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// Attempts for each command that is not answered.
const ATTEMPTS: u32 = 5;
/// How many commands may wait for their answer.
const PENDING: usize = 20;
/// How many acknowledged messages and changes are kept to be sent again.
const SAID: usize = 20;
/// How many positions are kept to be answered and changed.
const SEEN: usize = 20;

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
    said: VecDeque<Said>,
    /// What it saw in the room where it is, the newest last.
    seen: VecDeque<Seq>,
    commands: u64,
    /// Attempts to connect that failed, one after the other.
    failures: u32,
    farewell: Option<Farewell>,
}

struct Me {
    client: ClientId,
    session: String,
}

/// Something that has its position.
#[derive(Clone)]
struct Said {
    command: ClientCommand,
    room: RoomId,
    seq: Seq,
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
            seen: VecDeque::new(),
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
        self.pending.retain(|pending| post(&pending.command).is_some());
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
            let here = post(&pending.command).is_none_or(|(_, room, _)| self.place.as_ref().map(|p| p.room_id) == room);
            if pending.attempts >= ATTEMPTS || !here {
                continue;
            }
            pending.attempts += 1;
            let wait = self.desk.settings.retry * 2_u32.pow(pending.attempts.min(4)) / 2;
            pending.due = now + self.dice.around(wait);
            // A message, a change and a new room are recognised by their ids; of the others each attempt is a command of its own.
            if post(&pending.command).is_none() && !matches!(pending.command, ClientCommand::CreateRoom(_)) {
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
