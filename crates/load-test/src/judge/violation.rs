//! What can be wrong.

use protocol::{ClientId, RoomId};
use serde::Serialize;
use std::{collections::BTreeSet, time::Duration};

/// A promise that was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Acknowledged or shown to somebody, and not in the timeline.
    Lost,
    /// One message at two positions.
    Doubled,
    /// Two messages at one position.
    Conflict,
    /// A message that nobody sent, or that says something else than what was sent.
    Altered,
    /// What was edited or deleted away, shown to somebody who asked later.
    Disclosed,
    /// A change of what is another's, gone or no message; or something that was refused, and done.
    Trespass,
    /// An `ACK` that disagrees with another one, or with the timeline.
    AckDisagrees,
    /// A position that came twice.
    Repeated,
    /// A position that came after a later one.
    OutOfOrder,
    /// Positions passed over in silence.
    Hole,
    /// A message of a room that the client is not in.
    Stray,
    /// A `ROOM_JOINED` or `HISTORY` that contradicts itself or what was asked for.
    Snapshot,
    /// `recovered: true`, although something is missing.
    FalselyRecovered,
    /// A `gap`, or `recovered: false`, although the log still reaches.
    NeedlessGap,
    /// The timeline is shorter than what it had given.
    Regressed,
    /// A member was never shown a message, and not told of a gap.
    Unseen,
    /// A member was shown a message much too late.
    Late,
    /// Somebody who has gone is still a member.
    Ghost,
    /// A living member is none for others, or for the cluster.
    Expelled,
    /// A room ended, or is not found, although it has members.
    RoomLost,
    /// A room began another life although it kept a member.
    EpochChanged,
    /// One `clientId`, two live clients.
    ClientIdReused,
    /// One `roomId`, two live rooms.
    RoomIdReused,
    /// A session did not get its `clientId` back.
    IdentityLost,
    /// A command was not answered although nothing was wrong.
    Unanswered,
    /// Something that the contract has no place for.
    Protocol,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 26] = [
        Self::Lost,
        Self::Doubled,
        Self::Conflict,
        Self::Altered,
        Self::Disclosed,
        Self::Trespass,
        Self::AckDisagrees,
        Self::Repeated,
        Self::OutOfOrder,
        Self::Hole,
        Self::Stray,
        Self::Snapshot,
        Self::FalselyRecovered,
        Self::NeedlessGap,
        Self::Regressed,
        Self::Unseen,
        Self::Late,
        Self::Ghost,
        Self::Expelled,
        Self::RoomLost,
        Self::EpochChanged,
        Self::ClientIdReused,
        Self::RoomIdReused,
        Self::IdentityLost,
        Self::Unanswered,
        Self::Protocol,
    ];

    /// What it means, in a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Lost => "acknowledged or shown, but missing from the timeline",
            Self::Doubled => "doubled: one message at two positions",
            Self::Conflict => "two messages at one position",
            Self::Altered => "altered, or sent by nobody",
            Self::Disclosed => "edited or deleted away, and shown again",
            Self::Trespass => "changed by somebody who may not, or refused and done",
            Self::AckDisagrees => "ACK that disagrees",
            Self::Repeated => "position shown twice",
            Self::OutOfOrder => "out of order",
            Self::Hole => "undetected gap: positions passed over in silence",
            Self::Stray => "message of a room that the client is not in",
            Self::Snapshot => "ROOM_JOINED or HISTORY that contradicts itself",
            Self::FalselyRecovered => "recovered: true, although something is missing",
            Self::NeedlessGap => "gap told although the log still reaches",
            Self::Regressed => "timeline shorter than what it had given",
            Self::Unseen => "undetected gap at the end: message never shown to a member",
            Self::Late => "message shown much too late",
            Self::Ghost => "ghost member",
            Self::Expelled => "living member expelled",
            Self::RoomLost => "room lost although it has members",
            Self::EpochChanged => "epoch changed without reason",
            Self::ClientIdReused => "clientId used twice",
            Self::RoomIdReused => "roomId used twice",
            Self::IdentityLost => "session that did not get its clientId back",
            Self::Unanswered => "command not answered although nothing was wrong",
            Self::Protocol => "against the contract",
        }
    }
}

/// One of them, with what it takes to look at it.
#[derive(Debug, Clone, Serialize)]
pub struct Violation {
    /// Which promise.
    pub kind: Kind,
    /// When it shows, since the audit began.
    #[serde(serialize_with = "crate::report::seconds")]
    pub at: Duration,
    /// Where.
    pub room: Option<RoomId>,
    /// The actors concerned, by their numbers.
    pub actors: BTreeSet<u32>,
    /// Their ids then.
    pub clients: BTreeSet<ClientId>,
    /// What exactly.
    pub text: String,
}

impl Violation {
    /// At a moment, with a text.
    #[must_use]
    pub fn new(kind: Kind, at: Duration, text: impl Into<String>) -> Self {
        Self { kind, at, room: None, actors: BTreeSet::new(), clients: BTreeSet::new(), text: text.into() }
    }

    /// In this room.
    #[must_use]
    pub fn room(mut self, room: RoomId) -> Self {
        self.room = Some(room);
        self
    }

    /// Of this actor.
    #[must_use]
    pub fn actor(mut self, actor: u32) -> Self {
        self.actors.insert(actor);
        self
    }

    /// Of this client.
    #[must_use]
    pub fn client(mut self, client: ClientId) -> Self {
        self.clients.insert(client);
        self
    }
}
