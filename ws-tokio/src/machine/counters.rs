//! Traffic counters for metrics.

use std::time::Duration;

use ws_core::Counts;

/// The traffic of a connection so far, if counting was enabled by [`Settings::counted`](crate::Settings::counted).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// Received traffic. A [`SendHalf`](crate::SendHalf) sees it as of the receiving half's last read.
    pub received: Traffic,
    /// Sent traffic. Messages and frames are counted when queued, bytes on the wire when written.
    pub sent: Traffic,
    /// Round-trip time of the last answered ping, excluding heartbeat pings.
    pub round_trip: Option<Duration>,
}

/// Counters for one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Messages, frames, and uncompressed payload bytes.
    pub counts: Counts,
    /// Bytes on the wire after the handshake, including frame headers, with payloads as compressed.
    pub wire_bytes: u64,
}
