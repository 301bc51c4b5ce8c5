//! The whole product in one process.

pub mod assets;
