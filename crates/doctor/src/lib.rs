//! Looks at a deployment of Roomful from outside and inside, and says what to change and where.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`source`] | the files: `.env`, compose, `redis.conf`, nginx's, each with its lines |
//! | [`settings`] | what services read, from wherever that comes |
//! | [`probe`] | asks the network: the site, `/ws`, Redis; bounded in time and size |
//! | [`check`] | what was seen goes in, findings come out; no network, no files |
//! | [`finding`], [`code`], [`report`] | what was found, by which name, and how it is told |
//! | [`args`], [`examine`] | the command |
//!
//! docs/doctor.md has a row for each code.

pub mod args;
pub mod check;
pub mod code;
pub mod examine;
pub mod finding;
pub mod probe;
pub mod report;
pub mod settings;
pub mod site;
pub mod source;
