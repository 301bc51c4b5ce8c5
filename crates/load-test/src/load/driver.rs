//! One thread's loop: it owns its connections, waits for all of them with one epoll, and reads each into a buffer that
//! they share. What is said on them is in `dialogue.rs`.

use super::{
    connection::{Connection, State},
    dialect::Dialect,
    figures::{Counters, Lasts, Slice},
    foreign::Counts,
    frame,
    profile::Profile,
    schedule::{Pace, SECOND, Schedule},
    shared::{Asked, Order, Reply, Shared},
    socket,
};
use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    fd::OwnedFd,
    io::Errno,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    sync::{Arc, mpsc},
};

/// Events that are taken at once.
const EVENTS: usize = 1024;
/// Events after which it is looked whether a message is due.
const TURN: usize = 32;
/// The token of the epoll of those whom a storm leaves alone: no slot is that high.
const CALM: u64 = u64::MAX;
/// What is read at once.
const READ: usize = 64 * 1024;
/// What a connection may keep for its next half frame.
const KEEP: usize = 4096;
/// What may wait for one socket.
const PENDING: usize = 4 << 20;
/// Orders are looked for that often.
const NAP: u64 = 10_000_000;
/// How long the way into a room may take.
const PATIENCE: u64 = 30 * SECOND;
/// Connections that are on their way at once, over all threads, while the first are made: the pace of a server that is
/// slower than the ramp.
const AT_ONCE: usize = 128;
/// The first pause of a client that comes back, and the longest.
const PAUSES: (u64, u64) = (SECOND / 2, 30 * SECOND);

/// How messages are sent.
#[derive(Debug)]
pub(super) enum Flow {
    /// Not at all.
    Still,
    /// At fixed times.
    Open(Schedule),
    /// As the server takes them, until then.
    Closed { end: u64 },
}

/// One thread's connections.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    index: usize,
    epoll: OwnedFd,
    /// Those whom a storm leaves alone. What comes to them is not to wait here until thousands of others are hung up and
    /// dialed again: that would be our own delay. It is one of the sockets of `epoll`, too.
    calm: OwnedFd,
    /// Of the clients, and in a rollout behind them the next one of each.
    pub(super) connections: Vec<Connection>,
    /// How many clients there are, and how many of them are to be there by now.
    pub(super) clients: usize,
    called: usize,
    /// The names of nodes, of which clients know the places.
    pub(super) nodes: Vec<String>,
    /// Whether clients move, and nobody comes or leaves.
    pub(super) rolling: bool,
    /// The client's slot, and its generation, that has taken over the socket that is being read.
    pub(super) arrived: Option<(usize, u32)>,
    buffer: Vec<u8>,
    /// Where texts and frames are made.
    pub(super) text: Vec<u8>,
    pub(super) frame: Vec<u8>,
    ramp: Option<(Pace, usize)>,
    /// Those to be dialed or to say `CONNECT` again, and when; with the generation that is meant.
    later: BinaryHeap<Reverse<(u64, usize, u32)>>,
    /// Those that wait for their room to be made.
    pub(super) queued: Vec<usize>,
    pub(super) flow: Flow,
    pub(super) newest_due: u64,
    churn: Option<Pace>,
    /// Whether a lost connection comes back.
    pub(super) storm: bool,
    /// Until when it lasts at least: so soon after its beginning nobody has noticed yet.
    storm_lasts: u64,
    pub(super) chance: fastrand::Rng,
    /// What is due from then to then is measured.
    pub(super) measured: (u64, u64),
    pub(super) setups: usize,
    pub(super) live: usize,
    pub(super) outstanding: u64,
    pub(super) counters: Counters,
    pub(super) slice: Slice,
    pub(super) lasts: Vec<Lasts>,
    pub(super) counts: Counts,
    reasons: BTreeMap<String, u64>,
    looked: u64,
}

