//! Messages that are whole in the input: found there, and lent or taken out.

use std::ops::Range;

use bytes::{Buf, BytesMut};
use ws_mask::{MaskKey, mask};

use crate::frame::header::Extent;
use crate::limits::Limits;
use crate::message::{Message, MessageKind, MessageRef};
use crate::text::utf8::InvalidUtf8;
use crate::text::utf8_bytes::{
    COPY_UP_TO, take_out, unmask_copy, unmask_str, unmask_text, unmask_text_copy,
};

pub(super) struct InPlace {
    pub(super) kind: MessageKind,
    pub(super) place: Range<usize>,
    /// The key it is still masked with: zeros if earlier calls have unmasked it.
    pub(super) key: MaskKey,
    /// Bytes of input that its frames fill.
    pub(super) end: usize,
}

impl InPlace {
    /// Finds the common message at the start of the input: one whole uncompressed frame. Returns `None` for any other,
    /// and for errors.
    #[inline]
    pub(super) fn at_start(input: &[u8], masked: bool, limits: &Limits) -> Option<Self> {
        // Final, and not compressed.
        let kind = match input.first()? {
            0x81 => MessageKind::Text,
            0x82 => MessageKind::Binary,
            _ => return None,
        };
        let extent = Extent::fitting(input, masked)?;
        let end = extent.start + limits.admit(extent.len).ok()?;
        let place = extent.start..end;
        (end <= input.len()).then(|| Self { kind, place, key: extent.key(), end })
    }

    /// Unmasks the message and lends it. Text is validated here even if it was before, since the caller could change
    /// the input between calls.
    #[inline]
    pub(super) fn lend(self, input: &mut [u8]) -> Result<MessageRef<'_>, InvalidUtf8> {
        let payload = &mut input[self.place];
        Ok(match self.kind {
            MessageKind::Text => MessageRef::Text(unmask_str(payload, self.key)?),
            MessageKind::Binary => {
                mask(payload, self.key);
                MessageRef::Binary(payload)
            }
        })
    }

    /// Whether it is copied out of the input, and doesn't share its memory.
    #[inline]
    pub(super) fn is_small(&self) -> bool {
        self.place.len() <= COPY_UP_TO
    }

    /// Copies the message, unmasking it.
    #[inline(always)]
    pub(super) fn copy(self, input: &[u8]) -> Result<Message, InvalidUtf8> {
        let payload = &input[self.place];
        Ok(match self.kind {
            MessageKind::Text => Message::Text(unmask_text_copy(payload, self.key)?),
            MessageKind::Binary => Message::Binary(unmask_copy(payload, self.key)),
        })
    }

    /// Unmasks the message and takes its frames out of the front of `input`.
    pub(super) fn take(self, input: &mut BytesMut) -> Result<Message, InvalidUtf8> {
        let behind = self.end - self.place.end;
        let message = match self.kind {
            MessageKind::Text => Message::Text(unmask_text(input, self.place, self.key)?),
            MessageKind::Binary => Message::Binary(take_out(input, self.place, self.key)),
        };
        input.advance(behind);
        Ok(message)
    }
}
