//! The whole product in one process.

pub mod assets;
pub mod compose;
pub mod config;
pub mod product;