impl Driver {
    /// Connections `index`, `index + threads` and so on.
    pub(super) fn new(shared: Arc<Shared>, index: usize) -> Result<Self, Errno> {
        let threads = shared.load.threads;
        let seats = shared.seats.iter().skip(index).step_by(threads);
        let mut connections: Vec<_> = seats.map(|room| Connection { room: *room, ..Connection::default() }).collect();
        let clients = connections.len();
        if shared.load.profile == Profile::Rollout {
            connections.resize_with(2 * clients, Connection::default);
        }
        let (epoll, calm) = (epoll::create(epoll::CreateFlags::CLOEXEC)?, epoll::create(epoll::CreateFlags::CLOEXEC)?);
        epoll::add(&epoll, &calm, epoll::EventData::new_u64(CALM), epoll::EventFlags::IN)?;
        let load = &shared.load;
        let (senders, rooms) = (load.senders, load.all_rooms());
        let counts = Counts::new(load.dialect, load.connections().div_ceil(threads), senders, rooms);
        Ok(Self {
            index,
            epoll,
            calm,
            connections,
            clients,
            called: 0,
            nodes: Vec::new(),
            rolling: false,
            arrived: None,
            buffer: vec![0; READ],
            text: Vec::new(),
            frame: Vec::new(),
            ramp: None,
            later: BinaryHeap::new(),
            queued: Vec::new(),
            flow: Flow::Still,
            newest_due: 0,
            churn: None,
            storm: false,
            storm_lasts: 0,
            chance: fastrand::Rng::with_seed(shared.load.seed ^ index as u64),
            measured: (u64::MAX, u64::MAX),
            setups: 0,
            live: 0,
            outstanding: 0,
            counters: Counters::default(),
            slice: Slice::default(),
            lasts: vec![Lasts::default(); shared.rooms.len()],
            counts,
            reasons: BTreeMap::new(),
            looked: 0,
            shared,
        })
    }

    /// Runs until it is told to end, or nobody is there to tell it.
    pub(super) fn run(mut self, orders: &mpsc::Receiver<Order>, replies: &mpsc::Sender<Reply>) -> Result<(), Errno> {
        let (mut events, mut calm) = (Vec::with_capacity(EVENTS), Vec::with_capacity(EVENTS));
        loop {
            let now = self.shared.now();
            match orders.try_recv() {
                Ok(Order::End) | Err(mpsc::TryRecvError::Disconnected) => return Ok(()),
                Ok(Order::Report(asked)) => drop(replies.send(self.report(asked))),
                Ok(order) => self.obey(order, now),
                Err(mpsc::TryRecvError::Empty) => {}
            }
            self.on_time(now);
            let wait = self.next_due().saturating_sub(self.shared.now()).min(NAP);
            let wait = Timespec { tv_sec: 0, tv_nsec: wait as _ };
            match epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            for (n, event) in events.drain(..).enumerate() {
                match event.data.u64() {
                    CALM => self.attend_to_calm(&mut calm)?,
                    token => self.on_event(token, event.flags),
                }
                if n % TURN == TURN - 1 {
                    self.send_due(self.shared.now());
                    self.attend_to_calm(&mut calm)?;
                }
            }
        }
    }

