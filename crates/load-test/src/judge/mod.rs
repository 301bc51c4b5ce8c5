//! The judge: from what every client did and saw to the promises that were not kept. It is pure; whatever it must know of
//! the cluster is in the [`Terms`].
//!
//! It never asks what a server thinks. Where the outside cannot be sure (a command without a reply, a connection that may
//! be dead), it gives the benefit of the doubt; where it can, it does not: nothing needs to be seen twice to be a fault.
//!
//! | part | what it judges |
//! | --- | --- |
//! | [`follow`] | each connection: the order of what it was shown, what a resume and a gap said |
//! | [`timeline`] | all of them together: lost, doubled, altered, two at one place, acknowledgements |
//! | [`reach`] | that what was said reached every member, and in time |
//! | [`changes`] | that messages were changed by those who may, and nobody reads what is gone |
//! | [`members`] | who is there, for members, in the list and on a fresh look: ghosts and the expelled |
//! | [`identity`] | ids of clients and rooms, epochs, rooms that are gone |
//! | [`service`] | replies and closes |

pub mod act;
pub mod changes;
pub mod follow;
pub mod identity;
pub mod members;
pub mod presence;
pub mod reach;
pub mod service;
pub mod stay;
pub mod terms;
pub mod timeline;
pub mod violation;

use crate::journal::Record;
pub use follow::{Connection, Followed};
pub use stay::Stay;
pub use terms::{Calm, Terms};
pub use timeline::Timelines;
pub use violation::{Kind, Violation};

/// What the judge found.
#[derive(Debug)]
pub struct Verdict {
    /// What is wrong, in the order in which it shows.
    pub violations: Vec<Violation>,
    /// How much was looked at.
    pub extent: Extent,
}

/// How much a verdict rests on.
#[derive(Debug, Default, Clone, serde::Serialize)]
pub struct Extent {
    /// Connections that were accepted.
    pub connections: usize,
    /// Stays of a connection in a room.
    pub stays: usize,
    /// Lives of rooms.
    pub rooms: usize,
    /// Positions of all timelines.
    pub positions: usize,
    /// Rooms whose whole log was read at the end.
    pub logs: usize,
    /// Messages shown to members, each counted for every member.
    pub shown: usize,
}

/// Judges an audit.
#[must_use]
pub fn judge(records: &[Record], terms: &Terms) -> Verdict {
    let calm = Calm::new(records, terms.heal);
    let Followed { connections, stays, mut violations } = follow::follow(records, terms);
    let mut timelines = timeline::timelines(records);
    let presence = presence::Presence::new(records, &calm, terms);
    violations.append(&mut timelines.violations);
    violations.extend(reach::judge(&stays, &timelines, &calm, terms));
    violations.extend(changes::judge(records, &connections, &timelines, terms));
    violations.extend(members::judge(records, &stays, &presence, &calm, terms));
    violations.extend(identity::judge(records, &connections, &stays, &calm, terms));
    violations.extend(service::judge(records, &connections, &calm, terms));
    violations.sort_by(|a, b| a.at.cmp(&b.at).then(a.kind.cmp(&b.kind)));
    let extent = Extent {
        connections: connections.iter().filter(|c| c.connected.is_some()).count(),
        stays: stays.len(),
        rooms: timelines.lives.len(),
        positions: timelines.lives.values().map(|life| life.positions.len()).sum(),
        logs: timelines.lives.values().filter(|life| life.log.is_some()).count(),
        shown: stays.iter().map(|stay| stay.seen.len()).sum(),
    };
    Verdict { violations, extent }
}

#[cfg(test)]
mod tests;
