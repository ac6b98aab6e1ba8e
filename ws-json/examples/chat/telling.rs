//! How everybody in a room is told something: in JSON once, over one topic.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ws_tokio::{Broadcast, BroadcastOptions, CloseCode, PreparedMessage, Slow};

use crate::messages::ServerMessage;

/// Most bytes that wait for a member who reads slowly. Members share them.
const BEHIND_BYTES: usize = 8 << 20;

/// Makes the topic of a room.
pub(crate) fn topic() -> Broadcast {
    // A client that is behind comes back and gets the history.
    let slow = Slow::Disconnect(CloseCode::TRY_AGAIN_LATER);
    Broadcast::with(BroadcastOptions::default().max_bytes(BEHIND_BYTES).slow(slow))
}

/// `None` never happens: these types can always be JSON.
pub(crate) fn prepare(message: &ServerMessage) -> Option<PreparedMessage> {
    serde_json::to_string(message).ok().map(PreparedMessage::new)
}

/// Milliseconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What is locked here is whole between any two statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
