//! What passed in one direction, for whoever asks to have it counted.

/// What passed in one direction so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Messages, once they are whole.
    pub messages: u64,
    /// Frames, control frames among them.
    pub frames: u64,
    /// Bytes of the messages, before deflating and after inflating.
    pub payload_bytes: u64,
}
