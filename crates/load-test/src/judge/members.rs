//! Whether everybody knew who was there: no ghosts, nobody expelled who was alive, in what members are told, in the room
//! list, and in what a fresh look at a room shows.

use super::{
    presence::Presence,
    stay::{Stay, View},
    terms::{Calm, Terms},
    violation::{Kind, Violation},
};
use crate::journal::{Phase, Record, What};
use protocol::{ClientId, RoomId, event::RoomSummary, limits::MEMBERS_LISTED};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    time::Duration,
};

struct Members<'a> {
    by_room: HashMap<RoomId, Vec<&'a Stay>>,
    presence: &'a Presence,
    calm: &'a Calm,
    terms: &'a Terms,
    violations: Vec<Violation>,
    /// One complaint for each client and room: what follows is the same fault.
    complained: HashSet<(Kind, RoomId, Option<ClientId>)>,
}

/// Judges it.
#[must_use]
pub fn judge(records: &[Record], stays: &[Stay], presence: &Presence, calm: &Calm, terms: &Terms) -> Vec<Violation> {
    let mut by_room: HashMap<RoomId, Vec<&Stay>> = HashMap::new();
    stays.iter().for_each(|stay| by_room.entry(stay.room).or_default().push(stay));
    let mut members = Members { by_room, presence, calm, terms, violations: Vec::new(), complained: HashSet::new() };
    for stay in stays {
        members.view(stay);
    }
    for record in records {
        match &record.what {
            What::Listed { source, rooms } => members.list(record.at, source, rooms),
            What::Phase(Phase::Over) => break,
            _ => {}
        }
    }
    members.violations
}

