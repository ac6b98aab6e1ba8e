//! What passed over a connection, for metrics.

use std::time::Duration;

use ws_core::Counts;

/// What passed over a connection so far, where [`Settings::counted`](crate::Settings::counted) asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// What was received. A [`SendHalf`](crate::SendHalf) sees it as of when its receiving half last waited.
    pub received: Traffic,
    /// What was sent: messages and frames once they are queued, bytes on the wire once they are written.
    pub sent: Traffic,
    /// The round trip of the last ping that was answered; the heartbeat's are not timed.
    pub round_trip: Option<Duration>,
}

/// What passed in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Messages, frames, and bytes of messages as the user sees them.
    pub counts: Counts,
    /// Bytes of the stream, frames' headers and compressed payloads among them, without the handshake.
    pub wire_bytes: u64,
}
