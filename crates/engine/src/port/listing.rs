//! Who is in a room, as far as it is listed.

use protocol::{
    ClientId,
    event::{Member, Room},
};

/// A room and some of its members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The room.
    pub room: Room,
    /// Members.
    pub members: Vec<Member>,
    /// Those of them whose connection is lost, as the room was told ([`super::Change::Lost`]).
    pub reconnecting: Vec<ClientId>,
}

/// A page of a room's members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembersPage {
    /// Members, by id, ascending.
    pub members: Vec<Member>,
    /// Those of them whose connection is lost, as the room was told.
    pub reconnecting: Vec<ClientId>,
    /// How many are in the room.
    pub member_count: u32,
    /// Whether there are members with higher ids.
    pub more: bool,
}