impl Members<'_> {
    fn complain(&mut self, kind: Kind, at: Duration, room: RoomId, client: Option<ClientId>, actor: u32, text: String) {
        if !self.complained.insert((kind, room, client)) {
            return;
        }
        let mut violation = Violation::new(kind, at, text).room(room).actor(actor);
        violation.clients.extend(client);
        let whose = client.and_then(|client| self.presence.clients.get(&client));
        violation.actors.extend(whose.into_iter().flatten());
        self.violations.push(violation);
    }

    /// What one member was told.
    fn view(&mut self, observer: &Stay) {
        let mut told: HashMap<ClientId, Vec<(Duration, bool)>> = HashMap::new();
        let mut present: BTreeSet<ClientId> = BTreeSet::new();
        let mut wrong_count: Option<(Duration, u32, usize)> = None;
        for (at, view) in &observer.views {
            let mut count = None;
            match view {
                View::All(members, all) if members.len() < MEMBERS_LISTED => {
                    let now: BTreeSet<ClientId> = members.iter().map(|member| member.client_id).collect();
                    self.look(observer, *at, &now);
                    for gone in present.difference(&now) {
                        told.entry(*gone).or_default().push((*at, false));
                    }
                    for come in now.difference(&present) {
                        told.entry(*come).or_default().push((*at, true));
                    }
                    present = now;
                    count = Some(*all);
                }
                View::Came(member) if present.insert(member.client_id) => {
                    told.entry(member.client_id).or_default().push((*at, true));
                }
                View::Went(client) if present.remove(client) => {
                    told.entry(*client).or_default().push((*at, false));
                }
                View::Count(all) => count = Some(*all),
                _ => {}
            }
            if let Some(count) = count {
                self.count(observer, wrong_count.take(), *at);
                wrong_count = (count as usize != present.len()).then_some((*at, count, present.len()));
            }
        }
        self.count(observer, wrong_count, observer.certain_until());
        self.the_living(observer, &told);
        for (client, changes) in &told {
            self.the_gone(observer, *client, changes);
        }
    }

    /// A `memberCount` that was not the number of those told, and stayed so until a moment.
    fn count(&mut self, observer: &Stay, wrong: Option<(Duration, u32, usize)>, until: Duration) {
        let Some((since, count, told)) = wrong else { return };
        if self.calm.after(since, self.terms.promptness, observer.connection) < until {
            let text = format!("memberCount is {count}, and {told} members were told of");
            self.complain(Kind::Snapshot, since, observer.room, observer.client, observer.actor, text);
        }
    }

    /// Everybody who was there is in the view, soon.
    fn the_living(&mut self, observer: &Stay, told: &HashMap<ClientId, Vec<(Duration, bool)>>) {
        let others: Vec<&Stay> = self.by_room.get(&observer.room).cloned().unwrap_or_default();
        for other in others {
            let Some(client) = other.client.filter(|client| Some(*client) != observer.client) else { continue };
            if other.epoch != observer.epoch {
                continue;
            }
            let from = other.from.max(observer.from);
            let until = other.certain_until().min(observer.certain_until());
            for (absent, present) in spans(told.get(&client), false) {
                let (lo, hi) = (absent.max(from), present.min(until));
                if lo < hi && self.calm.after(lo, self.terms.promptness, observer.connection) < hi {
                    let text = format!(
                        "{client} was in room {}, and no member for actor {} for {:.1} s",
                        observer.room,
                        observer.actor,
                        (hi - lo).as_secs_f64()
                    );
                    self.complain(Kind::Expelled, lo, observer.room, Some(client), observer.actor, text);
                }
            }
        }
    }

    /// Nobody who had gone is in the view for long.
    fn the_gone(&mut self, observer: &Stay, client: ClientId, changes: &Vec<(Duration, bool)>) {
        if !self.presence.clients.contains_key(&client) {
            return; // none of ours: nobody knows where it is
        }
        for (gone, back) in self.presence.absences(client, observer.room) {
            for (since, until) in spans(Some(changes), true) {
                let (lo, hi) = (since.max(gone), until.min(back).min(observer.certain_until()));
                if lo < hi && self.calm.after(lo, self.terms.promptness, observer.connection) < hi {
                    let text = format!(
                        "{client} is not in room {}, and was a member for actor {} for {:.1} s",
                        observer.room,
                        observer.actor,
                        (hi - lo).as_secs_f64()
                    );
                    self.complain(Kind::Ghost, lo, observer.room, Some(client), observer.actor, text);
                }
            }
        }
    }

    /// A fresh look, at a quiet moment: it is the truth at once.
    fn look(&mut self, observer: &Stay, at: Duration, shown: &BTreeSet<ClientId>) {
        if !self.calm.at(at, self.terms.promptness) {
            return;
        }
        for client in self.certain(observer.room, at).difference(shown) {
            let text = format!("{client} is in room {}, and ROOM_JOINED does not have it", observer.room);
            self.complain(Kind::Expelled, at, observer.room, Some(*client), observer.actor, text);
        }
        let possible = self.presence.possible(observer.room, at.saturating_sub(self.terms.promptness), at);
        for client in shown.difference(&possible).filter(|client| Some(**client) != observer.client) {
            if self.presence.clients.contains_key(client) {
                let text = format!("{client} is not in room {}, and ROOM_JOINED has it", observer.room);
                self.complain(Kind::Ghost, at, observer.room, Some(*client), observer.actor, text);
            }
        }
    }

    /// The room list, at a quiet moment.
    fn list(&mut self, at: Duration, source: &str, listed: &[RoomSummary]) {
        if !self.calm.at(at, self.terms.promptness) {
            return;
        }
        let counts: HashMap<RoomId, usize> = listed.iter().map(|r| (r.room_id, r.member_count as usize)).collect();
        let rooms: Vec<RoomId> = self.by_room.keys().copied().collect();
        for room in rooms {
            let certain = self.certain(room, at);
            let possible = self.presence.possible(room, at.saturating_sub(self.terms.promptness), at);
            let actor = self.by_room.get(&room).and_then(|stays| stays.first()).map_or(0, |stay| stay.actor);
            let (kind, text) = match counts.get(&room) {
                None if !certain.is_empty() => {
                    (Kind::RoomLost, format!("room {room} is not in {source}, and has {} members", certain.len()))
                }
                Some(count) if *count < certain.len() => {
                    (Kind::Expelled, format!("{source} gives room {room} {count} members; in it are {certain:?}"))
                }
                Some(count) if *count > possible.len() => (
                    Kind::Ghost,
                    format!("{source} gives room {room} {count} members; nobody can be in it but {possible:?}"),
                ),
                _ => continue,
            };
            self.complain(kind, at, room, None, actor, text);
        }
    }

    /// The clients that are members at a moment, and have been for long enough to be known.
    fn certain(&self, room: RoomId, at: Duration) -> BTreeSet<ClientId> {
        let known = |stay: &&&Stay| {
            stay.certain_until() > at && self.calm.after(stay.from, self.terms.promptness, stay.connection) < at
        };
        self.by_room.get(&room).into_iter().flatten().filter(known).filter_map(|stay| stay.client).collect()
    }
}

/// The times in which something was so. What was never said was not so.
fn spans(changes: Option<&Vec<(Duration, bool)>>, wanted: bool) -> Vec<(Duration, Duration)> {
    let mut spans = Vec::new();
    let mut since = (!wanted).then_some(Duration::ZERO);
    for (at, is) in changes.into_iter().flatten() {
        match since {
            None if *is == wanted => since = Some(*at),
            Some(from) if *is != wanted => {
                spans.push((from, *at));
                since = None;
            }
            _ => {}
        }
    }
    spans.extend(since.map(|from| (from, Duration::MAX)));
    spans
}
