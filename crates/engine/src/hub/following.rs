//! Messages that are followed, as far as they wait in this worker's queues: to who follows them, they have been delivered
//! when these are written.

use crate::router::Followed;

/// Dropped by whoever has written the queues.
#[derive(Default)]
pub(super) struct Following(Vec<Followed>);

impl Following {
    /// One was handed to so many members; `waits`: at least one of them waits for the flusher.
    #[cold]
    pub(super) fn handed(&mut self, message: Followed, members: u64, frame: usize, waits: bool) {
        message.reached(members, members * frame as u64);
        if waits {
            self.0.push(message);
        }
    }
}
