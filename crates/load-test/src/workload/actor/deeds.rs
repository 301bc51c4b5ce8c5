//! What a client does of its own will.

use super::{Actor, Next, PENDING, Pending, Said, Talk};
use crate::{
    dice::Dice,
    journal::{How, Link, What},
    judge::act::post,
    workload::{
        Role,
        script::{self, Deed, Farewell},
        text,
    },
};
use protocol::{
    ClientCommand, CorrelationId, MessageId, RawText, RoomId, Seq,
    command::{CreateRoom, FetchHistory, JoinRoom, LeaveRoom, ListRooms, Resume, SendMessage, Typing, UpdateUsername},
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

impl Actor {
    /// How long until the next deed.
    pub(super) fn rest(&mut self) -> Duration {
        match self.role {
            Role::Visitor(_) => self.desk.settings.silence,
            _ => self.dice.around(self.desk.settings.pace),
        }
    }

    /// Does something; what comes after the connection if that is to end it.
    pub(super) async fn act(&mut self, mut link: Link, talk: &mut Talk) -> Result<Link, Next> {
        let moving = self.pending.iter().any(|p| post(&p.command).is_none());
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
                let here = |said: &&Said| said.room == place.room_id;
                let again: Vec<ClientCommand> =
                    self.said.iter().filter(here).map(|said| said.command.clone()).collect();
                let Some(again) = self.dice.pick(&again).cloned() else { return Ok(()) };
                link.say(&again, None).await
            }
            Deed::Edit | Deed::Delete | Deed::React | Deed::Trespass => {
                let Some(change) = self.change(deed, place.room_id) else { return Ok(()) };
                let times = if self.dice.percent(10) { 2 } else { 1 };
                self.send(link, change, times).await
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
            Deed::Create if self.desk.open_rooms() < self.most_rooms() => self.create(link).await,
            Deed::Create => Ok(()),
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
            Role::Roamer if rooms.len() < self.most_rooms() && self.dice.percent(5) => self.create(link).await,
            Role::Roamer => match self.dice.pick(&rooms).copied() {
                Some(room) => self.join(link, room).await,
                None => Ok(()),
            },
        }
    }

    fn most_rooms(&self) -> usize {
        self.desk.settings.rooms as usize * 3 / 2
    }

    /// The visitor comes: this is when something is said.
    pub(super) async fn burst(&mut self, link: &mut Link) -> Result<(), How> {
        let Some(room) = self.place.as_ref().map(|place| place.room_id) else { return Ok(()) };
        for _ in 0..self.dice.number(2..6) {
            sleep(self.dice.time(Duration::ZERO, Duration::from_millis(50))).await;
            self.say(link, room, 1).await?;
        }
        Ok(())
    }

    async fn say(&mut self, link: &mut Link, room: RoomId, times: u32) -> Result<(), How> {
        let body = RawText(text::body(&mut self.dice, self.desk.settings.longest));
        let reply_to = if self.dice.percent(15) { self.seen() } else { None };
        let message = SendMessage { id: MessageId::new(self.dice.uuid()), room_id: Some(room), body, reply_to };
        self.send(link, ClientCommand::SendMessage(message), times).await
    }

    /// Sends something that takes a position, and waits for its answer.
    async fn send(&mut self, link: &mut Link, command: ClientCommand, times: u32) -> Result<(), How> {
        let Some((id, ..)) = post(&command) else { return Ok(()) };
        if !self.expect(id.into(), &command) {
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

    pub(super) fn id(&mut self, what: &str) -> Option<CorrelationId> {
        self.commands += 1;
        format!("{what}-{}", self.commands).parse().ok()
    }

    pub(super) async fn farewell(&mut self, mut link: Link, talk: &Talk) -> Result<Link, Next> {
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
}
