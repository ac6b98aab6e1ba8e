//! What comes before a request: it counts against the handshake's deadline, and its failure is told.

use std::future::Future;
use std::pin::pin;

use super::error::AcceptError;
use crate::events;
use crate::opening::Deadline;

/// Awaits what comes before the request, and tells of its failure.
pub(super) async fn told<T, E: Into<AcceptError>>(
    deadline: Deadline,
    handshake: impl Future<Output = Result<T, E>>,
) -> Result<T, AcceptError> {
    let done = deadline.within(pin!(handshake)).await;
    let done = done.map_or(Err(AcceptError::Silent), |done| done.map_err(Into::into));
    done.inspect_err(|error| events::not_accepted(error, None))
}
