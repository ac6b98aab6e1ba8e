//! A message in one frame that stays in the input until it is complete, and is unmasked as it arrives.

use ws_mask::{MaskKey, mask};

use super::in_place::InPlace;
use crate::error::DecodeError;
use crate::frame::header::Header;
use crate::message::MessageKind;
use crate::text::utf8::Utf8;

#[derive(Debug)]
pub(super) struct WholeFrame {
    kind: MessageKind,
    header_len: usize,
    len: usize,
    /// Payload bytes that are unmasked and validated.
    touched: usize,
    /// The key for the byte after them.
    key: MaskKey,
    utf8: Utf8,
}

impl WholeFrame {
    pub(super) fn new(kind: MessageKind, header: &Header, header_len: usize, len: usize) -> Self {
        Self { kind, header_len, len, touched: 0, key: header.key(), utf8: Utf8::new() }
    }

    /// Returns the number of input bytes that the frame fills.
    pub(super) const fn end(&self) -> usize {
        self.header_len + self.len
    }

    /// Unmasks and validates what has newly arrived. Returns the message when it is complete.
    pub(super) fn touch(&mut self, input: &mut [u8]) -> Result<Option<InPlace>, DecodeError> {
        let fresh = self.header_len + self.touched..self.end().min(input.len());
        self.touched += fresh.len();
        self.key = match self.kind {
            MessageKind::Text => self.utf8.unmask(&mut input[fresh], self.key)?,
            MessageKind::Binary => mask(&mut input[fresh], self.key),
        };
        if self.touched < self.len {
            return Ok(None);
        }
        self.utf8.finish()?;
        let end = self.end();
        let place = self.header_len..end;
        Ok(Some(InPlace { kind: self.kind, place, key: MaskKey::ZERO, end }))
    }
}
