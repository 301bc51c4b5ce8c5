//! A client that goes from one connection to the next without being away, as the page does: told to `RECONNECT`, it opens
//! a second connection at its time, resumes there, and lets go of the first when it is in its room on the second. What both
//! brought is merged by `seq`, and what was not acknowledged on the first is said again on the second with the same `id`.
//!
//! A client keeps its slot; its next connection has one of its own until it takes the client's over.

use super::{
    connection::State,
    driver::Driver,
    frame,
    schedule::SECOND,
    socket,
    text::{Reconnect, Told},
};
use rustix::event::epoll::EventFlags;

/// The node closes a connection as soon as another one has taken over, which is moments before that is in the room. As
/// long as it is no longer than this, nobody would have seen it.
const UNSEEN: u64 = SECOND;
/// A connection was closed because another one took over.
const TAKEN_OVER: u16 = 4009;
/// Because its node ends.
const RESTART: u16 = 1012;
/// What lets go of a connection.
const NORMAL: u16 = 1000;

/// What a client needs to know to move.
#[derive(Debug, Default)]
pub(super) struct Mover {
    /// Messages that have no answer, by when each was due.
    unanswered: Vec<u64>,
    /// Since when it has no connection in its room, and whether that is because the next one has taken over.
    gone: Option<(u64, bool)>,
    /// When it was to move.
    since: u64,
    /// When it is to move once more: its next connection was told so before it was in the room.
    again: Option<u64>,
    /// The node that it is on, and the one that it moves to, as the thread counts them.
    node: usize,
    next_node: usize,
}

impl Mover {
    pub(super) fn on(node: usize) -> Self {
        Self { node, ..Self::default() }
    }

    pub(super) fn node(&self) -> usize {
        self.node
    }

    pub(super) fn will_be_on(&mut self, node: usize) {
        self.next_node = node;
    }

    pub(super) fn said(&mut self, due: u64) {
        self.unanswered.push(due);
    }

    pub(super) fn answered(&mut self, due: u64) {
        self.unanswered.retain(|known| *known != due);
    }
}

impl Driver {
    /// The slot of the client whose connection, or next connection, this is.
    #[inline]
    pub(super) fn client(&self, slot: usize) -> usize {
        if self.is_next(slot) { slot - self.clients } else { slot }
    }

    /// Whether it is a client's next connection.
    #[inline]
    pub(super) fn is_next(&self, slot: usize) -> bool {
        slot >= self.clients
    }

    /// Whether a client can move that loses this connection.
    fn can_move(&self, slot: usize) -> bool {
        let connection = &self.connections[slot];
        self.rolling && connection.state == State::Live && connection.mover.is_some()
    }

    /// `RECONNECT` came.
    pub(super) fn on_reconnect(&mut self, slot: usize, event: Reconnect, now: u64) {
        let at = now + event.after_ms.saturating_mul(SECOND / 1000);
        if self.is_next(slot) {
            let client = self.client(slot);
            if let Some(mover) = &mut self.connections[client].mover {
                mover.again = Some(at);
            }
        } else if self.can_move(slot) {
            self.move_at(slot, at);
        }
    }

    /// Begins the next connection then, or earlier if it is about to begin anyway.
    fn move_at(&mut self, client: usize, at: u64) {
        let slot = client + self.clients;
        let next = &mut self.connections[slot];
        match next.state {
            State::Asleep | State::Ended => {}
            // Only the first attempt: another one waits because one failed.
            State::Resting if next.attempt == 0 && next.since > at => next.generation = next.generation.wrapping_add(1),
            _ => return,
        }
        (next.state, next.since, next.attempt) = (State::Resting, at, 0);
        if let Some(mover) = &mut self.connections[client].mover {
            mover.since = at;
        }
        self.come_later(slot, at);
    }

    /// An attempt to move has failed; another one follows.
    pub(super) fn try_again(&mut self, slot: usize, why: &str) {
        self.hang_up(slot);
        self.because(&format!("an attempt to move failed: {why}"));
        let (client, now) = (self.client(slot), self.shared.now());
        if let Some((_, taken_over)) = self.connections[client].mover.as_mut().and_then(|mover| mover.gone.as_mut()) {
            *taken_over = false;
        }
        let next = &mut self.connections[slot];
        self.counters.moved_again += u64::from(next.attempt == 0);
        (next.attempt, next.since) = (next.attempt.saturating_add(1), now);
        self.rest(slot, now);
    }

