//! What a peer can make a decoder hold.

use crate::error::DecodeError;

/// Bounds on what the decoder takes from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    message_size: usize,
    fragments: u32,
}

impl Limits {
    /// No limits: for messages that are streamed and dealt with piece by piece. A message that is gathered under them
    /// takes as much memory as the peer likes.
    pub const UNLIMITED: Self = Self { message_size: usize::MAX, fragments: u32::MAX };

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

    /// Judges how much of a message was announced so far, in how many frames. Without limits, both may run over.
    pub(crate) fn judge(&self, announced: u64, frames: u32) -> Result<(), DecodeError> {
        let Self { message_size, fragments } = *self;
        if frames > fragments {
            return Err(DecodeError::TooManyFragments { limit: fragments });
        }
        if usize::try_from(announced).unwrap_or(usize::MAX) > message_size {
            return Err(DecodeError::MessageTooBig { limit: message_size });
        }
        Ok(())
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
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_size: 1 << 20, fragments: 1 << 17 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_limits_a_message_may_outgrow_what_can_be_counted() {
        assert_eq!(Limits::UNLIMITED.judge(u64::MAX, u32::MAX), Ok(()));
        let limits = Limits::default().with_message_size(10).with_fragments(2);
        assert_eq!(limits.judge(10, 2), Ok(()));
        assert_eq!(limits.judge(11, 2), Err(DecodeError::MessageTooBig { limit: 10 }));
        assert_eq!(limits.judge(u64::MAX, 3), Err(DecodeError::TooManyFragments { limit: 2 }));
    }
}
