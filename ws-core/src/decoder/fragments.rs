//! Frames of a message that have arrived whole, nothing between them: their payloads are joined where they stand.
//!
//! So fragments that come in a burst cost little more than a message in one frame, and no memory.

use ws_mask::{MaskKey, mask};

use super::in_place::InPlace;
use crate::header::Header;
use crate::limits::Limits;
use crate::message::MessageKind;

/// The beginning of a message, or all of it, unmasked.
pub(super) struct Joined {
    pub(super) message: InPlace,
    pub(super) frames: u32,
    /// Bytes of input that its frames filled.
    pub(super) end: usize,
    /// Whether it is the whole message.
    pub(super) whole: bool,
}

impl Joined {
    /// Joins frames from the start of the input on, up to what isn't common: that is left for the state machine.
    pub(super) fn at_start(input: &mut [u8], masked: bool, limits: &Limits) -> Option<Self> {
        // Not final, and not compressed.
        let kind = match input.first()? {
            0x01 => MessageKind::Text,
            0x02 => MessageKind::Binary,
            _ => return None,
        };
        let message = InPlace { kind, place: 0..0, key: MaskKey::ZERO };
        let mut joined = Self { message, frames: 0, end: 0, whole: false };
        while !joined.whole && joined.add_frame(input, masked, limits).is_some() {}
        (joined.frames > 0).then_some(joined)
    }

    /// Joins the next frame to those before it, if it has arrived and is as it should be.
    fn add_frame(&mut self, input: &mut [u8], masked: bool, limits: &Limits) -> Option<()> {
        let rest = &mut input[self.end..];
        if self.frames > 0 && rest.first()? & 0x7f != 0 {
            return None;
        }
        let (header, header_len) = Header::parse(rest).ok()??;
        if header.mask.is_some() != masked {
            return None;
        }
        limits.judge_frames(self.frames + 1).ok()?;
        let len = limits.admit(header.len).ok()?;
        let place = &mut self.message.place;
        limits.admit(header.len + place.len() as u64).ok()?;
        mask(rest.get_mut(header_len..)?.get_mut(..len)?, header.key());
        let start = self.end + header_len;
        if self.frames == 0 {
            *place = start..start + len;
        } else {
            input.copy_within(start..start + len, place.end);
            place.end += len;
        }
        self.frames += 1;
        self.end = start + len;
        self.whole = header.fin;
        Some(())
    }
}
