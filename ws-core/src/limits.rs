//! What a peer can make a decoder hold.

use crate::error::DecodeError;

/// Bounds on what the decoder takes from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    message_size: usize,
    fragments: u32,
}

impl Limits {
    /// Largest message in bytes, after inflating. Default 1 MiB; a peer can make us hold that much per
    /// connection, and a larger message closes the connection with 1009.
    #[must_use]
    pub const fn with_message_size(self, bytes: usize) -> Self {
        Self { message_size: bytes, ..self }
    }

    /// Most frames in one message. Default 131 072; one more closes the connection with 1008. Without a
    /// bound, a peer could spend our time on empty fragments for ever.
    #[must_use]
    pub const fn with_fragments(self, frames: u32) -> Self {
        Self { fragments: frames, ..self }
    }

    /// Largest message in bytes.
    #[must_use]
    pub const fn message_size(&self) -> usize {
        self.message_size
    }

    /// Most frames in one message.
    #[must_use]
    pub const fn fragments(&self) -> u32 {
        self.fragments
    }

    /// A message's length as a `usize`, if it is within the limit.
    #[inline]
    pub(crate) fn admit(&self, len: u64) -> Result<usize, DecodeError> {
        let limit = self.message_size;
        usize::try_from(len)
            .ok()
            .filter(|&len| len <= limit)
            .ok_or(DecodeError::MessageTooBig { limit })
    }

    /// Judges the length of a compressed message on the wire, in so many frames, before it is known what it holds.
    /// Stored blocks are longer than that by 5 bytes per 16 KiB, and a flush at a frame's end by as many.
    pub(crate) fn admit_deflated(&self, len: u64, frames: u32) -> Result<(), DecodeError> {
        let limit = self.message_size;
        let slack = 5 * (limit as u64 / (16 * 1024)) + 16 * (1 + u64::from(frames));
        if len <= (limit as u64).saturating_add(slack) {
            Ok(())
        } else {
            Err(DecodeError::MessageTooBig { limit })
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_size: 1 << 20, fragments: 1 << 17 }
    }
}
