//! What a client thinks of doing next.

use super::Role;
use crate::dice::Dice;

/// Something that a client does of its own will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Says something.
    Say,
    /// Says something, and sends the same again at once.
    SayTwice,
    /// Sends something again that was acknowledged.
    Repeat,
    /// Gives something of its own another text.
    Edit,
    /// Takes something of its own away.
    Delete,
    /// Puts an emoji to something, or takes it away.
    React,
    /// Changes what it may not.
    Trespass,
    Typing,
    ReadHistory,
    ListRooms,
    Rename,
    /// Joins the room that it is in.
    LookAgain,
    /// Goes to another room.
    Move,
    Leave,
    Create,
    /// The connection is cut, and made again at once.
    Flicker,
    /// The connection is cut, and made again within the grace.
    Stumble,
    /// The connection is cut, and made again when the grace is over.
    Vanish,
    /// Says goodbye, and comes back.
    Visit,
    /// The connection is cut, and whoever was on it never comes back.
    Forget,
    /// Connects once more without ending the first connection.
    Overlap,
    /// Does not read for a while.
    Doze,
    /// Asks for more than it reads.
    Gorge,
}

const ANCHOR: &[(u32, Deed)] = &[
    (120, Deed::Say),
    (8, Deed::SayTwice),
    (10, Deed::Repeat),
    (14, Deed::Edit),
    (7, Deed::Delete),
    (14, Deed::React),
    (5, Deed::Trespass),
    (8, Deed::Typing),
    (8, Deed::ReadHistory),
    (3, Deed::ListRooms),
    (4, Deed::Rename),
    (4, Deed::LookAgain),
    (4, Deed::Flicker),
    (2, Deed::Stumble),
    (2, Deed::Overlap),
    (2, Deed::Doze),
    (1, Deed::Gorge),
];

const ROAMER: &[(u32, Deed)] = &[
    (110, Deed::Say),
    (8, Deed::SayTwice),
    (10, Deed::Repeat),
    (14, Deed::Edit),
    (7, Deed::Delete),
    (14, Deed::React),
    (5, Deed::Trespass),
    (8, Deed::Typing),
    (8, Deed::ReadHistory),
    (3, Deed::ListRooms),
    (4, Deed::Rename),
    (3, Deed::LookAgain),
    (10, Deed::Move),
    (6, Deed::Leave),
    (2, Deed::Create),
    (5, Deed::Flicker),
    (4, Deed::Stumble),
    (3, Deed::Vanish),
    (4, Deed::Visit),
    (4, Deed::Forget),
    (3, Deed::Overlap),
    (3, Deed::Doze),
    (1, Deed::Gorge),
];

/// The next thing that a client in a room does. A quiet room is left to its bell and its visitor's clock.
pub(super) fn next(role: Role, dice: &mut Dice) -> Option<Deed> {
    match role {
        Role::Anchor => dice.weighed(ANCHOR),
        Role::Roamer => dice.weighed(ROAMER),
        Role::Host(_) => dice.percent(3).then_some(Deed::Flicker),
        Role::Visitor(_) => dice.weighed(&[(5, Deed::Leave), (3, Deed::Forget), (1, Deed::Visit), (1, Deed::Vanish)]),
    }
}

/// What a client does at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    /// Stays where it is, to see the end.
    Stay,
    /// Its connection is cut.
    Drop,
    /// It says goodbye.
    Close,
    /// It leaves its room, and stays connected.
    Leave,
}

pub(super) fn farewell(role: Role, dice: &mut Dice) -> Farewell {
    match role {
        Role::Anchor | Role::Host(_) => Farewell::Stay,
        Role::Roamer | Role::Visitor(_) => dice
            .weighed(&[(11, Farewell::Stay), (5, Farewell::Drop), (2, Farewell::Close), (2, Farewell::Leave)])
            .unwrap_or(Farewell::Stay),
    }
}
