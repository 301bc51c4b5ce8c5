//! Types as TypeScript declarations, for `cargo xtask codegen`.

use ts_rs::{Config, TS};

/// One type with its docs, exported under its own name.
#[must_use]
pub fn declaration<T: TS>(config: &Config) -> String {
    let docs = T::docs().map(|docs| docs.trim_end().to_owned() + "\n").unwrap_or_default();
    format!("{docs}export {}\n\n", T::decl(config))
}
