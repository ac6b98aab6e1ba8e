//! Limits on what a peer can make a decoder hold.

use crate::error::DecodeError;

/// Longest message in bytes that fits into an address space along with its header, whatever the limit. A longer one can
/// never be held, and its end can't be computed on 32 bits.
const ADDRESSABLE: usize = isize::MAX as usize - 14;

/// Limits on the messages that a decoder accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    message_size: usize,
    fragments: u32,
}

impl Limits {
    /// No limits: for messages that are streamed and processed piece by piece. Under these, a message that is assembled
    /// takes as much memory as the peer likes.
    pub const UNLIMITED: Self = Self { message_size: usize::MAX, fragments: u32::MAX };

    /// Sets the largest message in bytes, after decompression. Default 1 MiB, which a peer can make us hold per
    /// connection; a larger message closes the connection with 1009.
    #[must_use]
    pub const fn with_message_size(self, bytes: usize) -> Self {
        Self { message_size: bytes, ..self }
    }

    /// Sets the most frames of a message. Default 131 072; one more closes the connection with 1008. Without this
    /// limit, a peer could send empty fragments for ever.
    #[must_use]
    pub const fn with_fragments(self, frames: u32) -> Self {
        Self { fragments: frames, ..self }
    }

    /// Returns the largest message in bytes.
    #[must_use]
    pub const fn message_size(&self) -> usize {
        self.message_size
    }

    /// Returns the most frames of a message.
    #[must_use]
    pub const fn fragments(&self) -> u32 {
        self.fragments
    }

    /// Checks the number of frames of a message so far.
    pub(crate) fn judge_frames(&self, frames: u32) -> Result<(), DecodeError> {
        let limit = self.fragments;
        if frames <= limit { Ok(()) } else { Err(DecodeError::TooManyFragments { limit }) }
    }

    /// Checks the announced length of a message so far. Without a limit, it may overflow.
    pub(crate) fn judge_size(&self, announced: u64) -> Result<(), DecodeError> {
        let limit = self.message_size;
        let size = usize::try_from(announced).unwrap_or(usize::MAX);
        if size <= limit { Ok(()) } else { Err(DecodeError::MessageTooBig { limit }) }
    }

    /// Returns the length of a message to be held whole as a `usize`, if it is within the limit.
    #[inline]
    pub(crate) fn admit(&self, len: u64) -> Result<usize, DecodeError> {
        let limit = self.message_size;
        usize::try_from(len)
            .ok()
            .filter(|&len| len <= limit.min(ADDRESSABLE))
            .ok_or(DecodeError::MessageTooBig { limit })
    }

    /// Checks the length of a compressed message on the wire, before its size is known. Stored blocks add 5 bytes each, and
    /// a zlib that was told to use as little memory as it can stores 127 bytes in each: 4 %. A flush at a frame's end adds
    /// as many.
    pub(crate) fn admit_deflated(&self, len: u64, frames: u32) -> Result<(), DecodeError> {
        let slack = self.message_size as u64 / 16 + 16 * (1 + u64::from(frames));
        self.judge_size(len.saturating_sub(slack))
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
    fn a_message_that_no_memory_can_hold_is_too_big_also_without_a_limit() {
        let too_big = Err(DecodeError::MessageTooBig { limit: usize::MAX });
        for len in [isize::MAX as u64, usize::MAX as u64, u64::MAX] {
            assert_eq!(Limits::UNLIMITED.admit(len), too_big);
        }
        assert_eq!(Limits::UNLIMITED.admit(1 << 30), Ok(1 << 30));
    }

    #[test]
    fn without_limits_a_message_may_outgrow_what_can_be_counted() {
        assert_eq!(Limits::UNLIMITED.judge_size(u64::MAX), Ok(()));
        assert_eq!(Limits::UNLIMITED.admit_deflated(u64::MAX, u32::MAX), Ok(()));
        assert_eq!(Limits::UNLIMITED.judge_frames(u32::MAX), Ok(()));
        let limits = Limits::default().with_message_size(10).with_fragments(2);
        assert_eq!((limits.judge_size(10), limits.judge_frames(2)), (Ok(()), Ok(())));
        assert_eq!(limits.judge_size(u64::MAX), Err(DecodeError::MessageTooBig { limit: 10 }));
        assert_eq!(limits.judge_frames(3), Err(DecodeError::TooManyFragments { limit: 2 }));
    }

    #[test]
    fn the_largest_message_that_memory_can_hold_together_with_its_header_is_admitted() {
        let most = isize::MAX as usize - 14;
        assert_eq!(Limits::UNLIMITED.admit(most as u64), Ok(most));
        assert!(Limits::UNLIMITED.admit(most as u64 + 1).is_err());
    }

    #[test]
    fn a_compressed_message_may_be_longer_by_a_sixteenth_and_16_bytes_per_frame_and_16_more() {
        let limits = Limits::default().with_message_size(32 * 1024);
        let most = 32 * 1024 + 2 * 1024 + 3 * 16 + 16;
        assert_eq!(limits.admit_deflated(most, 3), Ok(()));
        let too_big = Err(DecodeError::MessageTooBig { limit: 32 * 1024 });
        assert_eq!(limits.admit_deflated(most + 1, 3), too_big);
    }
}
