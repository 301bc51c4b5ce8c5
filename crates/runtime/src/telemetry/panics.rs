//! Panics as events: what the standard library prints is several lines, and no JSON.

use std::panic;
use tracing::Level;

/// Logs every panic from here on.
pub(super) fn log() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        // Whatever is left out of the logs, this is not.
        if !tracing::event_enabled!(Level::ERROR) {
            return print(info);
        }
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let payload = info.payload();
        let panic =
            payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let panic = panic.unwrap_or("(not a text)");
        tracing::error!(panic, location, thread = thread.name().unwrap_or_default(), "a mistake of ours: a panic");
    }));
}
