//! A message that stands whole in the caller's input: it is found, and lent from there or taken out.

use std::ops::Range;

use bytes::BytesMut;
use ws_mask::{MaskKey, mask};

use crate::header::Header;
use crate::limits::Limits;
use crate::message::{Message, MessageKind, MessageRef};
use crate::utf8::InvalidUtf8;
use crate::utf8_bytes::{take_out, unmask_str, unmask_text};

pub(super) struct InPlace {
    pub(super) kind: MessageKind,
    pub(super) place: Range<usize>,
    /// What it is masked with still: zeros, where earlier calls have unmasked it.
    pub(super) key: MaskKey,
}

impl InPlace {
    /// The common message: one whole frame at the start of the input, not compressed. Of any other, and of what is wrong,
    /// nothing is said.
    #[inline]
    pub(super) fn at_start(input: &[u8], masked: bool, limits: &Limits) -> Option<Self> {
        // Final, and not compressed.
        let kind = match input.first()? {
            0x81 => MessageKind::Text,
            0x82 => MessageKind::Binary,
            _ => return None,
        };
        let (header, start) = Header::parse(input).ok()??;
        if header.mask.is_some() != masked {
            return None;
        }
        let end = start + limits.admit(header.len).ok()?;
        (end <= input.len()).then(|| Self { kind, place: start..end, key: header.key() })
    }

    /// Unmasks the message and lends it. Text is judged here, also if it was while it came: between the calls, the
    /// input was the caller's to change.
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

    /// Unmasks the message and takes it out of the front of `input`.
    #[inline]
    pub(super) fn take(self, input: &mut BytesMut) -> Result<Message, InvalidUtf8> {
        Ok(match self.kind {
            MessageKind::Text => Message::Text(unmask_text(input, self.place, self.key)?),
            MessageKind::Binary => {
                mask(&mut input[self.place.clone()], self.key);
                Message::Binary(take_out(input, self.place))
            }
        })
    }
}