    /// Takes what has come to those whom a storm leaves alone.
    fn attend_to_calm(&mut self, events: &mut Vec<epoll::Event>) -> Result<(), Errno> {
        if self.shared.load.staying() == 0 {
            return Ok(());
        }
        match epoll::wait(&self.calm, spare_capacity(events), Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
        events.drain(..).for_each(|event| self.on_event(event.data.u64(), event.flags));
        Ok(())
    }

    fn epoll_of(&self, slot: usize) -> &OwnedFd {
        if (self.number(slot) as usize) < self.shared.load.staying() { &self.calm } else { &self.epoll }
    }

    fn obey(&mut self, order: Order, now: u64) {
        let load = &self.shared.load;
        let threads = load.threads;
        match order {
            Order::Connect | Order::Fresh => {
                let pace = Pace::new(now, load.ramp / threads as f64);
                self.ramp = Some((pace, self.called));
                self.called = self.of_this_thread(load.first());
                if matches!(order, Order::Fresh) {
                    (self.called, self.rolling) = (self.clients, false);
                }
            }
            Order::Roll => self.rolling = true,
            Order::Finish(end) => {
                self.measured.1 = end;
                if let Flow::Open(schedule) = &mut self.flow {
                    schedule.end_at(end);
                }
            }
            Order::Send { start, measured, end } => {
                self.measured = (measured, end);
                let mine = (self.index..load.senders).step_by(threads);
                self.flow = match load.messages(&self.shared.seats) {
                    _ if load.dialect == Dialect::Listen => Flow::Still,
                    Some(0.0) => Flow::Still,
                    Some(rate) => {
                        let mine = mine.map(|sender| sender as u64).collect();
                        Flow::Open(Schedule::new(start, end, rate, load.senders as u64, mine))
                    }
                    None => Flow::Closed { end },
                };
                self.churn = (load.churn > 0.0).then(|| Pace::new(start, load.churn / threads as f64));
                if matches!(self.flow, Flow::Closed { .. }) {
                    let (senders, window) = ((load.senders + threads - 1 - self.index) / threads, load.window);
                    for turn in 0..window {
                        (0..senders).for_each(|slot| self.send(slot, now + turn as u64));
                    }
                    self.newest_due = now + window as u64;
                }
            }
            Order::Storm { cut } => {
                (self.storm, self.storm_lasts) = (true, now + SECOND);
                for slot in 0..self.connections.len() {
                    if cut && self.connections[slot].state == State::Live {
                        self.cut(slot, now);
                        self.rest(slot, now);
                    }
                }
            }
            Order::Report(_) | Order::End => {}
        }
    }

    /// Does what is due by now.
    fn on_time(&mut self, now: u64) {
        self.send_due(now);
        while let Some((pace, next)) = &mut self.ramp {
            if *next == self.called {
                self.ramp = None;
            } else if self.setups < AT_ONCE.div_ceil(self.shared.load.threads) && pace.take(now) {
                let slot = *next;
                *next += 1;
                self.connections[slot].since = now;
                self.dial(slot);
            } else {
                break;
            }
        }
        for _ in 0..TURN {
            if self.later.peek().is_none_or(|Reverse((due, _, _))| *due > now) {
                break;
            }
            let Some(Reverse((_, slot, generation))) = self.later.pop() else { break };
            let connection = &self.connections[slot];
            match connection.state {
                _ if connection.generation != generation => {}
                State::Resting => self.dial(slot),
                State::Told => self.greet(slot),
                _ => {}
            }
        }
        if !self.queued.is_empty() {
            self.let_in();
        }
        while self.measured.1 > now && self.churn.as_mut().is_some_and(|churn| churn.take(now)) {
            self.replace_one(now);
        }
        if now > self.looked + SECOND {
            self.looked = now;
            for slot in 0..self.connections.len() {
                let connection = &self.connections[slot];
                if connection.state.is_setup() && connection.since + PATIENCE < now && !connection.cut {
                    let state = format!("{:?}", connection.state).to_lowercase();
                    self.lose(slot, &format!("no answer in 30 s while {state}"));
                }
            }
        }
    }

    fn send_due(&mut self, now: u64) {
        let threads = self.shared.load.threads;
        while let Flow::Open(schedule) = &mut self.flow {
            let Some((due, sender)) = schedule.take(now) else { break };
            self.send(sender as usize / threads, due);
        }
    }

    fn next_due(&self) -> u64 {
        let message = if let Flow::Open(schedule) = &self.flow { schedule.peek().map(|(due, _)| due) } else { None };
        // A ramp that waits for the server is looked at after each event.
        let ready = self.setups < AT_ONCE.div_ceil(self.shared.load.threads);
        let ramp = self.ramp.as_ref().filter(|_| ready).map(|(pace, _)| pace.due());
        let later = self.later.peek().map(|Reverse((due, _, _))| *due);
        [message, ramp, later, self.churn.map(|churn| churn.due())].into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    /// A client leaves for another one, or loses its connection and comes back a little later.
    fn replace_one(&mut self, now: u64) {
        let (load, threads) = (&self.shared.load, self.shared.load.threads);
        // Makers of rooms and senders stay.
        let stay = load.senders.max(load.rooms).div_ceil(threads);
        if stay >= self.connections.len() {
            return;
        }
        let drawn = (0..8).map(|_| self.chance.usize(stay..self.connections.len()));
        let found = drawn.collect::<Vec<_>>().into_iter().find(|slot| self.connections[*slot].state == State::Live);
        let Some(slot) = found else { return };
        if self.chance.bool() {
            self.cut(slot, now);
            self.connections[slot].state = State::Resting;
            let pause = self.chance.u64(0..SECOND);
            self.come_later(slot, now + pause);
        } else {
            self.frame.clear();
            frame::put(&mut self.frame, frame::CLOSE, &1000_u16.to_be_bytes());
            self.write_frame(slot);
            self.hang_up(slot);
            self.counters.left += 1;
            let connection = &mut self.connections[slot];
            (connection.identity, connection.since) = (None, now);
            self.dial(slot);
        }
    }

    /// How many of the first so many connections are of this thread.
    fn of_this_thread(&self, first: usize) -> usize {
        let threads = self.shared.load.threads;
        (first + threads - 1 - self.index) / threads
    }

    fn cut(&mut self, slot: usize, now: u64) {
        self.hang_up(slot);
        self.counters.cut += 1;
        let connection = &mut self.connections[slot];
        (connection.cut, connection.since, connection.attempt) = (true, now, 0);
    }

    /// Ends a connection's socket, whatever its state was.
    pub(super) fn hang_up(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        connection.hang_up();
        self.setups -= usize::from(connection.state.is_setup());
        self.live -= usize::from(connection.state == State::Live);
        let unanswered = u64::from(std::mem::take(&mut connection.unanswered));
        self.counters.unanswered += unanswered;
        self.outstanding -= unanswered;
        connection.state = State::Ended;
    }

    /// A connection is no more, though nobody wanted that.
    pub(super) fn lose(&mut self, slot: usize, why: &str) {
        if self.is_next(slot) {
            return self.try_again(slot, why);
        }
        if self.goes_on(slot, None, why) {
            return;
        }
        let now = self.shared.now();
        let was = self.connections[slot].state;
        if was == State::Live && self.storm {
            self.cut(slot, now);
            return self.rest(slot, now);
        }
        self.hang_up(slot);
        self.because(why);
        let connection = &mut self.connections[slot];
        if connection.cut && self.storm {
            connection.attempt += 1;
            self.counters.retried += 1;
            self.rest(slot, now);
        } else if was == State::Live {
            self.counters.dropped += 1;
        } else {
            self.counters.failed += 1;
        }
    }

    /// Waits as a client is to do it that lost its connection: by chance, and longer each time.
    pub(super) fn rest(&mut self, slot: usize, now: u64) {
        let connection = &mut self.connections[slot];
        connection.state = State::Resting;
        let most = (PAUSES.0 << connection.attempt.min(6)).min(PAUSES.1);
        let pause = self.chance.u64(0..most);
        self.come_later(slot, now + pause);
    }

    /// Goes on with a connection then.
    pub(super) fn come_later(&mut self, slot: usize, at: u64) {
        self.later.push(Reverse((at, slot, self.connections[slot].generation)));
    }

    /// Whether this connection is one of those whom the storm has left alone, and some are not back yet.
    pub(super) fn is_storming(&self, slot: usize, now: u64) -> bool {
        let lasts = now < self.storm_lasts || self.counters.back < self.counters.cut;
        lasts && (self.number(slot) as usize) < self.shared.load.staying()
    }

    pub(super) fn because(&mut self, why: &str) {
        match self.reasons.get_mut(why) {
            Some(count) => *count += 1,
            None => drop(self.reasons.insert(why.to_owned(), 1)),
        }
    }

    fn dial(&mut self, slot: usize) {
        self.counters.dialed += 1;
        let number = self.number(slot) as usize;
        let connection = &mut self.connections[slot];
        let target = self.shared.target(number, usize::from(connection.attempt), self.storm);
        connection.state = State::Dialing;
        self.setups += 1;
        let to = target.address.ip();
        let next = slot >= self.clients;
        let from = if next { socket::next_source(to, self.counters.dialed) } else { socket::source(to, number) };
        let epoll = if number < self.shared.load.staying() { &self.calm } else { &self.epoll };
        let begun = socket::dial(target.address, from).and_then(|socket| {
            let token = u64::from(connection.generation) << 32 | slot as u64;
            let both = epoll::EventFlags::IN | epoll::EventFlags::OUT;
            epoll::add(epoll, &socket, epoll::EventData::new_u64(token), both).map(|()| socket)
        });
        match begun {
            Ok(socket) => connection.socket = Some(socket),
            Err(error) => self.lose(slot, &format!("cannot connect: {}", std::io::Error::from(error))),
        }
    }

    /// The number of a connection among those of all threads.
    pub(super) fn number(&self, slot: usize) -> u64 {
        (self.client(slot) * self.shared.load.threads + self.index) as u64
    }

    /// Whether it is the first of its room.
    pub(super) fn makes_room(&self, slot: usize) -> bool {
        self.number(slot) < self.shared.rooms.len() as u64
    }

    pub(super) fn interest(&self, slot: usize, flags: epoll::EventFlags) {
        let connection = &self.connections[slot];
        if let Some(socket) = &connection.socket {
            let token = u64::from(connection.generation) << 32 | slot as u64;
            // It was added when it was dialed, so this can only fail for a socket that is gone, which will be noticed.
            let _ = epoll::modify(self.epoll_of(slot), socket, epoll::EventData::new_u64(token), flags);
        }
    }

    fn on_event(&mut self, token: u64, flags: epoll::EventFlags) {
        let (slot, generation) = ((token & 0xffff_ffff) as usize, (token >> 32) as u32);
        if self.connections.get(slot).is_none_or(|connection| connection.generation != generation) {
            return;
        }
        if flags.contains(epoll::EventFlags::OUT) || self.connections[slot].state == State::Dialing {
            self.on_writable(slot);
            if self.connections[slot].generation != generation {
                return;
            }
        }
        if flags.intersects(epoll::EventFlags::IN | epoll::EventFlags::HUP | epoll::EventFlags::ERR) {
            self.on_readable(slot);
        }
    }

    fn on_writable(&mut self, slot: usize) {
        let number = self.number(slot) as usize;
        let connection = &mut self.connections[slot];
        let Some(socket) = &connection.socket else { return };
        if connection.state == State::Dialing {
            if let Err(error) = socket::dialed(socket) {
                return self.lose(slot, &format!("cannot connect: {}", std::io::Error::from(error)));
            }
            connection.state = State::Upgrading;
            let target = self.shared.target(number, usize::from(connection.attempt), self.storm);
            self.frame = frame::handshake(target.address, &target.path);
            self.interest(slot, epoll::EventFlags::IN);
            return self.write_frame(slot);
        }
        let pending = std::mem::take(&mut connection.pending);
        match socket::write(socket, &pending) {
            Ok(written) => {
                self.counters.wrote += written as u64;
                if written == pending.len() {
                    self.interest(slot, epoll::EventFlags::IN);
                } else {
                    self.connections[slot].pending = pending[written..].to_vec();
                }
            }
            Err(error) => self.lose(slot, &format!("cannot write: {}", std::io::Error::from(error))),
        }
    }

    /// Writes what is in `frame`.
    pub(super) fn write_frame(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let Some(socket) = &connection.socket else { return };
        let written = if connection.pending.is_empty() { socket::write(socket, &self.frame) } else { Ok(0) };
        match written {
            Ok(written) => {
                self.counters.wrote += written as u64;
                if written < self.frame.len() {
                    connection.pending.extend_from_slice(&self.frame[written..]);
                    if connection.pending.len() > PENDING {
                        return self.lose(slot, "the server reads nothing");
                    }
                    self.interest(slot, epoll::EventFlags::IN | epoll::EventFlags::OUT);
                }
            }
            Err(error) => self.lose(slot, &format!("cannot write: {}", std::io::Error::from(error))),
        }
    }

    fn on_readable(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let Some(socket) = &connection.socket else { return };
        let generation = connection.generation;
        // What was half there goes in front, so that every frame is in one piece.
        let held = connection.half.len();
        let mut buffer = std::mem::take(&mut self.buffer);
        if buffer.len() < held + READ {
            buffer.resize(held + READ, 0);
        }
        buffer[..held].copy_from_slice(&connection.half);
        match socket::read(socket, &mut buffer[held..held + READ]) {
            Ok(Some(0)) => self.lose(slot, "the connection ended without a word"),
            Ok(Some(read)) => {
                self.counters.received += read as u64;
                self.counters.reads += 1;
                let now = self.shared.now();
                let bytes = &buffer[..held + read];
                let mut taken = self.take_in(slot, bytes, now);
                let (mut slot, mut generation) = (slot, generation);
                if let Some(arrived) = self.arrived.take() {
                    // What came behind is of the client's connection now.
                    (slot, generation) = arrived;
                    if self.connections[slot].generation == generation {
                        taken += self.take_in(slot, &bytes[taken..], now);
                    }
                }
                let connection = &mut self.connections[slot];
                if connection.generation == generation {
                    connection.half.clear();
                    connection.half.extend_from_slice(&bytes[taken..]);
                    if connection.half.is_empty() && connection.half.capacity() > KEEP {
                        connection.half = Vec::new();
                    }
                }
            }
            Ok(None) => {}
            Err(error) => self.lose(slot, &format!("cannot read: {}", std::io::Error::from(error))),
        }
        self.buffer = buffer;
    }

    fn report(&mut self, asked: Asked) -> Reply {
        if asked == Asked::Fully {
            let rest: Vec<u64> = self.lasts.iter_mut().flat_map(Lasts::rest).collect();
            rest.into_iter().for_each(|last| self.slice.last.note(last));
        }
        let mut slice = std::mem::take(&mut self.slice);
        slice.counters = self.counters;
        slice.live = self.live as u64;
        slice.busy = self.called as u64 - slice.live - self.counters.failed - self.counters.dropped;
        slice.outstanding = self.outstanding;
        slice.reasons = self.reasons.clone();
        if self.shared.load.dialect == Dialect::SocketIo {
            self.count_lacking(&mut slice);
            return slice;
        }
        let alive = || self.connections.iter().filter(|connection| connection.state == State::Live);
        let rooms = &self.shared.rooms;
        alive().for_each(|connection| rooms[connection.room as usize].reached(connection.line.newest()));
        let idle = |connection: &&Connection| matches!(connection.state, State::Asleep | State::Ended);
        slice.moves = self.connections[self.clients..].iter().filter(|next| !idle(next)).count() as u64;
        let first = self.of_this_thread(self.shared.load.first());
        for (slot, connection) in self.connections[..self.clients].iter().enumerate() {
            let node = connection.mover.as_ref().and_then(|mover| self.nodes.get(mover.node()));
            if let (State::Live, Some(node)) = (connection.state, node) {
                match slice.nodes.get_mut(node) {
                    Some(counts) => counts[usize::from(slot >= first)] += 1,
                    None => drop(slice.nodes.insert(node.clone(), if slot < first { [1, 0] } else { [0, 1] })),
                }
            }
        }
        for connection in alive() {
            let newest = rooms[connection.room as usize].newest();
            slice.lacking += newest.saturating_sub(connection.line.newest());
            slice.expected += newest.saturating_sub(connection.first);
        }
        slice
    }
}
