//! Messages whose fragments are all in the input with nothing between them: they are joined in place.
//!
//! So a burst of fragments costs little more than a message in one frame, and no memory.

use std::ops::Range;

use bytes::{Buf, BytesMut};
use ws_mask::{MaskKey, mask, mask_extend, mask_within};

use super::in_place::InPlace;
use crate::frame::header::{Extent, FIN};
use crate::limits::Limits;
use crate::message::{Message, MessageKind};
use crate::text::utf8::InvalidUtf8;
use crate::text::utf8_bytes::COPY_UP_TO;

/// The frames of a message, found but not changed.
pub(super) struct Fragments {
    kind: MessageKind,
    pub(super) frames: u32,
    /// Their total payload in bytes.
    len: usize,
    /// Bytes of input that they fill.
    end: usize,
}

impl Fragments {
    /// Finds those at the start of the input. If they are incomplete, or not of the common kind, the state machine
    /// handles them.
    #[inline]
    pub(super) fn at_start(input: &[u8], masked: bool, limits: &Limits) -> Option<Self> {
        // Not final, and not compressed.
        let kind = match input.first()? {
            0x01 => MessageKind::Text,
            0x02 => MessageKind::Binary,
            _ => return None,
        };
        let mut found = Self { kind, frames: 0, len: 0, end: 0 };
        while !found.add_frame(input, masked, limits)? {}
        Some(found)
    }

    /// Adds the next frame. Returns whether it is the last.
    #[inline]
    fn add_frame(&mut self, input: &[u8], masked: bool, limits: &Limits) -> Option<bool> {
        let rest = &input[self.end..];
        let first = *rest.first()?;
        // A continuation, final or not.
        if self.frames > 0 && first & !FIN != 0 {
            return None;
        }
        let extent = Extent::fitting(rest, masked)?;
        self.frames += 1;
        limits.judge_frames(self.frames).ok()?;
        let before = self.len;
        self.len = limits.admit(before as u64 + extent.len).ok()?;
        self.end += extent.start + (self.len - before);
        (self.end <= input.len()).then_some(first & FIN != 0)
    }

    /// Unmasks the payloads and joins them in place.
    #[inline]
    pub(super) fn join(&self, input: &mut [u8]) -> InPlace {
        let mut place = 0..0;
        self.each(input, |input, payload, key| {
            if place.end == 0 {
                mask(&mut input[payload.clone()], key);
                place = payload;
            } else {
                let len = payload.len();
                mask_within(input, payload, place.end, key);
                place.end += len;
            }
        });
        InPlace { kind: self.kind, place, key: MaskKey::ZERO, end: self.end }
    }

    /// Unmasks the message and takes it out of the front of `input`; a message that is to be copied is joined in the
    /// copy.
    #[inline(always)]
    pub(super) fn take(&self, input: &mut BytesMut) -> Result<Message, InvalidUtf8> {
        if self.kind == MessageKind::Text || self.len > COPY_UP_TO {
            return self.join(input).take(input);
        }
        let mut copy = Vec::with_capacity(self.len);
        self.each(input, |input, payload, key| _ = mask_extend(&mut copy, &input[payload], key));
        input.advance(self.end);
        Ok(Message::Binary(copy.into()))
    }

    #[inline]
    fn each(&self, input: &mut [u8], mut act: impl FnMut(&mut [u8], Range<usize>, MaskKey)) {
        let mut at = 0;
        while at < self.end {
            let Ok(Some(extent)) = Extent::parse(&input[at..]) else { unreachable!("{FOUND}") };
            let payload = at + extent.start..at + extent.start + extent.len as usize;
            at = payload.end;
            act(input, payload, extent.key());
        }
    }
}

/// Each frame parses because nothing has changed since it was found.
const FOUND: &str = "a frame that was found is there";
