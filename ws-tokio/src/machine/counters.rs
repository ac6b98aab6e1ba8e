//! Traffic counters, for metrics.

use std::time::Duration;

use ws_core::Counts;

/// Traffic of a connection so far, if [`Settings::counted`](crate::Settings::counted) enabled counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Received traffic. A [`SendHalf`](crate::SendHalf) sees it as of when its receiving half last waited.
    pub received: Traffic,
    /// Sent traffic: messages and frames when queued, bytes on the wire when written.
    pub sent: Traffic,
    /// Round trip of the last answered ping. The heartbeat's pings are not timed.
    pub round_trip: Option<Duration>,
}

/// Counters for one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Messages, frames, and payload bytes before compression.
    pub counts: Counts,
    /// Bytes of the stream, including frame headers and compressed payloads, without the handshake.
    pub wire_bytes: u64,
}
