//! Asking the backend: never longer than somebody would wait, and what goes wrong becomes a problem.

use engine::PortError;
use runtime::http::Problem;
use std::{future::Future, time::Duration};
use tokio::time::timeout;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// One call's answer.
pub(crate) async fn ask<T, E>(call: impl Future<Output = Result<T, E>>) -> Result<T, Problem>
where
    PortError: From<E>,
{
    ask_within(PATIENCE, call).await
}

/// The same with another patience.
pub(crate) async fn ask_within<T, E>(patience: Duration, call: impl Future<Output = Result<T, E>>) -> Result<T, Problem>
where
    PortError: From<E>,
{
    match timeout(patience, call).await {
        Ok(answer) => answer.map_err(|error| problem(error.into())),
        Err(_) => Err(unavailable()),
    }
}

fn problem(error: PortError) -> Problem {
    match error {
        PortError::RoomNotFound => no_room(),
        PortError::BadCursor => crate::cursor::bad_cursor(),
        PortError::Unavailable(reason) => {
            // It may name hosts: the reason is for the log.
            tracing::warn!(error = %reason, "the backend failed");
            unavailable()
        }
        error @ (PortError::RoomFull
        | PortError::NotInRoom
        | PortError::TooManyRooms
        | PortError::Limited(_)
        | PortError::Amended
        | PortError::Superseded) => {
            tracing::error!(%error, "an answer that has no place here");
            Problem::internal()
        }
    }
}

pub(crate) fn no_room() -> Problem {
    Problem::not_found("there is no such room")
}

pub(crate) fn no_client() -> Problem {
    Problem::not_found("there is no such client: it is neither connected nor expected back")
}

/// 503, for whatever the backend is needed for.
pub(crate) fn unavailable() -> Problem {
    Problem::unavailable("the cluster's store cannot be reached at the moment: try again")
}