    /// The server has closed a client's connection, or it was lost: says whether the client goes on with the next one.
    pub(super) fn goes_on(&mut self, slot: usize, code: Option<u16>, why: &str) -> bool {
        if !self.can_move(slot) {
            return false;
        }
        let now = self.shared.now();
        self.let_go(slot);
        self.connections[slot].state = State::Between;
        // Before that its session was not told to anybody, so that it was somebody else who took over.
        let on_its_way = matches!(self.connections[slot + self.clients].state, State::Greeting | State::Joining);
        let taken_over = code == Some(TAKEN_OVER) && on_its_way;
        self.counters.restarted += u64::from(code == Some(RESTART));
        if taken_over {
            self.counters.taken_over += 1;
        } else {
            self.because(&format!("before the next connection was there: {why}"));
        }
        if let Some(mover) = &mut self.connections[slot].mover {
            mover.gone = Some((now, taken_over));
        }
        self.move_at(slot, now);
        true
    }

    /// The next connection is in the room: the client's slot has its socket from now on.
    pub(super) fn take_over(&mut self, slot: usize, now: u64) -> usize {
        let client = self.client(slot);
        if let (State::Live, Some(former)) = (self.connections[client].state, &self.connections[client].socket) {
            self.frame.clear();
            frame::put(&mut self.frame, frame::CLOSE, &NORMAL.to_be_bytes());
            // The server may have closed it meanwhile, which is as well.
            let _ = socket::write(former, &self.frame);
        }
        self.let_go(client);
        let next = &mut self.connections[slot];
        let (socket, pending) = (next.socket.take(), std::mem::take(&mut next.pending));
        self.hang_up(slot);
        let mut flags = EventFlags::IN;
        flags.set(EventFlags::OUT, !pending.is_empty());
        let connection = &mut self.connections[client];
        (connection.socket, connection.pending, connection.state) = (socket, pending, State::Live);
        self.interest(client, flags);
        self.live += 1;
        self.counters.moved += 1;
        let Some(mover) = &mut self.connections[client].mover else { return client };
        mover.node = mover.next_node;
        self.slice.moving.note(now.saturating_sub(mover.since));
        if let Some((since, taken_over)) = mover.gone.take() {
            let away = now - since;
            if taken_over {
                self.slice.handover.note(away);
            }
            if !taken_over || away > UNSEEN {
                self.counters.away += 1;
                self.slice.away.note(away);
            }
        }
        client
    }

    /// A client that has moved says again what has no answer, and moves on if it was told so.
    pub(super) fn settle_in(&mut self, client: usize) {
        let Some(mover) = &mut self.connections[client].mover else { return };
        let (unanswered, again) = (mover.unanswered.clone(), mover.again.take());
        let room = self.shared.rooms[self.connections[client].room as usize].id();
        for due in unanswered {
            if let Some(room) = room {
                self.counters.repeated += 1;
                self.put_message(client, room, due);
                self.say(client);
            }
        }
        if let Some(at) = again {
            self.move_at(client, at);
        }
    }

    /// Ends a client's socket, but not what it has to say.
    fn let_go(&mut self, client: usize) {
        let connection = &mut self.connections[client];
        self.live -= usize::from(connection.state == State::Live);
        connection.hang_up();
    }

    /// Others were told that somebody came or left.
    pub(super) fn on_told(&mut self, told: &Told) {
        if self.rolling {
            self.counters.told_joined += told.joined.len() as u64;
            self.counters.told_left += told.left.len() as u64;
            self.counters.told_lost += told.reconnecting.len() as u64;
        }
    }

    /// The number by which this thread knows a node.
    pub(super) fn node_named(&mut self, name: &str) -> usize {
        let known = self.nodes.iter().position(|node| node == name);
        known.unwrap_or_else(|| {
            self.nodes.push(name.to_owned());
            self.nodes.len() - 1
        })
    }
}
