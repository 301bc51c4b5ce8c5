//! Open files: each socket is one.

/// Raises this process's limit of open files as far as the system lets it, and says how many there may be. Most systems
/// start processes with 1,024, which would end a chat node at as many clients.
pub fn raise_limit() -> u64 {
    // `u64::MAX` asks for the hard limit. A system that refuses leaves what there was.
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => limit,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            rlimit::Resource::NOFILE.get_soft().unwrap_or(0)
        }
    }
}
