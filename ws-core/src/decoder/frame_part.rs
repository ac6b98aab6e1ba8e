//! The rest of a frame whose payload leaves the input as it arrives.

use ws_mask::{MaskKey, mask};

use super::assembler::Assembler;
use super::step::{Found, Step};
use crate::error::DecodeError;
use crate::frame::header::Header;
use crate::message::MessageKind;
use crate::message::piece::More;
use crate::text::utf8::Utf8;

/// The part of a frame that is still in the input or to come.
#[derive(Debug)]
pub(super) struct FramePart {
    fin: bool,
    /// Payload bytes that were not taken.
    left: u64,
    /// Of these, how many are unmasked and validated.
    touched: usize,
    /// The key for the byte after them.
    key: MaskKey,
}

impl FramePart {
    /// Makes it of the whole frame after this header.
    pub(super) fn new(header: &Header) -> Self {
        Self { fin: header.fin, left: header.len, touched: 0, key: header.key() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.left == 0
    }

    pub(super) const fn is_final(&self) -> bool {
        self.fin
    }

    /// Unmasks and returns what has arrived of the rest.
    pub(super) fn unmask<'a>(&mut self, input: &'a mut [u8]) -> &'a [u8] {
        let here = self.next(input.len());
        self.key = mask(&mut input[self.touched..here], self.key);
        self.touched = here;
        &input[..here]
    }

    /// Takes unmasked bytes.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.touched -= bytes;
        self.left -= bytes as u64;
    }

    /// Returns the length of the rest of the frame, but no more than this.
    pub(super) fn next(&self, most: usize) -> usize {
        usize::try_from(self.left).map_or(most, |left| left.min(most))
    }

    pub(super) fn gather(
        &mut self,
        assembler: &mut Assembler,
        input: &mut [u8],
    ) -> Result<Step, DecodeError> {
        let fresh = self.next(input.len());
        self.key = assembler.unmask(&mut input[..fresh], self.key)?;
        self.left -= fresh as u64;
        Ok(if self.left == 0 { Step::again(fresh) } else { Step { used: fresh, ..Step::STARVED } })
    }

    pub(super) fn stream(
        &mut self,
        kind: MessageKind,
        utf8: &mut Utf8,
        chunk: usize,
        input: &mut [u8],
    ) -> Result<Step, DecodeError> {
        let piece = self.next(chunk);
        let fresh = self.touched..piece.min(input.len());
        self.touched += fresh.len();
        self.key = match kind {
            MessageKind::Text => utf8.unmask(&mut input[fresh], self.key)?,
            MessageKind::Binary => mask(&mut input[fresh], self.key),
        };
        if self.touched < piece {
            return Ok(Step::STARVED);
        }
        self.touched = 0;
        self.left -= piece as u64;
        let more = if self.fin && self.left == 0 { More::Ended } else { More::Follows };
        Ok(Step::found(piece, Found::Piece(kind, 0..piece, more)))
    }
}
