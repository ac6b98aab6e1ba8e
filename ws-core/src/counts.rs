//! Counters for one direction.

/// Counters for one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages that are complete.
    pub messages: u64,
    /// Frames, including control frames.
    pub frames: u64,
    /// Payload bytes of messages, before compression and after decompression.
    pub payload_bytes: u64,
}
