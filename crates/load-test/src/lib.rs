//! Judges a cluster from the outside. It speaks the wire contract and nothing else, and believes nobody but its own
//! clients.
//!
//! An audit, from the bottom up:
//!
//! | part | what |
//! | --- | --- |
//! | [`journal`] | what every client did and saw, in one order |
//! | [`workload`] | clients that behave as people and networks do, from a seed |
//! | [`plan`] | which faults, when, from the same seed |
//! | [`ground`] | the cluster under audit, and what can be done to it; [`proxy`] is a bad network |
//! | [`judge`](mod@judge) | pure: from the journal to the promises that were not kept |
//! | [`audit`], [`figures`], [`report`] | one run of all this, what was measured, and what is left behind |
//!
//! [`load`] and [`bench`] are two other programs: what a server bears, and what others bear in the same minutes.
//!
//! Nothing here decides by what a server says about itself: acknowledgements, positions and members are compared with what
//! other clients saw, on other nodes, and with the logs as they are read at the end.

pub mod audit;
pub mod bench;
pub mod dice;
pub mod figures;
pub mod ground;
pub mod journal;
pub mod judge;
pub mod load;
pub mod plan;
pub mod proxy;
pub mod report;
pub mod workload;

pub use audit::{Audit, Outcome};
