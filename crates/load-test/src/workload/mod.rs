//! Clients that behave as people and networks do, from a seed.
//!
//! | role | what it does |
//! | --- | --- |
//! | anchor | makes a room and never leaves it for as long as the grace: the room, its epoch and its positions must stay |
//! | roamer | everything: comes, goes, says, reads, sleeps, is cut off, comes back as itself or as somebody else |
//! | host, visitor | a room in which nothing is said but just while the visitor comes in, and nothing after: what is lost then is followed by nothing that would prove it |

pub mod actor;
pub mod inspector;
mod script;
pub mod text;

use crate::{
    dice::Dice,
    journal::{Journal, Phase},
};
use actor::Actor;
use protocol::RoomId;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};

/// How much happens, and how patient clients are.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Settings {
    /// What everything is drawn from.
    pub seed: u64,
    /// Clients, of all roles.
    pub clients: u32,
    /// Rooms that are kept by an anchor.
    pub rooms: u32,
    /// Rooms with a host and a visitor.
    pub quiet_rooms: u32,
    /// Between two deeds of a client, on average.
    #[serde(serialize_with = "crate::report::seconds")]
    pub pace: Duration,
    /// Between two visits of a quiet room: long enough that a node has stopped to hear it.
    #[serde(serialize_with = "crate::report::seconds")]
    pub visits: Duration,
    /// How long a visitor stays in silence.
    #[serde(serialize_with = "crate::report::seconds")]
    pub silence: Duration,
    /// The cluster's grace: some come back before it is over, some after.
    #[serde(serialize_with = "crate::report::seconds")]
    pub grace: Duration,
    /// A command is sent again after this, and later after longer.
    #[serde(serialize_with = "crate::report::seconds")]
    pub retry: Duration,
    /// A connection on which nothing came for as long is asked whether it lives, and given up after as long again.
    #[serde(serialize_with = "crate::report::seconds")]
    pub patience: Duration,
    /// The longest body.
    pub longest: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 1,
            clients: 72,
            rooms: 10,
            quiet_rooms: 4,
            pace: Duration::from_millis(700),
            visits: Duration::from_secs(8),
            silence: Duration::from_secs(7),
            grace: Duration::from_secs(10),
            retry: Duration::from_secs(4),
            patience: Duration::from_secs(4),
            longest: 2000,
        }
    }
}

/// What one client does, for most of its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Keeps a room.
    Anchor,
    /// Goes where it likes.
    Roamer,
    /// Keeps a quiet room.
    Host(usize),
    /// Visits a quiet room.
    Visitor(usize),
}

/// How a client is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// Not connected.
    Away,
    /// Connected, and waiting for a reply.
    Waiting,
    /// Connected, and content.
    Content,
    /// Gone for good.
    Gone,
}

/// A room for two.
#[derive(Debug, Default)]
pub(crate) struct Parlour {
    pub(crate) room: Mutex<Option<RoomId>>,
    /// The visitor comes in just now.
    pub(crate) bell: Notify,
}

/// What all clients share.
pub struct Desk {
    /// Where everything is noted.
    pub journal: Arc<Journal>,
    /// Where to connect, one of them at a time.
    pub urls: Vec<Arc<str>>,
    /// How much happens.
    pub settings: Settings,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) parlours: Vec<Parlour>,
    rooms: Mutex<Vec<RoomId>>,
    ever: Mutex<BTreeSet<RoomId>>,
    moods: Vec<AtomicU8>,
}

impl Desk {
    /// Rooms that one can go to.
    pub(crate) fn rooms(&self) -> Vec<RoomId> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn open_rooms(&self) -> usize {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn open_room(&self, room: RoomId) {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        if !rooms.contains(&room) {
            rooms.push(room);
        }
    }

    pub(crate) fn close_room(&self, room: RoomId) {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner).retain(|r| *r != room);
    }

    /// Every room that any client was ever in.
    pub fn ever(&self) -> BTreeSet<RoomId> {
        self.ever.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn entered(&self, room: RoomId) {
        self.ever.lock().unwrap_or_else(PoisonError::into_inner).insert(room);
    }

    pub(crate) fn feel(&self, actor: u32, mood: Mood) {
        if let Some(slot) = self.moods.get(actor as usize) {
            slot.store(mood as u8, Ordering::Relaxed);
        }
    }

    /// How many clients are in each mood: away, waiting, content, gone.
    pub fn moods(&self) -> [usize; 4] {
        let mut count = [0; 4];
        for mood in &self.moods {
            if let Some(count) = count.get_mut(usize::from(mood.load(Ordering::Relaxed))) {
                *count += 1;
            }
        }
        count
    }
}

/// Clients at work.
pub struct Workload {
    /// What they share.
    pub desk: Arc<Desk>,
    phase: watch::Sender<Phase>,
    tasks: JoinSet<()>,
}

impl Workload {
    /// Starts all of them.
    #[must_use]
    pub fn start(journal: Arc<Journal>, urls: Vec<String>, settings: Settings) -> Self {
        let (sender, phase) = watch::channel(Phase::Busy);
        journal.note(crate::journal::NOBODY, 0, crate::journal::What::Phase(Phase::Busy));
        let desk = Arc::new(Desk {
            journal,
            urls: urls.into_iter().map(Arc::from).collect(),
            phase,
            parlours: (0..settings.quiet_rooms).map(|_| Parlour::default()).collect(),
            rooms: Mutex::default(),
            ever: Mutex::default(),
            moods: (0..settings.clients).map(|_| AtomicU8::new(Mood::Away as u8)).collect(),
            settings,
        });
        let mut tasks = JoinSet::new();
        for (number, role) in (0..).zip(roles(&desk.settings)) {
            let dice = Dice::new(desk.settings.seed, u64::from(number) + 1);
            tasks.spawn(Actor::new(number, role, dice, desk.clone()).run());
        }
        Self { desk, phase: sender, tasks }
    }

    /// Goes on to the next part.
    pub fn phase(&self, phase: Phase) {
        self.desk.journal.note(crate::journal::NOBODY, 0, crate::journal::What::Phase(phase));
        self.phase.send_replace(phase);
    }

    /// Waits until everybody who has not gone is connected and waits for nothing; false when that takes too long.
    pub async fn settle(&self, within: Duration) -> bool {
        let settled = async {
            while self.desk.moods()[..2] != [0, 0] {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(within, settled).await.is_ok()
    }

    /// Ends all of them; what they still do is not judged.
    pub async fn end(mut self) {
        self.phase(Phase::Over);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let _ = timeout(Duration::from_secs(5), all).await;
    }
}

/// Who is what: the kept rooms first, then the quiet ones; whoever is left roams.
fn roles(settings: &Settings) -> Vec<Role> {
    let parlours = 0..settings.quiet_rooms as usize;
    let mut roles = vec![Role::Anchor; settings.rooms as usize];
    roles.extend(parlours.flat_map(|n| [Role::Host(n), Role::Visitor(n)]));
    roles.resize((settings.clients as usize).max(roles.len()), Role::Roamer);
    roles.truncate(settings.clients as usize);
    roles
}
